"""Overlap and distances of masks: the numbers of DeepMind's library, and those of plain bodies."""

import numpy as np
import pytest
from bodies import DATA
from scanmill.agreement.masks import measures_of
from scanmill.source import read_source

# Printed by surface-distance (commit 1f805ce) for these pairs at spacings (z, y, x), tolerance 1 mm;
# average: its two directed ones, weighted by their areas.
PUBLISHED = {
    ("bodies", (1.0, 1.0, 1.0)): {
        "dice": 0.7665411511565358,
        "surface_dice": 0.7546347220268553,
        "hausdorff_95_mm": 2.8284271247461903,
        "hausdorff_mm": 3.7416573867739413,
        "average_surface_distance_mm": 0.8735096118755767,
    },
    ("bodies", (3.0, 0.7, 0.9)): {
        "dice": 0.7665411511565358,
        "surface_dice": 0.6093743662371371,
        "hausdorff_95_mm": 3.0,
        "hausdorff_mm": 6.0,
        "average_surface_distance_mm": 1.0148253613479468,
    },
    ("fragments", (1.0, 1.0, 1.0)): {
        "dice": 0.2674323215750615,
        "surface_dice": 0.9931560610537058,
        "hausdorff_95_mm": 1.0,
        "hausdorff_mm": 2.23606797749979,
        "average_surface_distance_mm": 0.13504147568111827,
    },
    ("fragments", (3.0, 0.7, 0.9)): {
        "dice": 0.2674323215750615,
        "surface_dice": 0.984784881876846,
        "hausdorff_95_mm": 0.9,
        "hausdorff_mm": 2.280350850198276,
        "average_surface_distance_mm": 0.10859867530851236,
    },
}


def pair(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Two masks that whole numbers alone define; fragments have voxels that meet in all ways."""
    z, y, x = np.mgrid[:24, :30, :28]
    if kind == "bodies":
        one = (2 * (z - 11)) ** 2 + (y - 14) ** 2 + (x - 13) ** 2 < 100
        return one, (2 * (z - 12)) ** 2 + (y - 15) ** 2 + 2 * (x - 12) ** 2 < 110
    scattered = z * 7919 + y * 104729 + x * 1299709
    scattered = (scattered ^ (scattered >> 7)) * 2654435761 & 0xFFFFFFFF
    ball = (z - 11) ** 2 + (y - 14) ** 2 + (x - 13) ** 2 < 64
    return ball & ((scattered >> 11) % 3 == 0), ball & ((scattered >> 17) % 4 == 0)


@pytest.mark.parametrize(("kind", "spacing"), PUBLISHED)
def test_the_numbers_are_those_of_the_library(kind, spacing):
    one, other = pair(kind)
    for masks in ((one, other), (other, one)):
        found = measures_of(*masks, spacing[::-1], 1.0)
        for name, value in PUBLISHED[kind, spacing].items():
            assert found[name] == pytest.approx(value, abs=1e-9), name


def block(shape, **sides: slice) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[sides["z"], sides["y"], sides["x"]] = True
    return mask


def test_a_plate_that_is_moved_across_itself_is_that_far_away():
    shape = (12, 40, 40)
    whole = slice(0, 40)
    one = block(shape, z=slice(2, 4), y=whole, x=whole)
    other = block(shape, z=slice(6, 8), y=whole, x=whole)
    found = measures_of(one, other, (1.0, 1.0, 2.5), 2.0)
    assert (found["dice"], found["jaccard"]) == (0, 0)
    assert found["hausdorff_mm"] == found["hausdorff_95_mm"] == 10
    # Its near face is 5 mm from the other plate, its far face 10 mm, its rim between.
    assert 5 < found["average_surface_distance_mm"] < 10
    assert found["surface_dice"] == 0
    assert 0.4 < measures_of(one, other, (1.0, 1.0, 2.5), 5.0)["surface_dice"] < 0.6


def test_the_same_mask_agrees_wholly_also_where_it_fills_its_array():
    mask = np.ones((3, 4, 5), bool)
    found = measures_of(mask, mask, (0.5, 1.0, 2.0), 0.1)
    assert [found[k] for k in ("dice", "jaccard", "surface_dice")] == [1, 1, 1]
    assert found["hausdorff_mm"] == found["average_surface_distance_mm"] == 0


def test_areas_count_and_not_the_number_of_elements():
    # Of voxels of 1 x 1 x 5 mm, a side face is five times as large as one across z.
    shape = (8, 20, 20)
    one = block(shape, z=slice(0, 8), y=slice(5, 15), x=slice(5, 15))
    other = block(shape, z=slice(0, 8), y=slice(5, 15), x=slice(5, 16))
    found = measures_of(one, other, (1.0, 1.0, 5.0), 0.0)
    side = 10 * 40
    # One face of about 400 mm2 of the surface, of about 1800, is off by 1 mm, in both masks.
    assert found["surface_dice"] == pytest.approx(1 - side / (4 * side + 2 * 100), abs=0.03)
    assert found["average_surface_distance_mm"] == pytest.approx(
        1 - found["surface_dice"], rel=1e-9
    )


# Printed by the library for two networks' labels of one CT, example_seg.nii.gz as the truth. Of all 40
# structures that both have, none differs by more than 1e-14.
ON_REAL = {
    1: (0.9773608636411277, 0.9452150000431818, 3.0, 4.242640687119285, 0.16443676457295053),
    5: (0.9813551497743127, 0.9275802094201715, 3.0, 9.486832980505138, 0.2214031119661725),
    52: (0.9175495163519115, 0.8693030023538348, 3.0, 4.242640687119285, 0.39372091623488836),
}
MEASURES = (
    "dice",
    "surface_dice",
    "hausdorff_95_mm",
    "hausdorff_mm",
    "average_surface_distance_mm",
)


@pytest.mark.real
@pytest.mark.skipif(not DATA.is_dir(), reason="the shared real scans are not here")
@pytest.mark.parametrize("label", ON_REAL)
def test_the_numbers_are_those_of_the_library_on_real_labels(label):
    folder = DATA / "totalsegmentator"
    truth, found = (
        read_source(folder / f"{name}.nii.gz")[0] for name in ("example_seg", "example_seg_fast")
    )
    measured = measures_of(found.array == label, truth.array == label, truth.grid.spacing, 1.0)
    values = [measured[name] for name in MEASURES]
    assert values == pytest.approx(ON_REAL[label], abs=1e-9)
