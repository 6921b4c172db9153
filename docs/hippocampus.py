"""A cohort of hand-drawn hippocampi checks itself: tables, and a picture of how their shapes vary.

    python docs/hippocampus.py FOLDER [picture.png]

FOLDER holds `images` and `labels` of the Medical Segmentation Decathlon's hippocampus task. All of them
go with their labels (the structures of recipe `hippocampus`, shapes compared) through the stages as the
workflow runs them, in a folder that goes.
"""

import csv
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory

import pyvista as pv

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs")]
from check import check  # noqa: E402
from degradations import Labelled  # noqa: E402
from scanmill import recipe  # noqa: E402
from scanmill.checks.shapes import FAR, distance  # noqa: E402
from scanmill.recipe import Recipe  # noqa: E402
from scanmill.recipe_labels import from_labels  # noqa: E402
from scanmill.sidecar import write_json  # noqa: E402
from scanmill.source import read_source  # noqa: E402
from scanmill.stage import run_stage  # noqa: E402
from stages import measured_rows  # noqa: E402
from vary import vary  # noqa: E402

# From where the shapes are seen, in LPS: from the patient's left, a little from above and in front.
VIEW = (1.0, -0.3, 0.6)
DRAWN = 2
NAME = "hippocampus"
Rows = list[dict[str, str]]


def main() -> None:
    """Run the stages, print the tables and draw the picture."""
    data = Path(sys.argv[1])
    picture = Path(sys.argv[2] if len(sys.argv) > 2 else "hippocampus.png")
    with TemporaryDirectory() as place:
        cohort = Path(place) / "cohort"
        asked = drawn()
        measured(data, asked, Path(place) / "cases", cohort)
        names = case_names(cohort)
        shapes = [vary_of(structure, asked, cohort, names) for structure in asked.shape_checked()]
        tables = ("flags", "shapes", "reconstruction")
        written = {name: cohort / f"{name}.csv" for name in tables}
        written |= {f"{name}_dictionary": cohort / f"{name}.json" for name in tables}
        cases = sorted((Path(place) / "cases").glob("*/measurements.csv"))
        given = cohort / "measurements.csv", cohort / "provenance.json"
        check(*given, cases, shapes, written)
        print_tables(cohort)
        print_halves(asked, cohort)
        print(f"\nAll of it took {time.process_time():.0f} CPU s.")
        draw([path.parent for path in shapes], picture)


def drawn() -> Recipe:
    """The structures of recipe `hippocampus` from the supplied labels, their shapes compared."""
    known = recipe.load(ROOT / "config" / "recipes" / f"{NAME}.yaml")
    structures = [
        structure | {"segment": from_labels(structure), "shape_check": True}
        for structure in known.structures
    ]
    return replace(known, structures=structures)


def measured(data: Path, asked: Recipe, cases: Path, cohort: Path) -> None:
    """The cohort's table, and what check reads of its provenance."""
    rows = []
    for path in sorted((data / "labels").glob("*.nii.gz")):
        scan, labels = (read_source(data / kind / path.name)[0] for kind in ("images", "labels"))
        case = Labelled(scan, labels, asked.modality, 1.0)
        rows += measured_rows(case, asked, cases / path.name.partition(".")[0])
    cohort.mkdir()
    with open(cohort / "measurements.csv", "w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    names = dict.fromkeys(row["case"] for row in rows)
    known = {
        "sheet": {name: {"recipe": NAME} for name in names},
        "inputs": {name: {"ingest": [], "segment": []} for name in names},
        "recipes": {NAME: {"modality": asked.modality, "structures": asked.structures}},
    }
    write_json(cohort / "provenance.json", known)


def case_names(cohort: Path) -> list[str]:
    """Those of the cases that went through the stages."""
    return sorted(path.parent.name for path in (cohort.parent / "cases").glob("*/labels.nii.gz"))


def vary_of(
    structure: str, asked: Recipe, cohort: Path, cases: list[str], known: list[Path] | None = None
) -> Path:
    """Compare the shapes of a structure; the table of how far each case is from the others.

    known: the model that they are held against instead.
    """
    folder = cohort / "shapes" / NAME / structure
    outputs = {"shape": folder / "shape.npz", "surfaces": folder / "surfaces"}
    outputs["reconstruction"] = folder / "reconstruction.csv"
    names = {s["name"]: s["label"] for s in asked.structures}
    asked_of = {"structure": structure, "names": names, "cases": cases}
    asked_of["folder"] = str(cohort.parent / "cases")
    run_stage("vary", vary, {"known": known or []}, outputs, asked_of)
    return outputs["reconstruction"]


def print_halves(asked: Recipe, cohort: Path) -> None:
    """Print how far every other case is from the model of the others, as of another cohort's."""
    names = case_names(cohort)
    head = ("structure", "the model's own, mm", "the others, mm", "of them flagged")
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for structure in asked.shape_checked():
        model = vary_of(structure, asked, cohort.with_name("model"), names[::2])
        known = [model.with_name("shape.npz")]
        held = vary_of(structure, asked, cohort.with_name("held"), names[1::2], known)
        means = (
            f"{mean(_distances(path, 'reconstruction_mm').values()):.3f}" for path in (model, held)
        )
        own, others = (_distances(path, FAR) for path in (model, held))
        flags = distance(structure, others, tuple(own.values())).flags(len(asked.shape_checked()))
        print(f"| {structure} | {' | '.join(means)} | {len(flags)} of {len(others)} |")


def _distances(table: Path, column: str) -> dict[str, float]:
    return {row["case"]: float(row[column]) for row in read(table) if row["status"] == "ok"}


def print_tables(cohort: Path) -> None:
    """Print what the shape models are worth, and what was flagged."""
    shapes, flags = (read(cohort / f"{name}.csv") for name in ("shapes", "flags"))
    columns = [name for name in shapes[0] if name not in ("recipe", "status", "code", "source")]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in shapes:
        print(f"| {' | '.join(_rounded(row[name]) for name in columns)} |")
    print(f"\n{len({row['case'] for row in flags})} cases are flagged:\n")
    for row in flags:
        print(f"- {row['case']}, {row['check']}: {row['message']}")


def read(path: Path) -> Rows:
    """The rows of a table."""
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def draw(structures: list[Path], picture: Path) -> None:
    """A row a structure: the mean, then the first modes at two standard deviations either way."""
    names = ["mean"]
    names += [f"mode-{n}-{way}-2sd" for n in range(1, DRAWN + 1) for way in ("minus", "plus")]
    scene = pv.Plotter(
        shape=(len(structures), len(names)), off_screen=True, window_size=(1300, 560), border=False
    )
    scene.set_background("white", all_renderers=True)
    for line, structure in enumerate(structures):
        mean = pv.read(structure / "surfaces" / "mean.ply")
        for column, name in enumerate(names):
            surface = pv.read(structure / "surfaces" / f"{name}.ply").smooth_taubin(n_iter=20)
            surface["mm"] = surface.compute_implicit_distance(mean)["implicit_distance"]
            scene.subplot(line, column)
            scene.add_mesh(
                surface, scalars="mm", cmap="coolwarm", clim=(-3, 3), show_scalar_bar=False
            )
            title = (
                name.replace("-", " ").replace("minus 2sd", "-2 SD").replace("plus 2sd", "+2 SD")
            )
            scene.add_text(f"{structure.name}\n{title}" if column == 0 else title, font_size=9)
            scene.view_vector(VIEW, viewup=(0, 0, 1))
            scene.enable_parallel_projection()
            scene.camera.parallel_scale = 22
    scene.screenshot(picture)


def _rounded(cell: str) -> str:
    return f"{float(cell):.3g}" if "." in cell else cell


if __name__ == "__main__":
    main()
