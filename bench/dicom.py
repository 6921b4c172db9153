"""Scan DICOM headers and read a CT, ScanMill's reader beside SimpleITK's, each in its own process.

Usage: python dicom.py [--files 10000] [--slices 600] [--side 512]. Makes its input in a temporary
folder: `files` slices of 16 x 16 pixels for the header scan, and a CT of `slices` slices of `side` x
`side` pixels, each header of some 200 elements, as scanners write. Prints a table of CPU and wall
seconds and peak memory; each task runs once to warm the file cache, and then is measured.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

CT = "1.2.840.10008.5.1.4.1.1.2"
SERIES, STUDY, FRAME = "2.25.1", "2.25.2", "2.25.3"
PRIVATE_ELEMENTS = 170


def slice_of(side: int) -> FileDataset:
    """A CT slice whose header is as long as a scanner's, without place or pixels."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CT
    image = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    image.SOPClassUID, image.Modality, image.PatientID = CT, "CT", "bench"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = (
        STUDY,
        SERIES,
        FRAME,
    )
    image.SeriesNumber, image.KVP, image.SliceThickness = 3, "120", "1"
    image.ConvolutionKernel, image.PixelSpacing = "B30f", ["0.7", "0.7"]
    image.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    image.Rows = image.Columns = side
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, 1
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = "1", "-1024", "HU"
    for first in (0x0009, 0x0019, 0x0029):
        block = image.private_block(first, "SCANNER", create=True)
        for k in range(PRIVATE_ELEMENTS // 3):
            block.add_new(k, "DS", f"{k * 1.5:.4f}")
    return image


def write(folder: Path, count: int, side: int) -> None:
    """Write a series of `count` slices of noise."""
    folder.mkdir()
    image, random = slice_of(side), np.random.default_rng(7)
    noise = random.integers(0, 3000, (8, side, side), np.int16)
    for k in range(count):
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"2.25.4.{k}"
        image.InstanceNumber, image.ImagePositionPatient = k + 1, ["-179", "-179", str(k)]
        image.PixelData = np.roll(noise[k % 8], k).tobytes()
        image.save_as(folder / f"IM{k:05}.dcm", enforce_file_format=True)


def scan_with_scanmill(folder: Path) -> None:
    """Headers and their proof."""
    from scanmill.source.dicom import find_volume

    find_volume(folder)


def scan_with_simpleitk(folder: Path) -> None:
    """The ordered names of a series."""
    import SimpleITK as sitk

    sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))


def read_with_scanmill(folder: Path) -> None:
    """The whole volume."""
    from scanmill.source import read_source

    read_source(folder)


def read_with_simpleitk(folder: Path) -> None:
    """The whole volume."""
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    reader.Execute()


TASKS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "scan, ScanMill": ("many", scan_with_scanmill),
    "scan, SimpleITK": ("many", scan_with_simpleitk),
    "read, ScanMill": ("ct", read_with_scanmill),
    "read, SimpleITK": ("ct", read_with_simpleitk),
}


def measure(task: str, folder: Path) -> None:
    """Run one task here, its imports not counted, and print its costs."""
    import scanmill.source.dicom  # noqa: F401
    import SimpleITK  # noqa: F401

    where, run = TASKS[task]
    run(folder / where)
    wall, cpu = time.perf_counter(), time.process_time()
    run(folder / where)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {task} | {cpu:.2f} | {wall:.2f} | {peak:.0f} |")


def main() -> None:
    """Make the input, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--slices", type=int, default=600)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        measure(options.task, options.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "many", options.files, 16)
        write(Path(folder) / "ct", options.slices, options.side)
        print(
            f"{options.files} headers; a CT of {options.side} x {options.side} x {options.slices}"
        )
        print("| task | CPU, s | wall, s | peak memory, MB |\n|---|---|---|---|", flush=True)
        for task in TASKS:
            command = [sys.executable, __file__, "--task", task, "--folder", folder]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
