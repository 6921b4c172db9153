"""The patient's midline on analytic trunks, turned, off centre, on flipped and oblique grids."""

import numpy as np
import pytest
from bodies import DIRECTIONS
from scanmill.grid import Grid
from scanmill.midline import find
from scanmill.phantom.cohort import patients
from scanmill.phantom.description import turned
from scanmill.phantom.scanning import scan_of
from scanmill.refusal import Refusal

CENTRE = np.array([-47.0, 83.0, 311.0])
NAMES = ("xyz+++", "xyz--+", "yzx-+-", "oblique coronal")


def grid_over(
    direction: np.ndarray, extent, spacing=(6.0, 5.0, 7.0), shift=(0.0, 0.0, 0.0)
) -> Grid:
    """A grid that holds a box of that extent, mm along LPS, around CENTRE and the shift."""
    size = np.ceil(np.abs(direction.T) @ extent / spacing).astype(int)
    flat = tuple(direction.ravel().tolist())
    middle = tuple((CENTRE + shift).tolist())
    return Grid((1, 1, 1), spacing, middle, flat).concentric(tuple(size.tolist()), spacing)


def trunk(grid: Grid, turn=(0, 0, 0), lopsided: float = 1.0) -> np.ndarray:
    """A CT of a trunk around CENTRE with noise: lungs, spine, a liver on the right, arms of bone.

    turn: degrees about the LPS axes. lopsided: size of the liver, of its usual one.
    """
    index = np.stack(np.meshgrid(*map(np.arange, grid.size), indexing="ij"), axis=-1)
    places = (grid.to_physical(np.moveaxis(index, (0, 1, 2), (2, 1, 0))) - CENTRE) @ turned(turn)

    def within(centre, radii):
        return (((places - centre) / radii) ** 2).sum(axis=-1) <= 1

    image = np.full(grid.shape, -1000.0)
    image[within((0, 0, 0), (170, 115, 400))] = -90
    image[within((0, 0, 0), (150, 95, 400))] = 50
    for side in (-1, 1):
        image[within((side * 75, -10, 90), (55, 70, 110))] = -850
    image[within((0, 65, 0), (22, 22, 400))] = 500
    image[within((-70, -20, -70), np.multiply((60, 60, 50), lopsided))] = 110
    return image + np.random.default_rng(7).normal(0, 25, grid.shape)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("turn", [(0, 0, 0), (6, -9, 15), (-9, 12, -14)])
def test_the_midline_is_found_wherever_and_however_the_patient_lies(name, turn):
    grid = grid_over(DIRECTIONS[name], (420.0, 300.0, 340.0), shift=(22, -9, 4))
    found = find(trunk(grid, turn), grid, "CT")
    normal = turned(turn) @ [1, 0, 0]
    assert np.rad2deg(np.arccos(min(1.0, normal @ found.normal))) < 1.5
    assert found.offset == pytest.approx(CENTRE @ np.asarray(found.normal), abs=2)
    assert found.symmetry > 0.8 and found.shown > 0.9


def test_voxels_of_a_box_are_parted_by_the_plane():
    grid = grid_over(DIRECTIONS["yzx-+-"], (420.0, 300.0, 340.0))
    found = find(trunk(grid, (0, 0, 10)), grid, "CT")
    box = (slice(20, 50), slice(10, 30), slice(5, 40))
    z, y, x = np.mgrid[box]
    mm = grid.to_physical(np.stack([x, y, z], axis=-1)) @ found.normal - found.offset
    assert np.array_equal(found.is_left(box, grid), mm > 0)
    assert 0.2 < (mm > 0).mean() < 0.8


@pytest.mark.parametrize(("kind", "pair"), [("abdomen", "kidney"), ("head", "ventricle")])
def test_paired_organs_of_warped_patients_lie_on_their_sides(kind, pair):
    (patient,) = patients(kind, 1, 12, spacing=(4.0, 4.0, 5.0), variability=0.8)
    scan = scan_of(patient)
    found = find(scan.image.array, scan.image.grid, patient["modality"])
    assert abs(np.dot(found.normal, patient["position"]) - found.offset) < 5
    label = {s["name"]: s["label"] for s in patient["structures"]}
    for side, sign in (("left", 1), ("right", -1)):
        places = np.argwhere(scan.labels.array == label[f"{pair}-{side}"])[:, ::-1]
        mm = scan.image.grid.to_physical(places) @ found.normal - found.offset
        assert (sign * mm > 0).mean() > 0.99


@pytest.mark.parametrize("side", [-1, 1])
def test_a_scan_of_one_side_has_no_midline(side):
    grid = grid_over(np.eye(3), (170.0, 300.0, 340.0), shift=(side * 100, 0, 0))
    with pytest.raises(Refusal) as refusal:
        find(trunk(grid), grid, "CT")
    assert refusal.value.code == "midline-unclear" and "both sides" in refusal.value.reason


@pytest.mark.parametrize("what", ["noise", "one value", "a ball of tissue all over"])
def test_where_nothing_is_symmetric_or_all_is_there_is_no_midline(what):
    grid = grid_over(np.eye(3), (420.0, 300.0, 340.0))
    image = np.random.default_rng(3).normal(0, 40, grid.shape)
    if what != "noise":
        image[:] = 40
    if what.startswith("a ball"):
        # Planes through its middle are all alike, and those beside it hardly less.
        image[:] += 100 * np.exp(-(((np.indices(grid.shape).T - 20) / 40) ** 2).sum(-1).T)
    with pytest.raises(Refusal, match="midline-unclear"):
        find(image, grid, "CT")
