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
    simulate: {wall: {surface: inner, thickness: 1.5, material: raghavan-vorp, pressure: systolic}}
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
    assert structure["simulate"]["wall"] == {
        "surface": "inner",
        "thickness": 1.5,
        "edge": 3.0,
        "material": {"alpha": 0.174, "beta": 1.881},
        "thrombus": None,
        "pressure": "systolic",
        "ends": "fixed",
        "strength": None,
        "solver": "scanmill",
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


@pytest.mark.parametrize("text", ["wall: {", "solid:\n        "])
def test_a_solver_that_is_not_installed_is_said_before_any_job(tmp_path, monkeypatch, text):
    asked = TEXT if text.startswith("wall") else SOLID
    asked = asked.replace(
        text, f"{text}solver: calculix{', ' if asked is TEXT else chr(10) + ' ' * 8}"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    (fault,) = faults(written(tmp_path, asked))
    assert "whose program ccx is not installed; 'solver: scanmill', or that program" in fault
    program = tmp_path / "ccx"
    program.write_text("#!/bin/sh")
    program.chmod(0o755)
    structure, *_ = recipe.load(written(tmp_path, asked)).structures
    ((_, own),) = structure["simulate"].items()
    assert own["solver"] == "calculix"


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


SOLID = """\
description: A vertebra with a tumour
modality: CT
spacing: 1
structures:
  - name: vertebra
    label: 1
    code: {scheme: 99LOCAL, value: A, meaning: Vertebra}
    colour: "#ffffff"
    simulate:
      solid:
        edge: 3
        material:
          law: morgan-2003-vertebra
          density: {slope: 0.001, intercept: 0.05}
          poisson: 0.3
        parts: {tumour: {material: {young: 20, poisson: 0.3}}}
        load: {held: inferior, pressed: superior, force: 1000}
    segment: {method: labels}
  - name: tumour
    label: 2
    code: {scheme: 99LOCAL, value: B, meaning: Tumour}
    colour: "#000000"
    segment: {method: labels}
"""


def test_a_solid_is_read_with_its_defaults(tmp_path):
    organ, _ = recipe.load(written(tmp_path, SOLID)).structures
    asked = organ["simulate"]["solid"]
    assert asked["load"] == {
        "held": "inferior",
        "pressed": "superior",
        "force": 1000.0,
        "depth": 3.0,
    }
    assert asked["material"]["least"] == 1.0
    assert asked["parts"] == {"tumour": {"material": {"young": 20.0, "poisson": 0.3}}}
    assert asked["formats"] == ["vtu"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("modality: CT", "modality: MR", "Hounsfield units; 'modality: CT' would be right"),
        ("parts: {tumour:", "parts: {cyst:", "'cyst' was found; the name of another structure"),
        ("pressed: superior", "pressed: inferior", "the same side is held and pressed"),
        ("force: 1000", "force: 0", "a force above 0, N"),
        ("{young: 20, poisson: 0.3}", "{young: 20}", "young was found; young and poisson"),
        ("{young: 20, poisson: 0.3}", "{alpha: 1, beta: 1}", "alpha and beta was found"),
        ("{young: 20, poisson: 0.3}", "raghavan-vorp", "raghavan-vorp was found"),
        ("{material: {young: 20, poisson: 0.3}}", "{}", "a load needs the material"),
        ("        load: {held: inferior, pressed: superior, force: 1000}\n", "", "these a load"),
        ("law: morgan-2003-vertebra", "law: keyak", "morgan-2003-vertebra, morgan-2003-tibia"),
        ("slope: 0.001, ", "", "slope"),
        ("      solid:\n", "      solid: {edge: 2}\n      wall:\n", "one of wall"),
    ],
)
def test_what_is_wrong_with_a_solid_is_said(tmp_path, old, new, said):
    text = SOLID.replace(old, new)
    assert text != SOLID
    assert any(said in fault for fault in faults(written(tmp_path, text)))


def test_a_mesh_alone_has_no_solution_to_write(tmp_path):
    start, end = SOLID.index("        material:\n"), SOLID.index("    segment")
    text = SOLID[:start] + "        formats: [vtu]\n" + SOLID[end:]
    (fault,) = faults(written(tmp_path, text))
    assert "vtu was found, and without a load there is a mesh alone; msh or stl" in fault
    text = text.replace("[vtu]", "[msh, stl]")
    organ, _ = recipe.load(written(tmp_path, text)).structures
    assert organ["simulate"]["solid"]["load"] is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("thickness: 1.5", "thickness: wall", "'wall' was found; the name of another structure"),
        ("thickness: 1.5", "thickness: other", "goes with 'surface: inner' and 'edge'"),
        ("pressure: systolic", "pressure: systolic, thrombus: {structure: clot, material: {young: 1, "
         "poisson: 0.4}}", "'clot' was found"),
        ("surface: inner", "surface: outer, thrombus: {structure: other, material: {young: 1, "
         "poisson: 0.4}}", "'surface: inner' would be right"),
    ],
)  # fmt: skip
def test_what_walls_name_is_in_the_recipe(tmp_path, old, new, said):
    other = SOLID[SOLID.index("  - name: tumour") :].replace("name: tumour", "name: other")
    text = TEXT.replace(old, new) + other
    assert any(said in fault for fault in faults(written(tmp_path, text)))
