"""How shapes vary, as the cohort's page draws it: of the right size, seen from the right side."""

import csv
import re

import numpy as np
import pytest
import pyvista as pv
from scanmill.checks.columns import SHAPES
from scanmill.mesh_file import write_surface
from scanmill.overview.shapes import DRAWN, VIEWS, shadow, shapes_of, view
from scanmill.surface import Surface

RADII = np.array([30.0, 20.0, 10.0])


def ellipsoid(longer=0.0) -> Surface:
    """About the origin, LPS mm, with a thorn to the patient's left, front and head."""
    ball = pv.Icosphere(radius=1, nsub=3)
    points = np.asarray(ball.points, float) * (RADII + longer)
    points[np.argmax(points @ [1, -1, 1])] = [60, -50, 40]
    return Surface(points, ball.regular_faces.astype(np.int64))


def corners(path: str) -> np.ndarray:
    return np.array(re.findall(r"(-?[\d.]+) (-?[\d.]+)", path), float)


def test_a_shadow_has_the_area_of_what_casts_it():
    ball = pv.Icosphere(radius=1, nsub=3)
    points = np.asarray(ball.points, float)[:, :2] * [30, 20] + [35, 25]
    mask = shadow(points, ball.regular_faces, np.array([70.0, 50.0]), 0.25)
    assert mask.sum() * 0.25**2 == pytest.approx(np.pi * 30 * 20, rel=0.03)


@pytest.mark.parametrize(
    ("name", "right"), [("from the front", True), ("from the left", False), ("from the feet", True)]
)
def test_shapes_are_seen_as_slices_are_hung(name, right):
    drawn = view(name, {"mean": ellipsoid()})
    points = corners(drawn.paths["mean"])
    top = points[np.argmin(points[:, 1])]
    assert (top[0] > drawn.size[0] / 2) == right
    assert points[:, 1].min() < 0.2 * drawn.size[1] < 0.4 * drawn.size[1] < np.median(points[:, 1])
    assert (points.min(axis=0) > 0).all() and (points.max(axis=0) < drawn.size).all()


def test_all_shapes_lie_in_one_frame_and_in_millimetres():
    surfaces = {"minus": ellipsoid(-3), "mean": ellipsoid(), "plus": ellipsoid(3)}
    paths = view("from the front", surfaces).paths
    bottoms = [corners(paths[name])[:, 1].max() for name in surfaces]
    assert np.diff(bottoms) == pytest.approx([3, 3], abs=0.8)


def test_structures_without_a_model_have_no_picture(tmp_path):
    folder = tmp_path / "shapes" / "torso" / "liver" / "surfaces"
    folder.mkdir(parents=True)
    for file in DRAWN.values():
        write_surface(folder / file, ellipsoid())
    with open(tmp_path / "shapes.csv", "w", newline="") as stream:
        rows = csv.DictWriter(stream, SHAPES)
        rows.writeheader()
        rows.writerow({"recipe": "torso", "structure": "liver", "status": "ok"})
        rows.writerow({"recipe": "torso", "structure": "spleen", "status": "refused"})
    (found,) = shapes_of(tmp_path / "shapes.csv")
    assert found.structure == "liver" and [v.name for v in found.views] == list(VIEWS)
