"""Config, sheet and recipes together: defaults, where paths start, and all problems at once."""

import shutil
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
import yaml
from scanmill import costs, settings
from scanmill.problem import Problem, SettingsError
from scanmill.scan_size import ScanSize

WORKFLOW = Path(__file__).parents[2]
RECIPE = """\
description: By rules
modality: any
spacing: native
structures:
  - name: bone
    label: 1
    code: {scheme: SCT, value: "272673000", meaning: Bone}
    colour: "#ffffff"
    segment: {method: rules, steps: [window: [200, null]]}
"""
PHANTOMS = "sphere: {grid: {size: [9, 8, 7], spacing: [1, 1, 2]}}\n"


@pytest.fixture
def workflow(tmp_path):
    """A workflow folder with an example cohort, and a working directory beside it."""
    config = tmp_path / "work flow é" / "config"
    (config / "recipes").mkdir(parents=True)
    (config / "recipes" / "ct-body.yaml").write_text(RECIPE, "utf-8")
    (config / "phantoms.yaml").write_text(
        "sphere: {grid: {size: [9, 8, 7], spacing: [1, 1, 2]}}\n", "utf-8"
    )
    (config / "scans.tsv").write_text("case\tscan\nexample\tphantom:sphere\n", "utf-8")
    (tmp_path / "working").mkdir()
    return config.parent


@pytest.fixture
def working(workflow):
    return workflow.parent / "working"


def problems(*given, **more):
    with pytest.raises(SettingsError) as caught:
        settings.load(*given, **more)
    return str(caught.value).split("\n")


def test_an_empty_config_runs_the_embedded_example(workflow, working):
    read = settings.load({}, workflow, working)
    assert list(read.scans) == ["example"]
    assert read.scans["example"].recipe == "ct-body"
    assert list(read.recipes) == ["ct-body"]
    assert read.recipes["ct-body"].structures[0]["name"] == "bone"
    assert read.formats == ("ply",) and read.parquet is False
    assert read.sheet == workflow / "config" / "scans.tsv"
    assert read.costs == costs.read(costs.SHIPPED)
    assert read.sizes == {"example": ScanSize((9, 8, 7), (1, 1, 2))}
    with pytest.raises(FrozenInstanceError):
        read.parquet = True


def test_the_shipped_config_holds_exactly_the_defaults(workflow, working):
    shipped = yaml.safe_load((WORKFLOW / "config" / "config.yaml").read_text("utf-8"))
    schema = yaml.safe_load(
        (WORKFLOW / "config" / "schemas" / "config.schema.yaml").read_text("utf-8")
    )
    assert shipped == {key: part["default"] for key, part in schema["properties"].items()}
    assert settings.load(shipped, workflow, working) == settings.load({}, workflow, working)


def test_the_readme_describes_every_key_column_and_step():
    text = (WORKFLOW / "config" / "README.md").read_text("utf-8")
    folder = WORKFLOW / "config" / "schemas"
    config = yaml.safe_load((folder / "config.schema.yaml").read_text("utf-8"))
    recipe = yaml.safe_load((folder / "recipe.schema.yaml").read_text("utf-8"))
    parts = [config, recipe, *(recipe["$defs"][name] for name in ("structure", "code", "step"))]
    names = [name for part in parts for name in part["properties"]]
    names += [
        "method",
        "steps",
        "reach",
        "radius",
        "case",
        "scan",
        "recipe",
        "labels",
        "seeds",
        "reference",
        "subject",
        "timepoint",
        "role",
    ]
    assert len(names) > 30
    assert [name for name in names if f"`{name}" not in text] == []


def test_a_sheet_and_a_recipe_start_at_the_working_directory(workflow, working):
    shutil.copy(workflow / "config" / "recipes" / "ct-body.yaml", working / "mine é.yaml")
    (working / "my scans").mkdir()
    (working / "my scans" / "a.nii").touch()
    sheet = "case\tscan\tlabels\trecipe\nx\ta.nii\t\t\ny\ta.nii\t\tct-body\n"
    (working / "my scans" / "s.tsv").write_text(sheet, "utf-8")
    config = {"scans": "my scans/s.tsv", "recipe": "mine é.yaml", "formats": ["stl", "vtp"]}
    read = settings.load(config, workflow, working)
    assert read.scans["x"].scan == str(working / "my scans" / "a.nii")
    assert read.scans["x"].recipe == str(working / "mine é.yaml")
    assert list(read.recipes) == [str(working / "mine é.yaml"), "ct-body"]
    assert read.formats == ("stl", "vtp")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"scan": "x"}, "config: the key 'scan' is unknown; 'scans' would be right"),
        ({"scans": 3}, "config: 'scans': 3 was found; the path of a sheet would be right"),
        ({"scans": "x.tsv"}, "config: 'scans': '{working}/x.tsv' does not exist; the file of a"),
        (
            {"shape_models": "x"},
            "config: 'shape_models': '{working}/x' does not exist; the folder results/cohort/shapes of "
            "another run would be right",
        ),
        (
            {"shape_models": "."},
            "config: 'shape_models': no recipe of the sheet compares shapes; 'shape_check: true' of a "
            "structure would be right",
        ),
        (
            {"costs": "x.yaml"},
            "config: 'costs': '{working}/x.yaml' does not exist; the file of costs",
        ),
        ({"scans": "."}, "config: 'scans': '{working}' is a folder; the file of a sheet would be"),
        (
            {"scans": "a\0b"},
            "config: 'scans': '{working}/a\\x00b' does not exist; the file of a sheet",
        ),
        ({"recipe": "ct-bod"}, "config: 'recipe': the recipe 'ct-bod' is unknown; 'ct-body' would"),
        (
            {"recipe": "a/b.yaml"},
            "config: 'recipe': '{working}/a/b.yaml' does not exist; a recipe's",
        ),
        ({"recipe": None}, "config: 'recipe': nothing was found; the name of a recipe under"),
        ({"formats": "ply"}, "config: 'formats': 'ply' was found; a list of different formats"),
        ({"formats": []}, "config: 'formats': [] was found; a list of different formats out of"),
        ({"formats": ["ply", "ply"]}, "config: 'formats': ['ply', 'ply'] was found; a list of"),
        ({"formats": ["PLY"]}, "config: 'formats': 'PLY' was found; ply, stl, obj or vtp would"),
        ({"parquet": "yes"}, "config: 'parquet': 'yes' was found; true or false would be right"),
    ],
)
def test_each_mistake_of_the_config(workflow, working, config, said):
    found = problems(config, workflow, working)
    assert len(found) == 1
    assert found[0].startswith(said.replace("{working}", str(working)))


def test_a_config_file_gives_the_line(workflow, working):
    first, second = working / "a b.yaml", working / "second.yaml"
    first.write_text("formats: [ply, PLY]\nparquet: 1\nscan: x\n", "utf-8")
    second.write_text("# mine\nparquet: 2\nrecipe: nope\n", "utf-8")
    config = {"formats": ["ply", "PLY"], "scan": "x", "parquet": 2, "recipe": "other"}
    # Snakemake names the files of the command line first, though they have the last word.
    for files in ([first, second], [second, first]):
        found = problems(config, workflow, working, configfiles=files)
        places = {said.split(": ")[0] for said in found}
        # The recipe that is in force was given on the command line.
        assert places == {f"{first}:1:16", f"{first}:3:1", f"{second}:2:10", "config"}


@pytest.mark.parametrize(("given", "meant"), [("true", True), ("false", False), (True, True)])
def test_a_truth_value_of_the_command_line_is_text(workflow, working, given, meant):
    assert settings.load({"parquet": given}, workflow, working).parquet is meant


def test_a_key_given_twice_in_a_config_file(workflow, working):
    path = working / "c.yaml"
    path.write_text("parquet: true\nparquet: false\n", "utf-8")
    found = problems({"parquet": False}, workflow, working, configfiles=[path])
    assert found == [f"{path}:2:1: 'parquet' was found twice, first in line 1; keep one"]


def test_all_problems_of_config_sheet_and_recipes_come_at_once(workflow, working):
    sheet = working / "s.tsv"
    sheet.write_text("case\tscan\trecipe\na\tx.nii\tbad.yaml\nb\tphantom:q\tbad.yaml\n", "utf-8")
    (working / "bad.yaml").write_text(RECIPE.replace("label: 1", "label: 0"), "utf-8")
    (workflow / "config" / "recipes" / "ct-body.yaml").write_text("- 1", "utf-8")
    found = problems({"scans": "s.tsv", "parquet": 0}, workflow, working)
    recipes = workflow / "config" / "recipes"
    assert [said.split(": ")[0] for said in found] == [
        "config",
        f"{sheet}:2:3",
        f"{sheet}:3:3",
        f"{recipes / 'ct-body.yaml'}:1:1",
        f"{working / 'bad.yaml'}:6:12",
    ]


def test_a_column_that_the_results_have_is_refused(workflow, working):
    (working / "s.tsv").write_text("case\tscan\tstat_mean\nx\tphantom:sphere\t1\n", "utf-8")
    assert settings.load({"scans": "s.tsv"}, workflow, working).scans["x"].extra == {
        "stat_mean": "1"
    }
    reserved = frozenset({"stat_mean", "case"})
    found = problems({"scans": "s.tsv"}, workflow, working, reserved=reserved)
    assert found[0].startswith(f"{working / 's.tsv'}:1:11: the column 'stat_mean' is one of the")


@pytest.mark.parametrize("text", ["", "[a, b]", "sphere"])
def test_phantoms_are_a_mapping(workflow, working, text):
    path = workflow / "config" / "phantoms.yaml"
    path.write_text(text, "utf-8")
    found = problems({}, workflow, working)
    assert found[0].startswith(f"{path}:1:1: ") and "phantoms by name" in found[0]


def test_a_flood_of_problems_is_cut_short_and_counted():
    many = [Problem("s.tsv", line, 1, "bad; good would be right") for line in range(1, 801)]
    error = SettingsError([*many, *many])
    assert len(error.problems) == 800
    lines = str(error).split("\n")
    assert len(lines) == 501
    assert lines[-1] == "s.tsv:501:1: from here on, 300 more problems were found"


def test_the_cohorts_page_is_checked_against_the_sheet_and_the_recipes(workflow, working):
    (working / "my.tsv").write_text("case\tscan\tsite\na\tphantom:sphere\tGraz\n")
    page = working / "page.yaml"
    page.write_text(
        "quantities: [{column: volume_mm3, title: Volume}]\nstructures: [bones]\n"
        "groups: [sites]\nsections: [{show: cases}]\n"
    )
    config = {"scans": "my.tsv", "cohort_page": "page.yaml"}
    assert problems(config, workflow, working) == [
        f"{page}:2:14: 'bones' is no structure of these recipes; 'bone' would be right",
        f"{page}:3:10: 'sites' is no further column of this sheet; 'site' would be right",
    ]
    page.write_text(page.read_text().replace("bones", "bone").replace("sites", "site"))
    assert settings.load(config, workflow, working).cohort_page["groups"] == ["site"]


def test_a_cohorts_page_that_is_not_there_is_a_problem_beside_those_of_the_sheet(workflow, working):
    (working / "my.tsv").write_text("case\tscan\na\tphantom:cube\n")
    found = problems({"scans": "my.tsv", "cohort_page": "no.yaml"}, workflow, working)
    assert len(found) == 2 and "the phantom 'cube' is unknown" in found[0]
    assert f"'cohort_page': '{working / 'no.yaml'}' does not exist" in found[1]
