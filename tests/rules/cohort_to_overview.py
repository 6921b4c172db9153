"""A cohort whose cases are done, made up: its tables and thumbnails, from which its page is made."""

import csv
import json
from pathlib import Path

import numpy as np
from overview import overview
from scanmill.change import CHANGES
from scanmill.columns import COLUMNS, STAGES, case_columns
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.overview import specification
from scanmill.report.thumbnail import thumbnail
from scanmill.report.window import Window

SITES, SEXES = ("Graz", "Wien & <Linz>", "Bern"), ("F", "M")
# As the sheet has them, with all their zeros.
DOSES = "10.50", "9.0"
# The case that differs, in which structure, and by which factor.
FAR, TIMES = 7, 3.0
STALE = 13, "mesh: recipe or config"
REFUSED, WARNED, LACKING = (3, 11), (5, 7), 9
# Structures that a thumbnail shows, at most.
DISCS = 8
REASON = "2 of 40 slices are missing; <the> whole series would be right"


def name(n: int) -> str:
    return f"case-{n:04}"


def structures(number: int) -> list[str]:
    return [f"organ-{k}" for k in range(1, number + 1)]


def put_cohort(folder: Path, cases: int, organs: int) -> dict:
    """Write the tables and the thumbnails; what `overview` is told, but for the specification."""
    random = np.random.default_rng(8)
    cohort = folder / "results" / "cohort"
    cohort.mkdir(parents=True)
    named = structures(organs)
    extra = [
        {"sex": SEXES[n % 2], "site": SITES[n % 3], "dose": DOSES[n % 2], "age": str(20 + n)}
        for n in range(cases)
    ]
    header = [*case_columns(STAGES), *extra[0]]
    with (
        open(cohort / "cases.tsv", "w", newline="") as of_cases,
        open(cohort / "measurements.csv", "w", newline="") as of_rows,
    ):
        told = csv.DictWriter(of_cases, header, delimiter="\t", lineterminator="\n")
        rows = csv.DictWriter(of_rows, [*COLUMNS, *extra[0]], lineterminator="\n")
        told.writeheader()
        rows.writeheader()
        for n in range(cases):
            state = {"status": "ok"}
            if n in REFUSED:
                state = {"status": "refused", "stage": "ingest", "code": "slices-missing"}
                state["reason"] = REASON
            costs = {f"{stage}_seconds": f"{random.gamma(4):.2f}" for stage in STAGES}
            costs |= {f"{stage}_memory_mb": f"{200 + 50 * random.random():.1f}" for stage in STAGES}
            known = {"case": name(n), "recipe": "torso", "warnings": "ledger" * (n in WARNED)}
            known["stale"] = STALE[1] * (n == STALE[0])
            told.writerow(known | state | costs | extra[n])
            for k, structure in enumerate(named, 1):
                row = {"case": name(n), "structure": structure, "label": k} | state
                if n == LACKING and k == 2:
                    row |= {"status": "refused", "stage": "segment", "code": "structure-empty"}
                    row["reason"] = "no voxel was found"
                elif n not in REFUSED:
                    row |= measured(random, 1000.0 * k * (TIMES if (n, k) == (FAR, 1) else 1))
                rows.writerow(row | extra[n])
        told.writerow({"case": "gone", "status": "stale", "code": "not-in-sheet"})
    sheet = {name(n): {"role": "scan", "recipe": "torso", "extra": extra[n]} for n in range(cases)}
    recipe = {"modality": "CT", "spacing": 1.5, "structures": [{"name": one} for one in named]}
    provenance = {
        "command": "snakemake --cores 2",
        "commit": "0" * 40,
        "lock_sha256": "1" * 64,
        "software": [{"scanmill": "0.1.0", "numpy": "2.4.6"}],
        "recipes": {"torso": recipe},
        "sheet": sheet,
    }
    (cohort / "provenance.json").write_text(json.dumps(provenance))
    (cohort / "methods.md").write_text(
        "# Methods\n\nScans were processed (Mölder 2021).\n\n## References\n\n- F Mölder. *F1000*\n"
    )
    with open(cohort / "changes.csv", "w", newline="") as stream:
        rows = csv.DictWriter(stream, CHANGES, lineterminator="\n")
        rows.writeheader()
        pair = {"case_before": name(0), "case_after": name(1), "status": "ok"}
        rows.writerow({"subject": "s<1>", "structure": named[0], "change_mm3": "-12.3456"} | pair)
    for n in range(cases):
        put_thumbnail(folder, n, organs, random)
    return {
        "cases": cohort / "cases.tsv",
        "measurements": cohort / "measurements.csv",
        "provenance": cohort / "provenance.json",
        "methods": cohort / "methods.md",
        "tables": [cohort / "changes.csv"],
        "page": cohort / "report.html",
    }


def measured(random: np.random.Generator, volume: float) -> dict[str, str]:
    """Quantities of a structure of about that volume, mm3."""
    volume *= random.lognormal(sigma=0.1)
    return {
        "status": "ok",
        "volume_mm3": f"{volume:.10g}",
        "surface_area_mm2": f"{6 * volume ** (2 / 3):.10g}",
        "morph_diam": f"{1.3 * volume ** (1 / 3):.10g}",
        "axial_long_mm": f"{1.2 * volume ** (1 / 3):.10g}",
        "morph_sphericity": f"{random.uniform(0.6, 0.7):.10g}",
        "stat_mean": f"{random.normal(60, 5):.10g}",
    }


def put_thumbnail(folder: Path, n: int, organs: int, random: np.random.Generator) -> None:
    """Write the thumbnail of a noisy slice with discs in it; of a refused case an empty file."""
    path = folder / "results" / "cases" / name(n) / "thumbnail.png"
    path.parent.mkdir(parents=True)
    path.touch()
    if n not in REFUSED:
        grid = Grid((200, 160, 3), (1.5, 1.5, 3.0))
        labels = LabelMap.empty(grid, organs)
        y, x = np.mgrid[:160, :200]
        for k in range(min(organs, DISCS)):
            centre = random.uniform(40, 120), random.uniform(40, 160)
            disc = np.hypot(y - centre[0], x - centre[1]) < random.uniform(8, 30)
            labels.paint(k + 1, Region.of(np.repeat(disc[None], 3, axis=0)))
        image = 40 + 60 * (labels.array > 0) + random.normal(0, 15, grid.shape)
        known = [
            {"name": f"organ-{k}", "label": k, "colour": f"#{40 * k % 256:02x}c0{90 * k % 256:02x}"}
            for k in range(1, organs + 1)
        ]
        path.write_bytes(thumbnail(image, labels, known, Window(-160, 240, "soft tissue")))


def run_overview(told: dict, **changed) -> Path:
    """Write the page as shipped, but for what is changed of its specification."""
    shown = specification.read(specification.SHIPPED, None, None)
    overview(**told, specification=shown | changed)
    return told["page"]
