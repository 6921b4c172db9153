"""Projections against the integrals they stand for; metal against a scan without it."""

import numpy as np
import pytest
from scanmill.grid import Grid
from scanmill.phantom.body import Cylinder
from scanmill.phantom.metal import METALS, MISLEADING_HU, SPECTRUM, WATER, _water_length, with_metal
from scanmill.phantom.point_spread import SAMPLES
from scanmill.phantom.projection import Beam, project, reconstruct, softened
from scanmill.phantom.rendering import occupancy

GRID = Grid((96, 80, 3), (1.6, 2.0, 3.0), (40.0, -70.0, 15.0))
MIDDLE = GRID.to_physical((np.asarray(GRID.size) - 1) / 2)


def filled(radii, offset, length):
    body = Cylinder(radii=radii, length=length, centre=tuple(MIDDLE + offset))
    return occupancy(body, GRID) / SAMPLES


BODY = filled((66, 64), (0, 0, 0), 100)
CLEAN = -1000 + 1040 * BODY
METAL = filled((5, 5), (14, -9, 0), 100)


def test_projections_of_an_ellipse_are_its_chords():
    offset, (a, b) = np.array((14.0, -9.0)), (33.0, 25.0)
    beam = Beam(GRID.shape[1:], GRID.spacing[:2])
    views = project(filled((a, b), (*offset, 0), 100)[1], beam)
    place = (np.arange(beam.rays) - (beam.rays - 1) / 2) * beam.pitch
    for view in range(0, len(beam.angles), 17):
        angle = beam.angles[view]
        towards = np.array((np.cos(angle), np.sin(angle)))
        width = np.hypot(a * towards[0], b * towards[1])
        inside = 1 - ((place - offset @ towards) / width) ** 2
        chord = 2 * a * b / width * np.sqrt(np.maximum(inside, 0))
        clear = inside > 0.3
        assert views[view][clear] == pytest.approx(chord[clear], rel=0.02)
        assert (views[view][inside < -0.25] == 0).all()
        assert views[view].sum() * beam.pitch == pytest.approx(np.pi * a * b, rel=5e-3)


def test_back_projection_gives_the_slice_back():
    smooth = np.exp(-(((np.indices(GRID.shape[1:]).T - (35, 40)) / (9, 12)) ** 2).sum(axis=-1)).T
    beam = Beam(GRID.shape[1:], GRID.spacing[:2])
    assert reconstruct(softened(project(smooth, beam)), beam) == pytest.approx(smooth, abs=0.015)


def test_water_length_undoes_the_hardening_of_water():
    for length in (0.0, 7.0, 150.0, 420.0):
        loss = -np.log(np.exp(-length * WATER) @ SPECTRUM)
        assert _water_length(loss) == pytest.approx(length, abs=0.05)
    # Ti and Fe attenuate more than water at each energy, and less the higher it is.
    for metal in METALS.values():
        assert (metal > WATER).all() and (np.diff(metal) < 0).all()


def test_without_metal_only_noise_is_added():
    scan, misleading = with_metal(CLEAN, np.zeros(GRID.shape), GRID, "iron", photons=1e6, seed=1)
    inside = BODY == 1
    assert (scan - CLEAN)[inside].mean() == pytest.approx(0, abs=0.3)
    noise = (scan - CLEAN)[inside].std()
    fewer, _ = with_metal(CLEAN, np.zeros(GRID.shape), GRID, "iron", photons=2.5e5, seed=1)
    assert (fewer - CLEAN)[inside].std() == pytest.approx(2 * noise, rel=0.1)
    assert not misleading.any()


def test_metal_streaks_and_the_mask_is_what_is_off():
    found = {}
    for material in METALS:
        scan, misleading = with_metal(CLEAN, METAL, GRID, material, photons=1e5, seed=1)
        assert (misleading == (np.abs(scan - CLEAN) > MISLEADING_HU)).all()
        assert misleading[METAL > 0.5].all()
        found[material] = misleading.mean()
        y, x = np.indices(GRID.shape[1:])
        apart = np.hypot((x - 47.5) * 1.6 - 14, (y - 39.5) * 2.0 + 9)
        near = (BODY[1] == 1) & (apart > 8) & (apart < 20)
        far = (BODY[1] == 1) & (apart > 45)
        off = (scan - CLEAN)[1]
        assert off[near].std() > 3 * off[far].std()
        assert np.abs(off[far].mean()) < 5
        assert scan.max() == 3071
    # The denser metal misleads farther.
    assert found["iron"] > 1.5 * found["titanium"] > 0


def test_slices_that_hold_no_metal_are_right():
    metal = METAL * np.array([0, 1, 0])[:, None, None]
    _, misleading = with_metal(CLEAN, metal, GRID, "iron", photons=1e6, seed=2)
    assert misleading[1].any()
    assert not misleading[[0, 2]].any()


def test_the_same_seed_gives_the_same_streaks():
    first = with_metal(CLEAN, METAL, GRID, "titanium", photons=1e5, seed=3)[0]
    assert (with_metal(CLEAN, METAL, GRID, "titanium", photons=1e5, seed=3)[0] == first).all()
    assert (with_metal(CLEAN, METAL, GRID, "titanium", photons=1e5, seed=4)[0] != first).any()
