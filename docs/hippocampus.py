"""A cohort of hand-drawn hippocampi checks itself: tables, and a picture of how their shapes vary.

    python docs/hippocampus.py FOLDER [picture.png] [cores, 1]

FOLDER holds `images` and `labels` of the Medical Segmentation Decathlon's hippocampus task. All of them
are measured with their labels (the structures of recipe `hippocampus`, shapes compared): a run of the
whole mill, in a folder that goes.
"""

import csv
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyvista as pv
import yaml

ROOT = Path(__file__).resolve().parent.parent
COHORT = Path("results") / "cohort"
# From where the shapes are seen, in LPS: from the patient's left, a little from above and in front.
VIEW = (1.0, -0.3, 0.6)
DRAWN = 2
Rows = list[dict[str, str]]


def main() -> None:
    """Run the mill, print the tables and draw the picture."""
    data = Path(sys.argv[1]).resolve()
    picture = Path(sys.argv[2] if len(sys.argv) > 2 else "hippocampus.png").resolve()
    cores = sys.argv[3] if len(sys.argv) > 3 else "1"
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_recipe(folder / "drawn.yaml")
        write_sheet(folder / "scans.tsv", data)
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--directory", place, "--cores", cores, "--config", "scans=scans.tsv"]
        command += ["recipe=drawn.yaml", "report=false"]
        subprocess.run(command, check=True, stdout=sys.stderr)
        print_tables(folder / COHORT)
        draw(folder / COHORT / "shapes" / "drawn", picture)


def write_recipe(path: Path) -> None:
    """The structures of recipe `hippocampus` from the supplied labels, their shapes compared."""
    recipe = yaml.safe_load((ROOT / "config" / "recipes" / "hippocampus.yaml").read_text())
    for structure in recipe["structures"]:
        structure |= {"segment": {"method": "labels"}, "shape_check": True}
    path.write_text(yaml.safe_dump(recipe))


def write_sheet(path: Path, data: Path) -> None:
    """A row for each labelled scan."""
    names = sorted(file.name for file in (data / "labels").glob("*.nii.gz"))
    rows = ["case\tscan\tlabels"]
    rows += [f"{n.partition('.')[0]}\t{data / 'images' / n}\t{data / 'labels' / n}" for n in names]
    path.write_text("\n".join(rows) + "\n")


def print_tables(cohort: Path) -> None:
    """Print what the shape models are worth, and what was flagged."""
    shapes, flags = (read(cohort / f"{name}.csv") for name in ("shapes", "flags"))
    columns = [name for name in shapes[0] if name not in ("recipe", "status", "code")]
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


def draw(folder: Path, picture: Path) -> None:
    """A row a structure: the mean, then the first modes at two standard deviations either way."""
    structures = sorted(path for path in folder.iterdir() if (path / "surfaces").is_dir())
    names = ["mean"]
    names += [f"mode-{n}-{way}-2sd" for n in range(1, DRAWN + 1) for way in ("minus", "plus")]
    scene = pv.Plotter(
        shape=(len(structures), len(names)), off_screen=True, window_size=(1300, 560), border=False
    )
    scene.set_background("white", all_renderers=True)
    for line, structure in enumerate(structures):
        mean = pv.read(structure / "surfaces" / "mean.ply")
        for column, name in enumerate(names):
            surface = pv.read(structure / "surfaces" / f"{name}.ply").smooth_taubin(20)
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
