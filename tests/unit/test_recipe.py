"""Recipes: what is read, and what each mistake is called, with its line and column."""

import json

import jsonschema
import pytest
from pydicom.sr.codedict import codes
from scanmill import recipe, snomed, yaml_file
from scanmill.problem import SettingsError
from scanmill.recipe import Shelf, UnknownRecipeError

SHIPPED = sorted((yaml_file.SCHEMAS.parent / "recipes").glob("*.yaml"))

GOOD = """\
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
      steps:
        - inside: kidney
        - window: [-20, null]
        - seeds: [[1, -2.5, 3]]
        - open: 1.5
"""


def problems(tmp_path, text):
    """What `load` says of a recipe, without the name of the file."""
    path = tmp_path / "recette à moi.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        recipe.load(path)
    lines = str(caught.value).split("\n")
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_a_good_recipe_is_read_with_its_defaults(tmp_path):
    path = tmp_path / "kidney.yaml"
    path.write_text(GOOD, encoding="utf-8")
    read = recipe.load(path)
    assert (read.name, read.modality, read.spacing) == ("kidney", "CT", 1.0)
    assert isinstance(read.spacing, float)
    kidney, tumour = read.structures
    assert kidney["segment"] == {
        "method": "labels",
        "value": 7,
        "named": ["kidney"],
        "steps": [],
    }
    assert kidney["triangles"] is None and kidney["colour"] == "#b9663a"
    assert tumour["segment"] == {
        "method": "rules",
        "steps": [
            {"inside": "kidney"},
            {"window": [-20, None]},
            {"seeds": [[1, -2.5, 3]]},
            {"open": 1.5},
        ],
    }
    assert tumour["code"]["meaning"] == "Tumeur rénale" and tumour["triangles"] == 5000
    assert (kidney["drawn"], tumour["drawn"]) == (False, False)
    assert read.supplied() == ["kidney"]
    assert read.uneven_slices == "refuse"
    assert read.correct == {"metal": "mark", "bias": "off", "noise": "off"}
    for structure in read.structures:
        assert structure["category"] == "anatomical"
        assert structure["laterality"] is None and structure["distances_to"] == []
    assert json.loads(json.dumps(read.structures)) == read.structures


def test_native_spacing_and_a_value_of_the_supplied_map(tmp_path):
    path = tmp_path / "r.yaml"
    text = GOOD.replace("spacing: 1", "spacing: native")
    path.write_text(text.replace("{method: labels}", "{method: labels, value: 300}"), "utf-8")
    read = recipe.load(path)
    assert read.spacing == "native"
    assert read.structures[0]["segment"]["value"] == 300


def test_meaning_names_and_distances_are_read(tmp_path):
    path = tmp_path / "r.yaml"
    text = GOOD.replace("spacing: 1", "spacing: 1\nuneven_slices: resample")
    text = text.replace("{method: labels}", '{method: labels, named: ["Kidney*", "Niere li"]}')
    text = text.replace(
        "    triangles: 5000\n",
        "    category: abnormal\n    laterality: left\n    distances_to: [kidney]\n",
    )
    path.write_text(text.replace("label: 7", "label: 7\n    distances_to: [tumour]"), "utf-8")
    read = recipe.load(path)
    kidney, tumour = read.structures
    assert read.uneven_slices == "resample"
    assert kidney["segment"]["named"] == ["Kidney*", "Niere li"]
    assert (tumour["category"], tumour["laterality"]) == ("abnormal", "left")
    assert (kidney["distances_to"], tumour["distances_to"]) == (["tumour"], ["kidney"])


MARGIN = (
    "margin: {left: 5, right: 5, anterior: 5, posterior: 5, superior: 8.5, inferior: 0}",
    "margin: 5",
)


@pytest.mark.parametrize("margin", MARGIN)
def test_a_margin_is_one_number_or_one_for_each_direction(tmp_path, margin):
    path = tmp_path / "r.yaml"
    path.write_text(GOOD.replace("open: 1.5", margin), encoding="utf-8")
    (step,) = recipe.load(path).structures[1]["segment"]["steps"][-1:]
    assert step["margin"] in (5, {**dict.fromkeys(SIDES, 5), "superior": 8.5, "inferior": 0})


SIDES = ("left", "right", "anterior", "posterior", "superior", "inferior")
NO_MARGIN = MARGIN[0].replace("8.5", "0").replace("5", "0")
COLOUR = "a colour such as '#d62728', in quotes (YAML takes a bare # for a comment) would be right"
NAME = "a text of letters (a to z), digits, '-' and '_' that begins with a letter or digit"
MM = "a number of mm above 0, to 1000 would be right"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("modality: CT", "modality: PET", "2:11: 'modality': 'PET' was found; CT, MR or any"),
        ("spacing: 1", "spacing: 0", "3:10: 'spacing': 0 was found; a number of mm above 0"),
        ("spacing: 1", "spacing: 1:30", "3:10: 'spacing': '1:30' was found; a number of mm"),
        ("spacing: 1", "spacing: .inf", "3:10: 'spacing': '.inf' was found; a number of mm"),
        ("spacing: 1", "spacing: 1e999", "3:10: a number beyond 1e308 was found; a smaller"),
        ("spacing: 1", "spacing: true", "3:10: 'spacing': true was found; a number of mm"),
        (
            "spacing: 1",
            "spacing: 1\ncorrect: {noise: tv}",
            "4:18: 'noise': 'tv' was found; off or diffusion would be right",
        ),
        (
            "spacing: 1",
            "spacing: 1\ncorrect: {bias: n4}",
            "4:17: 'n4' was found in a recipe for CT, which has no bias field; 'off' would be right",
        ),
        (
            "spacing: 1",
            "spacing: 1\ncorrect: 5",
            "4:10: 'correct': 5 was found; a mapping of metal",
        ),
        ("spacing: 1\n", "", "1:1: the key 'spacing' is missing; 'spacing' with a number of mm"),
        ("modality:", "modalty:", "2:1: the key 'modalty' is unknown; 'modality' would be right"),
        ("name: tumour", "name: kidney", "10:11: the name 'kidney' is taken in line 5; another"),
        ("name: tumour", "name: Kidney", "10:11: the name 'Kidney' is taken in line 5; another"),
        ("label: 2", "label: 7", "11:12: the label 7 is taken in line 6; another would be right"),
        ("label: 2", "label: 2.0", "11:12: 'label': 2.0 was found; a whole number from 1 to 65535"),
        ("label: 2", "label: 010", "11:12: 'label': '010' was found; a whole number from 1 to"),
        ("label: 2", "label: 65536", "11:12: 'label': 65536 was found; a whole number from 1 to"),
        ("label: 2", "label: yes", "11:12: 'label': 'yes' was found; a whole number from 1 to"),
        ("name: tumour", "name: Tumour!", f"10:11: 'name': 'Tumour!' was found; {NAME}"),
        ("name: tumour", "name: 12", f"10:11: 'name': 12 was found; {NAME}"),
        ('"#102030"', "#102030", f"13:12: 'colour': nothing was found; {COLOUR}"),
        ('"#102030"', '"#10203"', f"13:13: 'colour': '#10203' was found; {COLOUR}"),
        ('"64033007"', "64033007", "7:32: 'value': 64033007 was found; a code of 1 to 64"),
        ("meaning: Kidney", r"meaning: Kid\ney", r"7:53: 'meaning': 'Kid\\ney' was found; the"),
        ("64033007", "64033008", "7:32: '64033008' is no SNOMED CT identifier; its last digit"),
        ("scheme: SCT, ", "", "7:11: the key 'scheme' is missing; 'scheme' with a text of 1 to 16"),
        ("triangles: 5000", "triangles: 99", "14:16: 'triangles': 99 was found; a whole number"),
        (
            "method: rules",
            "method: magic",
            "16:15: 'method': 'magic' was found; labels, rules",
        ),
        (
            "{method: labels}",
            "{}",
            "9:14: the key 'method' is missing; 'method' with labels, rules",
        ),
        ("labels}", "labels, valu: 3}", "9:31: the key 'valu' is unknown; 'value' would be right"),
        ("      steps:\n", "      value: 1\n      steps:\n", "17:7: the key 'value' is unknown;"),
        ("inside: kidney", "inside: kidny", "18:19: 'inside' names 'kidny', which is no structure"),
        (
            "inside: kidney",
            "inside: tumour",
            "18:19: 'inside' names 'tumour', the structure itself",
        ),
        ("inside: kidney", "outside: [kidney, x]", "18:29: 'outside' names 'x', which is no"),
        ("[-20, null]", "[20, -20]", "19:19: 'window' from 20 to -20 was found; the lower limit"),
        ("[-20, null]", "[20, 20]", "19:19: 'window' from 20 to 20 was found; the lower limit"),
        ("[-20, null]", "[null, null]", "19:19: 'window' without a limit was found; one number"),
        ("[-20, null]", "[-20]", "19:19: 'window': [-20] was found; a list of the lowest and"),
        ("[-20, null]", "[-20, x]", "19:25: 'window': 'x' was found; a number or null would be"),
        ("[[1, -2.5, 3]]", "[[1, 2]]", "20:19: 'seeds': [1, 2] was found; a point [x, y, z] in"),
        ("open: 1.5", "open: 0", f"21:17: 'open': 0 was found; {MM}"),
        ("open: 1.5", "open: -1", f"21:17: 'open': -1 was found; {MM}"),
        ("open: 1.5", "open: 2 mm", f"21:17: 'open': '2 mm' was found; {MM}"),
        ("open: 1.5", "margin: 0", "21:19: 'margin': 0 was found; a number of mm above 0, to"),
        (
            "open: 1.5",
            "margin: 101",
            "21:19: 'margin': 101 was found; a number of mm above 0, to 1",
        ),
        ("open: 1.5", "margin: {left: 5}", "21:19: 'margin': a mapping was found; a number of mm"),
        ("open: 1.5", NO_MARGIN, "21:19: 'margin' of 0 mm in all directions was found; one above"),
        ("spacing: 1", "spacing: 1\nuneven_slices: yes", "4:16: 'uneven_slices': 'yes' was found;"),
        ("label: 2", "label: 2\n    category: organ", "12:15: 'category': 'organ' was found; anat"),
        ("label: 2", "label: 2\n    laterality: L", "12:17: 'laterality': 'L' was found; left, ri"),
        ("labels}", "labels, named: []}", "9:38: 'named': [] was found; a list of names"),
        (
            "label: 2",
            "label: 2\n    distances_to: [tumour]",
            "12:20: 'distances_to' names 'tumour', the structure itself; another would be right",
        ),
        (
            "label: 2",
            "label: 2\n    distances_to: [kidny]",
            "12:20: 'distances_to' names 'kidny', which is no structure; 'kidney' would be right",
        ),
        (
            "label: 2",
            "label: 2\n    distances_to: [kidney, kidney]",
            "12:19: 'distances_to': ['kidney', 'kidney'] was found; a list of names of other",
        ),
        ("open: 1.5", "opne: 1.5", "21:11: the key 'opne' is unknown; 'open' would be right"),
        ("open: 1.5", "fill: hole", "21:17: 'fill': 'hole' was found; holes or slices would be"),
        ("open: 1.5", "drop: edge", "21:17: 'drop': 'edge' was found; border would be right"),
        ("open: 1.5", "largest: 0", "21:20: 'largest': 0 was found; a whole number of components"),
        (
            "open: 1.5",
            "largest: {per_side: 0}",
            "21:20: 'largest': a mapping was found; a whole numb",
        ),
        ("open: 1.5", "cavities: 0", "21:21: 'cavities': 0 was found; a whole number of cavities"),
        ("open: 1.5", "handles: open", "21:20: 'handles': 'open' was found; cut or fill would be"),
        ("open: 1.5", "side: L", "21:17: 'side': 'L' was found; left or right would be right"),
        (
            "open: 1.5",
            "apart: {mm: 2}",
            "21:18: the key 'from' is missing; 'from' with the name of",
        ),
        (
            "open: 1.5",
            "apart: {from: tumour, mm: 2}",
            "21:25: 'apart' names 'tumour', the structure itself; an earlier structure would be",
        ),
        ("open: 1.5", "minimum_ml: 0", "21:23: 'minimum_ml': 0 was found; a number of mL above 0"),
        ("open: 1.5", "open", "21:11: 'steps': 'open' was found; a mapping of one key, such as"),
        (
            "- open: 1.5",
            "- {open: 1, fill: holes}",
            "21:11: 'steps': a mapping was found; a mapping",
        ),
        ("label: 2", "label: &a 2", None),
        ("label: 2", "label: *a", "11:12: the alias '*a' was found; the value itself would"),
        ("label: 2", "label: !x 2", "11:12: the tag '!x' was found; a plain value would be right"),
        ("spacing: 1", "1: 1", "3:1: the key 1 was found; a name would be right"),
        ("spacing: 1", "spacing: 1\nspacing: 2", "4:1: 'spacing' was found twice, first in line 3"),
        ("spacing: 1", "spacing: [1", "4:11: this is not YAML: did not find expected ',' or ']'"),
        ("spacing: 1", "spacing:\t1\n\tx: 1", "4:1: this is not YAML: found a tab character"),
        ("spacing: 1", "spacing: 1 # \x07", "3:14: the control character U+0007 was found; plain"),
    ],
)
def test_each_mistake_is_named_where_it_stands(tmp_path, old, new, said):
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    if said is None:
        path = tmp_path / "r.yaml"
        path.write_text(text, encoding="utf-8")
        assert recipe.load(path).structures[1]["label"] == 2
    else:
        found = problems(tmp_path, text)
        assert [line for line in found if line.startswith(said)], found


def test_a_reference_to_a_later_structure_says_so(tmp_path):
    first, second = GOOD.index("  - name: kidney"), GOOD.index("  - name: tumour")
    text = GOOD[:first] + GOOD[second:] + GOOD[first:second]
    assert problems(tmp_path, text) == [
        "13:19: 'inside' names 'kidney', which comes later; 'kidney' before 'tumour' would be right"
    ]


def test_all_mistakes_are_said_at_once_and_in_order(tmp_path):
    text = GOOD.replace("modality: CT", "modality: X").replace("label: 7", "label: 0")
    text = text.replace("inside: kidney", "inside: kidny").replace("[-20, null]", "[3, 1]")
    places = [line.split(": ")[0] for line in problems(tmp_path, text)]
    assert places == ["2:11", "6:12", "18:19", "19:19"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: nothing was found; a mapping of recipe keys would be right"),
        ("- 1\n", "1:1: [1] was found; a mapping of recipe keys would be right"),
        (GOOD + "---\nx: 1\n", "22:1: a second YAML document was found; a single one"),
        ("[" * 5000, "1:22: this is not YAML: more than 20 levels"),
        ("- " * 5000, "1:43: this is not YAML: more than 20 levels"),
        (b"description: caf\xe9\n", "1:17: the byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("a: 1".encode("utf-16"), "1:1: the file is in UTF-16; save it as UTF-8"),
        (b"a: &x [1]\nb: *x\n", "2:4: the alias '*x' was found; the value itself would be right"),
    ],
)
def test_files_that_are_no_recipe(tmp_path, text, said):
    assert problems(tmp_path, text)[0].startswith(said)


def test_columns_count_characters_not_bytes(tmp_path):
    text = GOOD.replace("{scheme: 99LOCAL, value: T-1, meaning: Tumeur rénale}", "{é: ü, b: 1}")
    found = problems(tmp_path, text)
    assert any(line.startswith("12:18: the key 'b' is unknown") for line in found), found


def test_windows_line_ends_and_a_byte_order_mark_are_accepted(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert len(recipe.load(path).structures) == 2


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_recipes_are_right(path):
    assert recipe.load(path).structures


def test_the_codes_of_categories_and_sides_are_those_of_dicom():
    found = {
        7150: {(code.value, code.meaning) for code in concepts(7150)},
        244: {(code.value, code.meaning) for code in concepts(244)},
    }
    assert set(snomed.CATEGORIES.values()) <= found[7150]
    assert set(snomed.LATERALITIES.values()) <= found[244]
    structure = yaml_file.schema("recipe")["$defs"]["structure"]["properties"]
    assert structure["category"]["enum"] == list(snomed.CATEGORIES)
    assert structure["laterality"]["enum"] == list(snomed.LATERALITIES)


def concepts(group):
    """The codes of a context group, from pydicom's copy of DICOM PS3.16."""
    own = getattr(codes, f"cid{group}")
    return [getattr(own, name) for name in own.dir()]


@pytest.mark.parametrize("name", ["config", "recipe"])
def test_the_schemas_are_valid_and_say_what_would_be_right(name):
    schema = yaml_file.schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in parts(schema):
        if {"type", "enum", "anyOf", "pattern"} & part.keys() and "then" not in part:
            assert "description" in part or set(part) == {"type"} or "exclusiveMinimum" in part, (
                part
            )


def parts(schema):
    yield schema
    for inner in schema.get("properties", {}).values():
        if isinstance(inner, dict):
            yield from parts(inner)
    for inner in schema.get("$defs", {}).values():
        yield from parts(inner)
    if isinstance(schema.get("items"), dict):
        yield from parts(schema["items"])


def test_a_shelf_finds_names_and_paths(tmp_path):
    (tmp_path / "named.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "my own").mkdir()
    (tmp_path / "my own" / "rein é.yaml").write_text(GOOD, encoding="utf-8")
    shelf = Shelf(tmp_path)
    assert shelf.find("named", tmp_path / "my own") == "named"
    key = shelf.find("rein é.yaml", tmp_path / "my own")
    assert key == str(tmp_path / "my own" / "rein é.yaml")
    assert shelf.recipes[key].structures == shelf.recipes["named"].structures
    with pytest.raises(UnknownRecipeError, match="'nmed' is unknown; 'named' would be right"):
        shelf.find("nmed", tmp_path)
    with pytest.raises(UnknownRecipeError, match="does not exist; a recipe's file would be right"):
        shelf.find("x/named.yaml", tmp_path)
    with pytest.raises(UnknownRecipeError, match="is a folder; a recipe's file would be right"):
        shelf.find("./my own", tmp_path)


def test_a_wrong_recipe_is_told_once(tmp_path):
    (tmp_path / "bad.yaml").write_text("x: 1", encoding="utf-8")
    shelf = Shelf(tmp_path)
    assert shelf.find("bad", tmp_path) == shelf.find("bad", tmp_path) == "bad"
    assert shelf.recipes["bad"] is None
    assert len(shelf.problems) == 5


@pytest.mark.parametrize(
    ("steps", "drawn"),
    [
        ("[{inside: kidney}, {margin: 5}]", True),
        ("[{inside: kidney}, {margin: 5}, {inside: kidney}]", True),
        ("[{inside: kidney}, {margin: 5}, {window: [0, null]}]", False),
        ("[{inside: kidney}, {window: [0, null]}, {margin: 5}]", True),
        ("[{inside: kidney}]", False),
    ],
)
def test_a_margin_draws_a_boundary_unless_intensities_follow(tmp_path, steps, drawn):
    before = GOOD[: GOOD.index("      steps:")]
    path = tmp_path / "kidney.yaml"
    path.write_text(f"{before}      steps: {steps}\n", encoding="utf-8")
    assert recipe.load(path).structures[1]["drawn"] is drawn


SEEDED = GOOD[: GOOD.index("      method: rules")] + (
    "      {method: seeded, seeds: kidney, reach: 20, inside: kidney, steps: [largest: 1]}\n"
)


def test_a_seeded_structure_is_read_with_its_defaults(tmp_path):
    path = tmp_path / "seeded.yaml"
    path.write_text(SEEDED, encoding="utf-8")
    given = {"method": "seeded", "reach": 20, "radius": 0.0, "steps": [{"largest": 1}]}
    read = recipe.load(path)
    assert read.structures[1]["segment"] == given | {"seeds": "kidney", "inside": "kidney"}
    assert read.seeded() == []
    path.write_text(SEEDED.replace("seeds: kidney, ", ""), encoding="utf-8")
    assert recipe.load(path).structures[1]["segment"]["seeds"] == "file"
    assert recipe.load(path).seeded() == ["tumour"]


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("reach: 20, ", "", "the key 'reach' is missing; 'reach' with a number of mm above 0"),
        ("seeds: kidney", "seeds: kidny", "'seeds' names 'kidny', which is no structure; 'kidney'"),
        ("seeds: kidney", "seeds: tumour", "'seeds' names 'tumour', the structure itself"),
        ("inside: kidney", "inside: liver", "'inside' names 'liver', which is no structure"),
        ("seeds: kidney", "seeds: [[1, 2]]", "was found; file, the name of an earlier structure"),
        ("reach: 20", "reach: 0", "'reach': 0 was found; a number of mm above 0, to 1000"),
        ("reach: 20", "reach: 20, radius: -1", "'radius': -1 was found; a number of mm from 0"),
        ("- name: tumour", "- name: background", "'background' is what seeds of no structure are"),
        ("steps: [", "value: 3, steps: [", "the key 'value' is unknown"),
    ],
)
def test_each_mistake_of_a_seeded_structure_is_named(tmp_path, old, new, said):
    (found,) = problems(tmp_path, SEEDED.replace(old, new))
    assert said in found
