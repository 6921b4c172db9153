"""What the page of a cohort is to show: the shipped file, and errors that say where and what."""

from pathlib import Path

import pytest
from scanmill.overview import specification
from scanmill.problem import SettingsError

SHIPPED = specification.SHIPPED.read_text(encoding="utf-8")
STRUCTURES = [{"name": "liver", "distances_to": ["spleen"]}, {"name": "spleen", "distances_to": []}]
GROUPS = ["sex", "site"]


def problems(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        specification.read(path, STRUCTURES, GROUPS)
    return str(caught.value).replace(f"{path}:", "").split("\n")


def edited(old: str, new: str) -> str:
    assert old in SHIPPED
    return SHIPPED.replace(old, new, 1)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_shipped_page_is_right_for_any_cohort_and_names_known_columns():
    read = specification.read(specification.SHIPPED, [], [])
    assert read["quantities"][0] == {
        "column": "volume_mm3",
        "title": "Volume",
        "unit": "mL",
        "factor": 0.001,
        "modality": None,
    }
    assert {section["file"] for section in read["sections"] if "file" in section} == set(
        specification.TABLES
    )


def test_defaults_are_filled_in(tmp_path):
    path = tmp_path / "page.yaml"
    path.write_text(
        "quantities: [{column: distance_to_spleen_mm, title: Gap}]\nstructures: [liver]\n"
        "groups: [site]\nsections: [{show: cases}]\n"
    )
    assert specification.read(path, STRUCTURES, GROUPS) == {
        "quantities": [
            {
                "column": "distance_to_spleen_mm",
                "title": "Gap",
                "unit": "",
                "factor": 1,
                "modality": None,
            }
        ],
        "structures": ["liver"],
        "groups": ["site"],
        "outliers": {"cutoff": 3.5, "least": 8},
        "sections": [{"show": "cases"}],
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "column: morph_diam,",
            "column: morph_diamm,",
            "'morph_diamm' is no column of numbers in measurements.csv; 'morph_diam' would be right",
        ),
        (
            "column: morph_diam,",
            "column: volume_method,",
            "'volume_method' is no column of numbers in measurements.csv",
        ),
        (
            "structures: null",
            "structures: [liver, splen]",
            "'splen' is no structure of these recipes; 'spleen' would be right",
        ),
        (
            "groups: null",
            "groups: [Sex]",
            "'Sex' is no further column of this sheet; 'sex' would be right",
        ),
        (
            "file: agreement.csv",
            "file: agrement.csv",
            "'agrement.csv' is no table of the cohort; 'agreement.csv' would be right",
        ),
        ("icc_ci_low,", "icc_low,", "'icc_low' is no column of agreement.csv"),
        (
            "{show: outliers}",
            "{show: outliers, title: Far}",
            "'title' was found in a section that is no table; 'show: table' would be right",
        ),
        (
            "{show: outliers}",
            "{show: table, file: changes.csv}",
            "the key 'title' is missing; 'title' with a few words would be right",
        ),
        ("{show: outliers}", "{show: outlier}", "'show': 'outlier' was found; cases, distr"),
        ("outliers: {cutoff", "outliers: {cutof", "the key 'cutof' is unknown; 'cutoff' would be"),
        ("least: 8", "least: 2", "'least': 2 was found; a whole number from 4 would be right"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, old, new, said):
    text = edited(old, new)
    (found,) = problems(tmp_path / "page.yaml", text)
    line, _, told = found.split(":", 2)
    assert int(line) == line_of(text, new)
    assert told.strip().startswith(said)


def test_names_are_not_checked_where_none_are_known(tmp_path):
    path = tmp_path / "page.yaml"
    path.write_text(edited("groups: null", "groups: [Sex]"))
    assert specification.read(path, None, None)["groups"] == ["Sex"]
