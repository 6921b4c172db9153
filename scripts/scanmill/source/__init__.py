"""Foreign scans, whatever their format, read into volumes: with proof, or refused."""

from pathlib import Path

from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.source.inflate import head_of
from scanmill.source.layout import Layout, Note, permitted
from scanmill.source.voxels import read_voxels
from scanmill.volume_file import Volume

EXTENSIONS = {
    "nifti": (".nii",),
    "nifti-gzip": (".nii.gz",),
    "nrrd": (".nrrd", ".nhdr"),
    "metaimage": (".mha", ".mhd"),
}
DETACHED = (".mhd", ".nhdr")
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
KNOWN = ".nii, .nii.gz, .nrrd, .nhdr, .mha, .mhd, or DICOM: a folder, .zip, .tar, .tar.gz or file"
HEAD = 352
BARE_DICOM = (b"\2\0\0\0", b"\x08\0\0\0", b"\x08\0\5\0", b"\x08\0\x08\0")  # without preamble
METAIMAGE_STARTS = (b"ObjectType", b"NDims", b"Comment", b"ObjectSubType")


@permitted()
def read_source(
    path: Path, series: str = "", volume: str = "", allow_uneven: bool = False
) -> tuple[Volume, list[Note]]:
    """Read a scan, or a label map, from a file, or from DICOM files in a folder or an archive.

    series: of several DICOM series the one that is meant, by UID, number or description. volume: of
    several volumes of a series, by number or `Keyword=value`. allow_uneven: whether unevenly spaced
    DICOM slices may be resampled.

    Returns the volume, its voxels [z, y, x] in measured values (uint8, int16, uint16, int32 or
    float32; a label map stored as floats stays so) on a grid in LPS mm, and the (code, message)
    pairs of what the user should be warned of. Raises Refusal where one measurable volume in space
    is not certain, or not all there.
    """
    form = source_format(path)
    if form == "dicom":
        from scanmill.source.dicom import read_series

        return read_series(path, series, volume, allow_uneven)
    if series or volume:
        raise Refusal(
            "format-mismatch", f"a series or volume is named, and the file is {form}, not DICOM"
        )
    layout = _layout(path, form)
    array, notes = read_voxels(layout)
    return Volume(array, layout.grid), [*layout.notes, *notes]


def declared_grid(path: Path) -> Grid:
    """The grid that the header of a file other than DICOM declares.

    Raises Refusal where that is not one volume in space; nothing is known of its voxels yet.
    """
    return _layout(path, source_format(path)).grid


def files_of(path: Path) -> list[Path]:
    """The file or folder of a scan, and the file of its voxels where a detached header names one."""
    if Path(path).suffix.lower() in DETACHED:
        try:
            voxels = _layout(path, source_format(path)).path
        except (Refusal, OSError):
            return [path]
        if voxels != path:
            return [path, voxels]
    return [path]


def source_format(path: Path) -> str:
    """What a scan is, by its content: a key of EXTENSIONS, or `dicom` (a folder and archive, too).

    Raises Refusal where there is nothing, nothing known, or not what the extension says.
    """
    path = Path(path)
    if path.is_dir():
        return "dicom"
    if not path.is_file():
        raise Refusal("source-missing", "there is no file or folder where the sheet says")
    if path.stat().st_size == 0:
        raise Refusal("source-empty", "the file holds 0 bytes; copy or export the scan again")
    form = "dicom" if path.name.lower().endswith(ARCHIVES) else _recognise(path)
    if form != "dicom" and not path.name.lower().endswith(EXTENSIONS[form]):
        raise Refusal(
            "format-mismatch",
            f"the content is {form}, which the extension denies; name it "
            f"{' or '.join(EXTENSIONS[form])} if that is what it is",
        )
    return form


def _recognise(path: Path) -> str:
    gzipped, head = head_of(path, HEAD)
    if gzipped and _is_nifti(head):
        return "nifti-gzip"
    if not gzipped:
        if _is_nifti(head):
            return "nifti"
        if head.startswith(b"NRRD000"):
            return "nrrd"
        if head.lstrip().startswith(METAIMAGE_STARTS):
            return "metaimage"
        if head[128:132] == b"DICM" or head.startswith(BARE_DICOM):
            return "dicom"
    raise Refusal("format-unknown", f"the content is of no known format; give {KNOWN}")


def _is_nifti(head: bytes) -> bool:
    if head[344:348] == b"ni1\0":
        raise Refusal("format-unknown", "NIfTI as .hdr and .img is not read; save it as .nii.gz")
    one = head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c") and head[344:348] == b"n+1\0"
    two = head[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c") and head[4:8] == b"n+2\0"
    return one or two


def _layout(path: Path, form: str) -> Layout:
    if form.startswith("nifti"):
        from scanmill.source.nifti import nifti_layout

        return nifti_layout(path)
    if form == "nrrd":
        from scanmill.source.nrrd import nrrd_layout

        return nrrd_layout(path)
    from scanmill.source.metaimage import metaimage_layout

    return metaimage_layout(path)
