"""Report: a page of the case that a person looks at before they believe its numbers.

In: all that the stages before made. Out: report.html, one file that opens from disk and asks for no
other: slices with outlines, the 3D view, measurements, what is warned of, and what was done to the
scan. Of a refused case, a page that says why. And thumbnail.png, a slice with outlines for the cohort's
page; empty where the case was refused.
"""

from pathlib import Path
from typing import Any

from scanmill.atomic import replacing
from scanmill.grid import Grid
from scanmill.label_map_files import read_label_map
from scanmill.report import figures, tables, window
from scanmill.report.page import CasePage, case_page, refused_page
from scanmill.report.picture import Picture
from scanmill.report.simulations import simulated
from scanmill.report.thumbnail import thumbnail as draw
from scanmill.report.treatment import smoothed, treatment
from scanmill.report.view_3d import view_3d
from scanmill.sidecar import read_sidecar
from scanmill.stage import Record, run_job
from scanmill.volume_file import read_volume


def report(
    record: Record,
    volume: Path,
    isotropic: Path,
    unsmoothed: Path,
    artefacts: Path,
    labels: Path,
    overlaps: Path,
    surfaces: Path,
    measurements: Path,
    centrelines: list[Path],
    simulations: list[Path],
    report: Path,
    thumbnail: Path,
    case: str,
    structures: list[dict[str, Any]],
) -> None:
    """Write page and thumbnail.

    centrelines, simulations: their folders, where there are any. structures: name, label, colour and
    code, in the recipe's order.
    """
    label_map = read_label_map(labels, overlaps, {s["name"]: s["label"] for s in structures})
    record.grid = label_map.grid
    resampled = read_sidecar(isotropic)
    hounsfield = _has_hounsfield(resampled, record.warnings)
    scan = read_volume(unsmoothed)
    whole = window.of_image(scan.array, hounsfield)
    overview = figures.overview(scan.array, label_map, structures, whole)
    with replacing(thumbnail) as temporary:
        temporary.write_bytes(draw(scan.array, label_map, structures, whole))
    shown = figures.of_structures(scan.array, label_map, structures, whole)
    marks = read_volume(artefacts).array
    # What was done is best seen where most was to be done.
    corrected = (
        figures.of_marks(scan.array, marks, record.grid, whole)
        if marks.any()
        else figures.at_same_places(scan, overview, record.grid, whole)
    )
    meshed = read_sidecar(surfaces)["structures"]
    closed = [s for s in structures if meshed.get(s["name"], {}).get("status") == "ok"]
    viewed = view_3d(scan.array, label_map, closed, surfaces, whole)
    # One image at a time: a large CT's is most of what a case needs.
    del scan, marks, label_map
    stages = [("As acquired", _pictures(volume, corrected, record.grid, whole))]
    stages.append(("Corrected, on the grid of the masks", corrected))
    if smoothed(resampled):
        stages.append(("Smoothed", _pictures(isotropic, corrected, record.grid, whole)))
    rows = tables.read_rows(measurements)
    page = CasePage(
        case,
        structures,
        rows,
        record.warnings,
        overview,
        shown,
        tables.tables(rows, hounsfield),
        treatment(resampled),
        stages,
        viewed,
        list(simulated(rows, simulations, centrelines)),
    )
    write_page(report, case_page(page))


def refuse(
    said: dict[str, Any], report: Path, thumbnail: Path, case: str, structures: list[dict[str, Any]]
) -> None:
    """Write the page of a refused case. said: its sidecar's stage, code and reason."""
    with replacing(thumbnail) as temporary:
        temporary.touch()
    write_page(report, refused_page(case, said["stage"], said["code"], said["reason"], structures))


def write_page(path: Path, text: str) -> None:
    """Write a page that appears when it is whole."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _has_hounsfield(resampled: dict[str, Any], warnings: list[dict[str, str]]) -> bool:
    """Whether the scan's values are HU: it is a CT, and nothing speaks against it."""
    doubted = "not-hounsfield" in {warning["code"] for warning in warnings}
    return resampled["parameters"]["modality"] == "CT" and not doubted


def _pictures(path: Path, shown: list[Picture], grid: Grid, whole: window.Window) -> list[Picture]:
    return figures.at_same_places(read_volume(path), shown, grid, whole)


if __name__ == "__main__":
    run_job(snakemake, report, refused=refuse)
