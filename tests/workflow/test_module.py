"""ScanMill as a part of another workflow."""

import pytest
from mill import ROOT, mill, rows, snakemake

pytestmark = pytest.mark.slow

OUTER = """
configfile: "outer.yaml"

module scanmill:
    snakefile: {snakefile!r}
    config: config["scanmill"]

use rule * from scanmill as sm_*

rule counted:
    default_target: True
    input: rules.sm_collect.output.measurements
    output: "counted.txt"
    shell: "wc -l < {{input}} > {{output}}"
"""


def test_another_workflow_uses_the_rules_under_names_of_its_own(workshop, tmp_path):
    _, folder = workshop
    noise = b"\x93" * 3000
    (folder / "two.nii.gz").write_bytes(noise)
    (folder / "scans.tsv").write_text("case\tscan\none\tone.nrrd\ntwo\ttwo.nii.gz\n")
    (folder / "outer.yaml").write_text("scanmill: {scans: scans.tsv, recipe: ./recipe.yaml}\n")
    outer = tmp_path / "outer.smk"
    outer.write_text(OUTER.format(snakefile=str(ROOT / "Snakefile")))
    results = mill(folder, snakefile=outer)
    assert (folder / "counted.txt").read_text().strip() == "5"
    cases = rows(results / "cohort" / "cases.tsv")
    assert [(row["status"], row["stage"]) for row in cases] == [("ok", ""), ("refused", "ingest")]
    done = snakemake(folder, "--dry-run", snakefile=outer)
    assert "Nothing to be done" in done.stdout
