"""The segmentation stage by atlases: labelled scans of the cohort, each on a grid of its own."""

from pathlib import Path

import pytest
from earlier import OK, put_refused, put_volume
from scanmill.phantom.warp import random_warp
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.stage import run_stage
from scanmill.volume_file import Volume, read_volume, write_volume
from segment import segment
from test_multi_atlas import dice, organ, shown
from test_registration import grid_of

# Of the recipe's two structures, atlases teach the second; its label is not its number among them.
STRUCTURES = [
    {
        "name": "bright",
        "label": 2,
        "segment": {"method": "rules", "steps": [{"window": [100, None]}]},
    },
    {"name": "organ", "label": 9, "segment": {"method": "atlas", "steps": [{"largest": 1}]}},
]


def put_atlas(folder: Path, kind: str, seed: int) -> Path:
    """A warped patient with its label map, as the stages before leave them."""
    warp, grid = random_warp(amplitude=1.0, wavelength=44.0, seed=seed), grid_of(kind)
    scan = put_volume(folder / "isotropic.nii.gz", shown(grid, warp.inverse).array, grid)
    write_volume(folder / "labels.nii.gz", Volume(9 * organ(grid, warp.inverse), grid))
    write_sidecar(folder / "labels.nii.gz", OK | {"stage": "segment"})
    return scan


def put_spoiled(folder: Path) -> Path:
    """An atlas that ingest declined to read."""
    put_refused(folder / "labels.nii.gz")
    return put_refused(folder / "isotropic.nii.gz")


def segmented(folder: Path, atlases: list[Path]):
    grid = grid_of("oblique")
    isotropic = put_volume(folder / "isotropic.nii.gz", shown(grid).array, grid)
    labels = folder / "labels.nii.gz"
    atlas_labels = [atlas.with_name("labels.nii.gz") for atlas in atlases]
    inputs = {"isotropic": isotropic, "atlases": atlases, "atlas_labels": atlas_labels}
    outputs = {"labels": labels, "overlaps": folder / "overlaps"}
    outputs["doubts"] = folder / "doubts"
    run_stage("segment", segment, inputs, outputs, {"modality": "MR", "structures": STRUCTURES})
    return labels, read_sidecar(labels)


@pytest.fixture(scope="module")
def atlases(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atlases")
    kinds = ("thick slices", "flipped")
    return [put_atlas(folder / kind, kind, n) for n, kind in enumerate(kinds)]


def test_a_structure_is_found_from_the_cohorts_atlases(tmp_path, atlases):
    labels, said = segmented(tmp_path / "one", atlases)
    assert said["status"] == "ok" and not said["warnings"]
    found = read_volume(labels)
    assert dice(found.array == 9, organ(found.grid) == 1) > 0.92
    assert 2 in found.array and set(found.array.flat) <= {0, 2, 9}


def test_an_atlas_that_could_not_be_read_has_no_say(tmp_path, atlases):
    labels, said = segmented(tmp_path / "one", [put_spoiled(tmp_path / "bad"), *atlases])
    alone, _ = segmented(tmp_path / "two", atlases)
    assert labels.read_bytes() == alone.read_bytes()
    (warning,) = said["warnings"]
    assert warning["code"] == "atlases-missing" and "1 of 3 atlases" in warning["message"]


def test_without_any_atlas_the_case_is_refused(tmp_path):
    labels, said = segmented(tmp_path / "one", [put_spoiled(tmp_path / "bad")])
    assert (said["status"], said["stage"], said["code"]) == (
        "refused",
        "segment",
        "atlases-missing",
    )
    assert labels.stat().st_size == 0
