"""Segment: which structure each voxel belongs to.

In: isotropic.nii.gz with its sidecar; what the sheet supplies: labels, which are label maps on any
grid, DICOM SEG, or RTSTRUCT, whose contours are drawn on the scan's slices as acquired; and seeds,
points in LPS mm; the recipe's trained networks, and its atlases as these stages made them. Out:
labels.nii.gz, the label map on the isotropic grid; overlaps/<structure>.nii.gz, the whole mask of each
structure that another one covers in part; doubts/<structure>.nii.gz, what its method was not sure of.
"""

from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scanmill.corrections.artefacts import MARKS
from scanmill.grid import Grid
from scanmill.label_map import LabelMap
from scanmill.label_map_files import write_doubts, write_label_map
from scanmill.refusal import Refusal
from scanmill.seed_file import read_seeds
from scanmill.segmentation import Exemplar, Method, Scene, Structure, conflicts
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job
from scanmill.volume_file import read_grid, read_volume

# Marks that hide what is there; in the others it is seen, with intensities that are not true.
HIDING = ("padding", "streak", "metal")

if TYPE_CHECKING:
    from scanmill.segmentation.network import Answer


def segment(
    record: Record,
    isotropic: Path,
    labels: Path,
    overlaps: Path,
    doubts: Path,
    modality: str,
    structures: list[Structure],
    supplied: list[Path] | None = None,
    supplied_structures: list[str | None] | None = None,
    seeds: list[Path] | None = None,
    models: list[Path] | None = None,
    learned: list[Path] | None = None,
    atlases: list[Path] | None = None,
    atlas_labels: list[Path] | None = None,
    shapes: list[Path] | None = None,
    artefacts: list[Path] | None = None,
) -> None:
    """Write the label map. structures: of the recipe, in order; later ones lie on earlier ones.

    supplied: the user's label files, then whatever files of voxels their headers name;
    supplied_structures: what each label file is the mask of, or None for a map of several. seeds: the
    user's file of seeds, if the sheet names one. models: the folders of the recipe's trained networks;
    learned: that of the one that was trained for it, after them, if it has one.
    atlases: their isotropic volumes; atlas_labels: their label maps. shapes: the file of the recipe's
    shape models, and artefacts: of the scan's marks, where the recipe has such models.
    """
    grid = read_grid(isotropic)
    record.grid = grid
    resampled = read_sidecar(isotropic)
    native = tuple(resampled["native_size"]), tuple(resampled["native_spacing_mm"])
    scan = grid.concentric(*native)

    @cache
    def image() -> np.ndarray:
        return read_volume(isotropic).array

    @cache
    def answers(number: int) -> "Answer":
        from scanmill.model_folder import read
        from scanmill.segmentation.network import Answer

        folder = [*(models or []), *(learned or [])][number]
        if folder in (learned or []):
            check_learned(folder, record)
        ways = [s["segment"] for s in structures if s["segment"].get("model") == number]
        wanted = list(dict.fromkeys(name for way in ways for name in way["classes"]))
        return Answer.of(image(), grid, read(folder), wanted)

    @cache
    def seen() -> np.ndarray:
        return shows(read_volume(artefacts[0]).array, grid, scan)

    scene = Scene(
        grid=grid,
        modality=modality,
        image=image,
        label_map=LabelMap.empty(grid, max(s["label"] for s in structures)),
        labels={s["name"]: s["label"] for s in structures},
        record=record,
        supplied=list(zip(supplied_structures or [], supplied or [], strict=False)),
        scan=scan,
        frame_of_reference=resampled.get("frame_of_reference"),
        seeds=[seed for file in seeds or [] for seed in read_seeds(file)],
        answers=answers,
        atlases=list(map(Exemplar, atlases or [], atlas_labels or [])),
        shapes=shapes[0] if shapes else None,
        seen=seen,
    )
    for method, run in groupby(structures, key=lambda s: s["segment"]["method"]):
        method_of(method)(list(run), scene)
    conflicts.note(structures, scene)
    write_label_map(labels, overlaps, scene.label_map, scene.labels)
    write_doubts(doubts, scene.doubts, grid)


def shows(marks: np.ndarray, grid: Grid, scan: Grid) -> np.ndarray:
    """Which voxels show what is there: within the scan as acquired, and not marked as spoiled."""
    inside = [np.flatnonzero(layer >= 0.5) for layer in grid.coverage(scan)]
    seen = np.zeros(grid.shape, bool)
    seen[np.ix_(*inside[::-1])] = True
    return seen & ~np.isin(marks, [MARKS[kind] for kind in HIDING])


def check_learned(folder: Path, record: Record) -> None:
    """Pass on what is said of a network that was trained. Raises its Refusal where it could not be."""
    said = read_sidecar(folder)
    if said["status"] == "refused":
        raise Refusal(said["code"], said["reason"], said["stage"])
    record.warnings += said["warnings"]


def method_of(name: str) -> Method:
    """The back-end of that name in recipes. A job pays for the import of those that its recipe uses."""
    match name:
        case "labels":
            from scanmill.segmentation import supplied as method
        case "rules":
            from scanmill.segmentation import rules as method
        case "seeded":
            from scanmill.segmentation import seeded as method
        case "atlas":
            from scanmill.segmentation import atlas as method
        case "model" | "learn":
            from scanmill.segmentation import network as method
        case "shape":
            from scanmill.segmentation import shape as method
    return method.segment


if __name__ == "__main__":
    run_job(snakemake, segment)
