"""Model folders and the recipes that name them: what is read, and what each mistake is called."""

from pathlib import Path

import pytest
from network_samples import MANIFEST, write_model
from scanmill import model_folder
from scanmill.problem import SettingsError
from scanmill.recipe import Shelf

RECIPE = """\
description: By a network
modality: CT
spacing: 1
structures:
  - name: organ
    label: 3
    code: {scheme: 99LOCAL, value: O, meaning: Organ}
    colour: "#102030"
    segment:
      method: model
      folder: models/net
  - name: both
    label: 4
    code: {scheme: 99LOCAL, value: B, meaning: Both}
    colour: "#102030"
    segment:
      method: model
      folder: models/net
      class: [organ, ball]
      steps:
        - largest: 1
"""


def problems(found: SettingsError, folder: Path) -> list[str]:
    return [line.removeprefix(f"{folder}/") for line in str(found).split("\n")]


def said(folder: Path) -> list[str]:
    """What is wrong with a model, without the folder's own name."""
    with pytest.raises(SettingsError) as caught:
        model_folder.check(folder)
    return problems(caught.value, folder)


def shelved(folder: Path, text: str = RECIPE):
    """The recipe and the problems that it has on a shelf."""
    path = folder / "recipe.yaml"
    path.write_text(text, "utf-8")
    shelf = Shelf(folder)
    found = shelf.recipes[shelf.find(str(path), folder)]
    return found, [str(p).removeprefix(f"{folder}/") for p in shelf.problems]


def test_a_model_is_read(tmp_path):
    model = model_folder.check(write_model(tmp_path, flips=[1, 3], spacing=[1, 1, 2.5]))
    assert model.network == tmp_path / "model.onnx"
    assert model.spacing == (1.0, 1.0, 2.5) and model.size == (24, 24, 24)
    assert model.flips == (0, 2) and model.logits and not model.smaller
    assert model.classes == ("air", "organ", "ball")
    assert model.memory_mb == model_folder.MEMORY_MB


@pytest.mark.parametrize("key", sorted(MANIFEST))
def test_a_manifest_says_everything(tmp_path, key):
    (problem,) = said(write_model(tmp_path, **{key: None}))
    assert problem.startswith(f"model.yaml:1:1: the key '{key}' is missing; ")


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"axes": "LIL"}, "'LIL' was found; one each of L or R, P or A, and S or I would be right"),
        (
            {"normalise": {"window": [5, 5]}},
            "5 to 5 was found; the lower limit first would be right",
        ),
        (
            {"normalise": {"zscore": {"clip": [9, 1], "mean": 0, "sd": 1}}},
            "9 to 1 was found; the lower limit first would be right",
        ),
        ({"flips": [0]}, "'flips': 0 was found; 1, 2 or 3 would be right"),
        (
            {"spacing": [1, 1]},
            "three numbers of mm above 0, along the network's axes would be right",
        ),
        ({"colour": "red"}, "the key 'colour' is unknown"),
        (
            {"classes": ["air", "organ"]},
            "the network's output is 1 x 3 x any x any x any; by 'classes' 1 x 2 x 24 x 24 x 24 would "
            "be right",
        ),
        (
            {"sizes": (16, "b", "c")},
            "the network's input is 1 x 1 x 16 x any x any; by 'size' 1 x 1 x 24 x 24 x 24 would be "
            "right",
        ),
    ],
)
def test_each_mistake_in_a_manifest_has_its_line(tmp_path, change, expected):
    found = said(write_model(tmp_path, **change))
    (key,) = change
    lines = (tmp_path / "model.yaml").read_text("utf-8").splitlines()
    written = {"sizes": "size"}.get(key, key)
    first = next(n for n, line in enumerate(lines, 1) if line.startswith(f"{written}:"))
    assert expected in found[0]
    assert first <= int(found[0].split(":")[1]) <= first + 3


def test_another_network_than_was_meant_is_found(tmp_path):
    write_model(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"another")
    (problem,) = said(tmp_path)
    assert "'model.onnx' has the checksum " in problem


def test_what_is_no_network_is_found(tmp_path):
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"  # of "x"
    write_model(tmp_path, sha256=digest)
    (tmp_path / "model.onnx").write_bytes(b"x")
    (problem,) = said(tmp_path)
    assert "'model.onnx' cannot be loaded" in problem
    (tmp_path / "model.onnx").unlink()
    assert said(tmp_path) == [
        "model.yaml:1:1: 'model.onnx' beside this file does not exist; the network would be right"
    ]
    (tmp_path / "model.yaml").unlink()
    assert said(tmp_path) == [
        "model.yaml:1:1: does not exist; the manifest of a model would be right"
    ]


def test_a_recipe_names_networks_and_no_result_tells_where_they_lie(tmp_path):
    write_model(tmp_path / "models" / "net")
    found, wrong = shelved(tmp_path)
    assert wrong == [] and found.models == [tmp_path / "models" / "net"]
    assert [s["segment"] for s in found.structures] == [
        {"method": "model", "model": 0, "classes": ["organ"], "steps": []},
        {"method": "model", "model": 0, "classes": ["organ", "ball"], "steps": [{"largest": 1}]},
    ]


def test_a_recipe_whose_model_is_not_there_is_wrong_in_one_line(tmp_path):
    found, wrong = shelved(tmp_path)
    assert found is None
    assert wrong == [
        "recipe.yaml:11:15: the model 'models/net' does not exist; its folder would be right"
    ]


def test_a_recipe_is_held_to_its_models(tmp_path):
    write_model(tmp_path / "models" / "net", classes=["air", "organs", "ball"], modality="MR")
    _, wrong = shelved(tmp_path)
    assert wrong == [
        "recipe.yaml:10:7: the model has no class 'organ'; 'class' with 'organs' would be right",
        "recipe.yaml:19:14: the model has no class 'organ'; 'class' with 'organs' would be right",
        "recipe.yaml:2:11: 'CT' was found, and the model 'models/net' is for MR; 'MR' would be right",
    ]


def test_problems_of_a_manifest_are_the_recipes(tmp_path):
    write_model(tmp_path / "models" / "net", axes="XYZ")
    _, wrong = shelved(tmp_path)
    assert len(wrong) == 1 and wrong[0].startswith("models/net/model.yaml:")
