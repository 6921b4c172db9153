"""Recipes with shape models: what is read, and what is wrong before any job starts."""

import pytest
from scanmill import recipe, sheet
from scanmill.problem import SettingsError
from scanmill.recipe import Shelf

TEXT = """\
description: Organ, completed
modality: CT
spacing: 1
structures:
  - name: bone
    label: 5
    code: {scheme: 99LOCAL, value: B, meaning: Bone}
    colour: "#ffffff"
    segment: {method: rules, steps: [window: [200, null]]}
  - name: organ
    label: 7
    code: {scheme: 99LOCAL, value: O, meaning: Organ}
    colour: "#ff0000"
    segment: {method: rules, steps: [window: [10, 90]]}
  - name: whole
    label: 8
    code: {scheme: 99LOCAL, value: W, meaning: Organ}
    colour: "#00ff00"
    segment: {method: shape, of: organ}
"""


def written(folder, text=TEXT):
    path = folder / "shaped.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_shape_is_read_with_its_defaults(tmp_path):
    read = recipe.load(written(tmp_path))
    expected = {"method": "shape", "of": "organ", "tolerance": None, "steps": []}
    assert read.structures[2]["segment"] == expected
    assert read.modelled() == ["organ"] == read.taught()
    assert not read.has_method("atlas")


def test_atlases_teach_the_structure_that_a_model_is_made_of_however_it_is_found(tmp_path):
    read = recipe.load(written(tmp_path))
    (taught,) = read.of_atlas()
    named = {"method": "labels", "value": 7, "named": ["organ"], "steps": []}
    assert (taught["name"], taught["segment"]) == ("organ", named)
    by_atlas = TEXT.replace(
        "{method: rules, steps: [window: [10, 90]]}", "{method: atlas, value: 70, named: [O*]}"
    )
    (taught,) = recipe.load(written(tmp_path, by_atlas)).of_atlas()
    assert (taught["segment"]["value"], taught["segment"]["named"]) == (70, ["O*"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", of: organ", "", "19:14: the key 'of' is missing; 'of' with the name of an earlier"),
        ("of: organ", "of: organs", "19:34: 'of' names 'organs', which is no structure; 'organ'"),
        ("of: organ", "of: whole", "19:34: 'of' names 'whole', the structure itself; an earlier"),
        ("of: organ", "of: organ, tolerance: 0", "19:52: 'tolerance': 0 was found; a number of mm"),
        (
            "of: organ",
            "of: organ, value: 3",
            "19:41: the key 'value' is unknown; one of method, of, tolerance, steps would",
        ),
    ],
)
def test_a_shape_that_cannot_be_is_told_why(tmp_path, old, new, said):
    path = written(tmp_path, TEXT.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        recipe.load(path)
    (found,) = str(caught.value).split("\n")
    assert found.removeprefix(f"{path}:").startswith(said), found


def test_a_shape_of_a_shape_is_told_to_name_what_that_is_made_of(tmp_path):
    _, _, last = TEXT.partition("  - name: whole")
    again = last.replace("8", "9").replace("of: organ", "of: whole")
    path = written(tmp_path, f"{TEXT}  - name: again{again}")
    with pytest.raises(SettingsError) as caught:
        recipe.load(path)
    (found,) = str(caught.value).split("\n")
    said = "24:34: 'of' names 'whole', which is completed by a shape model itself; the structure"
    assert found.removeprefix(f"{path}:").startswith(said)


@pytest.mark.parametrize(("atlases", "wrong"), [(5, 0), (4, 1), (0, 1)])
def test_a_model_needs_five_atlases_at_least(tmp_path, atlases, wrong):
    written(tmp_path)
    (tmp_path / "a.nii.gz").touch()
    lines = [f"k{n}\ta.nii.gz\ta.nii.gz\tatlas" for n in range(atlases)]
    path = tmp_path / "scans.tsv"
    path.write_text("\n".join(["case\tscan\tlabels\trole", *lines, "new\ta.nii.gz\t\t"]) + "\n")
    shelf = Shelf(tmp_path)
    default = shelf.find("shaped", tmp_path)

    def read():
        return sheet.read(path, shelf, default, frozenset(), frozenset())

    if not wrong:
        assert len(read()) == atlases + 1
        return
    with pytest.raises(SettingsError) as caught:
        read()
    (problem,) = caught.value.problems
    assert f"and {atlases} rows are atlases; 5 or more" in str(problem)
    assert "learns the shape of organ" in str(problem)
