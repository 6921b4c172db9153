"""Twins on disk: scan, supplied labels and truth of each, and the sheet of a cohort of them."""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from filecmp import cmp
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

from scanmill.atomic import replacing
from scanmill.sidecar import write_json
from scanmill.surface import Surface
from scanmill.validation.cases import Case
from scanmill.validation.challenges import TITLES, possible
from scanmill.validation.coverage import coverages
from scanmill.validation.truth import ideal_labels, ideal_masks, truth_of
from scanmill.validation.twin import Model, Twin, model_of, twin_of
from scanmill.volume_file import Volume, write_volume

TWINS = "twins"
TRUTH = "truth.json"
LINE = ("case", "scan", "recipe", "labels", "twin_of", "draw", "challenge")
Row = dict[str, Any]


def write_twins(case: Case, first: int, draws: int, folder: Path) -> list[Row]:
    """Write `draws` twins of a case, then one for each challenge, and return their lines of the sheet.

    first: number of the first of them. folder: of the validation; twins go to folders of their own.
    """
    (folder / TWINS).mkdir(parents=True, exist_ok=True)
    surfaces = case.surfaces()
    shown = {name: s for name, s in surfaces.items() if case.has_tissue(name)}
    if not shown:
        return []
    model = model_of(case.scan(), shown, case.recipe.modality)
    planned = [(draw, "") for draw in range(1, draws + 1)]
    planned += [(1, c) for c in possible(model.grid, case.recipe.modality, model.noise.sd)]
    rows = []
    for number, (draw, challenge) in enumerate(planned, first):
        # By the case's name, so that it has the same twins whichever others are chosen.
        twin = twin_of(model, [crc32(case.name.encode()), draw], challenge)
        place = f"{TWINS}/twin{number:04d}"
        origin = {"twin_of": case.name, "draw": draw, "challenge": challenge}
        truth = _truth(case, surfaces, twin, model)
        with renewing(folder / place) as fresh:
            write_volume(fresh / "scan.nii.gz", twin.image)
            labels = _write_labels(case, surfaces, twin, fresh)
            write_json(fresh / TRUTH, origin | {"recipe": case.recipe.name} | truth)
        row = {
            "case": f"twin{number:04d}",
            "scan": f"{place}/scan.nii.gz",
            "recipe": case.reference,
        }
        rows.append(row | {"labels": f"{place}/{labels}" if labels else ""} | origin)
    return rows


def most_twins(draws: int) -> int:
    """The most that `write_twins` may write."""
    return draws + len(TITLES) - 1


def write_sheet(path: Path, rows: Sequence[Row]) -> None:
    """Write the sheet of the twins."""
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, LINE, delimiter="\t", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def read_truth(path: Path) -> dict[str, Any]:
    """What is known of a twin."""
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def renewing(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill; what is new or other in it then takes its place in `folder`.

    Equal files stay untouched: a validation that goes on does not measure their twins again.
    """
    with TemporaryDirectory(dir=folder.parent, prefix=".") as temporary:
        fresh = Path(temporary)
        yield fresh
        written = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
        for path in list(folder.rglob("*")):
            if path.is_file() and path.relative_to(folder) not in written:
                path.unlink()
        for name in sorted(written):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if not ((folder / name).exists() and cmp(fresh / name, folder / name, shallow=False)):
                (fresh / name).replace(folder / name)


def _write_labels(case: Case, surfaces: dict[str, Surface], twin: Twin, folder: Path) -> str:
    """Write what the recipe wants supplied, in the form that the case had it; its name."""
    grid = twin.image.grid
    supplied = case.recipe.supplied()
    own = {name: surface for name, surface in surfaces.items() if name in supplied}
    if not supplied:
        return ""
    if not case.separate:
        values = {s["name"]: s["segment"].get("value", 0) for s in case.recipe.structures}
        write_volume(folder / "labels.nii.gz", Volume(ideal_labels(own, values, grid), grid))
        return "labels.nii.gz"
    masks = dict(zip(own, ideal_masks(list(own.values()), grid), strict=True))
    nothing = twin.image.array.astype("u1") * 0
    for name in supplied:
        write_volume(folder / "labels" / f"{name}.nii.gz", Volume(masks.get(name, nothing), grid))
    return "labels"


def _truth(case: Case, surfaces: dict[str, Surface], twin: Twin, model: Model) -> dict[str, Any]:
    grid = twin.image.grid
    structures: dict[str, dict[str, float]] = {}
    for name, surface in surfaces.items():
        covered = twin.covered.get(name) or coverages([surface], grid)[0]
        structures[name] = truth_of(surface, covered, grid)
        # Of what other structures cover, the mean is theirs too.
        alone = covered.visible.sum() > 0.999 * covered.whole.sum()
        if structures[name] and name in twin.means and alone:
            structures[name]["mean"] = twin.means[name]
    noise = {"sd": model.noise.sd, "distribution": model.noise.distribution}
    return {
        "noise": noise | {"in_plane": model.noise.in_plane, "between": model.noise.between_slices},
        "blur_voxels": list(model.blur),
        "scan_spacing_mm": list(model.grid.spacing),
        "bias_log_sd": model.bias_log_sd,
        "frame": "LPS",
        "structures": {name: known for name, known in structures.items() if known},
        "absent": case.absent(),
    }
