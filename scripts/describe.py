"""Describe: what a run did, for a paper and for other programs.

In: the tables of the cohort, its provenance and the sidecars of its cases. Out: cohort/methods.md, the
methods that were used, with versions and references, these also in cohort/references.bib;
ro-crate-metadata.json, the run as a Workflow Run RO-Crate; workflow/, the workflow's definition, and
the lock that its environment was made of.
"""

import csv
import json
import shutil
from pathlib import Path

from scanmill import cohort
from scanmill.atomic import replacing, replacing_folder, sole_writer
from scanmill.lineage import LOCK, ROOT
from scanmill.methods.page import page
from scanmill.ro_crate import write_crate
from scanmill.stage import print_to


def describe(
    tables: list[Path],
    measurements: Path,
    provenance: Path,
    methods: Path,
    references: Path,
    crate: Path,
    workflow: Path,
    report: bool,
) -> None:
    """Write the methods of a run, their references, the copy of the workflow and the crate of it all.

    tables: all files of the cohort, measurements and provenance among them. report: whether the cohort
    gets a page, which is made last, as it shows the methods.
    """
    known = json.loads(provenance.read_text(encoding="utf-8"))
    cases = crate.parent / "cases"
    scans = [case for case, row in known["sheet"].items() if row["role"] == "scan"]
    sidecars = {case: cohort.read_sidecars(cases / case, ("resample",)) for case in scans}
    with open(measurements, encoding="utf-8", newline="") as stream:
        texts = page(known, sidecars, list(csv.DictReader(stream)))
    for path, text in zip((methods, references), texts, strict=True):
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    copy_workflow(workflow)
    pages = [methods.with_name("report.html")] if report else []
    write_crate(crate, [*tables, methods, references, *pages], workflow, known)


def copy_workflow(folder: Path) -> None:
    """Copy what defines the workflow: its Snakefile, rules and lock."""
    with replacing_folder(folder) as temporary:
        for path in (ROOT / "Snakefile", *sorted(ROOT.glob("rules/*.smk")), LOCK):
            target = temporary / path.relative_to(ROOT)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)


if __name__ == "__main__":
    print_to(snakemake.log[0])
    outputs = {name: Path(path) for name, path in snakemake.output.items()}
    with sole_writer(outputs["methods"].parent, "describe"):
        describe(
            [Path(path) for path in snakemake.input.tables],
            Path(snakemake.input.measurements),
            Path(snakemake.input.provenance),
            **outputs,
            report=snakemake.params.report,
        )
