"""What results are said to be stale for, and that nothing else is."""

import pytest
from scanmill.sidecar import software
from scanmill.staleness import left_over, stale_stages

LIVER = {"name": "liver", "label": 1, "colour": "#112233", "drawn": False}
RECIPE = {
    "spacing": 1.0,
    "modality": "CT",
    "pass_band": 0.1,
    "uneven_slices": "refuse",
    "structures": [LIVER, LIVER | {"name": "spleen", "label": 9}],
}
SETTINGS = {"formats": ("ply",), "export": ("seg",), "export_identity": "de-identified"}
PARAMETERS = {
    "ingest": {"allow_uneven": False},
    "resample": {"spacing": 1.0, "modality": "CT"},
    "mesh": {
        "structures": [
            {"name": "liver", "colour": "#112233"},
            {"name": "spleen", "colour": "#112233"},
        ],
        "formats": ["ply"],
        "pass_band": 0.1,
    },
    "export": {"case": "a", "kinds": ["seg"], "identity": "de-identified"},
}
LIBRARIES = {stage: f"code of {stage}" for stage in PARAMETERS}
SIDECARS = {
    stage: {"parameters": said, "library": LIBRARIES[stage], "software": software()}
    for stage, said in PARAMETERS.items()
}
ALL = "ingest: versions; resample: versions; mesh: versions; export: versions"


def changed(structure, **others):
    return RECIPE | {"structures": [structure, RECIPE["structures"][1]]} | others


def test_what_was_done_as_it_would_be_done_now_is_not_stale():
    assert stale_stages(SIDECARS, RECIPE, SETTINGS, LIBRARIES) == ""


@pytest.mark.parametrize(
    ("recipe", "stage"),
    [
        (RECIPE | {"spacing": 2.0}, "resample"),
        (RECIPE | {"uneven_slices": "resample"}, "ingest"),
        (RECIPE | {"pass_band": 0.2}, "mesh"),
        (changed(LIVER | {"colour": "#ffffff"}), "mesh"),
        (RECIPE | {"structures": RECIPE["structures"][::-1]}, "mesh"),
        (RECIPE | {"structures": [LIVER]}, "mesh"),
    ],
)
def test_a_changed_recipe_makes_the_stages_stale_that_it_concerns(recipe, stage):
    assert stale_stages(SIDECARS, recipe, SETTINGS, LIBRARIES) == f"{stage}: recipe or config"


def test_what_no_stage_was_told_makes_none_stale():
    recipe = changed(LIVER | {"label": 5, "drawn": True}, ledger_limit=3)
    assert stale_stages(SIDECARS, recipe, SETTINGS, LIBRARIES) == ""


@pytest.mark.parametrize(
    ("setting", "stage"),
    [
        ({"formats": ("stl",)}, "mesh"),
        ({"export": ("seg", "sr")}, "export"),
        ({"export_identity": "return-to-pacs"}, "export"),
        ({"parquet": True}, None),
    ],
)
def test_a_changed_config_does_so_too(setting, stage):
    expected = f"{stage}: recipe or config" if stage else ""
    assert stale_stages(SIDECARS, RECIPE, SETTINGS | setting, LIBRARIES) == expected


def test_other_code_and_other_versions_are_told():
    libraries = LIBRARIES | {"mesh": "other"}
    found = stale_stages(SIDECARS, RECIPE | {"pass_band": 0.3}, SETTINGS, libraries)
    assert found == "mesh: recipe or config and code or lock"
    older = {s: said | {"software": software() | {"python": "3.1"}} for s, said in SIDECARS.items()}
    assert stale_stages(older, RECIPE, SETTINGS, LIBRARIES) == ALL


def test_cases_that_have_results_and_are_not_in_the_sheet_are_left_over(tmp_path):
    for name in ("b", "a", "in-sheet"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.txt").touch()
    assert left_over(tmp_path, {"in-sheet": {}, "never-run": {}}) == ["a", "b"]
