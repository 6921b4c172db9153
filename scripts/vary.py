"""Vary: how one structure's shape varies over the cohort's cases of a recipe, or varied over another's.

In: the cases' label maps, with what is covered in them; the shape.npz of another cohort, where its
shape is what they are held against. Out, in the structure's folder: shape.npz, the mean shape and its
modes (points in mm around the centroid, axes as LPS), and what cases are held against it by; surfaces/,
the mean and the first modes at two standard deviations either way, LPS mm; reconstruction.csv, by case
how far it lies from the nearest shape that the modes of the other cases make.
"""

import csv
import shutil
from pathlib import Path

from scanmill.atomic import replacing, replacing_folder
from scanmill.checks.columns import RECONSTRUCTION
from scanmill.label_map_files import read_label_map
from scanmill.mesh_file import write_surface
from scanmill.refusal import Refusal
from scanmill.shape_model.known_shape import KnownShape, read_known_shape, write_known_shape
from scanmill.shape_model.of_cohort import Away, Place, compared, held_against, whole
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job
from scanmill.surface import Surface

# Modes that are drawn, and how far, standard deviations.
DRAWN, EITHER_WAY = 3, 2


def vary(
    record: Record,
    known: list[Path],
    shape: Path,
    surfaces: Path,
    reconstruction: Path,
    structure: str,
    names: dict[str, int],
    folder: str,
    cases: list[str],
) -> None:
    """Write the model, its surfaces, and the errors by case.

    known: another cohort's shape.npz, or nothing. names: of the recipe's structures, to their labels.
    folder: of the cases' folders. cases: of the recipe. Raises Refusal (`of_cohort.compared`).
    """
    ready = [case for case in cases if read_sidecar(_labels(folder, case))["status"] == "ok"]

    def place(n: int) -> Place:
        labels = _labels(folder, ready[n])
        label_map = read_label_map(labels, labels.with_name("overlaps"), names)
        region = whole(label_map, names[structure])
        return (region, label_map.grid) if region else None

    if known:
        held = read_known_shape(known[0])
        away = held_against(held, map(place, range(len(ready))))
        # The same bytes: by their checksum the run can be done again from its results.
        with replacing(shape) as temporary:
            shutil.copyfile(known[0], temporary)
    else:
        held, away = compared(place, len(ready))
        write_known_shape(shape, held)
    record.details["shape"] = _told(held, loaded=bool(known))
    _write_surfaces(surfaces, held)
    with replacing(reconstruction) as temporary, open(temporary, "w", newline="") as stream:
        table = csv.DictWriter(stream, list(RECONSTRUCTION), restval="", lineterminator="\n")
        table.writeheader()
        for case, found in zip(ready, away, strict=True):
            table.writerow({"case": case, "structure": structure} | _row(found))


def _labels(folder: str, case: str) -> Path:
    return Path(folder) / case / "labels.nii.gz"


def _told(held: KnownShape, loaded: bool) -> dict[str, str | float | int]:
    told = held.told
    return {
        "source": "loaded" if loaded else "cohort",
        "cases": len(told.errors),
        "modes": len(told.modes.modes),
        "compactness": told.compactness,
        "first_mode_percent": told.first_part,
        "generalisation_mm": told.generalisation,
        "specificity_mm": told.specificity,
    }


def _row(found: Away) -> dict[str, str]:
    if isinstance(found, Refusal):
        return {"status": "refused", "code": found.code}
    columns = ("reconstruction_mm", "reconstruction_p95_mm")
    return {"status": "ok"} | {
        name: f"{value:.10g}" for name, value in zip(columns, found, strict=True)
    }


def _write_surfaces(folder: Path, held: KnownShape) -> None:
    modes, triangles = held.told.modes, held.surface.triangles
    with replacing_folder(folder) as temporary:
        write_surface(temporary / "mean.ply", Surface(modes.mean, triangles))
        for n, mode in enumerate(modes.modes[:DRAWN], start=1):
            for way, sign in (("minus", -1), ("plus", 1)):
                points = modes.mean + sign * EITHER_WAY * mode
                path = temporary / f"mode-{n}-{way}-{EITHER_WAY}sd.ply"
                write_surface(path, Surface(points, triangles))


if __name__ == "__main__":
    run_job(snakemake, vary)
