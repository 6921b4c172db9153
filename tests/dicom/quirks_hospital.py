"""Series as they come from hospitals: disks, anonymisers, archives, tables and hurried operators."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from cases import LAST, TILTED, Case, Write, in_slice, stacked, written
from compression import compressed
from instances import CT, HOUNSFIELD, MR, decimals, enhanced, frames_of, group, series, uid
from pydicom import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless
from quirks_folders import OTHER, scout
from quirks_pixels import WIDE
from quirks_volumes import CODES, nth, parts_of
from stacks import LOOSE, Stack, brighter, facing

GROUP, REFUSED = "from hospitals", "refused: from hospitals"
# mm along a row, a column and the normal: a table that wobbles by 0.02 mm in any direction.
WOBBLE = np.random.default_rng(11).uniform(-0.02, 0.02, (12, 3))
FINE = replace(
    TILTED, pixel=(0.3, 0.3), heights=tuple(0.4 * k for k in range(12)), gradient=(160, 290, 230)
)
THIN = replace(TILTED, heights=tuple(0.625 * k for k in range(9)), turn=facing("L", "P"))
CHEST, ABDOMEN = (
    replace(TILTED, heights=tuple(2.5 * k for k in ks)) for ks in (range(9), range(6, 13))
)
SLICE = "1.2.840.10008.5.1.4.1.1"


def wobbling(stack: Stack) -> Callable[[int], list[str]]:
    """Positions with the wobble of a table."""
    return lambda k: decimals(stack.position(k) + stack.axes @ WOBBLE[k])


def to_tenths(stack: Stack) -> Callable[[int], list[str]]:
    """Positions rounded to 0.1 mm."""
    return lambda k: [f"{x:.1f}" for x in stack.position(k)]


def one_place(name: str, **fields: object) -> list[Dataset]:
    """A series that watches contrast arrive: one place, eight times."""
    fields = {
        "ImagePositionPatient": decimals(TILTED.position(3) + 0.4),
        "SeriesNumber": 9,
    } | fields
    return series(TILTED, name=name, AcquisitionTime=lambda k: f"1000{k:02}", **fields)[:8]


def three_ways() -> list[Dataset]:
    """A localizer of one slice each way that does not say that it is one."""
    turns = (facing("L", "P"), facing("L", "I"), facing("P", "I"))
    views = [replace(TILTED, turn=turn, gradient=(3.0, 2.0, 1.0)) for turn in turns]
    return [
        series(view, MR, name=f"view{n}", SeriesInstanceUID=uid("series", "views"))[4]
        for n, view in enumerate(views)
    ]


def with_last(**fields: object) -> list[Dataset]:
    """A series whose last slice differs."""
    images = series(TILTED)
    for keyword, value in fields.items():
        setattr(images[LAST], keyword, value)
    return images


def second_half(**fields: object) -> list[Dataset]:
    images = series(TILTED)
    for image in images[5:]:
        for keyword, value in fields.items():
            setattr(image, keyword, value)
    return images


def mixed_syntaxes(twice: bool = False) -> list[Dataset]:
    """Slices in four encodings; or plain ones, and all of them once more compressed."""
    parts = [
        compressed(series(WIDE, CT, HOUNSFIELD), syntax)
        for syntax in (RLELossless, JPEG2000Lossless, JPEGLosslessSV1)
    ]
    plain = series(WIDE, CT, HOUNSFIELD)
    if twice:
        return plain + parts[1]
    return [(*parts, plain)[k % 4][k] for k in range(len(plain))]


def overlapping(**fields: object) -> list[Dataset]:
    """Chest and abdomen in one series: two acquisitions of some slices in common."""
    both = {"SeriesInstanceUID": uid("series", "a")} | fields
    chest = series(CHEST, AcquisitionNumber=1, **both)
    return chest + series(brighter(ABDOMEN, 200), name="b", AcquisitionNumber=2, **both)


def gated() -> list[Dataset]:
    """A CT of the heart at three parts of its cycle."""
    return parts_of([{"NominalPercentageOfCardiacPhase": float(p)} for p in (5, 40, 75)], CT)


def gated_wobbling() -> list[Dataset]:
    """The same, whose slices' places differ by some micrometres from phase to phase."""
    images = gated()
    for n, image in enumerate(images):
        place = np.array(image.ImagePositionPatient, float)
        image.ImagePositionPatient = decimals(place + TILTED.axes[:, 2] * 0.004 * (n % 3))
    return images


def emptied(*keywords: str) -> Write:
    """What a careless anonymisation leaves of these attributes."""
    return stacked(**dict.fromkeys(keywords, ""))


def canon() -> list[Dataset]:
    """Enhanced CT of other times for each frame, with the private places that vendors keep."""
    image = enhanced(frames_of(TILTED, range(8, -1, -1)), SLICE + ".2.1", HOUNSFIELD)
    for k, item in enumerate(image.PerFrameFunctionalGroupsSequence):
        item.FrameContentSequence[0].FrameAcquisitionDateTime = f"202001021011{k:02}"
        item.CTImageFrameTypeSequence = [group(FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])]
        block = item.private_block(0x7005, "TOSHIBA_MEC_CT3", create=True)
        block.add_new(0x08, "SQ", [group(ImagePositionPatient=["9", "9", "9"])])
    return [image]


def _read(name: str, what: str, write: Write, stack: Stack = TILTED, **how: object) -> Case:
    return Case(GROUP, name, what, write, stack, **how)


def _refused(name: str, what: str, write: Write, *codes: str, **how: object) -> Case:
    return Case(REFUSED, name, what, write, codes=frozenset(codes), **how)


IRREGULAR = "dicom-irregular"
LOCALIZER = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
CASES = [
    _read("table-wobble", "positions that wobble by 0.02 mm in all directions",
          stacked(ImagePositionPatient=wobbling(TILTED)), within=LOOSE),
    _read("table-wobble-fine", "the same on voxels of 0.3 mm", stacked(
        FINE, ImagePositionPatient=wobbling(FINE)), FINE, within=LOOSE),
    _read("table-wobble-mr", "the same in MR", stacked(
        FINE, MR, ImagePositionPatient=wobbling(FINE)), FINE, within=LOOSE),
    _read("to-tenths", "slices 0.625 mm apart, positions rounded to 0.1 mm", stacked(
        THIN, ImagePositionPatient=to_tenths(THIN)), THIN, within=LOOSE),
    _read("table-moves-out", "positions that fall while slices are taken", stacked(
        InstanceNumber=lambda k: LAST + 1 - k, TableHeight="-120", PatientPosition="FFS")),
    _read("contrast-watched", "a series of one place beside", written(
        lambda: series(TILTED) + one_place("w"))),
    _read("three-views", "a localizer of three views that does not say so", written(
        lambda: series(TILTED, MR) + three_ways())),
    _read("unscaled-scout", "a scout without rescale or orientation in the series", written(
        lambda: series(TILTED) + scout("s", SeriesInstanceUID=uid("series", "a"),
                                       RescaleSlope=None, RescaleIntercept=None,
                                       ImageOrientationPatient=None))),
    _read("emptied", "tags emptied by an anonymiser", emptied(
        "FrameOfReferenceUID", "PatientID", "PatientName", "StudyInstanceUID", "Modality",
        "SeriesDescription", "SeriesNumber", "AcquisitionNumber", "InstanceNumber", "ImageType")),
    _read("emptied-series", "no series UID anywhere", emptied("SeriesInstanceUID")),
    _read("nameless", "a patient's number in some files only", stacked(
        PatientID=lambda k: "secret-17" if k % 2 else "")),
    _read("overwritten-numbers", "words where numbers of no importance belong", lambda folder:
          _overwritten(stacked(KVP="120", FlipAngle="90")(folder))),
    _read("mixed-syntaxes", "slices of four transfer syntaxes", written(mixed_syntaxes), WIDE),
    _read("two-encodings", "each slice twice, plain and compressed", written(
        lambda: mixed_syntaxes(True)), WIDE),
    _read("many-word-image-type", "ImageType of many words", stacked(
        ImageType=["DERIVED", "SECONDARY", "MPR", "CT_SOM5 SPI", "", "HEADER_CORRECTED"])),
    _read("thin-projection", "MPR slabs that overlap", stacked(
        replace(TILTED, heights=tuple(1.0 * k for k in range(9))), SliceThickness="10"),
        replace(TILTED, heights=tuple(1.0 * k for k in range(9)))),
    _read("enhanced-frames-private", "enhanced CT with private places", written(canon)),
    _read("cardiac-phase", "a part of the heart's cycle", written(gated), nth(1),
          volume="NominalPercentageOfCardiacPhase=40"),
    _read("cardiac-phase-wobbling", "the same, places differ by micrometres", written(
        gated_wobbling), nth(2), volume="3"),
    _read("chest", "chest and abdomen in one series: chest", written(overlapping), CHEST,
          volume="1"),
    _read("abdomen", "chest and abdomen in one series: abdomen", written(overlapping),
          brighter(ABDOMEN, 200), volume="AcquisitionNumber=2"),
    _read("sequence-names", "b-values that only the sequence's name tells", written(
        lambda: parts_of([{"SequenceName": s} for s in ("*ep_b0", "*ep_b1000t")])), nth(1),
        volume="SequenceName=*ep_b1000t"),
    _refused("chest-or-abdomen", "chest and abdomen, and no choice", written(overlapping), *CODES),
    _refused("overlap-incomplete", "the abdomen lacks a slice", written(
        lambda: [i for k, i in enumerate(overlapping()) if k != 11]), *CODES, volume="2"),
    _refused("cardiac-phases", "the heart's cycle, and no choice", written(gated), *CODES),
    _refused("scout-by-name", "the last slice says to be a scout", written(
        lambda: with_last(ImageType=LOCALIZER)), IRREGULAR),
    _refused("scouts-by-name", "half of the slices say to be scouts", written(
        lambda: second_half(ImageType=LOCALIZER)), IRREGULAR),
    _refused("scouts-in-turn", "every other slice says to be a scout", stacked(
        ImageType=lambda k: LOCALIZER if k % 2 else ["ORIGINAL", "PRIMARY", "AXIAL"]), IRREGULAR),
    _refused("odd-series", "the last slice is of another series", written(
        lambda: with_last(SeriesInstanceUID=uid("series", "odd"))), IRREGULAR),
    _refused("split-series", "half of the slices are of another series", written(
        lambda: second_half(SeriesInstanceUID=uid("series", "odd"))), "dicom-several"),
    _refused("series-of-one", "each slice is of a series of its own", stacked(
        SeriesInstanceUID=lambda k: uid("series", k)), "dicom-several"),
    _refused("frames-of-one", "each slice has a frame of reference of its own", stacked(
        FrameOfReferenceUID=lambda k: uid("frame", k)), IRREGULAR),
    _refused("one-series-unnamed", "the last slice has no series UID", stacked(
        SeriesInstanceUID=in_slice(LAST, None, lambda k: uid("series", "a"))), "header-invalid"),
    _refused("two-names", "two patients' names, numbers in some files only", stacked(
        PatientID=lambda k: "secret-17" if k < 5 else None,
        PatientName=lambda k: "Doe^Jane" if k < 5 else "Doe^John"), "dicom-patients"),
    _refused("slabs-beside", "slabs of a reconstruction beside the scan", written(
        lambda: series(TILTED) + series(OTHER, name="b", ImageType=["DERIVED", "SECONDARY", "MPR"])),
        "dicom-several"),
    _refused("one-compressed-cut", "one of the slices' two encodings is of another slice", written(
        lambda: [*series(WIDE, CT, HOUNSFIELD),
                 *compressed(series(brighter(WIDE, 1), CT, HOUNSFIELD), RLELossless)[2:3]]), *CODES),
]  # fmt: skip


def _overwritten(root: Path) -> Path:
    """Numbers that an anonymiser has replaced by words."""
    for path in root.iterdir():
        raw = (
            path.read_bytes()
            .replace(b"DS\x04\x00120 ", b"DS\x04\x00none")
            .replace(b"DS\x02\x0090", b"DS\x02\x00NA")
        )
        assert b"none" in raw and b"NA" in raw
        path.write_bytes(raw)
    return root
