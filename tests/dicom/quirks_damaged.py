"""Damaged files, and headers that do not fit their pixels: what must be refused."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from cases import LAST, TILTED, Case, Write, stacked, written
from compression import compressed, frames_packed, repack
from instances import MR, deflated, save, series
from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)  # fmt: skip
from quirks_pixels import WIDE

FILES = "refused: damaged files"
BOMB = 300 << 20  # bytes that a few hundred kilobytes inflate to
SHORT = ("data-truncated", "data-corrupt", "header-invalid")
CODECS = {
    "rle": RLELossless, "jpeg-ls": JPEGLSLossless, "jpeg-2000": JPEG2000Lossless,
    "jpeg-lossless": JPEGLosslessSV1,
}  # fmt: skip


def damaged(damage: Callable[[bytes], bytes], at: int = LAST, syntax: str | None = None) -> Write:
    """Damage the bytes of one file."""

    def write(folder: Path) -> Path:
        images = series(WIDE) if syntax else series(TILTED)
        folder = save(compressed(images, syntax) if syntax else images, folder / "scan")
        path = sorted(folder.iterdir())[min(at, len(images) - 1)]
        path.write_bytes(damage(path.read_bytes()))
        return folder

    return write


def edited(edit: Callable[[Dataset], object], at: int = LAST, syntax: str | None = None) -> Write:
    """Edit the data set of one slice."""

    def make() -> Sequence[Dataset]:
        images = series(WIDE) if syntax else series(TILTED)
        images = compressed(images, syntax) if syntax else images
        edit(images[min(at, len(images) - 1)])
        return images

    return written(make)


def beside(name: str, content: bytes, lost: int) -> Write:
    """A file of other content in the place of one slice."""

    def write(folder: Path) -> Path:
        folder = save(
            series(TILTED), folder / "scan", [f"IM{k}{Path(name).suffix}" for k in range(9)]
        )
        (folder / f"IM{lost}{Path(name).suffix}").write_bytes(content)
        return folder

    return write


def alone(name: str, content: bytes) -> Write:
    """A folder of one file."""

    def write(folder: Path) -> Path:
        (folder / "scan").mkdir()
        (folder / "scan" / name).write_bytes(content)
        return folder / "scan"

    return write


def empty(folder: Path) -> Path:
    (folder / "scan").mkdir()
    return folder / "scan"


def empty_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "scan.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing else")
    return folder / "scan.zip"


def cut_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "scan.zip", "w") as archive:
        for path in sorted(save(series(TILTED), folder / "files").iterdir()):
            archive.write(path, path.name)
    raw = (folder / "scan.zip").read_bytes()
    (folder / "scan.zip").write_bytes(raw[: len(raw) * 2 // 3])
    return folder / "scan.zip"


def bombs(folder: Path) -> Path:
    """Deflated slices that inflate without end."""
    folder = save(series(TILTED), folder / "scan", syntax=DeflatedExplicitVRLittleEndian)
    bomb = deflated(BOMB)
    for path in folder.iterdir():
        raw = path.read_bytes()
        meta = 144 + int.from_bytes(raw[140:144], "little")
        path.write_bytes(raw[:meta] + bomb)
    return folder


def emptied(image: Dataset) -> None:
    """Compressed pixel data without a frame."""
    repack(image, [b"\0\0"])


def shortened(image: Dataset) -> None:
    """A compressed frame of which half is missing."""
    frame = frames_packed(image)[0]
    repack(image, [frame[: len(frame) // 4 * 2]])


def of_other_size(image: Dataset) -> None:
    """A header that declares fewer rows than its compressed frame has."""
    image.Rows = 30


def _mislabelled(image: Dataset, syntax: str = JPEGLSLossless) -> Dataset:
    image.file_meta.TransferSyntaxUID = syntax
    return image


def _case(name: str, what: str, write: Write, *codes: str) -> Case:
    return Case(FILES, name, what, write, codes=frozenset(codes))


CASES = [
    _case("no-files", "an empty folder", empty, "dicom-empty"),
    _case("junk", "a folder of junk", alone("a.txt", b"text" * 99), "dicom-empty"),
    _case("junk-dcm", "junk that is named .dcm", alone("a.dcm", b"text" * 99)),
    _case("zero-length", "a folder of an empty file", alone("a.dcm", b"")),
    _case("zero-last", "the last slice is an empty file", beside("x.dcm", b"", LAST)),
    _case("zero-last-plain", "the same, named without extension", beside("x", b"", LAST)),
    _case("zero-middle", "a slice in the middle is an empty file", beside("x.dcm", b"", 4)),
    _case("junk-last", "the last slice is junk", beside("x.dcm", b"\0" * 900, LAST)),
    _case("preamble-alone", "the last slice ends after its preamble", damaged(
        lambda raw: raw[:132])),
    _case("cut-preamble", "the last slice ends in its preamble", damaged(lambda raw: raw[:99])),
    _case("cut-header", "the last slice ends in its header", damaged(lambda raw: raw[:700])),
    _case("cut-pixels", "the last slice ends in its pixels", damaged(lambda raw: raw[:-40]),
          *SHORT),
    _case("cut-byte", "the last slice lacks its last byte", damaged(lambda raw: raw[:-1]),
          *SHORT),
    _case("empty-zip", "a zip without DICOM", empty_zip),
    _case("cut-zip", "a zip that is cut off", cut_zip),
    _case("no-pixel-data", "the last slice has no pixel data", edited(
        lambda image: delattr(image, "PixelData"))),
    _case("empty-pixel-data", "the last slice has empty pixel data", edited(
        lambda image: setattr(image, "PixelData", b""))),
    _case("more-rows", "all slices declare more rows than they hold", stacked(Rows=11), *SHORT),
    _case("many-rows", "slices that declare 65535 x 65535 pixels", stacked(
        Rows=65535, Columns=65535)),
    _case("fewer-rows", "all slices declare fewer rows than they hold", stacked(Rows=8)),
    _case("zero-rows", "slices of no row", stacked(Rows=0)),
    _case("no-rows", "slices without Rows", stacked(Rows=None)),
    _case("32-declared", "32 bits declared, 16 there", stacked(
        kind=MR, BitsAllocated=32, BitsStored=32, HighBit=31)),
    _case("deflate-bomb", "deflated slices that inflate to 300 MB each", bombs),
    *(_case(f"cut-{name}", f"{name}: a file cut in its last frame",
            damaged(lambda raw: raw[: -len(raw) // 5], syntax=syntax))
      for name, syntax in CODECS.items()),
    *(_case(f"{how.__name__}-{name}", f"{name}: {how.__doc__[0].lower()}{how.__doc__[1:-1]}",
            edited(how, syntax=syntax))
      for how in (emptied, shortened, of_other_size)
      for name, syntax in CODECS.items()),
    _case("wrong-syntax", "JPEG 2000 that says it is JPEG-LS", written(lambda: [
        _mislabelled(image) for image in compressed(series(WIDE), JPEG2000Lossless)])),
    _case("unknown-syntax", "a slice of a transfer syntax of nobody's", damaged(
        lambda raw: raw.replace(b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.4.89"),
        syntax=JPEG2000Lossless)),
    _case("video", "MPEG-4 video", written(lambda: [
        _mislabelled(image, "1.2.840.10008.1.2.4.102")
        for image in compressed(series(WIDE), JPEG2000Lossless)])),
]  # fmt: skip
