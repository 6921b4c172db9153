"""The comparison of groups as a stage: a cohort's table in, tables and a page out."""

import csv
import json

import numpy as np
import pytest
from axe_core_python.selenium import Axe
from chromium import BROWSER, DRIVER, chromium, errors, requests
from groups import groups
from scanmill.group_comparison.columns import GROUPS, LEFT_OUT
from scanmill.group_comparison.question import DEFAULTS

STRUCTURES = ("brain", "left", "right")
QUESTION = DEFAULTS | {
    "group": {"column": "diagnosis", "reference": "control"},
    "covariates": [
        {"column": "age"},
        {"column": "sex", "reference": "f"},
        {"structure": "brain", "quantity": "volume_mm3"},
    ],
}
N = 40


def cohort() -> tuple[dict[str, dict], list[dict[str, str]]]:
    """A sheet of 40 and three of a rare kind, and its table; left is 300 mm3 less in patients."""
    rng = np.random.default_rng(5)
    sheet, rows = {}, []
    for n in range(N + 3):
        diagnosis = "rare" if n >= N else ("control", "patient")[n % 2]
        age, sex = 60 + 8 * rng.standard_normal(), "fm"[n // 2 % 2]
        brain = 1.4e6 + 1e5 * rng.standard_normal() + 8e4 * (sex == "m")
        part = 3000 + 0.002 * (brain - 1.4e6) - 20 * (age - 60)
        volumes = {
            "brain": brain,
            "left": part - 300 * (diagnosis == "patient") + 80 * rng.standard_normal(),
            "right": part + 80 * rng.standard_normal(),
        }
        case = f"c{n:02}"
        extra = {"diagnosis": diagnosis, "age": f"{age:.1f}", "sex": sex}
        sheet[case] = {"recipe": "head", "role": "scan", "extra": extra}
        rows += [row(case, structure, volumes[structure]) for structure in STRUCTURES]
    return sheet, rows


def row(case: str, structure: str, volume: float) -> dict[str, str]:
    return {
        "case": case,
        "structure": structure,
        "code": "",
        "volume_mm3": f"{volume:.10g}",
        "touches_border": "false",
    }


def spoil(rows, case, structure, **said) -> None:
    next(r for r in rows if (r["case"], r["structure"]) == (case, structure)).update(said)


@pytest.fixture
def run(tmp_path):
    """Write the table, compare, and return the rows, those left out, and the page."""

    def compare(sheet, rows, question=QUESTION):
        with open(tmp_path / "measurements.csv", "w", newline="") as stream:
            table = csv.DictWriter(stream, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        names = {"groups": "csv", "left_out": "csv", "dictionary": "json", "page": "html"}
        outputs = {name: tmp_path / f"{name}.{suffix}" for name, suffix in names.items()}
        structures = {"head": list(STRUCTURES)}
        groups(tmp_path / "measurements.csv", outputs, sheet, structures, question)
        assert json.loads(outputs["dictionary"].read_text()).keys() == GROUPS.keys()
        tables = [read(outputs["groups"]), read(outputs["left_out"])]
        assert all(set(found) == set(GROUPS) for found in tables[0])
        assert all(set(found) == set(LEFT_OUT) for found in tables[1])
        return *tables, outputs["page"].read_text()

    return compare


def read(path) -> list[dict[str, str]]:
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def of(table, structure, group="patient") -> dict[str, str]:
    (found,) = [r for r in table if (r["structure"], r["group"]) == (structure, group)]
    return found


def test_what_differs_is_found_and_what_does_not_is_not(run):
    table, _, page = run(*cohort())
    left, right = of(table, "left"), of(table, "right")
    assert float(left["difference_ci_low"]) < -300 < float(left["difference_ci_high"])
    assert float(left["p_corrected"]) < 1e-6 < 0.05 < float(right["p_corrected"])
    assert (left["n"], left["n_group"], left["n_reference"]) == ("40", "20", "20")
    assert left["unit"] == "mm3" and left["tests"] == "2"
    assert left["covariates"] == "age; sex (reference f); brain volume_mm3"
    assert "-300" not in page and f"{float(left['hedges_g']):.2f}" in page


def test_a_covariate_is_not_compared_with_itself_and_a_small_group_not_at_all(run):
    table, left_out, page = run(*cohort())
    assert of(table, "brain")["code"] == "is-covariate"
    small = of(table, "left", "rare")
    assert (small["status"], small["code"], small["n_group"]) == ("refused", "group-too-small", "0")
    assert all(small[key] == "" for key in ("difference", "p", "hedges_g", "p_corrected"))
    gone = {r["case"]: (r["code"], r["what"]) for r in left_out if r["structure"] == "left"}
    assert gone == dict.fromkeys(("c40", "c41", "c42"), ("group-too-small", "rare"))
    assert "group-too-small" in page and "is-covariate" in page


def test_who_is_left_out_is_told_with_the_reason(run):
    sheet, rows = cohort()
    spoil(rows, "c00", "left", code="structure-empty", volume_mm3="")
    spoil(rows, "c01", "left", volume_mm3="")
    spoil(rows, "c02", "brain", code="structure-empty", volume_mm3="")
    spoil(rows, "c03", "left", touches_border="true")
    sheet["c04"]["extra"]["age"] = "n/a"
    sheet["c05"]["extra"]["diagnosis"] = ""
    table, left_out, page = run(sheet, rows)
    gone = {r["case"]: (r["code"], r["what"]) for r in left_out if r["structure"] == "left"}
    assert {case: why for case, why in gone.items() if case < "c40"} == {
        "c00": ("structure-empty", "left"),
        "c01": ("value-missing", "left volume_mm3"),
        "c02": ("covariate-missing", "brain volume_mm3"),
        "c04": ("covariate-missing", "age"),
        "c05": ("group-missing", "diagnosis"),
    }
    left = of(table, "left")
    assert (left["n"], left["left_out"], left["touching_border"]) == ("35", "8", "1")
    assert of(table, "right")["n"] == "37"
    assert "left in 1 of 35 cases" in page


def test_a_model_that_cannot_be_had_is_refused_row_by_row(run):
    sheet, rows = cohort()
    for told in sheet.values():
        told["extra"]["site"] = told["extra"]["diagnosis"]
    question = QUESTION | {"covariates": [{"column": "site", "reference": "control"}]}
    table, *_ = run(sheet, rows, question)
    assert {r["code"] for r in table if r["group"] == "patient"} == {"covariates-collinear"}
    assert all(r["p"] == "" for r in table)


def test_what_is_no_number_is_refused(run):
    sheet, rows = cohort()
    table, *_ = run(sheet, rows, QUESTION | {"quantities": ["touches_border"]})
    assert {r["code"] for r in table} == {"no-number"}


def test_only_those_asked_for_take_part(run):
    sheet, rows = cohort()
    table, left_out, _ = run(
        sheet, rows, QUESTION | {"only": {"diagnosis": ["control", "patient"]}}
    )
    assert {r["group"] for r in table} == {"patient"} and left_out == []
    table, *_ = run(
        sheet, rows, QUESTION | {"structures": ["right"], "correction": "benjamini-hochberg"}
    )
    assert {r["structure"] for r in table} == {"right"}
    assert {r["correction"] for r in table} == {"benjamini-hochberg"}


def test_the_page_says_names_as_texts(run):
    sheet, rows = cohort()
    for told in sheet.values():
        told["extra"]["diagnosis"] = told["extra"]["diagnosis"].replace("patient", "<b>&")
    *_, page = run(sheet, rows)
    assert "&lt;b&gt;&amp;" in page and "<b>&" not in page


@pytest.mark.slow
@pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium with chromedriver is here")
@pytest.mark.parametrize("width", [1280, 500])
def test_the_page_opens_from_disk_for_everybody(run, tmp_path, width):
    sheet, rows = cohort()
    spoil(rows, "c03", "left", touches_border="true")
    run(sheet, rows)
    page = (tmp_path / "page.html").as_uri()
    with chromium(tmp_path / "profile", (width, 900)) as browser:
        browser.get(page)
        assert errors(browser) == [] and requests(browser, page) == []
        found = Axe().run(browser)["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
        root = "document.documentElement"
        assert browser.execute_script(f"return {root}.scrollWidth <= {root}.clientWidth")
