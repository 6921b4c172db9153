"""The rule vary: a structure's shape over a cohort, its surfaces, and how far each case is from it."""

import csv

import numpy as np
import pytest
from bodies import CENTRE, DIRECTIONS, grid_over, mask_of
from earlier import OK, put_refused
from scanmill.checks import FEWEST
from scanmill.checks.columns import RECONSTRUCTION
from scanmill.label_map import LabelMap
from scanmill.label_map_files import write_label_map
from scanmill.mesh_file import read_surface
from scanmill.phantom.body import Ellipsoid
from scanmill.phantom.description import turned
from scanmill.shape_model.correspondence import enclosed
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.stage import run_stage
from vary import vary

NAMES = {"organ": 4}
POSE = tuple(turned((20, -35, 50)).ravel().tolist())
SPACING = (2.0, 2.0, 2.0)


def put_case(folder, longer, direction, cut=0, bump=False):
    """An ellipsoid that is so many mm longer than usual, as segment leaves it."""
    body = Ellipsoid(radii=(20 + longer, 13, 10), centre=tuple(CENTRE), rotation=POSE)
    grid = grid_over(body, SPACING, DIRECTIONS[direction], 8.0)
    mask = mask_of(body, grid)
    if bump:
        z, y, x = np.indices(grid.shape)
        points = grid.to_physical(np.stack([x, y, z], axis=-1))
        top = CENTRE + 11 * np.reshape(POSE, (3, 3))[:, 2]
        mask |= np.linalg.norm(points - top, axis=-1) < 7
    if cut:
        mask, grid = mask[cut:], grid.crop((0, 0, cut), (*grid.size[:2], grid.size[2] - cut))
    label_map = LabelMap(np.where(mask, 4, 0).astype(np.uint8), grid)
    write_label_map(folder / "labels.nii.gz", folder / "overlaps", label_map, NAMES)
    for name in ("labels.nii.gz", "overlaps"):
        write_sidecar(folder / name, OK)
    return folder / "labels.nii.gz"


def varied(folder, labels):
    inputs = {"labels": labels, "overlaps": [path.with_name("overlaps") for path in labels]}
    own = folder / "shapes" / "any" / "organ"
    outputs = {"shape": own / "shape.npz", "surfaces": own / "surfaces"}
    outputs["reconstruction"] = own / "reconstruction.csv"
    run_stage("vary", vary, inputs, outputs, {"structure": "organ", "names": NAMES})
    return outputs


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Of cases on grids of all kinds: one with a bump, then one that is cut, and one refused."""
    folder = tmp_path_factory.mktemp("varied")
    kinds = list(DIRECTIONS)
    longer = np.random.default_rng(1).normal(0, 2, FEWEST)
    labels = [
        put_case(folder / f"c{n}", extra, kinds[3 * n], bump=n == 5)
        for n, extra in enumerate(longer)
    ]
    labels.append(put_case(folder / "cut", 0, kinds[0], cut=12))
    refused = folder / "refused" / "labels.nii.gz"
    for path in (refused, refused.with_name("overlaps")):
        put_refused(path)
    return varied(folder, [*labels, refused])


def test_the_case_with_a_bump_is_the_farthest_from_the_others(outputs):
    with open(outputs["reconstruction"], newline="") as stream:
        rows = {row["case"]: row for row in csv.DictReader(stream)}
    assert list(rows["c0"]) == list(RECONSTRUCTION)
    assert (rows["cut"]["code"], rows["cut"]["reconstruction_mm"]) == ("shape-cut", "")
    assert "refused" not in rows and len(rows) == FEWEST + 1
    far = {case: float(r["reconstruction_max_mm"]) for case, r in rows.items() if case != "cut"}
    assert max(far, key=far.get) == "c5" and far["c5"] > 1.4 * sorted(far.values())[-2]


def test_the_sidecar_says_what_the_model_is_worth(outputs):
    said = read_sidecar(outputs["shape"])["shape"]
    assert said["cases"] == FEWEST and said["first_mode_percent"] > 50
    assert 0 < said["specificity_mm"] < 2 and 0 < said["generalisation_mm"] < 1


def test_the_first_mode_is_the_length_and_surfaces_are_in_mm(outputs):
    surfaces = outputs["surfaces"]
    assert len(list(surfaces.glob("*.ply"))) == 1 + 2 * 3
    volumes = {
        name: enclosed(*vars(read_surface(surfaces / f"{name}.ply")).values())
        for name in ("mean", "mode-1-minus-2sd", "mode-1-plus-2sd")
    }
    usual = 4 / 3 * np.pi * 20 * 13 * 10
    assert volumes["mean"] == pytest.approx(usual, rel=0.08)
    ends = sorted(volumes.values())
    # Two standard deviations of 2 mm, either way, of a half axis of 20.
    assert ends[0] < 0.9 * volumes["mean"] and ends[2] > 1.1 * volumes["mean"]


def test_too_few_cases_and_one_shape_for_all_are_refused(tmp_path):
    labels = [put_case(tmp_path / f"c{n}", 0, "xyz+++") for n in range(FEWEST)]
    said = read_sidecar(varied(tmp_path, labels[1:])["shape"])
    assert (said["status"], said["code"]) == ("refused", "shape-missing")
    said = read_sidecar(varied(tmp_path, labels)["shape"])
    assert (said["status"], said["code"]) == ("refused", "shape-alike")
