"""A folder of one plain DICOM series: one regular stack of single-frame slices, proven, or refused.

The headers of all files are read and judged before any pixel is. What is not certain (several
series, uneven or tilted stacks, unlike slices, scalings that are not stated) is never guessed.
Attributes: DICOM PS3.3, C.7.6.2 (image plane), C.7.6.3 (pixels), C.11.1 (modality LUT).
"""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.errors import InvalidDicomError

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.source.geometry import check_spacing, grid_of
from scanmill.source.layout import Note, parsing_header, size_of
from scanmill.source.slice_pixels import check_pixels, read_slice, read_slices
from scanmill.volume_file import Volume

CT = "1.2.840.10008.5.1.4.1.1.2"
PLAIN = {CT, "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.128"}  # CT, MR, PET
DIRECTORY = "1.2.840.10008.1.3.10"
# What one acquisition states alike in all its slices; where two differ, the series holds several.
ALIKE = (
    "SOPClassUID", "Modality", "FrameOfReferenceUID", "ImageType", "PatientID", "Rows", "Columns",
    "PixelSpacing", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "SamplesPerPixel", "PhotometricInterpretation", "RescaleType", "Units", "EchoTime",
    "DiffusionBValue", "TriggerTime", "TemporalPositionIdentifier", "ConvolutionKernel", "KVP",
)  # fmt: skip
OTHERS = (
    "SeriesInstanceUID", "NumberOfFrames", "ImageOrientationPatient", "ImagePositionPatient",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "SpacingBetweenSlices",
    "SliceThickness",
)  # fmt: skip
# Largest distance of a slice from its place in a regular stack, as part of a voxel's side: above
# the rounding of positions in the header, far below a missing slice or a tilted gantry.
STACK_LIMIT = 0.05


def read_series(folder: Path) -> tuple[Volume, list[Note]]:
    """Read the one series of a folder and its subfolders, ordered along the slices' normal.

    Returns the volume in measured values (HU for CT), LPS mm, and what to warn of. Raises Refusal
    with a `dicom-*`, geometry or data code where that is not one regular stack.
    """
    # pydicom's warnings quote the header, which names the patient.
    with warnings.catch_warnings(action="ignore"):
        headers, ignored = _headers(Path(folder))
        with parsing_header():
            slices = list(headers.values())
            _check_one_series(slices)
            for header in slices:
                check_pixels(header)
            _check_scalings(slices)
            grid, order = _stack(slices)
            notes = _gap_notes(slices, grid)
        paths = [list(headers)[k] for k in order]
        array = read_slices(paths, [slices[k] for k in order])
    if ignored:
        message = f"Files of the folder that are not DICOM were not read: {ignored}."
        notes.append(("files-ignored", message))
    return Volume(array, grid), notes


def _headers(folder: Path) -> tuple[dict[Path, Dataset], int]:
    """The header of each DICOM file, by path in order, and the number of files of other kinds."""
    headers, ignored = {}, 0
    names = (Path(root) / name for root, _, files in os.walk(folder) for name in files)
    for path in sorted(names):
        if path.name.startswith(".") or path.name == "DICOMDIR":
            continue
        if (header := _header(path)) is None:
            ignored += 1
        elif header.get("SOPClassUID") != DIRECTORY:
            headers[path] = header
    if not headers:
        raise Refusal(
            "dicom-empty", "the folder holds no DICOM file; name the folder of the slices"
        )
    return headers, ignored


def _header(path: Path) -> Dataset | None:
    with open(path, "rb") as stream:
        head = stream.read(132)
    if head[128:] != b"DICM":
        # A file that claims to be a slice, or begins like one, must not be left out of the stack.
        if path.suffix.lower() in (".dcm", ".ima") or head[:2] == b"\x08\0":
            raise Refusal(
                "header-invalid",
                "a file of the folder seems to be a slice but has no DICOM preamble; export the "
                "series again",
            )
        return None
    with parsing_header():
        try:
            header = read_slice(path, stop_before_pixels=True, specific_tags=[*ALIKE, *OTHERS])
            # Decode now what later code reads, so that a bad value is found here.
            for element in header:
                _ = element.value
        except (EOFError, InvalidDicomError) as error:
            raise Refusal(
                "data-truncated", "a slice ends within its header; copy or export it again"
            ) from error
    return header


def _check_one_series(slices: Sequence[Dataset]) -> None:
    series = {header.get("SeriesInstanceUID") for header in slices}
    if len(series) > 1:
        raise Refusal(
            "dicom-several",
            f"the folder holds {len(series)} series; name a folder that holds one",
        )
    if None in series:
        raise Refusal("header-invalid", "the slices do not say which series they belong to")
    for header in slices:
        if header.get("SamplesPerPixel", 1) != 1:
            raise Refusal("is-colour", "the pixels are colours; one intensity per pixel is needed")
        if header.get("SOPClassUID") not in PLAIN or int(header.get("NumberOfFrames") or 1) > 1:
            raise Refusal(
                "dicom-unsupported",
                "the series is not of single-frame CT, MR or PET images; convert it to NIfTI",
            )
        if "MOSAIC" in _values(header, "ImageType"):
            raise Refusal(
                "dicom-unsupported",
                "the images are mosaics of several slices each; convert the series to NIfTI",
            )
    for keyword in ALIKE:
        if len({str(header.get(keyword)) for header in slices}) > 1:
            raise Refusal(
                "dicom-irregular",
                f"the slices differ in {keyword}; one series of like slices is needed",
            )
    if len({str(header.file_meta.TransferSyntaxUID) for header in slices}) > 1:
        raise Refusal("dicom-irregular", "the slices differ in their transfer syntax")


def _check_scalings(slices: Sequence[Dataset]) -> None:
    for header in slices:
        stated = [header.get(name) is not None for name in ("RescaleSlope", "RescaleIntercept")]
        if "ModalityLUTSequence" in header:
            raise Refusal("dicom-unsupported", "values are scaled by a table, which is not read")
        if any(stated) != all(stated) or (header.SOPClassUID == CT and not all(stated)):
            raise Refusal(
                "header-invalid", "the slices lack the rescale slope and intercept of their values"
            )
        if any(stated) and not (
            np.isfinite([header.RescaleSlope, header.RescaleIntercept]).all()
            and header.RescaleSlope != 0
        ):
            raise Refusal("header-invalid", "the rescale slope is zero or not a number")
        if header.SOPClassUID == CT and header.get("RescaleType") not in (None, "", "HU"):
            raise Refusal("dicom-unsupported", "the CT's values are not in Hounsfield units")


def _stack(slices: Sequence[Dataset]) -> tuple[Grid, list[int]]:
    """The grid of the stack, and the slices' order along it."""
    cosines = np.array([_numbers(header, "ImageOrientationPatient", 6) for header in slices])
    positions = np.array([_numbers(header, "ImagePositionPatient", 3) for header in slices])
    between_rows, between_columns = _numbers(slices[0], "PixelSpacing", 2)
    if not np.isfinite(positions).all() or not np.isfinite(cosines).all():
        raise Refusal("geometry-invalid", "a slice's position or orientation is not a number")
    check_spacing((between_columns, between_rows, 1.0))
    row, column = cosines[0, :3], cosines[0, 3:]
    if not np.allclose([np.linalg.norm(row), np.linalg.norm(column)], 1, atol=1e-3):
        raise Refusal("geometry-invalid", "the slices' direction cosines are not of length 1")
    if np.abs(cosines - cosines[0]).max() > 1e-4:
        raise Refusal("dicom-irregular", "the slices are not parallel to each other")
    size = size_of([slices[0].Columns, slices[0].Rows, len(slices)])
    normal = np.cross(row, column)
    order = [int(k) for k in np.argsort(positions @ normal, kind="stable")]
    step = _even_step(positions[order], normal, min(between_rows, between_columns))
    axes = np.column_stack([row * between_columns, column * between_rows, normal * step])
    return grid_of(size, axes, positions[order[0]], (between_columns, between_rows, step)), order


def _even_step(positions: np.ndarray, normal: np.ndarray, pixel: float) -> float:
    """The distance in mm of the slices at ordered positions; Refusal where it is not one."""
    heights = (positions - positions[0]) @ normal
    step = float(f"{heights[-1] / (len(positions) - 1):.7g}")
    gaps = np.diff(heights)
    if gaps.min() <= STACK_LIMIT * gaps.max():
        raise Refusal(
            "dicom-irregular",
            "several slices lie at one place: the series holds several volumes, or a slice twice; "
            "give one volume alone",
        )
    if np.abs(heights - step * np.arange(len(heights))).max() > STACK_LIMIT * step:
        raise Refusal(
            "dicom-irregular",
            f"the slices are {gaps.min():.4g} to {gaps.max():.4g} mm apart: some are missing, or "
            "their spacing varies; one even stack is needed",
        )
    drift = np.linalg.norm(positions - positions[0] - np.outer(heights, normal), axis=1).max()
    if drift > STACK_LIMIT * pixel:
        raise Refusal(
            "dicom-irregular",
            f"the slices are shifted by up to {drift:.4g} mm against each other (a tilted gantry, "
            "perhaps); a stack along its normal is needed",
        )
    return step


def _gap_notes(slices: Sequence[Dataset], grid: Grid) -> list[Note]:
    step = grid.spacing[2]
    between = slices[0].get("SpacingBetweenSlices")
    if between and abs(abs(between) - step) > STACK_LIMIT * step:
        raise Refusal(
            "dicom-irregular",
            f"the slices are {step:.4g} mm apart where their headers say {abs(between):.4g} mm: "
            "slices are missing, or one of the two is wrong",
        )
    thickness = slices[0].get("SliceThickness")
    if not between and thickness and step > 1.5 * thickness:
        return [
            (
                "slices-apart",
                f"The slices are {thickness:.4g} mm thick and {step:.4g} mm apart: some may be "
                "missing.",
            )
        ]
    return []


def _values(header: Dataset, keyword: str) -> list[str]:
    value = header.get(keyword) or []
    return [value] if isinstance(value, str) else list(value)


def _numbers(header: Dataset, keyword: str, count: int) -> list[float]:
    values = header.get(keyword)
    if values is None or len(values) != count:
        raise Refusal(
            "geometry-missing",
            f"a slice does not state its {keyword}; without it, nothing can be measured",
        )
    return [float(x) for x in values]
