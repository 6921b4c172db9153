"""Quirks of folders and archives: what lies beside the series, and how its files are named."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from cases import TILTED, Case, Write, stacked, written
from instances import CT, ENHANCED_MR, MR, Pixels, enhanced, frames_of, group, save, series, uid
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from stacks import Stack, brighter, facing

GROUP = "series and folders"
OTHER = Stack(pixel=(0.8, 0.8), heights=tuple(3.0 * k for k in range(8)), middle=900)
SCOUT = Stack(
    40, 30, (2.0, 2.0), (0.0,), turn=facing("P", "I"), origin=(0.0, -200.0, 300.0),
    gradient=(3.0, 7.0, 5.0), middle=500.0,
)  # fmt: skip
JUNK = {"notes.txt": b"of the day", ".DS_Store": b"\0\0\0\1Bud1", "report.pdf": b"%PDF-1.4 x"}


def scout(name: str, **fields: object) -> list[Dataset]:
    """One localizer, across the stack."""
    return series(SCOUT, name=name, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], **fields)


def capture() -> list[Dataset]:
    """A secondary capture: colours, no place."""
    image = scout("capture")[0]
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    image.ImageType = ["DERIVED", "SECONDARY"]
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(image, keyword)
    for keyword in ("FrameOfReferenceUID", "RescaleSlope", "RescaleIntercept", "RescaleType"):
        delattr(image, keyword)
    image.SamplesPerPixel, image.PhotometricInterpretation = 3, "RGB"
    image.PlanarConfiguration, image.Modality = 0, "OT"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelData = 7, bytes(40 * 30 * 3)
    return [image]


def report() -> list[Dataset]:
    """A structured report, which has no pixels."""
    image = scout("report")[0]
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.88.22"
    image.Modality = "SR"
    for element in [*image.group_dataset(0x0028), image["PixelData"]]:
        del image[element.tag]
    return [image]


def directory() -> list[Dataset]:
    """A DICOMDIR of no entry."""
    image = report()[0]
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    image.DirectoryRecordSequence = []
    return [image]


def two(**fields: object) -> list[Dataset]:
    """Two volumes of one study, in two series."""
    others = series(OTHER, name="b", SeriesNumber=7, SeriesDescription="Schädel 5.0 H31s")
    return series(TILTED, SeriesDescription="T1 spin echo", **fields) + others


def beside(make: Callable[[], list[Dataset]], name: str) -> Write:
    """The series with other instances in the same folder."""

    def write(folder: Path) -> Path:
        save(series(TILTED), folder / "scan")
        extra = make()
        names = [name] if name == "DICOMDIR" else [f"{name}{k}.dcm" for k in range(len(extra))]
        return save(extra, folder / "scan", names)

    return write


def with_junk(folder: Path) -> Path:
    save(series(TILTED), folder / "scan")
    for name, content in JUNK.items():
        (folder / "scan" / name).write_bytes(content)
    return folder / "scan"


def zipped(folder: Path) -> Path:
    files = sorted(save(series(TILTED), folder / "files").iterdir())
    with zipfile.ZipFile(folder / "scan.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, f"study/{path.name}")
            # What macOS adds to each file of a zip.
            archive.writestr(f"__MACOSX/study/._{path.name}", b"\0\5\x16\7" + bytes(200))
    return folder / "scan.zip"


def tarred(name: str, mode: str) -> Write:
    def write(folder: Path) -> Path:
        with tarfile.open(folder / name, mode) as archive:
            archive.add(save(series(TILTED), folder / "files"), "study/CT 1")
        return folder / name

    return write


def without_preamble(syntax: str) -> Write:
    def write(folder: Path) -> Path:
        folder = save(series(TILTED), folder / "scan", syntax=syntax)
        for path in folder.iterdir():
            raw = path.read_bytes()[132:]
            if syntax == ImplicitVRLittleEndian:
                # Neither preamble nor file meta information: a bare data set, as ACR-NEMA had it.
                raw = raw[12 + int.from_bytes(raw[8:12], "little") :]
            path.write_bytes(raw)
        return folder

    return write


def escaping(folder: Path) -> Path:
    """A tar whose members want to lie outside of it."""
    with tarfile.open(folder / "scan.tar", "w") as archive:
        for path in sorted(save(series(TILTED), folder / "files").iterdir()):
            archive.add(path, f"study/{path.name}")
        member = tarfile.TarInfo("../../escaped.dcm")
        member.size = 9
        archive.addfile(member, io.BytesIO(b"not DICOM"))
    return folder / "scan.tar"


def cluttered() -> list[Dataset]:
    """Icons with pixels of their own, private sequences and padding round the pixel data."""
    icon = group(Rows=4, Columns=4, BitsAllocated=8, PixelData=bytes(16), PixelSpacing=["9", "9"])
    slices = series(TILTED, IconImageSequence=[icon])
    for image in slices:
        nested = Dataset()
        nested.ImagePositionPatient, nested.RescaleSlope = ["0", "0", "0"], "7"
        image.ReferencedImageSequence = [nested]
        image.private_block(0x0029, "SOMEBODY", create=True).add_new(0x10, "OB", b"\0\1" * 300)
        image.add_new(0xFFFCFFFC, "OB", bytes(64))
        image["ReferencedImageSequence"].is_undefined_length = True
        nested.is_undefined_length_sequence_item = True
    return slices


def single_enhanced(folder: Path) -> Path:
    return save([enhanced(frames_of(TILTED))], folder / "scan") / "000.dcm"


def apart(**fields: object) -> list[Dataset]:
    """Two volumes of one shape at one place in two frames of reference."""
    other = {"FrameOfReferenceUID": uid("frame", "b"), "InstanceNumber": lambda k: k + 10} | fields
    return series(TILTED) + series(brighter(TILTED, 300), name="b", **other)


def interleaved() -> list[Dataset]:
    """One series whose every other slice is in another frame of reference."""
    frames = [uid("frame"), uid("frame", "b")]
    return series(TILTED, FrameOfReferenceUID=lambda k: frames[k % 2])


N = range(len(TILTED.heights))
SHUFFLED = [(4 * k + 2) % 9 for k in N]
SEVERAL = frozenset({"dicom-several", "dicom-irregular", "dicom-volumes"})
DUAL = written(two)


def _read(name: str, what: str, write: Write, stack: Stack = TILTED, **how: object) -> Case:
    return Case(GROUP, name, what, write, stack, **how)


def _refused(name: str, what: str, write: Write, codes: frozenset[str], **how: object) -> Case:
    return Case("refused: series and folders", name, what, write, codes=codes, **how)


CASES = [
    _read("plain", "one CT series", stacked()),
    _read("scout-in-series", "a localizer in the series", written(
        lambda: scout("s", SeriesInstanceUID=uid("series", "a"))
        + series(TILTED, InstanceNumber=lambda k: k + 2))),
    _read("scout-beside", "a localizer series beside", beside(lambda: scout("s"), "scout")),
    _read("capture-beside", "a secondary capture beside", beside(capture, "sc")),
    _read("report-beside", "a structured report beside", beside(report, "sr")),
    _read("dicomdir-beside", "a DICOMDIR beside", beside(directory, "DICOMDIR")),
    _read("junk-beside", "other files beside", with_junk),
    _read("by-description", "the series by its description", DUAL, series="T1 spin echo"),
    _read("by-odd-description", "a description beyond ASCII", DUAL, OTHER,
          series="Schädel 5.0 H31s"),
    _read("by-number", "the series by its number", DUAL, OTHER, series="7"),
    _read("by-uid", "the series by its UID", DUAL, series=uid("series", "a")),
    _read("frames-of-reference", "one of two series of other frames of reference", written(apart),
          brighter(TILTED, 300), series="planted b"),
    _read("subfolders", "slices spread over nested folders",
          written(lambda: series(TILTED), [f"{k % 2}/{k % 3}/{k}.dcm" for k in N])),
    _read("no-extension", "files without extension",
          written(lambda: series(TILTED), [f"IM{k:05}" for k in N])),
    _read("ima", "files named .IMA", written(lambda: series(TILTED), [f"{k}.IMA" for k in N])),
    _read("uid-names", "files named like UIDs",
          written(lambda: series(TILTED), [f"MR.{uid('name', k)}" for k in N])),
    _read("zip", "a zip, with what macOS adds to it", zipped),
    _read("tar", "a tar", tarred("scan.tar", "w")),
    _read("tar.gz", "a tar.gz", tarred("scan.tar.gz", "w:gz")),
    _read("tgz", "a tgz", tarred("scan.tgz", "w:gz")),
    _read("single-file", "one file of an enhanced MR", single_enhanced),
    _read("no-preamble", "file meta information without preamble",
          without_preamble(ExplicitVRLittleEndian)),
    _read("bare", "data sets with neither preamble nor file meta information",
          without_preamble(ImplicitVRLittleEndian)),
    _read("names", "file names in another order",
          written(lambda: series(TILTED), [f"{n}.dcm" for n in SHUFFLED])),
    _read("numbers", "InstanceNumbers in another order",
          stacked(InstanceNumber=lambda k: SHUFFLED[k])),
    _read("numbers-downwards", "InstanceNumbers from the top", stacked(InstanceNumber=lambda k: 9 - k)),
    _read("numbers-alike", "one InstanceNumber for all", stacked(InstanceNumber=1)),
    _read("numbers-absent", "no InstanceNumber", stacked(InstanceNumber=None)),
    _read("location-lies", "SliceLocation of another order", stacked(SliceLocation=lambda k: -k)),
    _read("thickness-lies", "SliceThickness of a fifth of the distance", stacked(SliceThickness="0.5")),
    _read("thickness-zero", "SliceThickness 0", stacked(SliceThickness="0")),
    _read("between-lies", "SpacingBetweenSlices larger than the distance", stacked(
        kind=MR, SpacingBetweenSlices="5.5")),
    _read("between-negative", "SpacingBetweenSlices negative", stacked(
        kind=MR, SpacingBetweenSlices="-2.5")),
    _read("cluttered", "icons, private sequences, padding after the pixels", written(cluttered)),
    _read("number-formats", "decimal strings with exponents, signs and blanks", stacked(
        PixelSpacing=["+9.0e-1", " 0.70 "], RescaleIntercept="-1.024E3", RescaleSlope=" 1. ")),
    _read("several-times", "slices of other dates and times", stacked(
        AcquisitionTime=lambda k: f"10{k:02}00", ContentDate="20200103",
        AcquisitionDate=lambda k: f"202001{k + 1:02}")),
    _refused("two-series", "two volumes and no choice", DUAL, SEVERAL),
    _refused("no-such-series", "a series that is not there", DUAL, frozenset(), series="T2"),
    _refused("two-frames-of-reference", "one series in two frames of reference",
             written(interleaved), SEVERAL),
    _refused("frames-of-reference-stacked", "two halves of a stack in two frames of reference",
             stacked(FrameOfReferenceUID=lambda k: uid("frame", k > 4)), SEVERAL),
    _refused("same-description", "two series of the chosen description", written(
        lambda: apart(SeriesDescription="planted a")), SEVERAL, series="planted a"),
    _refused("two-patients", "two patients in one folder", written(
        lambda: series(TILTED) + series(OTHER, name="b", PatientID="secret-18")),
        frozenset({"dicom-patients", "dicom-several"})),
    _refused("two-patients-one-series", "two patients in one series", stacked(
        PatientID=lambda k: "secret-17" if k < 5 else "secret-18"),
        frozenset({"dicom-patients", "dicom-several", "dicom-irregular"})),
    _refused("two-patients-chosen", "two patients, one of whose series is chosen", written(
        lambda: series(TILTED) + series(OTHER, name="b", PatientID="secret-18")),
        frozenset({"dicom-patients", "dicom-several"}), series="planted a"),
    Case("rare: read right or refused", "escaping-tar", "a tar with a member outside of it",
         escaping, TILTED, optional=True),
    Case("rare: read right or refused", "two-enhanced-parts", "one volume in two enhanced files",
         written(lambda: [enhanced(frames_of(TILTED, range(5))),
                          _second(enhanced(frames_of(TILTED, range(5, 9)), ENHANCED_MR))]),
         TILTED, optional=True),
    Case("rare: read right or refused", "bits-differ", "BitsStored that differ between slices",
         written(lambda: _mixed_bits()), TILTED, optional=True),
]  # fmt: skip


def _second(image: Dataset) -> Dataset:
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid("second")
    return image


def _mixed_bits() -> list[Dataset]:
    full = series(TILTED, CT, Pixels("<u2", 16, lambda k: (1.0, -1024.0)))
    return [a if k % 2 else b for k, (a, b) in enumerate(zip(series(TILTED), full, strict=True))]
