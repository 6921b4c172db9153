"""The rule check: the table of flags with its dictionary, of each recipe by itself."""

import csv
import json

import pytest
from check import check
from cohort_samples import NAMES, STRUCTURES, cohort
from scanmill.checks.cases import COLUMNS
from scanmill.sidecar import write_json


@pytest.fixture
def checked(tmp_path):
    """A function from cases by recipe to the flags as a table, and their dictionary."""

    def run(recipes):
        sheet, inputs, paths = {}, {}, []
        with open(tmp_path / "measurements.csv", "w", newline="") as stream:
            table = csv.DictWriter(stream, ["case", "structure", *COLUMNS])
            table.writeheader()
            for recipe, cases in recipes.items():
                for case, rows in cases.rows.items():
                    own = f"{recipe}-{case}"
                    sheet[own] = {"recipe": recipe}
                    inputs[own] = {"ingest": [], "segment": []}
                    table.writerows({"case": own, "structure": name} | rows[name] for name in NAMES)
                    paths.append(tmp_path / own / "measurements.csv")
                    told = {"contacts": cases.contacts[case], "warnings": cases.warnings[case]}
                    write_json(paths[-1].with_suffix(".json"), told)
        of_all = {"modality": "CT", "structures": STRUCTURES}
        known = {"sheet": sheet, "inputs": inputs, "recipes": dict.fromkeys(recipes, of_all)}
        write_json(tmp_path / "provenance.json", known)
        written = {"flags": tmp_path / "flags.csv", "flags_dictionary": tmp_path / "flags.json"}
        check(tmp_path / "measurements.csv", tmp_path / "provenance.json", paths, [], written)
        with open(written["flags"], newline="") as stream:
            flags = list(csv.DictReader(stream))
        return flags, json.loads(written["flags_dictionary"].read_text())

    return run


def test_cases_are_compared_with_those_of_their_recipe(checked):
    usual, small = cohort(40, 0), cohort(40, 1)
    for rows in small.rows.values():
        rows["liver"]["mask_volume_mm3"] = repr(0.1 * float(rows["liver"]["mask_volume_mm3"]))
    usual.rows["c5"]["spleen"]["mask_volume_mm3"] = "9000"
    flags, dictionary = checked({"adults": usual, "small": small})
    assert {(f["case"], f["structure"]) for f in flags} == {("adults-c5", "spleen")}
    assert list(flags[0]) == list(dictionary)
    (volume,) = (f for f in flags if f["check"] == "volume")
    assert (volume["value"], volume["unit"]) == ("9000", "mm3")
    assert float(volume["low"]) > 9000 and "The volume of spleen is 9000 mm3" in volume["message"]


def test_refused_cases_have_no_flags_and_do_not_disturb(checked):
    cases = cohort(20, 2)
    for n in range(8):
        cases.rows[f"c{n}"] = {
            name: dict.fromkeys(COLUMNS, "") | {"status": "refused", "code": "data-truncated"}
            for name in NAMES
        }
        cases.contacts[f"c{n}"] = {}
    assert checked({"any": cases})[0] == []
