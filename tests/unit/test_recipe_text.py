"""A recipe written again is the same recipe."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from scanmill import recipe
from scanmill.recipe_text import told, written

RECIPES = sorted((Path(__file__).parents[2] / "config" / "recipes").glob("*.yaml"))
EVERYTHING = """
description: everything that a recipe may say
modality: MR
spacing: native
pass_band: 0.02
ledger_limit: 4
surface_dice_tolerance: 2.5
uneven_slices: resample
correct: {metal: 'off', bias: n4, noise: diffusion}
expect: {slice_spacing: 3, length: 250.5, tilt: 0, noise: 12}
learn: {folds: 3, batch: 1, iterations: 77}
structures:
"""
SEGMENTS = (
    "{method: rules, steps: [{window: [null, 4]}, {margin: {left: 1, right: 2, anterior: 0,"
    " posterior: 3, superior: 0.5, inferior: 1e-3}}, {largest: {per_side: 2}}]}",
    "{method: labels, value: 7, named: [a, 'b*']}",
    "{method: seeded, reach: 12, radius: 2.5, inside: s0, seeds: [[1, 2, 3], [4, 5.5, 6]]}",
    "{method: atlas, steps: [{handles: cut}]}",
    "{method: learn, value: 9}",
    "{method: model, folder: nets/one, class: [left, right]}",
    "{method: model, folder: nets/two}",
    "{method: shape, of: s3, tolerance: 3}",
)


@pytest.fixture
def everything(tmp_path):
    structures = [
        f"  - name: s{n}\n    label: {n + 1}\n    code: {{scheme: 99TEST, value: s, meaning: s}}\n"
        f'    colour: "#dd826{n}"\n    segment: {segment}\n'
        + (
            "    laterality: left\n    triangles: 500\n    distances_to: [s0]\n    centreline: true\n"
            "    shape_check: true\n    expect: {whole: true, volume_ml: [20, 90], mean: [-10, 80.5]}\n"
            "    simulate:\n"
            "      wall: {surface: outer, thickness: 1.5, material: raghavan-vorp, pressure: mmhg}\n"
            if n == 1
            else ""
        )
        for n, segment in enumerate(SEGMENTS)
    ]
    path = tmp_path / "everything.yaml"
    path.write_text(EVERYTHING + "".join(structures))
    return path


def assert_the_same_again(path, folder):
    first = recipe.load(path)
    again = folder / path.name
    known = json.loads(json.dumps(told(first, ["where from"] * len(first.models))))
    again.write_text(json.dumps(written(known, first.models), ensure_ascii=False))
    found = recipe.load(again)
    assert found.description != first.description
    assert replace(found, description=first.description) == first


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipes_are_the_same_again(path, tmp_path):
    assert_the_same_again(path, tmp_path)


def test_a_recipe_that_says_everything_is_the_same_again(everything, tmp_path):
    (tmp_path / "again").mkdir()
    assert_the_same_again(everything, tmp_path / "again")
