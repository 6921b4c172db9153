"""The methods of a run name what was used, and nothing else."""

import re
from pathlib import Path

import pytest
from scanmill import recipe, recipe_simulation
from scanmill.group_comparison.question import DEFAULTS
from scanmill.methods.page import page
from scanmill.methods.references import REFERENCES

RECIPES = Path(__file__).parents[2] / "config" / "recipes"
SOFTWARE = dict.fromkeys(("scanmill", "python", "numpy", "numba", "SimpleITK", "vtk"), "1.2")
ALWAYS = {"snakemake", "numpy", "numba", "simpleitk", "vtk", "gibson1998", "taubin1996"}
MEASURED = {"zwanenburg2020", "eisenhauer2009"}
BY_RULES = {"method": "rules", "steps": [{"window": [1, None]}]}


def told(modality="MR", spacing=1.0, correct=None, segments=(BY_RULES,), **further):
    unasked = {"triangles": None, "distances_to": [], "centreline": False, "simulate": None}
    structures = [
        {"name": f"s{n}", "segment": {"steps": []} | s} | unasked for n, s in enumerate(segments)
    ]
    return {
        "modality": modality,
        "spacing": spacing,
        "pass_band": 0.1,
        "uneven_slices": "refuse",
        "correct": {"metal": "mark", "bias": "off", "noise": "off"} | (correct or {}),
        "learn": {"folds": 4},
        "models": [],
        "structures": structures,
    } | further


def written(*recipes, resampled=None, rows=None, atlases=0, export=(), statistics=None):
    """The page of a run with one case a recipe, and atlases of the first."""
    sheet = {f"c{n}": {"role": "scan", "recipe": f"r{n}", "extra": {}} for n in range(len(recipes))}
    sheet |= {f"a{n}": {"role": "atlas", "recipe": "r0", "extra": {}} for n in range(atlases)}
    provenance = {
        "sheet": sheet,
        "recipes": {f"r{n}": one for n, one in enumerate(recipes)},
        "software": [SOFTWARE],
        "settings": {"export": list(export), "statistics": statistics},
    }
    said = {"status": "ok", "corrections": {}, "artefacts": {}} | (resampled or {})
    sidecars = {f"c{n}": {"resample": said} for n in range(len(recipes))}
    row = {"case": "c0", "structure": "s0", "status": "ok", "code": "", "volume_method": "fit"}
    return page(provenance, sidecars, [row] if rows is None else rows)


def cited(methods: str, bibtex: str) -> set[str]:
    """The keys in the BibTeX, each of which is named in the text and listed once."""
    keys = set(re.findall(r"@\w+\{(\w+),", bibtex))
    text, _, references = methods.partition("## References")
    for key in keys:
        assert REFERENCES[key].short() in text, key
        assert references.count(REFERENCES[key].title) == 1, key
    assert references.count("\n- ") == len(keys) and "[@" not in methods
    return keys


def test_a_plain_recipe_names_no_correction():
    methods, bibtex = written(told())
    assert cited(methods, bibtex) == ALWAYS | MEASURED | {"keys1981"}
    assert "N4" not in methods and "of 1 by a body of the mask's shape" in methods
    assert "by the mask's voxels" not in methods


@pytest.mark.parametrize(
    ("given", "works"),
    [
        ({"spacing": "native"}, set()),
        ({"correct": {"bias": "n4"}}, {"tustison2010"}),
        ({"correct": {"noise": "diffusion"}}, {"perona1990", "black1998"}),
        ({"segments": [{"method": "labels"}]}, {"raya1990"}),
        ({"segments": [{"method": "seeded"}]}, {"grady2005", "grady2006"}),
        ({"segments": [{"method": "learn"}]}, {"isensee2021"}),
        (
            {"segments": [{"method": "atlas"}]},
            {"avants2008", "vercauteren2008", "wang2013", "leemput1999"},
        ),
        ({"segments": [BY_RULES, {"method": "shape"}]}, {"cootes1995"}),
        ({"segments": [{"method": "rules", "steps": [{"side": "left"}]}]}, {"ardekani1997"}),
        (
            {"segments": [{"method": "rules", "steps": [{"largest": {"per_side": 1}}]}]},
            {"ardekani1997"},
        ),
        ({"segments": [{"method": "rules", "steps": [{"margin": 5}]}]}, {"stroom1997"}),
        ({"segments": [{"method": "rules", "steps": [{"handles": "cut"}]}]}, {"kriegeskorte2001"}),
    ],
)
def test_what_a_recipe_asks_for_is_named_with_its_works(given, works):
    expected = ALWAYS | MEASURED | works | (set() if "spacing" in given else {"keys1981"})
    assert cited(*written(told(**given), atlases=2)) == expected


def test_fewer_triangles_and_distances_are_named():
    asked = told()
    asked["structures"][0] |= {"triangles": 900, "distances_to": ["s1"]}
    methods, bibtex = written(asked)
    assert "garland1997" in cited(methods, bibtex)
    assert "s0 to 900." in methods and "s0 to s1." in methods


def test_simulations_are_told_with_their_law_and_load():
    asked = told()
    wall = {"surface": "inner", "thickness": 1.5, "material": "raghavan-vorp", "pressure": 120}
    asked["structures"][0]["simulate"] = recipe_simulation.filled({"wall": wall})
    methods, bibtex = written(asked)
    for words in (
        "thickened by 1.5 mm from its inner side",
        "120 mmHg",
        "alpha 0.174",
        "fixed ends",
    ):
        assert words in methods
    assert {"raghavan2000", "dapogny2014", "taylor1973"} <= cited(methods, bibtex)
    assert "raghavan2000" not in cited(*written(told()))


def test_who_solved_and_what_was_not_done_as_asked_is_told():
    asked = told()
    wall = {"surface": "inner", "thickness": 1.5, "material": "raghavan-vorp", "pressure": 120}
    wall["solver"] = "calculix"
    asked["structures"][0]["simulate"] = recipe_simulation.filled({"wall": wall})
    row = {"case": "c0", "structure": "s0", "status": "ok", "code": "", "volume_method": "fit"}
    rows = [
        row | {"warnings": "", "simulation_solver": "CalculiX 2.20"},
        row | {"warnings": "mesh-flat simulation-fallback", "simulation_solver": "CalculiX 2.21"},
    ]
    methods, bibtex = written(asked, rows=rows)
    assert "Simulations were solved by CalculiX 2.20 (1), CalculiX 2.21 (1)." in methods
    assert "could not be simulated as the recipe asks (1 in number)" in methods
    keys = cited(methods, bibtex)
    assert "dhondt2004" in keys and "taylor1973" not in keys


def test_centrelines_are_named_where_they_are_asked_for():
    recipe = told(segments=(BY_RULES, BY_RULES))
    recipe["structures"][1]["centreline"] = True
    methods, bibtex = written(recipe)
    assert "Centrelines of s1 are" in methods and "antiga2008" in cited(methods, bibtex)
    assert "antiga2008" not in cited(*written(told()))


@pytest.mark.parametrize(("percent", "named"), [(0, False), (1.5, True)])
def test_metal_is_named_where_there_was_metal(percent, named):
    said = {"artefacts": {"metal_percent": percent}}
    for way in ("mark", "inpaint"):
        asked = told("CT", correct={"metal": way})
        assert ("meyer2010" in cited(*written(asked, resampled=said))) == named


def test_it_says_in_how_many_scans_the_bias_field_was_taken_off():
    asked = told(correct={"bias": "n4"})
    for applied in (True, False):
        said = {"corrections": {"bias": {"applied": applied}}}
        assert f"in {int(applied)} of 1." in written(asked, resampled=said)[0]


def test_networks_are_named_by_their_manifests():
    asked = told(segments=[{"method": "model"}], models=["brainchop, doi:10.21105/joss.05098"])
    assert "trained networks (brainchop, doi:10.21105/joss.05098)" in written(asked)[0]


def test_a_recipe_of_refused_scans_and_measures_that_none_has_are_not_named():
    row = {"case": "c0", "structure": "s0", "status": "refused", "code": "is-4d"}
    methods, bibtex = written(told(), resampled={"status": "refused"}, rows=[row])
    assert cited(methods, bibtex) == ALWAYS - {"gibson1998", "taubin1996"}
    assert "Of 1 structures 1 were not measured, by reason: is-4d (1)." in methods


def test_references_are_named_where_structures_were_compared():
    row = {"case": "c0", "structure": "s0", "status": "ok", "code": "", "volume_method": "fit"}
    row |= {"reference_status": "ok", "surface_dice_tolerance_mm": "1.5"}
    other = row | {"reference_status": "missed", "surface_dice_tolerance_mm": ""}
    methods, bibtex = written(told(), rows=[row, row | {"surface_dice_tolerance_mm": "2"}, other])
    works = {"maierhein2024", "nikolov2021", "bland1999", "mcgraw1996"}
    assert works < cited(methods, bibtex)
    assert "2 structures were compared" in methods and "at 1.5 and 2 mm" in methods
    assert not works & cited(*written(told(), rows=[other]))


def test_changes_are_named_where_subjects_came_again():
    provenance = {
        "sheet": {
            f"c{n}": {"role": "scan", "recipe": "r", "extra": {"subject": "s", "timepoint": f"{n}"}}
            for n in range(2)
        },
        "recipes": {},
        "software": [SOFTWARE],
        "settings": {"export": [], "statistics": None},
    }
    assert "zou2008" in cited(*page(provenance, {}, []))
    provenance["sheet"]["c1"]["extra"]["subject"] = "other"
    assert "zou2008" not in cited(*page(provenance, {}, []))


def test_comparisons_of_groups_are_named_with_what_was_asked():
    asked = DEFAULTS | {
        "group": {"column": "diagnosis", "reference": "control"},
        "covariates": [{"column": "age"}, {"structure": "brain", "quantity": "volume_mm3"}],
    }
    methods, bibtex = written(told(), statistics=asked)
    assert "Groups by diagnosis were compared with control in volume_mm3" in methods
    assert "adjusted for age, brain volume_mm3" in methods
    assert {"imbens2016", "hedges1981", "holm1979", "seabold2010"} <= cited(methods, bibtex)
    methods, bibtex = written(told(), statistics=asked | {"correction": "benjamini-hochberg"})
    assert "benjamini1995" in cited(methods, bibtex)


def test_exports_are_named_by_what_wrote_them():
    assert "highdicom" in cited(*written(told(), export=["seg", "stl"]))
    assert "highdicom" not in cited(*written(told(), export=["rtstruct", "stl"]))


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipes_have_methods(path):
    loaded = recipe.load(path)
    asked = {key: getattr(loaded, key) for key in told()} | {
        "models": ["a network"] * len(loaded.models)
    }
    methods, bibtex = written(asked, atlases=3)
    assert cited(methods, bibtex) > ALWAYS
    for structure in loaded.structures:
        assert structure["name"] in methods or structure["name"].capitalize() in methods


def test_every_reference_is_whole():
    for key, work in REFERENCES.items():
        assert work.doi.startswith("10.") or key in ("vtk", "holm1979")
        assert re.fullmatch(r"\S.*\S \d{4}", work.short())
        entry = work.bibtex(key)
        assert entry.count("{") == entry.count("}") and f"@{work.kind}{{{key}," in entry
