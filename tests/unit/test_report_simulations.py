"""Pictures of what was simulated: where points are, which colours stress has, what is said."""

import csv

import numpy as np
import pytest
import pyvista
from cylinder_samples import cylinder_wall
from scanmill.columns import COLUMNS
from scanmill.report.shape import (
    CLASSES,
    SHADES,
    SIDES,
    Canvas,
    Shape,
    broadest,
    palette,
    scale,
)
from scanmill.report.simulations import simulated
from scanmill.simulation.body import Elastic, Fixed, Problem
from scanmill.simulation.equilibrium import solve
from scanmill.simulation.stress_map import write_skin_map

PLACE = np.array([12.0, -34.0, 56.0])


def ball(radius=10.0):
    found = pyvista.Sphere(radius=radius, center=PLACE, theta_resolution=40, phi_resolution=40)
    return np.asarray(found.points, float), found.regular_faces


def classes_of(drawn: np.ndarray) -> np.ndarray:
    """Of each pixel: -2 where nothing is drawn, -1 for grey, else the class."""
    return np.where(drawn == 0, -2, (drawn.astype(int) - 1) // SHADES - 1)


FRONT, BACK = SIDES[1]


@pytest.mark.parametrize(("side", "nearer"), [(FRONT, -1), (BACK, 1)])
def test_what_is_nearer_hides_what_is_behind_and_sides_are_the_patients(side, nearer):
    points, triangles = ball()
    middles = points[triangles].mean(axis=1) - PLACE
    # The half that looks to the eye has two colours, by the patient's left; the other half is grey.
    left = np.where(middles[:, 0] > 0, CLASSES - 1, 0)
    classes = np.where(nearer * middles[:, 1] > 0, left, -1)
    canvas = Canvas.around(points, side)
    seen = classes_of(canvas.drawn(Shape(points, triangles, classes)))
    inside = seen > -2
    assert inside.sum() * canvas.pixel**2 == pytest.approx(np.pi * 100, rel=0.02)
    assert (seen == -1).sum() < 0.02 * inside.sum()
    columns = np.nonzero(seen == CLASSES - 1)[1].mean(), np.nonzero(seen == 0)[1].mean()
    assert (columns[0] > columns[1]) == (side.marks["right"] == "L")
    row, column = np.argwhere(inside).mean(axis=0)
    middle = canvas.places(PLACE[None])[0]
    assert (np.array([column, row]) + 0.5) * canvas.pixel == pytest.approx(middle[:2], abs=0.1)
    above = canvas.places(PLACE[None] + [0, 0, 5])[0] - middle
    assert above[1] == pytest.approx(-5) and side.marks["top"] == "S"


@pytest.mark.parametrize("side", [side for pair in SIDES for side in pair], ids=lambda s: s.name)
def test_marks_are_where_the_patients_sides_are(side):
    assert np.linalg.det(side.axes) == pytest.approx(1)
    letters = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0)}
    letters |= {"S": (0, 0, 1), "I": (0, 0, -1)}
    right, down, away = side.axes
    assert (letters[side.marks["right"]] == right).all()
    assert (letters[side.marks["bottom"]] == down).all()
    for first, second in (("left", "right"), ("top", "bottom")):
        pair = letters[side.marks[first]], letters[side.marks[second]]
        assert (np.array(pair[0]) == -np.array(pair[1])).all()
    names = {"front": "A", "back": "P", "left": "L", "right": "R", "head": "S", "feet": "I"}
    assert (letters[names[side.name.split()[-1]]] == -away).all()


def test_the_side_is_that_from_which_most_is_seen():
    points = np.array([[0.0, 0, 0], [9, 4, 20]])
    assert broadest(points) == SIDES[1]
    assert broadest(points[:, [1, 0, 2]]) == SIDES[0]
    assert broadest(points[:, [0, 2, 1]]) == SIDES[2]


def test_colours_rise_in_brightness_and_fit_a_palette():
    assert len(palette()) == 1 + SHADES * (1 + CLASSES) <= 256
    brightness = scale() @ [0.299, 0.587, 0.114]
    assert (np.diff(brightness) > 0).all()


def test_large_and_small_triangles_leave_no_hole():
    points = np.array([[0.0, 0, 0], [300, 0, 0], [300, 0, 300], [0, 0, 300], [301, 0, 300]])
    triangles = np.array([[0, 1, 2], [0, 2, 3], [1, 4, 2]])
    canvas = Canvas.around(points, FRONT)
    seen = canvas.drawn(Shape(points, triangles, np.zeros(3, int))) > 0
    rows, columns = np.nonzero(seen)
    box = seen[rows.min() : rows.max() + 1, columns.min() : columns.max()]
    assert box[:, :-2].all()


@pytest.fixture(scope="module")
def pulled(tmp_path_factory):
    """A ring between its ends, as simulate leaves it; its row, and the folder."""
    folder = tmp_path_factory.mktemp("simulation")
    ring = cylinder_wall(10.0, 15.0, 8.0, around=24, layers=1, along=3)
    problem = Problem(ring, {"wall": Elastic(10.0, 0.3)}, {"top": 0.1}, {"bottom": Fixed()})
    body = type(ring)(ring.points, ring.cells, ring.parts, {
        "held": ring.faces["bottom"], "pressed": ring.faces["top"]
    })  # fmt: skip
    write_skin_map(folder / "ring-stress.vtp", body, solve(problem))
    row = dict.fromkeys(COLUMNS, "") | {"structure": "ring", "simulation_solver": "ScanMill"}
    return row, folder


def test_the_skin_of_an_organ_is_shown_with_its_stress_and_moved(pulled):
    row, folder = pulled
    (found,) = simulated([row, row | {"structure": "other"}], [folder], [])
    assert (found.name, found.solver) == ("ring", "ScanMill")
    assert found.shown.startswith("Equivalent stress of von Mises")
    # 0.1 N/mm2 along it, and what its foot, which is held, adds.
    assert 0.09 < found.most < 0.2
    assert len(found.colours) == CLASSES and found.larger >= 1
    front, back, moved = found.pictures
    assert front.image != back.image and f"{found.larger:g} times" in moved.name
    assert [outline.name for outline in moved.outlines] == ["as scanned"]
    assert not front.outlines and not front.labels


def test_nothing_is_shown_where_nothing_was_simulated(tmp_path):
    assert list(simulated([dict.fromkeys(COLUMNS, "") | {"structure": "a"}], [], [])) == []
    assert list(simulated([dict.fromkeys(COLUMNS, "") | {"structure": "a"}], [tmp_path], [])) == []


def test_the_section_of_the_largest_diameter_is_where_it_is(pulled, tmp_path):
    row, folder = pulled
    place = {"x": 0.0, "y": 0.0, "z": 4.0}
    with open(tmp_path / "ring.csv", "w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow([f"{axis}_mm" for axis in "xyz"] + [f"along_{axis}" for axis in "xyz"])
        table.writerows([[0, 0, -20, 1, 0, 0], [0, 0, 4, 0, 0, 1]])
    told = {f"section_max_diameter_{axis}_mm": str(value) for axis, value in place.items()}
    told["section_max_diameter_mm"] = "30.5"
    front, back, _ = next(simulated([row | told], [folder], [tmp_path])).pictures
    for picture in (front, back):
        ((x, _, text),) = picture.labels
        assert text == "30.5 mm"
        # The ring lies flat: seen from the head, its rim is all around the middle.
        assert x == pytest.approx(picture.frame[2] / 2 + 15, abs=0.6)
        (outline,) = picture.outlines
        assert outline.path.count("M") > 24
