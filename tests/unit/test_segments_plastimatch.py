"""RTSTRUCT as an independent reader has it: plastimatch, on the same images."""

import shutil
import subprocess

import numpy as np
import pytest
import SimpleITK as sitk
from bodies import CENTRE, OBLIQUE, grid_over
from pydicom import dcmread
from scanmill.phantom.body import sphere
from scanmill.source.segments import read_segments
from scanmill.volume_file import Volume
from segment_samples import keyhole, sphere_contours, write_rtstruct
from source_samples import write_series

PLASTIMATCH = shutil.which("plastimatch")
BALL = sphere(16.0, CENTRE)
DIRECTIONS = {
    "axial": np.eye(3),
    "feet first": np.diag([-1.0, 1.0, -1.0]),
    "prone": np.diag([-1.0, -1.0, 1.0]),
    "oblique": OBLIQUE["oblique"],
}


def rois_of(grid) -> dict[str, list[np.ndarray]]:
    u, _, normal = np.reshape(grid.direction, (3, 3)).T
    centre = np.array(CENTRE)
    outer = sphere_contours(centre, 16, grid)
    inner = sphere_contours(centre + 2 * u, 7, grid)
    ring = []
    for contour in outer:
        held = [c for c in inner if abs((c[0] - contour[0]) @ normal) < 1e-6]
        ring.append(keyhole(contour, held[0]) if held else contour)
    pieces = sphere_contours(centre - 8 * u, 5, grid) + sphere_contours(centre + 8 * u, 6, grid)
    return {"ball": outer, "cavity": ring, "pieces": pieces}


@pytest.mark.skipif(PLASTIMATCH is None, reason="plastimatch is not installed")
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_masks_agree_with_an_independent_reader(tmp_path, direction):
    grid = grid_over(BALL, (0.9, 0.8, 2.5), DIRECTIONS[direction], margin=6)
    series = write_series(
        tmp_path / "series",
        Volume(np.zeros(grid.shape, np.int16), grid),
        StudyInstanceUID="1.2.3",
        SliceThickness=2.5,
    )
    frame = dcmread(next(series.iterdir())).FrameOfReferenceUID
    path = write_rtstruct(tmp_path / "set.dcm", rois_of(grid), frame=frame)
    command = [PLASTIMATCH, "convert", "--input", path, "--referenced-ct", series]
    command += ["--output-prefix", tmp_path / "masks", "--prefix-format", "nrrd"]
    subprocess.run(command, check=True, capture_output=True)
    segments = read_segments(path, grid)
    for number, segment in enumerate(segments.listed):
        mask, _ = segments.mask(number)
        theirs = sitk.ReadImage(str(tmp_path / "masks" / f"{segment.name}.nrrd"))
        index = np.argwhere(mask.array)[:, ::-1] + mask.start
        places = mask.lattice.to_physical(index)
        array = sitk.GetArrayFromImage(theirs)
        hit = sum(
            bool(array[theirs.TransformPhysicalPointToIndex(place.tolist())[::-1]])
            for place in places
        )
        assert 2 * hit / (len(places) + np.count_nonzero(array)) > 0.99
