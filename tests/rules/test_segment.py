"""The segment stage: rules and supplied labels into one label map; nothing that overlaps is lost."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bodies import DIRECTIONS, grid_over, mask_of
from earlier import (
    BALL,
    GRID,
    LABELS,
    OK,
    ORGAN,
    assert_refusal_passed_on,
    ball,
    image,
    organ,
    put_refused,
    put_volume,
)
from network_samples import not_finite, write_model
from scanmill.frame_of_reference import seal
from scanmill.label_map_files import find_doubt
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.stage import run_stage
from scanmill.volume_file import Volume, read_volume
from segment import segment
from segment_samples import FRAME, sphere_contours, write_rtstruct
from source_samples import write_itk

BY_RULES = [
    {
        "name": "organ",
        "label": 3,
        "segment": {"method": "rules", "steps": [{"window": [-400, None]}, {"largest": 1}]},
    },
    {
        "name": "ball",
        "label": 7,
        "segment": {"method": "rules", "steps": [{"inside": "organ"}, {"window": [150, None]}]},
    },
]
SUPPLIED = [
    {"name": n, "label": v, "segment": {"method": "labels", "value": v, "steps": []}}
    for n, v in LABELS.items()
]


SEEDED = [
    {
        "name": name,
        "label": LABELS[name],
        "segment": {"method": "seeded", "seeds": "file", "radius": 2.0, "reach": reach}
        | {"inside": inside, "steps": [{"fill": "holes"}]},
    }
    for name, reach, inside in (("organ", 18.0, None), ("ball", 10.0, "organ"))
]


def segmented(folder: Path, structures, values=None, grid=GRID, supplied=None, seeds=()):
    values = image() if values is None else values
    isotropic = put_volume(folder / "one" / "isotropic.nii.gz", values, grid)
    return run(isotropic, structures, supplied, seeds)


def run(isotropic: Path, structures, supplied=None, seeds=(), models=()):
    supplied = supplied or {}
    labels, overlaps = isotropic.with_name("labels.nii.gz"), isotropic.with_name("overlaps")
    run_stage(
        "segment",
        segment,
        {"isotropic": isotropic, "supplied": list(supplied.values()), "seeds": list(seeds)}
        | {"models": list(models)},
        {"labels": labels, "overlaps": overlaps, "doubts": isotropic.with_name("doubts")},
        {
            "modality": "CT",
            "structures": structures,
            "supplied_structures": list(supplied),
        },
    )
    return labels, overlaps, read_sidecar(labels)


def test_rules_find_the_very_voxels_and_keep_the_covered_ones(tmp_path):
    labels, overlaps, said = segmented(tmp_path, BY_RULES)
    read = read_volume(labels)
    assert said["status"] == "ok" and read.grid.same_as(GRID, 1e-5)
    np.testing.assert_array_equal(read.array, np.select([ball(), organ()], [7, 3], 0))
    assert [path.name for path in overlaps.iterdir()] == ["organ.nii.gz"]
    whole = read_volume(overlaps / "organ.nii.gz")
    np.testing.assert_array_equal(whole.array > 0, organ())


def test_what_rules_are_not_sure_of_is_written_beside(tmp_path):
    noisy = image() + 40 * np.random.default_rng(0).standard_normal(GRID.shape)
    labels, _, said = segmented(tmp_path, BY_RULES, noisy.astype(np.int16))
    doubts = labels.with_name("doubts")
    assert said["status"] == read_sidecar(doubts)["status"] == "ok"
    # The organ is clear against the air around it.
    assert [path.name for path in doubts.iterdir()] == ["ball.nii.gz"]
    likely = read_volume(labels).array == LABELS["ball"]
    doubt = find_doubt(doubts, "ball", GRID)
    surely, perhaps = (r.full(GRID.shape) for r in (doubt.surely, doubt.perhaps))
    assert (surely <= likely).all() and (likely <= perhaps).all()
    assert 0 < np.count_nonzero(perhaps & ~surely) < 0.3 * np.count_nonzero(likely)


def test_structures_grow_from_the_sheets_seeds(tmp_path):
    x, y, z = BALL.centroid
    seeds = tmp_path / "seeds.mrk.json"
    points = [("organ-1", (x, y, z + 12)), ("organ-2", (x, y, z - 12)), ("ball-1", (x, y, z))]
    controls = [{"label": n, "position": [-a, -b, c]} for n, (a, b, c) in points]
    markup = {"type": "Fiducial", "coordinateSystem": "RAS", "controlPoints": controls}
    seeds.write_text(json.dumps({"markups": [markup]}))
    labels, _, said = segmented(tmp_path, SEEDED, seeds=[seeds])
    assert said["status"] == "ok" and said.get("structures", {}) == {}
    np.testing.assert_array_equal(read_volume(labels).array == 7, ball())
    found = read_volume(labels).array > 0
    assert np.count_nonzero(found ^ organ()) < 0.02 * np.count_nonzero(organ())
    assert [item["name"] for item in said["inputs"]] == ["isotropic", "seeds"]


@pytest.mark.parametrize("direction", ["xyz+++", "yzx-+-", "oblique coronal"])
def test_supplied_labels_on_another_grid_are_joined_in_the_patient(tmp_path, direction):
    grid = grid_over(ORGAN, (0.7, 0.8, 1.1), DIRECTIONS[direction])
    values = np.select([mask_of(BALL, grid), mask_of(ORGAN, grid)], [7, 3], 0).astype(np.uint8)
    given = write_itk(tmp_path / "labels.nrrd", Volume(values, grid))
    labels, _, said = segmented(tmp_path, SUPPLIED, supplied={None: given})
    read = read_volume(labels)
    for name, value in LABELS.items():
        voxels = np.argwhere(read.array == value)[:, ::-1]
        supplied = np.count_nonzero(values == value) * grid.voxel_volume
        assert said["supplied_volume_mm3"][name] == pytest.approx(supplied, rel=1e-9)
        assert len(voxels) == pytest.approx(supplied, rel=0.01)
        assert read.grid.to_physical(voxels).mean(axis=0) == pytest.approx(BALL.centroid, abs=0.05)


def test_masks_of_one_structure_each_may_overlap(tmp_path):
    masks = {"organ": organ(), "ball": ball()}
    given = {
        name: write_itk(tmp_path / f"{name}.nii.gz", Volume(mask.astype(np.uint8), GRID))
        for name, mask in masks.items()
    }
    labels, overlaps, _ = segmented(tmp_path, SUPPLIED, supplied=given)
    np.testing.assert_array_equal(read_volume(labels).array == 7, ball())
    np.testing.assert_array_equal(read_volume(overlaps / "organ.nii.gz").array > 0, organ())


def test_a_structure_without_a_voxel_is_noted_and_the_others_found(tmp_path):
    labels, overlaps, said = segmented(
        tmp_path, BY_RULES, np.where(organ(), 40, -1000).astype(np.int16)
    )
    assert said["status"] == "ok"
    assert said["structures"].keys() == {"ball"}
    assert said["structures"]["ball"]["code"] == "structure-empty"
    assert set(np.unique(read_volume(labels).array)) == {0, 3}
    assert not list(overlaps.iterdir())


def test_a_recipe_for_ct_refuses_what_are_no_hounsfield_units(tmp_path):
    greys = np.where(organ(), 200, 9).astype(np.uint8)
    litres = replace(GRID, spacing=(3.0, 3.0, 3.0))  # a small crop may lie within one organ
    labels, overlaps, said = segmented(tmp_path, BY_RULES, greys, litres)
    assert (said["status"], said["stage"], said["code"]) == ("refused", "segment", "not-hounsfield")
    assert labels.stat().st_size == 0 and not list(overlaps.iterdir())


def test_labels_that_the_sheet_does_not_name_are_refused(tmp_path):
    _, _, said = segmented(tmp_path, SUPPLIED)
    assert said["code"] == "labels-missing"


def test_labels_that_lie_elsewhere_are_refused(tmp_path):
    far = GRID.crop((200, 0, 0), GRID.size)
    given = write_itk(tmp_path / "labels.nrrd", Volume(np.full(far.shape, 3, np.uint8), far))
    _, _, said = segmented(tmp_path, SUPPLIED, supplied={None: given})
    assert said["code"] == "labels-elsewhere"


def test_a_refusal_is_passed_on_and_earlier_overlaps_vanish(tmp_path):
    segmented(tmp_path, BY_RULES)
    labels, overlaps, said = run(put_refused(tmp_path / "one" / "isotropic.nii.gz"), BY_RULES)
    assert_refusal_passed_on(said, labels, overlaps)


def test_the_sidecar_holds_no_path_of_the_labels(tmp_path):
    mask = Volume(organ().astype(np.uint8), GRID)
    given = write_itk(tmp_path / "Doe-Jane.nii.gz", mask)
    _, overlaps, said = segmented(tmp_path, SUPPLIED[:1], supplied={"organ": given})
    assert said["status"] == "ok"
    for sidecar in (said, read_sidecar(overlaps)):
        assert "Doe" not in json.dumps(sidecar) and str(tmp_path) not in json.dumps(sidecar)


def test_contours_are_drawn_on_the_slices_as_acquired(tmp_path):
    native = grid_over(ORGAN, (0.8, 0.9, 2.5), DIRECTIONS["oblique"], margin=6)
    isotropic = put_volume(tmp_path / "one" / "isotropic.nii.gz", *blank(native.isotropic(1.0)))
    sealed = seal(FRAME, np.zeros(1))
    as_acquired = {"native_size": list(native.size), "native_spacing_mm": list(native.spacing)}
    write_sidecar(isotropic, OK | as_acquired | {"frame_of_reference": sealed})
    contours = sphere_contours(np.array(BALL.centre), 4, native)
    path = write_rtstruct(tmp_path / "set.dcm", {"Ball": contours})
    code = {"code": {"scheme": "SCT", "value": "1", "meaning": ""}, "laterality": None}
    how = {"method": "labels", "value": 7, "named": ["ball"], "steps": []}
    structure = {"name": "ball", "label": 7, "segment": how} | code
    labels, _, said = run(isotropic, [structure], {None: path})
    drawn = sum(np.pi * (16 - d**2) for d in heights(native, BALL.centre) if abs(d) < 4)
    assert said["supplied_volume_mm3"]["ball"] == pytest.approx(drawn * 2.5, rel=0.05)
    assert said["warnings"] == []
    assert np.count_nonzero(read_volume(labels).array) == pytest.approx(drawn * 2.5, rel=0.05)


def blank(grid):
    return np.zeros(grid.shape, np.int16), grid


def heights(grid, centre):
    """Of the slices over a point, mm."""
    normal = np.reshape(grid.direction, (3, 3))[:, 2]
    return [
        float((grid.to_physical(np.array([0, 0, k])) - centre) @ normal)
        for k in range(grid.size[2])
    ]


MODEL = [
    {
        "name": name,
        "label": LABELS[name],
        "segment": {"method": "model", "model": 0, "classes": classes, "steps": []},
    }
    for name, classes in (("organ", ["organ", "ball"]), ("ball", ["ball"]))
]


def by_network(folder: Path, values=None, **said):
    values = image() if values is None else values
    isotropic = put_volume(folder / "one" / "isotropic.nii.gz", values)
    model = write_model(folder / "Doe-Jane" / "model", **said)
    return run(isotropic, MODEL, models=[model])


def test_a_network_finds_all_its_structures_on_an_oblique_scan(tmp_path):
    labels, overlaps, said = by_network(tmp_path)
    assert said["status"] == "ok" and said.get("structures", {}) == {}
    found = read_volume(labels).array
    for mask, expected in ((found > 0, organ()), (found == 7, ball())):
        assert np.count_nonzero(mask) == pytest.approx(np.count_nonzero(expected), rel=0.03)
        # Voxels at the boundary, which is stepped and was resampled there and back.
        assert np.count_nonzero(mask ^ expected) < 0.1 * np.count_nonzero(expected)
    whole = read_volume(overlaps / "organ.nii.gz").array > 0
    np.testing.assert_array_equal(whole, found > 0)
    assert [item["name"] for item in said["inputs"]] == ["isotropic", "models"]
    assert "Doe" not in json.dumps(said)


def test_a_network_gives_the_same_bytes_each_time(tmp_path):
    one, other = (by_network(tmp_path / name)[0] for name in ("1", "2"))
    assert one.read_bytes() == other.read_bytes()


def test_a_class_without_a_voxel_is_noted(tmp_path):
    values = np.where(organ(), 40, -1000).astype(np.int16)
    _, _, said = by_network(tmp_path, values)
    assert said["structures"].keys() == {"ball"}
    assert said["structures"]["ball"]["code"] == "structure-empty"


@pytest.mark.parametrize(
    "said, code",
    [
        ({"nodes": not_finite()}, "network-not-finite"),
        ({"size": [600, 24, 24]}, "scan-too-small"),
    ],
)
def test_what_a_network_cannot_tell_refuses_the_case(tmp_path, said, code):
    labels, _, told = by_network(tmp_path, **said)
    assert (told["status"], told["stage"], told["code"]) == ("refused", "segment", code)
    assert labels.stat().st_size == 0


def test_a_network_for_ct_refuses_what_are_no_hounsfield_units(tmp_path):
    greys = np.where(organ(), 200, 9).astype(np.uint8)
    litres = replace(GRID, spacing=(3.0, 3.0, 3.0))
    isotropic = put_volume(tmp_path / "one" / "isotropic.nii.gz", greys, litres)
    _, _, said = run(isotropic, MODEL, models=[write_model(tmp_path / "model")])
    assert said["code"] == "not-hounsfield"
