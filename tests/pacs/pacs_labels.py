"""A SEG and an RTSTRUCT of the ball in a series, as files and for a PACS."""

from pathlib import Path

import numpy as np
from pacs_series import SECRETS, STUDY, Made
from pydicom import dcmread
from scanmill.source import read_source
from segment_samples import segmentation, sphere_contours, write_rtstruct

OF_LABELS = "1.2.826.0.1.3680043.8.498.72"
NAME = f"ball of {SECRETS[0]}"


def write_all(folder: Path, series: Made) -> dict[str, Made]:
    """Each alone in a folder named after its kind, `seg` and `rtstruct`."""
    volume, _ = read_source(series.files[0].parent)
    files = {kind: folder / kind / "labels.dcm" for kind in ("seg", "rtstruct")}
    for file in files.values():
        file.parent.mkdir()
    segmentation(volume.grid, {NAME: volume.array > 0}).save_as(files["seg"])
    middle = volume.grid.to_physical((np.array(volume.grid.size) - 1) / 2)
    contours = sphere_contours(middle, 12, volume.grid)
    write_rtstruct(files["rtstruct"], {NAME: contours}, frame=f"{STUDY}.0")
    made = {}
    for number, (kind, file) in enumerate(files.items(), 1):
        dataset = dcmread(file)
        dataset.FrameOfReferenceUID = f"{STUDY}.0"
        dataset.PatientName, dataset.PatientID = SECRETS[:2]
        dataset.StudyInstanceUID = OF_LABELS
        dataset.SeriesInstanceUID, dataset.SeriesNumber = f"{OF_LABELS}.{number}", number
        dataset.save_as(file)
        made[kind] = Made(dataset.SeriesInstanceUID, number, [file])
    return made
