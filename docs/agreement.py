"""How far what ScanMill measures of real hippocampi is from manual labels, as a Markdown table.

    python docs/agreement.py FOLDER [scans, 12] [atlases, 8] [cores, 1]

FOLDER holds `images` and `labels` of the Medical Segmentation Decathlon's hippocampus task. So many
scans are segmented by so many others (recipe `hippocampus`), and compared with their own labels as any
cohort's are, by the column `reference` of the sheet: a run of the whole mill, in a folder that goes.
"""

import csv
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = ("case", "scan", "recipe", "labels", "role", "reference")
COHORT = Path("results") / "cohort"
Rows = list[dict[str, str]]


def main() -> None:
    """Run the mill and print the table."""
    data = Path(sys.argv[1]).resolve()
    scans, atlases, cores = map(int, [*sys.argv[2:], *("12", "8", "1")[len(sys.argv) - 2 :]])
    names = sorted(path.name for path in (data / "images").glob("*.nii.gz"))
    drawn = np.random.default_rng(0).permutation(names)[: scans + atlases]
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_sheet(folder / "scans.tsv", data, list(drawn), scans)
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--directory", place, "--cores", str(cores), "--config", "scans=scans.tsv"]
        subprocess.run(command, check=True, stdout=sys.stderr)
        table(read(folder / COHORT / "measurements.csv"), read(folder / COHORT / "agreement.csv"))


def write_sheet(path: Path, data: Path, names: list[str], scans: int) -> None:
    """The first so many names are scans with a reference, the others atlases."""
    with open(path, "w", newline="") as stream:
        rows = csv.DictWriter(stream, COLUMNS, delimiter="\t", restval="")
        rows.writeheader()
        for n, name in enumerate(names):
            labels = str(data / "labels" / name)
            of_atlas = {"labels": labels, "role": "atlas"}
            said = {"case": name.partition(".")[0], "recipe": "hippocampus"}
            said |= {"reference": labels} if n < scans else of_atlas
            rows.writerow(said | {"scan": str(data / "images" / name)})


def read(path: Path) -> Rows:
    """The rows of a table."""
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def table(measured: Rows, agreement: Rows) -> None:
    """Print how masks agree, by median, and volumes."""
    head = ("structure", "masks", "Dice", "surface Dice at 1 mm", "HD95, mm", "mean distance, mm")
    head += ("volumes", "bias, mm3", "95 % of differences, mm3", "ICC(2,1)", "interval holds")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in agreement:
        if row["quantity"] != "volume_mm3":
            continue
        own = [r for r in measured if r["structure"] == row["structure"]]
        medians = [
            f"{median(own, name):.{digits}f}"
            for name, digits in (
                ("dice", 3),
                ("surface_dice", 3),
                ("hausdorff_95_mm", 2),
                ("average_surface_distance_mm", 2),
            )
        ]
        bias, low, high = (
            float(row[f"{name}_mm3"]) for name in ("bias", "limit_low", "limit_high")
        )
        ends = [float(row[f"bias_ci_{end}_mm3"]) for end in ("low", "high")]
        icc = [float(row[name]) for name in ("icc", "icc_ci_low", "icc_ci_high")]
        cells = [row["structure"], row["compared"], *medians, row["n"]]
        cells += [f"{bias:+.0f} ({ends[0]:+.0f} to {ends[1]:+.0f})", f"{low:+.0f} to {high:+.0f}"]
        cells += ["{:.2f} ({:.2f} to {:.2f})".format(*icc)]
        cells += [f"{float(row['interval_holds_percent']):.0f} %"]
        print(f"| {' | '.join(cells)} |")


def median(rows: Rows, column: str) -> float:
    """Of what there is in a column."""
    return float(np.median([float(row[column]) for row in rows if row[column]]))


if __name__ == "__main__":
    main()
