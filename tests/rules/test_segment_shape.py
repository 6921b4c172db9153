"""The stages that build shape models of a cohort's atlases, and complete structures by them."""

from pathlib import Path

import numpy as np
import pytest
from bodies import CENTRE, DIRECTIONS, OBLIQUE, grid_over, mask_of
from earlier import OK, put_refused, put_volume
from scanmill.corrections.artefacts import MARKS
from scanmill.grid import Grid
from scanmill.phantom.body import Ellipsoid
from scanmill.phantom.description import turned
from scanmill.shape_model.model_file import read_models
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.stage import run_stage
from scanmill.volume_file import Volume, read_volume, write_volume
from segment import segment
from shape import shape

POSE = tuple(turned((20, -35, 50)).ravel().tolist())
ORGAN, WHOLE = 4, 9
STRUCTURES = [
    {
        "name": "organ",
        "label": ORGAN,
        "segment": {"method": "rules", "steps": [{"window": [100, None]}]},
    },
    {
        "name": "whole",
        "label": WHOLE,
        "segment": {"method": "shape", "of": "organ", "tolerance": None, "steps": []},
    },
]
WANTED = {"of": ["organ"], "labels": {"organ": ORGAN}}


def body(longer: float) -> Ellipsoid:
    return Ellipsoid(radii=(20 + longer, 13, 10), centre=CENTRE, rotation=POSE)


def put_atlas(folder: Path, mask: np.ndarray, grid: Grid) -> Path:
    """The label map of an atlas, as segment leaves it."""
    labels, overlaps = folder / "labels.nii.gz", folder / "overlaps"
    overlaps.mkdir(parents=True)
    write_volume(labels, Volume(mask * np.uint8(ORGAN), grid))
    for result in (labels, overlaps):
        write_sidecar(result, OK | {"stage": "segment"})
    return labels


def shortened(grid: Grid) -> tuple[np.ndarray, Grid]:
    """An atlas whose scan ends within the structure."""
    half = grid.crop((0, 0, 0), (*grid.size[:2], grid.size[2] // 2))
    return mask_of(body(0), half), half


def modelled(folder: Path, atlases: list[Path]) -> tuple[Path, dict]:
    shapes = folder / "cohort" / "shapes.npz"
    overlaps = [labels.with_name("overlaps") for labels in atlases]
    inputs = {"labels": atlases, "overlaps": overlaps}
    run_stage("shape", shape, inputs, {"shapes": shapes}, {"wanted": WANTED})
    return shapes, read_sidecar(shapes)


def segmented(folder: Path, grid: Grid, mask: np.ndarray, shapes: Path, marks=None):
    isotropic = put_volume(folder / "isotropic.nii.gz", 200 * mask.astype(np.int16), grid)
    spoiled = np.zeros(mask.shape, np.uint8) if marks is None else marks
    artefacts = put_volume(folder / "artefacts.nii.gz", spoiled, grid)
    inputs = {"isotropic": isotropic, "shapes": [shapes], "artefacts": [artefacts]}
    outputs = {name: folder / name for name in ("overlaps", "doubts")}
    outputs["labels"] = folder / "labels.nii.gz"
    parameters = {"modality": "MR", "structures": STRUCTURES}
    run_stage("segment", segment, inputs, outputs, parameters)
    return read_volume(outputs["labels"]), read_sidecar(outputs["labels"])


@pytest.fixture(scope="module")
def atlases(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("atlases")
    made = []
    for n, (longer, direction) in enumerate(
        zip((-4, -2, 0, 1, 3, 4), list(DIRECTIONS.values())[::8], strict=False)
    ):
        grid = grid_over(body(longer), (1.6, 1.6, 1.6), direction)
        made.append(put_atlas(folder / str(n), mask_of(body(longer), grid), grid))
    return made


@pytest.fixture(scope="module")
def shapes(tmp_path_factory, atlases) -> Path:
    made, said = modelled(tmp_path_factory.mktemp("shapes"), atlases)
    assert said["status"] == "ok" and not said["warnings"]
    assert said["structures"]["organ"]["atlases"] == 6
    return made


def test_the_same_atlases_make_the_same_bytes(tmp_path, atlases, shapes):
    again, _ = modelled(tmp_path, atlases)
    assert again.read_bytes() == shapes.read_bytes()


def test_an_organ_that_the_scan_cuts_is_completed(tmp_path, shapes):
    organ = body(2)
    grid = grid_over(organ, (1.4, 1.4, 1.4), OBLIQUE["oblique left-handed"])
    shown = grid.crop((0, 0, 0), (*grid.size[:2], int(0.58 * grid.size[2])))
    mask = mask_of(organ, shown)
    assert mask.sum() * shown.voxel_volume < 0.82 * organ.volume
    labels, said = segmented(tmp_path, shown, mask, shapes)
    assert np.array_equal(labels.array == WHOLE, mask)
    told = said["shapes"]["whole"]
    assert told["shape_volume_mm3"] == pytest.approx(organ.volume, rel=0.05)
    assert told["shape_volume_low_mm3"] < organ.volume < told["shape_volume_high_mm3"]
    assert told["shape_unseen_percent"] == pytest.approx(
        100 * (1 - mask.sum() * shown.voxel_volume / organ.volume), abs=4
    )
    assert told["shape_percentile"] < 99
    assert [(w["code"], w["structure"]) for w in said["warnings"]] == [("shape-unseen", "whole")]


def test_what_metal_hides_is_filled_in(tmp_path, shapes):
    organ = body(-1)
    grid = grid_over(organ, (1.4, 1.4, 1.4))
    mask, marks = mask_of(organ, grid), np.zeros(grid.shape, np.uint8)
    marks[: 2 * grid.shape[0] // 5] = MARKS["metal"]
    shown = mask & (marks == 0)
    labels, said = segmented(tmp_path, grid, shown, shapes, marks)
    assert shown.sum() < 0.85 * mask.sum()
    assert (labels.array == WHOLE).sum() == pytest.approx(mask.sum(), rel=0.05)
    assert said["shapes"]["whole"]["shape_unseen_percent"] > 10


def test_an_atlas_that_is_cut_or_refused_has_no_say(tmp_path, atlases):
    grid = grid_over(body(0), (1.6, 1.6, 1.6))
    cut = put_atlas(tmp_path / "cut", *shortened(grid))
    refused = put_refused(tmp_path / "bad" / "labels.nii.gz")
    put_refused(tmp_path / "bad" / "overlaps")
    made, said = modelled(tmp_path, [*atlases[:5], cut, refused])
    assert {w["code"] for w in said["warnings"]} == {"atlases-missing", "shape-atlas-cut"}
    assert len(read_models(made)["organ"].distances) == 5


def test_without_a_model_the_structure_is_refused_and_the_others_stay(tmp_path, atlases):
    grid = grid_over(body(0), (1.6, 1.6, 1.6))
    short = put_atlas(tmp_path / "low", *shortened(grid))
    made, said = modelled(tmp_path, [*atlases[:4], short])
    assert said["structures"]["organ"]["code"] == "shape-missing"
    labels, said = segmented(tmp_path, grid, mask_of(body(0), grid), made)
    assert said["structures"]["whole"]["code"] == "shape-missing"
    assert "4 atlases" in said["structures"]["whole"]["reason"]
    assert (labels.array == ORGAN).any() and not (labels.array == WHOLE).any()


def test_too_few_readable_atlases_refuse_the_models_and_each_structure(tmp_path, atlases):
    bad = put_refused(tmp_path / "bad" / "labels.nii.gz")
    put_refused(tmp_path / "bad" / "overlaps")
    made, said = modelled(tmp_path, [*atlases[:4], bad])
    assert (said["status"], said["code"]) == ("refused", "atlases-missing")
    grid = grid_over(body(0), (1.6, 1.6, 1.6))
    _, said = segmented(tmp_path / "case", grid, mask_of(body(0), grid), made)
    assert said["status"] == "ok" and said["structures"]["whole"]["code"] == "shape-missing"
