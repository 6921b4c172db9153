"""Recipes whose networks are trained on the cohort's own labelled scans, before any job starts."""

import sys

import pytest
from learning_samples import imitate_torch
from scanmill import recipe, recipe_learning, sheet
from scanmill.learning import environment
from scanmill.problem import SettingsError
from scanmill.recipe import Shelf

HEAD = "description: Learned\nmodality: MR\nspacing: 1\n"
STRUCTURES = """\
structures:
  - name: head
    label: 7
    code: {scheme: 99LOCAL, value: H, meaning: Head}
    colour: "#ffffff"
    segment: {method: rules, steps: [window: [10, null]]}
  - name: front
    label: 4
    code: {scheme: 99LOCAL, value: F, meaning: Front}
    colour: "#ff0000"
    segment: {method: learn, named: [F*], steps: [largest: 1]}
  - name: back
    label: 2
    code: {scheme: 99LOCAL, value: B, meaning: Back}
    colour: "#00ff00"
    segment: {method: learn, value: 20}
"""


@pytest.fixture
def has_torch(tmp_path, monkeypatch):
    imitate_torch(tmp_path / "imitation", monkeypatch)
    yield
    environment._lacking.cache_clear()


def written(folder, head=HEAD, structures=STRUCTURES):
    path = folder / "learned.yaml"
    path.write_text(head + structures, "utf-8")
    return path


def problems(path):
    shelf = Shelf(path.parent)
    shelf.find("learned", path.parent)
    return [str(problem).removeprefix(f"{path}:") for problem in shelf.problems]


def test_what_is_learned_is_read_with_its_defaults(tmp_path):
    read = recipe.load(written(tmp_path, HEAD + "learn: {iterations: 50}\n"))
    assert read.learn == {"folds": 4, "iterations": 50, "batch": 2}
    assert recipe_learning.course(read.learn, 3) == {"folds": 3, "iterations": 50, "batch": 2}
    automatic = recipe_learning.DEFAULTS
    assert [recipe_learning.course(automatic, n)["iterations"] for n in (2, 30, 500)] == [
        1200,
        3000,
        6000,
    ]
    assert read.learned() == {"front": 4, "back": 2} and read.taught() == ["front", "back"]
    head, front, back = (structure["segment"] for structure in read.structures)
    assert front == {
        "method": "learn",
        "value": 4,
        "named": ["F*"],
        "model": 0,
        "classes": ["front"],
        "steps": [{"largest": 1}],
    }
    assert (back["value"], back["named"], head["method"]) == (20, ["back"], "rules")
    assert [s["segment"]["method"] for s in read.of_atlas()] == ["labels", "labels"]
    assert read.has_method("learn") and not read.has_method("atlas")


@pytest.mark.parametrize(
    ("head", "structures", "said"),
    [
        (
            "learn: {fold: 3}\n",
            STRUCTURES,
            "4:9: the key 'fold' is unknown; 'folds' would be right",
        ),
        (
            "learn: {folds: 1}\n",
            STRUCTURES,
            "4:16: 'folds': 1 was found; a whole number of networks",
        ),
        (
            "learn: {folds: 3}\n",
            STRUCTURES.replace("method: learn", "method: atlas"),
            "4:1: 'learn' was found, and no structure has that method; none would be right",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path, head, structures, said):
    with pytest.raises(SettingsError) as caught:
        recipe.load(path := written(tmp_path, HEAD + head, structures))
    assert str(caught.value).removeprefix(f"{path}:").startswith(said)


def test_where_nothing_can_train_what_to_type_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv(environment.VARIABLE, str(tmp_path / "no" / "python"))
    (said,) = problems(written(tmp_path))
    assert said.startswith("14:23: 'learn' was found: the environment that networks are trained in")
    assert "'make learner'" in said and environment.VARIABLE in said
    other = STRUCTURES.replace("method: learn", "method: atlas")
    assert problems(written(tmp_path, structures=other)) == []


def test_a_python_without_torch_is_told_from_one_that_does_not_start(tmp_path, monkeypatch):
    # -I and the like would hide what the environment has; a name that exists nowhere will do.
    monkeypatch.setattr(environment, "NEEDED", ("numpy", "no_such_package"))
    monkeypatch.setenv(environment.VARIABLE, sys.executable)
    environment._lacking.cache_clear()
    assert "has no no_such_package;" in environment.lacking()
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv(environment.VARIABLE, str(broken))
    assert "does not start;" in environment.lacking()
    environment._lacking.cache_clear()


def test_a_recipe_that_can_be_learned_is_right(tmp_path, has_torch):
    assert problems(written(tmp_path)) == []


@pytest.mark.parametrize(
    ("atlases", "said"), [(0, "no row is one"), (1, "one row alone is an atlas")]
)
def test_too_few_labelled_scans_are_told(tmp_path, has_torch, atlases, said):
    written(tmp_path)
    (tmp_path / "a.nii.gz").touch()
    atlas = [f"k{n}\ta.nii.gz\ta.nii.gz\tatlas\n" for n in range(atlases)]
    lines = ["case\tscan\tlabels\trole\n", *atlas, "new\ta.nii.gz\t\t\n"]
    (tmp_path / "scans.tsv").write_text("".join(lines), "utf-8")
    shelf = Shelf(tmp_path)
    with pytest.raises(SettingsError) as caught:
        sheet.read(
            tmp_path / "scans.tsv", shelf, shelf.find("learned", tmp_path), frozenset(), frozenset()
        )
    assert said in str(caught.value)
