"""Recipes that simulate, and the column that pressures are in: what is read, and what is wrong."""

import pytest
from scanmill import recipe, recipe_simulation, sheet
from scanmill.problem import SettingsError
from scanmill.recipe import Shelf

TEXT = """\
description: A vessel
modality: CT
spacing: 1
structures:
  - name: aorta
    label: 5
    code: {scheme: 99LOCAL, value: A, meaning: Aorta}
    colour: "#ffffff"
    centreline: true
    simulate: {surface: inner, thickness: 1.5, material: raghavan-vorp, pressure: systolic}
    segment: {method: labels}
"""


def written(folder, text=TEXT):
    path = folder / "vessel.yaml"
    path.write_text(text, "utf-8")
    return path


def faults(path) -> list[str]:
    with pytest.raises(SettingsError) as error:
        recipe.load(path)
    return [str(problem) for problem in error.value.problems]


def test_a_simulation_is_read_with_its_defaults(tmp_path):
    (structure,) = recipe.load(written(tmp_path)).structures
    assert structure["simulate"] == {
        "surface": "inner",
        "thickness": 1.5,
        "edge": 3.0,
        "material": {"alpha": 0.174, "beta": 1.881},
        "pressure": "systolic",
        "ends": "fixed",
        "strength": None,
        "formats": ["vtu"],
        "memory_mb": 6000,
    }
    told = {"systolic": "135", "age": "71"}
    assert recipe_simulation.pressures([structure], told) == {"systolic": 135.0}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    centreline: true\n", "", "'centreline: true' beside it would be right"),
        ("raghavan-vorp", "{young: 2, alpha: 1}", "alpha and young was found; young and poisson"),
        ("raghavan-vorp", "steel", "raghavan-vorp, or a mapping of young and poisson"),
        ("raghavan-vorp", "{young: 2, poisson: 0.5}", "Poisson's ratio from 0.01 to 0.4999"),
        ("inner", "middle", "inner or outer"),
        ("1.5", "0", "the wall's thickness from 0.1 to 20 mm"),
        ("systolic", "16000", "a pressure from 1 to 400 mmHg"),
        ("pressure: systolic", "strength: 1", "pressure"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, said):
    text = TEXT.replace(old, new)
    assert text != TEXT
    (fault,) = faults(written(tmp_path, text))
    assert said in fault
    assert f"{tmp_path / 'vessel.yaml'}:" in fault


@pytest.mark.parametrize(
    ("header", "cell", "said"),
    [
        ("systolic", "", "nothing was found; a pressure from 1 to 400 mmHg would be right"),
        ("systolic", "high", "'high' was found"),
        ("systolic", "nan", "'nan' was found"),
        ("systolic", "0.016", "'0.016' was found"),
        ("diastolic", "80", "the recipe takes pressures from a further column of this name"),
    ],
)
def test_a_pressure_that_is_none_is_said_with_its_line(tmp_path, header, cell, said):
    (tmp_path / "scan.nii.gz").write_bytes(b"")
    (tmp_path / "labels.nii.gz").write_bytes(b"")
    (tmp_path / "scans.tsv").write_text(
        f"case\tscan\tlabels\t{header}\none\tscan.nii.gz\tlabels.nii.gz\t{cell}\n"
    )
    shelf = Shelf(tmp_path)
    key = shelf.find(str(written(tmp_path)), tmp_path)
    with pytest.raises(SettingsError) as error:
        sheet.read(tmp_path / "scans.tsv", shelf, key, frozenset(), frozenset())
    (problem,) = error.value.problems
    assert problem.line == 2
    assert said in str(problem)


def test_a_column_with_a_meaning_of_its_own_is_no_pressure(tmp_path):
    (tmp_path / "scan.nii.gz").write_bytes(b"")
    (tmp_path / "scans.tsv").write_text(
        "case\tscan\tlabels\tvolume\none\tscan.nii.gz\tscan.nii.gz\t120\n"
    )
    shelf = Shelf(tmp_path)
    key = shelf.find(str(written(tmp_path, TEXT.replace("systolic", "volume"))), tmp_path)
    with pytest.raises(SettingsError, match="a further column of this name"):
        sheet.read(tmp_path / "scans.tsv", shelf, key, frozenset(), frozenset())
