"""The measure stage: a row per structure, its numbers those of the body; nothing where none is."""

import csv
import json
from itertools import product

import numpy as np
import pytest
import trimesh
from earlier import (
    BALL,
    GRID,
    HU,
    LABELS,
    OK,
    ORGAN,
    assert_refusal_passed_on,
    ball,
    image,
    organ,
    put_doubts,
    put_label_map,
    put_refused,
    put_volume,
)
from measure import measure
from scanmill.columns import COLUMNS, INTENSITY, LOCATION, SHAPE, STATE, SURFACE
from scanmill.label_map import Doubt, Region
from scanmill.mesh_file import write_surface
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.stage import run_stage
from scanmill.surface import Surface
from scipy import ndimage

SURFACES = {
    name: {
        "status": "ok",
        "triangles": 8,
        "surface_volume_mm3": body.volume,
        "surface_area_mm2": 3.5,
        "watertight": True,
        "manifold": True,
    }
    for name, body in (("organ", ORGAN), ("ball", BALL))
}
HALF_STEPS = np.array(list(product((-0.5, 0.5), repeat=3)))
EMPTY = {"status": "refused", "code": "structure-empty", "reason": "no voxel was found"}


def inputs_of(folder, segmented=None, meshed=None, **masks):
    surfaces = folder / "surfaces"
    surfaces.mkdir(parents=True)
    write_sidecar(surfaces, OK | {"structures": SURFACES} | (meshed or {}))
    volume = put_volume(folder / "volume.nii.gz", image())
    isotropic = put_volume(folder / "isotropic.nii.gz", image())
    artefacts = put_volume(folder / "artefacts.nii.gz", np.zeros(GRID.shape, np.uint8))
    inputs = {"volume": volume, "isotropic": isotropic, "artefacts": artefacts}
    inputs |= put_label_map(folder, segmented, **masks)
    return inputs | {
        "doubts": put_doubts(folder),
        "surfaces": surfaces,
        "centrelines": [],
        "simulations": [],
    }


def rows_of(inputs, drawn=(), ledger_limit=10.0, **distances):
    table = inputs["labels"].with_name("measurements.csv")
    structures = [
        {
            "name": name,
            "label": label,
            "distances_to": distances.get(name, []),
            "drawn": name in drawn,
        }
        for name, label in LABELS.items()
    ]
    parameters = {"case": "one", "structures": structures, "ledger_limit": ledger_limit}
    run_stage("measure", measure, inputs, {"measurements": table}, parameters)
    with open(table, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream)), read_sidecar(table)


def test_the_rows_are_the_structures_and_the_columns_those_described(tmp_path):
    rows, said = rows_of(inputs_of(tmp_path / "one", organ=organ(), ball=ball()))
    assert said["status"] == "ok"
    assert [(row["case"], row["structure"], row["label"]) for row in rows] == [
        ("one", "organ", "3"),
        ("one", "ball", "7"),
    ]
    for row in rows:
        assert list(row) == list(COLUMNS)
        for column in (*LOCATION, *SHAPE, *INTENSITY):
            assert row[column] or column in ("stat_cov", "stat_qcod"), column


def test_the_course_of_a_vessel_is_in_its_row_and_in_no_other(tmp_path):
    inputs = inputs_of(tmp_path / "one", organ=organ(), ball=ball())
    courses = tmp_path / "one" / "centrelines"
    courses.mkdir()
    told = {"centreline_length_mm": 81.25, "centreline_branches": 2}
    write_sidecar(courses, OK | {"stage": "centreline", "structures": {"organ": told}})
    (whole, inner), _ = rows_of(inputs | {"centrelines": [courses]})
    assert (whole["centreline_length_mm"], whole["centreline_branches"]) == ("81.25", "2")
    assert inner["centreline_length_mm"] == inner["centreline_branches"] == ""


def test_numbers_are_those_of_the_body_covered_parts_included(tmp_path):
    (whole, inner), _ = rows_of(inputs_of(tmp_path / "one", organ=organ(), ball=ball()))
    for row, body, mask in ((whole, ORGAN, organ()), (inner, BALL, ball())):
        assert float(row["volume_mm3"]) == pytest.approx(body.volume, rel=0.01)
        assert float(row["morph_vol_approx"]) == np.count_nonzero(mask)
        centroid = [float(row[f"centroid_{axis}_mm"]) for axis in "xyz"]
        assert centroid == pytest.approx(body.centroid, abs=0.1)
        corners = np.argwhere(mask)[:, None, ::-1] + HALF_STEPS
        corners = GRID.to_physical(corners).reshape(-1, 3)
        for n, axis in enumerate("xyz"):
            assert float(row[f"bbox_min_{axis}_mm"]) == pytest.approx(corners[:, n].min(), abs=1e-4)
            assert float(row[f"bbox_max_{axis}_mm"]) == pytest.approx(corners[:, n].max(), abs=1e-4)
        assert (row["components"], row["touches_border"]) == ("1", "false")
    assert float(inner["stat_mean"]) == HU["ball"] and float(inner["stat_var"]) == 0
    share = np.count_nonzero(ball()) / np.count_nonzero(organ())
    mean = share * HU["ball"] + (1 - share) * HU["organ"]
    assert float(whole["stat_mean"]) == pytest.approx(mean, rel=1e-6)
    assert float(inner["axial_long_mm"]) == pytest.approx(18, abs=1.5)


@pytest.mark.parametrize("why", ["drawn", "holds another"])
def test_what_its_intensities_cannot_tell_is_counted(tmp_path, why):
    masks = {"ball": ball()} if why == "drawn" else {"organ": organ(), "ball": ball()}
    inputs = inputs_of(tmp_path / "one", {"structures": {"organ": EMPTY}}, **masks)
    name, body = ("ball", BALL) if why == "drawn" else ("organ", ORGAN)
    rows, _ = rows_of(inputs, drawn=("ball",) if why == "drawn" else ())
    row = next(row for row in rows if row["structure"] == name)
    assert row["volume_method"] == "count" and row["volume_mm3"] == row["mask_volume_mm3"]
    assert float(row["volume_low_mm3"]) < body.volume < float(row["volume_high_mm3"])


def test_a_thin_shell_that_no_intensity_tells_keeps_its_volume(tmp_path):
    shell = organ() & ~ndimage.binary_erosion(organ(), iterations=2)
    row = rows_of(inputs_of(tmp_path / "one", {"structures": {"ball": EMPTY}}, organ=shell))[0][0]
    assert row["volume_method"] == "count" and row["code"] == ""
    assert row["volume_mm3"] == row["mask_volume_mm3"]
    low, high = float(row["volume_low_mm3"]), float(row["volume_high_mm3"])
    assert high - low > float(row["volume_mm3"])


def test_what_its_method_would_not_rule_out_is_in_the_interval(tmp_path):
    inputs = inputs_of(tmp_path / "one", {"structures": {"organ": EMPTY}}, ball=ball())
    told = rows_of(inputs)[0][1]
    # A lobe of the organ that may be the ball's, and half of the ball that may not.
    half, box = ball(), tuple(slice(0, n) for n in GRID.shape)
    half[: len(half) // 2] = False
    doubt = Doubt(Region(box, half), Region(box, organ()))
    put_doubts(tmp_path / "one", ball=doubt)
    row = rows_of(inputs)[0][1]
    assert row["code"] == "volume-uncertain" and row["volume_mm3"] == ""
    assert "another method" in row["reason"]
    assert float(row["volume_low_mm3"]) < BALL.volume / 2 * 1.1 < float(told["volume_low_mm3"])
    assert float(row["volume_high_mm3"]) > ORGAN.volume * 0.95 > float(told["volume_high_mm3"])
    for end, sign in (("low", -1), ("high", 1)):
        column = f"surface_area_{end}_mm2"
        assert sign * float(row[column]) >= sign * float(told[column])


def test_a_mask_that_the_image_contradicts_is_said_to_be_disputed(tmp_path):
    small = ndimage.binary_erosion(ball())
    inputs = inputs_of(tmp_path / "one", {"structures": {"organ": EMPTY}}, ball=small)
    rows, said = rows_of(inputs)
    assert rows[1]["volume_method"] == "fit" and "volume-disputed" in rows[1]["warnings"]
    assert float(rows[1]["volume_low_mm3"]) > float(rows[1]["mask_volume_mm3"])
    (text,) = [w["message"] for w in said["warnings"] if w["code"] == "volume-disputed"]
    assert "look which of the two is meant" in text


def test_a_body_of_one_tissue_is_told_by_its_intensities(tmp_path):
    rows, _ = rows_of(inputs_of(tmp_path / "one", organ=organ(), ball=ball()))
    assert rows[1]["volume_method"] == "fit" and "volume-disputed" not in rows[1]["warnings"]


def test_the_ledger_compares_each_volume_with_the_one_before(tmp_path):
    segmented = {"supplied_volume_mm3": {"ball": 4000.0}}
    (whole, inner), _ = rows_of(inputs_of(tmp_path / "one", segmented, organ=organ(), ball=ball()))
    voxels = np.count_nonzero(ball())
    assert float(inner["isotropic_vs_supplied_percent"]) == pytest.approx(
        100 * (voxels - 4000) / 4000, abs=1e-5
    )
    assert float(inner["surface_vs_isotropic_percent"]) == pytest.approx(
        100 * (BALL.volume - voxels) / voxels, abs=1e-5
    )
    assert whole["supplied_volume_mm3"] == whole["isotropic_vs_supplied_percent"] == ""
    for volume in ("supplied", "mask", "surface"):
        apart = float(inner[f"{volume}_volume_mm3"]) / float(inner["volume_mm3"]) - 1
        assert float(inner[f"{volume}_vs_volume_percent"]) == pytest.approx(100 * apart, abs=1e-5)


def test_volumes_farther_apart_than_the_limit_are_flagged(tmp_path):
    segmented = {"supplied_volume_mm3": {"ball": 0.7 * BALL.volume}}
    inputs = inputs_of(tmp_path / "one", segmented, organ=organ(), ball=ball())
    (_, row), said = rows_of(inputs)
    assert "ledger" in row["warnings"].split()
    (text,) = [
        w["message"] for w in said["warnings"] if (w["code"], w["structure"]) == ("ledger", "ball")
    ]
    assert text.startswith("supplied_vs_volume_percent is -3") and "limit is 10" in text
    (_, row), _ = rows_of(inputs, ledger_limit=40.0)
    assert "ledger" not in row["warnings"].split()


def test_a_structure_that_was_not_found_has_a_reason_and_no_number(tmp_path):
    segmented = {"structures": {"ball": EMPTY}}
    rows, _ = rows_of(inputs_of(tmp_path / "one", segmented, organ=organ()))
    assert [row["status"] for row in rows] == ["ok", "refused"]
    said = {key: rows[1][key] for key in ("stage", "code", "reason")}
    assert said == {"stage": "segment", "code": EMPTY["code"], "reason": EMPTY["reason"]}
    assert not any(value for key, value in rows[1].items() if key not in STATE)


def test_a_surface_that_could_not_be_closed_leaves_its_own_cells_empty(tmp_path):
    open_ = {"status": "refused", "code": "surface-open", "reason": "the mesh has open edges"}
    meshed = {"structures": SURFACES | {"ball": open_}}
    (_, row), _ = rows_of(inputs_of(tmp_path / "one", None, meshed, organ=organ(), ball=ball()))
    assert (row["status"], row["stage"], row["code"]) == ("ok", "mesh", "surface-open")
    assert not any(row[column] for column in SURFACE)
    assert row["surface_volume_mm3"] == row["surface_vs_isotropic_percent"] == ""
    assert float(row["mask_volume_mm3"]) == np.count_nonzero(ball())


def test_a_structure_at_the_edge_of_the_scan_is_flagged(tmp_path):
    mask = organ()
    mask[:, GRID.size[1] // 2, GRID.size[0] // 2 :] = True
    (row, _), _ = rows_of(inputs_of(tmp_path / "one", None, organ=mask, ball=ball()))
    assert row["touches_border"] == "true"


def test_warnings_of_a_structure_stand_in_its_row(tmp_path):
    warned = {"warnings": [{"code": "was-cut", "message": "m", "structure": "ball"}]}
    rows, _ = rows_of(inputs_of(tmp_path / "one", warned, organ=organ(), ball=ball()))
    assert [row["warnings"] for row in rows] == ["", "was-cut"]


def test_each_row_tells_which_part_of_its_structure_artefacts_spoil(tmp_path):
    inputs = inputs_of(tmp_path / "one", organ=organ(), ball=ball())
    marks = np.where(ball() & (np.arange(GRID.size[0]) % 2 == 0), 2, 0).astype(np.uint8)
    put_volume(inputs["artefacts"], marks)
    (whole, inner), said = rows_of(inputs)
    spoiled = np.count_nonzero(marks)
    for row, mask in ((whole, organ()), (inner, ball())):
        percent = 100 * spoiled / np.count_nonzero(mask)
        assert float(row["artefact_percent"]) == pytest.approx(percent, rel=1e-6)
        assert ("artefacts" in row["warnings"]) == (percent > 5)
    clear, _ = rows_of(inputs_of(tmp_path / "two", organ=organ(), ball=ball()))
    assert [(float(row["artefact_percent"]), row["warnings"]) for row in clear] == [(0, "")] * 2
    assert all(w["structure"] in LABELS for w in said["warnings"])


def test_a_refusal_is_passed_on(tmp_path):
    inputs = inputs_of(tmp_path / "one", organ=organ())
    inputs["isotropic"] = put_refused(inputs["isotropic"])
    rows, said = rows_of(inputs)
    assert rows == []
    assert_refusal_passed_on(said)
    assert str(tmp_path) not in json.dumps(said)


def put_sphere(folder, name, centre, radius, suffix):
    ball_mesh = trimesh.creation.icosphere(4, radius)
    points = ball_mesh.vertices + centre
    write_surface(folder / f"{name}.{suffix}", Surface(points, ball_mesh.faces))


@pytest.mark.parametrize("suffix", ["ply", "stl", "obj", "vtp"])
def test_distances_are_between_the_written_surfaces(tmp_path, suffix):
    apart = organ() & ~ball()
    inputs = inputs_of(tmp_path / "one", organ=apart, ball=ball())
    put_sphere(inputs["surfaces"], "organ", (100.0, -50.0, 20.0), 10, suffix)
    put_sphere(inputs["surfaces"], "ball", (100.0, -50.0 + 24, 20.0 - 18), 5, suffix)
    write_sidecar(inputs["surfaces"], OK | {"structures": SURFACES})
    (row, other), said = rows_of(inputs, organ=["ball"])
    assert said["status"] == "ok"
    assert float(row["distance_to_ball_mm"]) == pytest.approx(15, abs=0.05)
    assert other["distance_to_ball_mm"] == "" and list(row)[-1] == "distance_to_ball_mm"


def test_structures_that_overlap_are_not_apart(tmp_path):
    inputs = inputs_of(tmp_path / "one", organ=organ(), ball=ball())
    put_sphere(inputs["surfaces"], "organ", (0, 0, 0), 10, "ply")
    put_sphere(inputs["surfaces"], "ball", (0, 0, 0), 5, "ply")
    write_sidecar(inputs["surfaces"], OK | {"structures": SURFACES})
    (row, other), _ = rows_of(inputs, organ=["ball"], ball=["organ"])
    assert row["distance_to_ball_mm"] == other["distance_to_organ_mm"] == "0"


def test_a_distance_to_what_is_absent_or_open_is_empty(tmp_path):
    segmented = {"structures": {"ball": EMPTY}}
    inputs = inputs_of(tmp_path / "one", segmented, organ=organ())
    (row, _), said = rows_of(inputs, organ=["ball"])
    assert said["status"] == "ok" and row["distance_to_ball_mm"] == ""
    open_ = {"status": "refused", "code": "surface-open", "reason": "the mesh has open edges"}
    meshed = {"structures": SURFACES | {"ball": open_}}
    inputs = inputs_of(tmp_path / "two", None, meshed, organ=organ(), ball=ball())
    (row, _), said = rows_of(inputs, organ=["ball"])
    assert said["status"] == "ok" and row["distance_to_ball_mm"] == ""
