"""What a plan knows of the work on a case."""

from pathlib import Path

import planted
import pytest
from scanmill import settings, work

ROOT = Path(__file__).parents[2]
BY_ATLASES = ("{method: atlas}", "{method: rules, steps: [{inside: organ}, {window: [170, null]}]}")


@pytest.fixture
def planned(tmp_path):
    """Settings of a cohort of one scan, which several rows share."""

    def of(recipe, rows):
        planted.write_itk(tmp_path / "one.nrrd", planted.scan()[0])
        planted.write_itk(tmp_path / "one-labels.nrrd", planted.scan()[1])
        (tmp_path / "recipe.yaml").write_text(recipe)
        (tmp_path / "scans.tsv").write_text("case\tscan\tlabels\trole\n" + rows)
        return settings.load({"scans": "scans.tsv", "recipe": "./recipe.yaml"}, ROOT, tmp_path)

    return of


def test_voxels_count_where_the_recipe_has_them_worked_on(planned):
    asked = planned(planted.recipe() + "correct: {noise: diffusion}\n", "a\tone.nrrd\t\t\n")
    found = work.of_case(asked, "a", work.atlases_of(asked))
    size = asked.sizes["a"]
    acquired, isotropic = size.voxels("native"), size.voxels(1.25)
    assert 0 < acquired < isotropic
    assert found["acquired"] == found["diffusion"] == acquired
    assert found["isotropic"] == found["rules"] == isotropic
    assert found["structures"] == 2
    assert found["surface"] == pytest.approx(isotropic ** (2 / 3))
    assert found["rough"] == 2 * found["surface"]
    assert found["atlases"] == found["networks_mb"] == 0
    assert not {"n4", "inpaint", "atlas", "labels"} & found.keys()


def test_each_atlas_is_registered_to_a_case_and_works_on_its_own_labels(planned):
    labels = "one.nrrd\tone-labels.nrrd\tatlas"
    rows = f"a\tone.nrrd\t\t\nb\t{labels}\nc\t{labels}\n"
    asked = planned(planted.recipe(BY_ATLASES), rows)
    atlases = work.atlases_of(asked)
    assert list(atlases.values()) == [["b", "c"]]
    case, atlas = (work.of_case(asked, name, atlases) for name in "ab")
    assert case["atlases"] == 2 * case["isotropic"] and case["atlas"] == case["isotropic"]
    assert atlas["labels"] == atlas["isotropic"] and "atlases" not in atlas
    (recipe,) = atlases
    taught = work.of_recipe(asked, recipe, atlases)
    assert taught["isotropic"] == 2 * case["isotropic"] and taught["atlases"] == 2
    assert work.of_cohort(asked) == {"start": 1, "cases": 1, "rows": 2}
