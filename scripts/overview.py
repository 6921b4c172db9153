"""Overview: the page of a cohort, to be looked at before its table is believed.

In: the tables of the cohort with its provenance and methods, and the thumbnails of its cases. Out:
report.html, one file that opens from disk and asks for no other; it leads to the pages of the cases.
"""

import json
from pathlib import Path
from typing import Any

from scanmill.atomic import replacing, sole_writer
from scanmill.overview.cohort import read_cohort
from scanmill.overview.page import CohortPage, cohort_page
from scanmill.overview.sections import listed
from scanmill.overview.shapes import shapes_of
from scanmill.stage import print_to

SHAPES = "shapes.csv"


def overview(
    cases: Path,
    measurements: Path,
    provenance: Path,
    methods: Path,
    tables: list[Path],
    page: Path,
    specification: dict[str, Any],
) -> None:
    """Write the page. tables: of other rules of the cohort.

    specification: what is shown (`overview.specification`).
    """
    known = json.loads(provenance.read_text(encoding="utf-8"))
    cohort = read_cohort(cases, measurements, known)
    # Made with the pages of cases, which collect waits for: batches plan their own cases alone.
    folders = page.parents[1] / "cases"
    thumbnails = {name: folders / name / "thumbnail.png" for name in cohort.names}
    there = {path.name: path for path in tables}
    asked = [section for section in specification["sections"] if section.get("file") in there]
    said = CohortPage(
        cohort,
        specification,
        {name: path.read_bytes() for name, path in thumbnails.items() if path.exists()},
        {section["file"]: listed(section, there[section["file"]]) for section in asked},
        shapes_of(there[SHAPES]) if SHAPES in there else [],
        methods.read_text(encoding="utf-8"),
        known,
    )
    with replacing(page) as temporary:
        temporary.write_text(cohort_page(said), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    print_to(snakemake.log[0])
    page = Path(snakemake.output.page)
    read = ("cases", "measurements", "provenance", "methods")
    with sole_writer(page.parent, "overview"):
        overview(
            **{name: Path(snakemake.input[name]) for name in read},
            tables=[Path(path) for path in snakemake.input.tables],
            page=page,
            specification=snakemake.params.specification,
        )
