"""The agreement stage: what structures have in common with their reference, and what has no number."""

import csv

import numpy as np
import pytest
from agreement import agreement
from bodies import grid_over, mask_of, turned_array
from earlier import (
    BALL,
    GRID,
    LABELS,
    OK,
    ORGAN,
    ball,
    image,
    organ,
    put_label_map,
    put_refused,
    put_volume,
)
from scanmill.agreement.columns import REFERENCE
from scanmill.grid import Grid
from scanmill.phantom.body import sphere
from scanmill.phantom.description import turned
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.stage import run_stage
from scanmill.volume_file import Volume, write_volume
from segment_samples import segmentation

STRUCTURES = [
    {
        "name": name,
        "label": label,
        "code": {"scheme": "99TEST", "value": name, "meaning": name},
        "laterality": None,
        "segment": {"method": "rules", "steps": []},
    }
    for name, label in LABELS.items()
]
EMPTY = {"status": "refused", "code": "structure-empty", "reason": "no voxel was found"}
DISTANCES = ("dice", "surface_dice", "hausdorff_95_mm", "average_surface_distance_mm")


def inputs_of(folder, volumes=None, **masks):
    """What earlier stages leave. volumes: best estimates by structure, mm3."""
    inputs = {"isotropic": put_volume(folder / "isotropic.nii.gz", image())}
    inputs |= put_label_map(folder, **masks)
    inputs["measurements"] = folder / "measurements.csv"
    with open(inputs["measurements"], "w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("structure", "volume_mm3"))
        rows.writerows((name, (volumes or {}).get(name, "")) for name in LABELS)
    write_sidecar(inputs["measurements"], OK | {"stage": "measure"})
    return inputs


def put_reference(path, grid: Grid = GRID, **masks: np.ndarray):
    labels = np.zeros(grid.shape, np.uint8)
    for name, mask in masks.items():
        labels[mask] = LABELS[name]
    path.parent.mkdir(exist_ok=True)
    write_volume(path, Volume(labels, grid))
    return path


def run(inputs, *files, names=(None,)):
    table = inputs["labels"].with_name("agreement.csv")
    parameters = {
        "structures": STRUCTURES,
        "reference_structures": list(names),
        "surface_dice_tolerance": 1.0,
    }
    run_stage(
        "agreement", agreement, inputs | {"reference": list(files)}, {"table": table}, parameters
    )
    with open(table, newline="") as stream:
        return {row["structure"]: row for row in csv.DictReader(stream)}, read_sidecar(table)


def test_a_reference_that_is_the_same_agrees_wholly(tmp_path):
    inputs = inputs_of(tmp_path / "one", {"ball": 3100.5}, ball=ball())
    rows, said = run(inputs, put_reference(tmp_path / "elsewhere" / "r.nii.gz", ball=ball()))
    row = rows["ball"]
    assert list(row) == ["structure", *REFERENCE] and said["warnings"] == []
    assert row["reference_status"] == "ok"
    assert [float(row[name]) for name in DISTANCES] == [1, 1, 0, 0]
    assert float(row["surface_dice_tolerance_mm"]) == 1
    voxels = float(np.count_nonzero(ball()))
    assert float(row["reference_volume_mm3"]) == pytest.approx(voxels)
    assert float(row["volume_error_mm3"]) == pytest.approx(3100.5 - voxels, abs=1e-5)
    assert float(row["volume_error_percent"]) == pytest.approx(100 * (3100.5 / voxels - 1))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_only_physical_space_counts(tmp_path, order):
    # A reference of another spacing, oblique to the isotropic grid, its axes permuted and flipped.
    grid = grid_over(ORGAN, (0.8, 1.1, 2.0), turned((12, 33, -7)), margin=5)
    moved = sphere(9, tuple(np.add(BALL.centre, (0, 2, 0))))
    mask, stored = turned_array(mask_of(moved, grid), grid, order, (True, False, True))
    inputs = inputs_of(tmp_path / "one", {"ball": BALL.volume}, ball=ball())
    rows, _ = run(inputs, put_reference(tmp_path / "r" / "r.nii.gz", stored, ball=mask))
    row = rows["ball"]
    lens = np.pi * (4 * 9 + 2) * (2 * 9 - 2) ** 2 / 12
    assert float(row["dice"]) == pytest.approx(lens / BALL.volume, abs=0.015)
    assert float(row["hausdorff_mm"]) == pytest.approx(2, abs=1.2)
    assert abs(float(row["volume_error_percent"])) < 1.5


def test_what_either_lacks_is_told_and_has_no_number(tmp_path):
    inputs = inputs_of(tmp_path / "one", {"ball": 3000.0}, ball=ball())
    rows, _ = run(inputs, put_reference(tmp_path / "r" / "r.nii.gz", organ=organ()))
    assert rows["organ"]["reference_status"] == "missed"
    assert float(rows["organ"]["reference_volume_mm3"]) == np.count_nonzero(organ())
    assert rows["ball"]["reference_status"] == "reference-empty"
    for name, other in (("organ", "reference_volume_mm3"), ("ball", "")):
        filled = {key for key, value in rows[name].items() if value}
        assert filled <= {"structure", "reference_status", other}
    empty = put_reference(tmp_path / "r" / "none.nii.gz")
    assert run(inputs, empty)[0]["organ"]["reference_status"] == "both-empty"


def test_of_a_covered_structure_a_map_tells_what_is_left_of_it(tmp_path):
    inputs = inputs_of(tmp_path / "one", {"organ": 11000.0}, organ=organ(), ball=ball())
    both = put_reference(tmp_path / "r" / "r.nii.gz", organ=organ(), ball=ball())
    rows, said = run(inputs, both)
    assert [float(rows["organ"][name]) for name in DISTANCES] == [1, 1, 0, 0]
    assert rows["organ"]["reference_volume_mm3"] == rows["organ"]["volume_error_mm3"] == ""
    assert [(w["code"], w["structure"]) for w in said["warnings"]] == [
        ("reference-covered", "organ")
    ]


def test_a_covered_structure_is_compared_whole_with_its_own_mask(tmp_path):
    inputs = inputs_of(tmp_path / "one", organ=organ(), ball=ball())
    mask = tmp_path / "r" / "organ.nii.gz"
    mask.parent.mkdir()
    write_volume(mask, Volume(organ().astype(np.uint8), GRID))
    rows, _ = run(inputs, mask, names=["organ"])
    assert float(rows["organ"]["dice"]) == 1
    assert {key for key, value in rows["ball"].items() if value} == {"structure"}


def test_a_segmentation_object_is_found_by_name(tmp_path):
    native = grid_over(ORGAN, (0.9, 0.9, 2.0), margin=4)
    path = tmp_path / "seg.dcm"
    segmentation(native, {"Ball": mask_of(BALL, native)}).save_as(path)
    rows, said = run(inputs_of(tmp_path / "one", ball=ball()), path)
    assert float(rows["ball"]["dice"]) > 0.95
    assert rows["organ"]["reference_status"] == "both-empty"
    assert [w["code"] for w in said["warnings"]] == ["frame-unproven"]


def test_what_reaches_beyond_the_other_s_grid_is_warned_of(tmp_path):
    half = Grid(
        (GRID.size[0], GRID.size[1], GRID.size[2] // 2), GRID.spacing, GRID.origin, GRID.direction
    )
    inputs = inputs_of(tmp_path / "one", ball=ball())
    cut = put_reference(tmp_path / "r" / "cut.nii.gz", half, ball=mask_of(BALL, half))
    rows, said = run(inputs, cut)
    assert [(w["code"], w["structure"]) for w in said["warnings"]] == [("reference-cut", "ball")]
    assert float(rows["ball"]["dice"]) < 0.75
    large = sphere(50, BALL.centre)
    wide = grid_over(large, (2.5, 2.5, 2.5))
    reference = put_reference(tmp_path / "r" / "wide.nii.gz", wide, ball=mask_of(large, wide))
    _, said = run(inputs, reference)
    assert [w["code"] for w in said["warnings"]] == ["reference-beyond"]


def test_a_reference_that_cannot_be_used_is_told(tmp_path):
    inputs = inputs_of(tmp_path / "one", organ=organ())
    (tmp_path / "r").mkdir()
    broken = tmp_path / "r" / "broken.nii.gz"
    broken.write_bytes(b"no image")
    rows, said = run(inputs, broken, names=["organ"])
    assert rows["organ"]["reference_status"] == "labels-unreadable" and not rows["organ"]["dice"]
    assert [w["code"] for w in said["warnings"]] == ["labels-unreadable"]
    away = Grid(GRID.size, GRID.spacing, (900.0, 0.0, 0.0), GRID.direction)
    for path, code in (
        (broken, "labels-unreadable"),
        (put_reference(tmp_path / "r" / "away.nii.gz", away, organ=organ()), "labels-elsewhere"),
    ):
        _refused, said = run(inputs, path)
        assert (said["status"], said["stage"], said["code"]) == ("refused", "agreement", code)
        assert str(tmp_path) not in said["reason"] and not _refused


def test_a_refusal_is_passed_on(tmp_path):
    inputs = inputs_of(tmp_path / "one", organ=organ())
    inputs["labels"] = put_refused(tmp_path / "one" / "labels.nii.gz")
    rows, said = run(inputs, put_reference(tmp_path / "r" / "r.nii.gz", organ=organ()))
    assert (said["status"], said["stage"], rows) == ("refused", "ingest", {})
