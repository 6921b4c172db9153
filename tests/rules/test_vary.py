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
from scanmill.shape_model.known_shape import read_known_shape, write_known_shape
from scanmill.shape_model.loading import holds_shape
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
    return folder.name


def varied(folder, cases, known=()):
    own = folder / "shapes" / "any" / "organ"
    outputs = {"shape": own / "shape.npz", "surfaces": own / "surfaces"}
    outputs["reconstruction"] = own / "reconstruction.csv"
    asked = {"structure": "organ", "names": NAMES, "folder": str(folder), "cases": cases}
    run_stage("vary", vary, {"known": list(known)}, outputs, asked)
    return outputs


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Of cases on grids of all kinds: one with a bump, then one that is cut, and one refused."""
    folder = tmp_path_factory.mktemp("varied")
    kinds = list(DIRECTIONS)
    longer = np.random.default_rng(1).normal(0, 2, FEWEST)
    cases = [
        put_case(folder / f"c{n}", extra, kinds[3 * n], bump=n == 5)
        for n, extra in enumerate(longer)
    ]
    cases.append(put_case(folder / "cut", 0, kinds[0], cut=12))
    refused = folder / "refused" / "labels.nii.gz"
    for path in (refused, refused.with_name("overlaps")):
        put_refused(path)
    return varied(folder, [*cases, "refused"])


def test_the_case_with_a_bump_is_the_farthest_from_the_others(outputs):
    with open(outputs["reconstruction"], newline="") as stream:
        rows = {row["case"]: row for row in csv.DictReader(stream)}
    assert list(rows["c0"]) == list(RECONSTRUCTION)
    assert (rows["cut"]["code"], rows["cut"]["reconstruction_mm"]) == ("shape-cut", "")
    assert "refused" not in rows and len(rows) == FEWEST + 1
    far = {case: float(r["reconstruction_p95_mm"]) for case, r in rows.items() if case != "cut"}
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
    cases = [put_case(tmp_path / f"c{n}", 0, "xyz+++") for n in range(FEWEST)]
    said = read_sidecar(varied(tmp_path, cases[1:])["shape"])
    assert (said["status"], said["code"]) == ("refused", "shape-missing")
    said = read_sidecar(varied(tmp_path, cases)["shape"])
    assert (said["status"], said["code"]) == ("refused", "shape-alike")


def test_a_few_cases_are_held_against_the_shape_of_another_cohort(outputs, tmp_path):
    kinds = list(DIRECTIONS)
    usual = [put_case(tmp_path / f"n{n}", n - 1, kinds[5 * n + 1]) for n in range(3)]
    cases = [*usual, put_case(tmp_path / "bump", 0, kinds[2], bump=True)]
    cases.append(put_case(tmp_path / "cut", 0, kinds[0], cut=12))
    found = varied(tmp_path, cases, [outputs["shape"]])
    with open(found["reconstruction"], newline="") as stream:
        rows = {row["case"]: row for row in csv.DictReader(stream)}
    assert rows["cut"]["code"] == "shape-cut"
    far = {case: float(rows[case]["reconstruction_p95_mm"]) for case in cases[:-1]}
    known = read_known_shape(outputs["shape"]).told
    assert max(far[case] for case in usual) < 1.25 * np.sort(known.far)[-2]
    # The cohort has a case with such a bump, too, which is as far from its others.
    assert far["bump"] > 1.4 * max(far[case] for case in usual)
    said = read_sidecar(found["shape"])["shape"]
    assert (said["source"], said["cases"]) == ("loaded", FEWEST)
    assert said["generalisation_mm"] == pytest.approx(known.errors.mean())
    assert found["shape"].read_bytes() == outputs["shape"].read_bytes()


def test_a_shape_on_disk_is_known_by_its_arrays(outputs, tmp_path):
    assert holds_shape(outputs["shape"])
    known = read_known_shape(outputs["shape"])
    write_known_shape(tmp_path / "again.npz", known)
    assert (tmp_path / "again.npz").read_bytes() == outputs["shape"].read_bytes()
    with np.load(outputs["shape"]) as arrays:
        np.savez(tmp_path / "less.npz", **{key: arrays[key] for key in list(arrays)[1:]})
    (tmp_path / "text.npz").write_text("no shape")
    assert not any(holds_shape(tmp_path / name) for name in ("less.npz", "text.npz", "none.npz"))
