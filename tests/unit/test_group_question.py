"""What a config may ask of groups, and what a sheet must have for it."""

from types import SimpleNamespace

import pytest
import yaml
from scanmill.group_comparison.question import DEFAULTS, faults, levels
from scanmill.yaml_file import check

GROUP = {"column": "diagnosis", "reference": "control"}
EXTRA = (
    {"diagnosis": "control", "age": "61", "sex": "f", "subject": "s1", "visit": "0"},
    {"diagnosis": "patient", "age": "n/a", "sex": "m", "subject": "s2", "visit": "0"},
    {"diagnosis": "patient", "age": "7e1", "sex": "", "subject": "s3", "visit": "0"},
    {"diagnosis": "", "age": "64", "sex": "m", "subject": "s4", "visit": "0"},
)


def rows(*extra):
    return [
        SimpleNamespace(case=f"c{n}", recipe="r", role="scan", extra=dict(more))
        for n, more in enumerate(extra or EXTRA)
    ]


def said(question, *extra) -> list[tuple[tuple, str]]:
    found = faults(DEFAULTS | {"group": GROUP} | question, rows(*extra), ["liver"], ["distance_mm"])
    return [(fault.keys[1:], fault.text) for fault in found]


def test_what_the_sheet_can_answer_is_no_mistake():
    covariates = [
        {"column": "age"},
        {"column": "sex", "reference": "f"},
        {"structure": "liver", "quantity": "volume_mm3"},
    ]
    asked = {"covariates": covariates, "quantities": ["distance_mm"], "structures": ["liver"]}
    assert said(asked) == []


def test_levels_come_in_the_order_of_the_sheet_without_the_reference():
    cells = ["b", "", "control", "a", "n/a", "b"]
    assert levels({"group": GROUP}, cells) == ["b", "a"]


@pytest.mark.parametrize(
    ("question", "keys", "text"),
    [
        ({"group": GROUP | {"column": "diagnosys"}}, ("group", "column"), "'diagnosis' would be"),
        ({"group": GROUP | {"reference": "Control"}}, ("group", "reference"), "'control' would be"),
        (
            {"covariates": [{"column": "age"}, {"column": "sx"}]},
            ("covariates", 1, "column"),
            "'sx'",
        ),
        ({"covariates": [{"column": "sex"}]}, ("covariates", 0, "column"), "'f' was found in"),
        ({"covariates": [{"column": "age"}] * 2}, ("covariates", 0), "twice"),
        ({"covariates": [{"column": "diagnosis"}]}, ("covariates", 0), "own column"),
        (
            {"covariates": [{"column": "sex", "reference": "x"}]},
            ("covariates", 0, "reference"),
            "has no 'x'",
        ),
        (
            {"covariates": [{"structure": "river", "quantity": "volume_mm3"}]},
            ("covariates", 0, "structure"),
            "'liver' is",
        ),
        ({"structures": ["river"]}, ("structures", 0), "'liver' is"),
        ({"quantities": ["status"]}, ("quantities", 0), "no quantity of the table"),
        ({"quantities": ["volume"]}, ("quantities", 0), "'volume_mm3' is"),
        ({"only": {"visits": ["0"]}}, ("only", "visits"), "'visit' would be"),
        ({"only": {"visit": ["2"]}}, ("only",), "no row"),
    ],
)
def test_each_mistake_has_its_place(question, keys, text):
    found = said(question)
    assert found[0][0] == keys and text in found[0][1]


def test_a_group_of_one_level_compares_nothing():
    (found,) = said({}, {"diagnosis": "control"}, {"diagnosis": "n/a"})
    assert "no level but the reference" in found[1]


@pytest.mark.parametrize("cell", ["NA", "nan", "N/A", "?", "."])
def test_a_missing_value_in_disguise_is_no_level(cell):
    found = said({}, {"diagnosis": "control"}, {"diagnosis": "b"}, {"diagnosis": cell})
    assert found == [
        (
            ("group", "column"),
            f"'{cell}' was found in column 'diagnosis'; n/a, or nothing, would be right",
        )
    ]


def test_a_missing_number_in_disguise_is_no_number():
    extra = [{"diagnosis": "control", "age": "1"}, {"diagnosis": "b", "age": "nan"}]
    ((keys, text),) = said({"covariates": [{"column": "age"}]}, *extra)
    assert keys == ("covariates", 0, "column") and "'nan' was found" in text and "'c1'" in text


def test_levels_that_differ_in_case_only_are_a_slip():
    found = said({}, {"diagnosis": "control"}, {"diagnosis": "AD"}, {"diagnosis": "ad"})
    assert all("differ in case only" in text for _, text in found) and found


def test_a_subject_counts_once():
    twice = (*EXTRA, EXTRA[0] | {"visit": "1"})
    ((keys, text),) = said({}, *twice)
    assert keys == () and "subject 's1' has 2 cases, which are not independent" in text
    assert said({"only": {"visit": ["0"]}}, *twice) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("group: {column: g, reference: a}", ""),
        ("group: {column: g}", "the key 'reference' is missing"),
        ("group: {column: g, reference: 0}", "0 was found; a level of that column, as text"),
        ("group: {column: g, reference: a}\ncorrection: bonferroni", "holm or benjamini-hochberg"),
        ("group: {column: g, reference: a}\ncovariates: [age]", "a mapping with 'column'"),
        (
            "group: {column: g, reference: a}\ncovariates: [{column: s, structure: t, quantity: v}]",
            "a mapping with 'column'",
        ),
        ("group: {column: g, reference: a}\nformula: y ~ x", "the key 'formula' is unknown"),
    ],
)
def test_what_is_asked_has_a_form(text, wrong):
    found = check({"statistics": yaml.safe_load(text)}, "config")
    assert any(wrong in fault.text for fault in found) if wrong else not found


def test_all_mistakes_are_said_at_once():
    asked = {"group": GROUP | {"reference": "x"}, "covariates": [{"column": "sx"}]}
    assert {keys for keys, _ in said(asked)} == {
        ("covariates", 0, "column"),
        ("group", "reference"),
    }
