"""Supplied labels in DICOM: the segments of a SEG, the ROIs of an RTSTRUCT."""

from pathlib import Path
from typing import TYPE_CHECKING

from scanmill.grid import Grid
from scanmill.source.layout import permitted

if TYPE_CHECKING:
    from scanmill.source.segments.segment import Segments

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


@permitted()
def read_segments(path: Path, scan: Grid) -> "Segments | None":
    """The segments of the one SEG or RTSTRUCT at `path`: a file, or a folder or archive that holds it.

    scan: the grid of the scan's slices as acquired, on which contours are drawn. None where there is
    no such object, so that the labels are of another format. Raises Refusal where there are several,
    or the object is damaged, or does not prove where its voxels lie.
    """
    path = Path(path)
    if not _may_hold_dicom(path):
        return None
    # Imported here: most labels are label maps, and every job pays for its imports.
    from scanmill.source.segments.object_file import STRUCTURE_SET, interpreting, object_of
    from scanmill.source.segments.segmentation_object import SegmentationObject
    from scanmill.source.segments.structure_set import StructureSet

    dataset = object_of(path)
    if dataset is None:
        return None
    with interpreting():
        if dataset.SOPClassUID == STRUCTURE_SET:
            return StructureSet(dataset, scan)
        return SegmentationObject(dataset)


def _may_hold_dicom(path: Path) -> bool:
    if path.is_dir():
        return True
    if not path.is_file():
        return False
    if path.name.lower().endswith(ARCHIVES):
        return True
    with open(path, "rb") as stream:
        head = stream.read(132)
    return head[128:] == b"DICM" or head[:2] == b"\x08\0"
