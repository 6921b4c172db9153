"""The comparison of groups as a part of a run: asked for in the config, checked before any job."""

import pytest
from interrupted import write_cohort
from mill import mill, planned, rows, snakemake

CONFIG = "--configfile", "config.yaml"
ASKED = """
statistics:
  group: {column: diagnosis, reference: control}
  covariates: [{column: age}]
"""


@pytest.fixture
def folder(tmp_path):
    folder = write_cohort(tmp_path / "cohort")
    (folder / "two.nrrd").write_bytes((folder / "one.nrrd").read_bytes())
    sheet = "case\tscan\tdiagnosis\tage\none\tone.nrrd\tcontrol\t61\ntwo\ttwo.nrrd\tpatient\t64\n"
    (folder / "scans.tsv").write_text(sheet)
    return folder


def ask(folder, text: str) -> None:
    with open(folder / "config.yaml", "a") as config:
        config.write(text)


def test_groups_are_compared_only_where_the_config_asks(folder):
    assert "groups" not in planned(folder, *CONFIG)
    ask(folder, ASKED)
    assert planned(folder, *CONFIG)["groups"] == 1


def test_what_the_sheet_cannot_answer_is_said_before_any_job(folder):
    ask(folder, ASKED.replace("control", "Control").replace("age", "sex"))
    done = snakemake(folder, *CONFIG)
    assert done.returncode != 0 and not (folder / "results").exists()
    assert "config.yaml:5:41: 'reference': column 'diagnosis' has no 'Control'" in done.stdout
    assert "config.yaml:6:25: the sheet has no further column 'sex'" in done.stdout


@pytest.mark.slow
def test_two_cases_are_too_few_and_every_table_says_so(folder):
    ask(folder, ASKED)
    results = mill(folder, *CONFIG)
    table = rows(results / "cohort" / "groups.csv")
    assert {(row["structure"], row["group"]) for row in table} == {
        ("organ", "patient"),
        ("ball", "patient"),
    }
    assert {row["code"] for row in table} == {"group-too-small"}
    left = rows(results / "cohort" / "groups_left_out.csv")
    assert len(left) == 4 and {row["code"] for row in left} == {"group-too-small"}
    assert "Not compared" in (results / "cohort" / "groups.html").read_text()
    crate = (results / "ro-crate-metadata.json").read_text()
    assert '"cohort/groups.csv"' in crate and '"cohort/groups.html"' in crate
    assert not planned(folder, *CONFIG)
