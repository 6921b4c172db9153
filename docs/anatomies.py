"""How well atlases, seeds and networks find structures of public scans: docs/anatomies.md.

    python docs/anatomies.py DATA WORK

DATA: the folder of public scans (`tests/real/cohort.py`). WORK: a folder that keeps what was measured,
so that a run which was broken off goes on where it was. Needs the package `onnx` for the networks.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs")]
from challenge.mill import dice, timed  # noqa: E402
from challenge.table import markdown, seconds  # noqa: E402
from convert_meshnet import convert  # noqa: E402
from scanmill import midline, model_folder  # noqa: E402
from scanmill.fusion.multi_atlas import Atlas  # noqa: E402
from scanmill.fusion.multi_atlas import segmented as by_atlases  # noqa: E402
from scanmill.label_interpolation import resample_labels  # noqa: E402
from scanmill.refusal import Refusal  # noqa: E402
from scanmill.registration.pyramid import finest_spacing  # noqa: E402
from scanmill.seed_file import BACKGROUND, Seed  # noqa: E402
from scanmill.segmentation.network import Answer  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402
from seeded import ORGANS, Target, depth, grown, read, spread  # noqa: E402
from segmenters import kept  # noqa: E402

HEADS = {
    "Colin27": "atlas_multilabel/ch2.nii.gz",
    "Seg3D": "seg3d_mr/MR.nii.gz",
    "brainchop": "models_brainchop/t1_crop.nii.gz",
}
# AAL has labels of grey matter alone: a brain is what they enclose once they are closed by so many mm,
# with the brain stem between cerebellum and temporal lobes.
CLOSED = 25.0
# Of the cord, its centreline is known at each mm; a person would click at every fifth, and the cord is
# nowhere wider than so many mm from there.
EVERY, REACH = 5, 7.0
TISSUES = ("grey matter", "white matter")
CAVITIES = ("lateral-ventricle", "inferior-lateral-ventricle", "3rd-ventricle", "4th-ventricle")
INTRODUCTION = """\
# Real anatomy by atlases, seeds and networks

Written by `python docs/anatomies.py DATA WORK`, on public scans. CPU seconds to one digit, one thread.

Spinal cord (MR, 1 mm, outlined by hand): `seeded` from balls of 1.5 mm at every fifth point of its
centreline, then with 12 around it. Torso (CT, 3 mm, labels by TotalSegmentator): the atlas is the upper
quarter of the same scan, whose header puts it 246 mm lower; its labels are another network's, so that
what is told is whether it finds its place. Brain: the head of Seg3D (T1, with its mask) by Colin27
alone, whose brain is what AAL's grey matter encloses: of the brain stem the upper part, where Seg3D's
mask has it to the end of the scan.
"""
NETWORKS = """\
## Networks

MeshNet of brainchop (`scripts/convert_meshnet.py`): grey and white matter by `model5_gw_ae`, ventricles
by `subcortical`, as in the recipe `brain-ventricles`, parted by the midline that `side` uses. In mL.
Nobody has outlined these. Published means of all ventricles together: 17.4 mL in 38 adults (Evaluation
of encephalic ventricular volume from the magnetic resonance imaging scans of thirty-eight human
subjects, Surg Radiol Anat), 16.2 in the twenties and 24.9 in the forties of 218 Koreans (Effects of
gender, age, and body parameters on the ventricular volume of Korean people).
"""
VOLUMES = (
    "head",
    *TISSUES,
    "left lateral ventricle",
    "right",
    "third",
    "fourth",
    "left over right %",
)
HEADER = ("scan", "structure", "by", "Dice", "surfaces apart mm, mean", "95 %", "CPU s")


@dataclass(frozen=True)
class Found:
    """A structure of a scan. found, truth: masks [z, y, x] on voxels of that spacing (x, y, z), mm."""

    scan: str
    structure: str
    by: str
    found: np.ndarray
    truth: np.ndarray
    spacing: tuple[float, float, float]
    seconds: float

    def cells(self) -> tuple[str, ...]:
        """A row of the table, by HEADER."""
        apart = surfaces_apart(self.found, self.truth, self.spacing)
        numbers = f"{apart.mean():.2f}", f"{np.quantile(apart, 0.95):.1f}"
        overlap = f"{dice(self.found, self.truth):.3f}"
        return self.scan, self.structure, self.by, overlap, *numbers, seconds([self.seconds])


def surfaces_apart(
    one: np.ndarray, other: np.ndarray, spacing: tuple[float, float, float]
) -> np.ndarray:
    """From each voxel of either surface to the nearest one of the other, mm."""
    box = ndimage.find_objects((one | other).astype(np.uint8))[0]
    # With a margin, or a surface at the edge of the box would be none.
    surfaces = [(m := np.pad(mask[box], 1)) & ~ndimage.binary_erosion(m) for mask in (one, other)]
    away = [ndimage.distance_transform_edt(~s, sampling=spacing[::-1]) for s in surfaces]
    return np.concatenate([away[1][surfaces[0]], away[0][surfaces[1]]])


def labelled(scan: Volume, atlas: Volume, labels: Volume) -> tuple[np.ndarray, float]:
    """The labels that one atlas gives a scan, as the method `atlas` does, and the CPU seconds."""

    def segment() -> np.ndarray:
        ready = Atlas.of(atlas, labels, finest_spacing(scan.grid, atlas.grid))
        return by_atlases(scan, [ready], int(labels.array.max()) + 1).labels()

    return timed(segment)


def masked(volume: Volume) -> Volume:
    """What is not 0, as 1."""
    return Volume((volume.array > 0).astype(np.uint8), volume.grid)


def brain(data: Path) -> Iterator[Found]:
    """That of the Seg3D head by Colin27 alone."""
    scan, colin = read(data / HEADS["Seg3D"]), read(data / HEADS["Colin27"])
    aal = masked(read(data / "atlas_multilabel/aal.nii.gz"))
    hull = Volume(enclosed(aal.array > 0, aal.grid.spacing[0]).astype(np.uint8), aal.grid)
    known = resample_labels(masked(read(data / "seg3d_mr/Brain.nrrd")), scan.grid) > 0
    labels, spent = labelled(scan, colin, hull)
    yield Found("Seg3D", "brain", "`atlas`, Colin27", labels > 0, known, scan.grid.spacing, spent)


def enclosed(mask: np.ndarray, spacing: float) -> np.ndarray:
    """A mask closed by a ball of CLOSED mm, its holes filled. spacing: mm of cubic voxels."""
    reach = CLOSED / spacing
    padded = np.pad(mask, int(reach) + 2)
    wide = ndimage.distance_transform_edt(~padded) <= reach
    closed = ndimage.binary_fill_holes(ndimage.distance_transform_edt(wide) > reach)
    return closed[tuple(slice(int(reach) + 2, -int(reach) - 2) for _ in range(3))] | mask


def cords(data: Path) -> Iterator[Found]:
    """A spinal cord from points of its centreline, alone and with points around it."""
    folder = data / "sct_t2"
    names = ("t2", "t2_seg-manual", "t2_centerline-manual")
    scan, cord, line = (read(folder / f"{name}.nii.gz") for name in names)
    grid, known = scan.grid, cord.array > 0
    clicked = grid.to_physical(np.argwhere(line.array > 0)[::EVERY, ::-1])
    own = [Seed("target", tuple(point.tolist()), 1.5) for point in clicked]
    away = depth(~known, grid)
    around = spread((away > 2) & (away < 5), grid, BACKGROUND, 12, 1.0)
    for by, seeds in (("its centreline", own), ("that and 12 around", [*own, *around])):
        target = Target(scan, known, known)
        mask, spent = timed(lambda: grown(target, seeds, REACH, inside=False)[0])  # noqa: B023
        yield Found("neck", "spinal cord", f"`seeded`, {by}", mask, known, grid.spacing, spent)


def cords_refused(data: Path) -> str:
    """What is said of two cords, one the atlas of the other, that lie at other levels and lean."""
    folder = data / "sct_t2"
    scan, atlas, cord = (
        read(folder / f"{name}.nii.gz")
        for name in ("t2", "t2_fake_lesion", "t2_fake_lesion_sc_seg")
    )
    try:
        labelled(scan, atlas, masked(cord))
    except Refusal as refusal:
        return f"refused, `{refusal.code}`"
    return "registered"


def torso(data: Path) -> Iterator[Found]:
    """A torso by its own upper part as the atlas, which its header puts elsewhere."""
    folder = data / "totalsegmentator"
    names = ("example_ct", "example_seg_fast_force_split", "example_ct_sm", "example_seg")
    scan, truth, atlas, labels = (read(folder / f"{name}.nii.gz") for name in names)
    found, spent = labelled(scan, atlas, labels)
    # The small scan is the last slices of the large one.
    shown = slice(scan.array.shape[0] - atlas.array.shape[0], None)
    assert np.array_equal(scan.array[shown], atlas.array)
    for name, value in ORGANS.items():
        masks = found[shown] == value, truth.array[shown] == value
        yield Found("torso", name, "`atlas`, its part", *masks, scan.grid.spacing, spent)


def head(data: Path, name: str) -> list[str]:
    """What networks find in a head: a row of the table, by VOLUMES."""
    models, scan = data / "models_brainchop" / "meshnet", read(data / HEADS[name])
    with TemporaryDirectory() as folder:
        tissue, cavities = Path(folder) / "tissue", Path(folder) / "cavities"
        convert(models / "model5_gw_ae", models / "model5_gw_ae" / "colormap3.json", tissue)
        convert(models / "subcortical", models / "model30chan18cls" / "colormap.json", cavities)
        found = in_head(scan, tissue, cavities)
    left, right = found["left"], found["right"]
    uneven = 200 * (left - right) / (left + right)
    return [name, *(f"{volume:.1f}" for volume in found.values()), f"{uneven:+.0f}"]


def in_head(scan: Volume, tissue: Path, cavities: Path) -> dict[str, float]:
    """Volumes, mL: of tissues, of the lateral ventricles by the midline, and of the others."""
    voxel = scan.grid.voxel_volume / 1000
    labels = answer(scan, tissue, list(TISSUES))
    found = {n: float((labels == k).sum() * voxel) for k, n in enumerate(TISSUES, 1)}
    labels = answer(scan, cavities, list(CAVITIES))
    whole = tuple(slice(0, n) for n in labels.shape)
    left = midline.find(scan.array, scan.grid, "MR").is_left(whole, scan.grid)
    lateral = (labels == 1) | (labels == 2)
    found |= {"left": float((lateral & left).sum() * voxel)}
    found |= {"right": float((lateral & ~left).sum() * voxel)}
    return found | {n: float((labels == k).sum() * voxel) for k, n in ((3, "third"), (4, "fourth"))}


def answer(scan: Volume, folder: Path, wanted: list[str]) -> np.ndarray:
    """Which of the wanted classes, 1, 2, ..., each voxel is of; 0: none."""
    return Answer.of(scan.array, scan.grid, model_folder.read(folder), wanted).labels


def main() -> None:
    """Measure what WORK lacks, and write the page."""
    data, work = Path(sys.argv[1]), Path(sys.argv[2])
    work.mkdir(exist_ok=True)
    parts = {"cords": cords, "torso": torso, "brain": brain}
    found = [
        cells
        for name, part in parts.items()
        for cells in kept(work / f"{name}.json", lambda: [f.cells() for f in part(data)])  # noqa: B023
    ]
    refused = kept(work / "refused.json", partial(cords_refused, data))
    volumes = [kept(work / f"{name}.json", partial(head, data, name)) for name in HEADS]
    lines = [INTRODUCTION, *markdown(HEADER, found)]
    lines += [f"The other cord of that set as the only atlas: {refused}.", "", NETWORKS]
    lines += markdown(VOLUMES, volumes)
    (ROOT / "docs" / "anatomies.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    main()
