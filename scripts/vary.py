"""Vary: how one structure's shape varies over the cohort's cases of a recipe.

In: the cases' label maps, with what is covered in them. Out, in the structure's folder: shape.npz, the
mean shape and its modes (points in mm around the centroid, axes as LPS); surfaces/, the mean and the
first modes at two standard deviations either way, LPS mm; reconstruction.csv, by case how far it lies
from the nearest shape that the modes of the other cases make.
"""

import csv
from pathlib import Path

import numpy as np
from scanmill.atomic import replacing, replacing_folder
from scanmill.checks import FEWEST
from scanmill.checks.columns import RECONSTRUCTION
from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.label_map_files import read_label_map
from scanmill.mesh_file import write_surface
from scanmill.refusal import Refusal
from scanmill.shape_model.modes import Modes
from scanmill.shape_model.of_cohort import carried_over, exemplar, lengths, most_usual, whole
from scanmill.shape_model.variability import Variability, variability
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job
from scanmill.surface import Surface

# Modes that are drawn, and how far, standard deviations.
DRAWN, EITHER_WAY = 3, 2
CUT = "shape-cut"
# Shapes whose points lie nearer than this, mm, are one.
SAME = 1e-3


def vary(
    record: Record,
    labels: list[Path],
    overlaps: list[Path],
    shape: Path,
    surfaces: Path,
    reconstruction: Path,
    structure: str,
    names: dict[str, int],
) -> None:
    """Write the model, its surfaces, and the errors by case.

    labels: of each case, in its folder. names: of the recipe's structures, to their labels. Raises
    Refusal `shape-missing` where too few cases have the whole structure, `shape-alike` where all have
    the same.
    """
    places = dict(zip(labels, overlaps, strict=True))

    def region(path: Path) -> tuple[Region | None, Grid]:
        label_map = read_label_map(path, places[path], names)
        return whole(label_map, names[structure]), label_map.grid

    ready = [path for path in labels if read_sidecar(path)["status"] == "ok"]
    sizes = {}
    for path in ready:
        found, grid = region(path)
        if found:
            sizes[path] = lengths(found, grid)
    _check_number(len(sizes))
    paths = list(sizes)
    reference = exemplar(*region(paths[most_usual(list(sizes.values()))]))
    surface, carried = carried_over(reference, (exemplar(*region(path)) for path in paths))
    used = [n for n, points in enumerate(carried) if not isinstance(points, Refusal)]
    _check_number(len(used))
    shapes = np.stack([carried[n] for n in used])
    _check_differ(shapes)
    told = variability(shapes)
    record.details["shape"] = _told(told, len(used))
    with replacing(shape) as temporary:
        np.savez(
            temporary,
            mean_mm=told.modes.mean,
            modes_mm=told.modes.modes,
            triangles=surface.triangles,
        )
    _write_surfaces(surfaces, told.modes, surface.triangles)
    errors = {paths[n]: place for place, n in enumerate(used)}
    with replacing(reconstruction) as temporary, open(temporary, "w", newline="") as stream:
        table = csv.DictWriter(stream, list(RECONSTRUCTION), restval="", lineterminator="\n")
        table.writeheader()
        for path in ready:
            row = {"case": path.parent.name, "structure": structure, "status": "ok"}
            if path in errors:
                row["reconstruction_mm"] = f"{told.errors[errors[path]]:.10g}"
                row["reconstruction_max_mm"] = f"{told.largest[errors[path]]:.10g}"
            else:
                code = carried[paths.index(path)].code if path in sizes else CUT
                row |= {"status": "refused", "code": code}
            table.writerow(row)


def _told(told: Variability, cases: int) -> dict[str, float | int]:
    return {
        "cases": cases,
        "modes": len(told.modes.modes),
        "compactness": told.compactness,
        "first_mode_percent": told.first_part,
        "generalisation_mm": told.generalisation,
        "specificity_mm": told.specificity,
    }


def _write_surfaces(folder: Path, modes: Modes, triangles: np.ndarray) -> None:
    with replacing_folder(folder) as temporary:
        write_surface(temporary / "mean.ply", Surface(modes.mean, triangles))
        for n, mode in enumerate(modes.modes[:DRAWN], start=1):
            for way, sign in (("minus", -1), ("plus", 1)):
                points = modes.mean + sign * EITHER_WAY * mode
                path = temporary / f"mode-{n}-{way}-{EITHER_WAY}sd.ply"
                write_surface(path, Surface(points, triangles))


def _check_number(cases: int) -> None:
    if cases < FEWEST:
        raise Refusal(
            "shape-missing",
            f"{cases} cases show the structure whole, and alike enough to be compared; {FEWEST} or "
            "more would be right",
        )


def _check_differ(shapes: np.ndarray) -> None:
    centred = shapes - shapes.mean(axis=1, keepdims=True)
    if np.abs(centred - centred[0]).max() < SAME:
        raise Refusal(
            "shape-alike",
            f"all {len(shapes)} cases have the same shape; different patients would be right",
        )


if __name__ == "__main__":
    run_job(snakemake, vary)
