"""Whatever bytes a config, a sheet or a recipe holds: settings, or an error that says where."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanmill import recipe, settings, sheet, yaml_file
from scanmill.problem import SettingsError
from scanmill.recipe import Shelf

RECIPE = """\
description: Kidney with a tumour
modality: CT
spacing: 1
structures:
  - name: kidney
    label: 7
    code: {scheme: SCT, value: "64033007", meaning: Kidney}
    colour: "#B9663A"
    segment: {method: labels}
  - name: tumour
    label: 2
    code: {scheme: 99LOCAL, value: T-1, meaning: Tumeur rénale}
    colour: "#102030"
    triangles: 5000
    segment:
      method: rules
      steps: [inside: kidney, window: [-20, null], seeds: [[1, -2.5, 3]], open: 1.5]
"""
GRID = "{grid: {size: [9, 8, 7], spacing: [1, 1, 2]}}"
PHANTOMS = frozenset({"patient-a", "sphere"})
SHEET = (
    "case\tscan\trecipe\tlabels\trole\tage\n"
    "p1\tphantom:sphere\trules\t\t\t1\n"
    "p2\tphantom:patient-a\tct-body\tphantom:patient-a\tscan\té\n"
    'p3\tphantom:sphere\t\t\tscan\t"a ""b"""\n'
)
RULES = RECIPE.replace("{method: labels}", "{method: rules, steps: [window: [1, null]]}")
EDITS = st.lists(
    st.tuples(st.integers(0, 10**4), st.integers(0, 2), st.integers(0, 255)), min_size=1, max_size=6
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(["scans", "recipe", "formats", "parquet", "scan"]) | st.text(max_size=5)


@pytest.fixture(scope="module")
def workflow(tmp_path_factory):
    """The root of a workflow, its name with a space and a letter beyond ASCII."""
    folder = tmp_path_factory.mktemp("any") / "flow é"
    recipes = folder / "config" / "recipes"
    recipes.mkdir(parents=True)
    (recipes / "rules.yaml").write_text(RULES, "utf-8")
    (recipes / "ct-body.yaml").write_text(RECIPE, "utf-8")
    (folder / "config" / "phantoms.yaml").write_text(
        "".join(f"{name}: {GRID}\n" for name in PHANTOMS), "utf-8"
    )
    (folder / "config" / "scans.tsv").write_text(SHEET.split("p3")[0], "utf-8")
    return folder


@given(EDITS)
def test_any_bytes_as_a_sheet(workflow, edits):
    path = workflow / "any sheet.tsv"
    path.write_bytes(mutated(SHEET.encode(), edits))
    shelf = Shelf(workflow / "config" / "recipes")
    default = shelf.find("rules", workflow)
    try:
        rows = sheet.read(path, shelf, default, PHANTOMS, frozenset())
    except SettingsError as error:
        assert_placed(error, path)
    else:
        assert len({case.lower() for case in rows}) == len(rows) > 0


@given(EDITS)
def test_any_bytes_as_a_recipe(workflow, edits):
    path = workflow / "any.yaml"
    path.write_bytes(mutated(RECIPE.encode(), edits))
    try:
        assert recipe.load(path).structures
    except SettingsError as error:
        assert_placed(error, path)


@given(st.integers(0, 100), VALUES)
def test_any_value_at_any_place_of_a_recipe(workflow, number, value):
    content = yaml_file.read(workflow / "config" / "recipes" / "ct-body.yaml").content
    slots = list(slots_of(content))
    inside, key = slots[number % len(slots)]
    inside[key] = value
    path = workflow / "any.yaml"
    path.write_text(json.dumps(content), "utf-8")
    try:
        assert recipe.load(path).structures
    except SettingsError as error:
        assert_placed(error, path)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_config(workflow, config):
    try:
        assert settings.load(config, workflow, workflow).scans
    except SettingsError as error:
        assert all(problem.file.startswith(("config", str(workflow))) for problem in error.problems)


def mutated(raw, edits):
    """Bytes of which some are overwritten, taken out or repeated."""
    raw = bytearray(raw)
    for place, kind, byte in edits:
        at = place % max(1, len(raw))
        if kind == 0:
            raw[at : at + 1] = bytes([byte])
        elif kind == 1:
            del raw[at : at + 1 + byte % 9]
        else:
            raw[at:at] = raw[at : at + byte]
    return bytes(raw)


def slots_of(content):
    """Each container within a content, with each of its keys or indices."""
    for key in content if isinstance(content, dict) else range(len(content)):
        yield content, key
        if isinstance(content[key], dict | list):
            yield from slots_of(content[key])


def assert_placed(error, path):
    """Every line of the message begins with the file, a line and a column."""
    for said in str(error).split("\n"):
        assert said.startswith(f"{path}:"), said
        line, column, text = said.removeprefix(f"{path}:").split(":", 2)
        assert int(line) > 0 and int(column) > 0 and text.startswith(" ")
