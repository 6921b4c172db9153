import numpy as np
import pytest
from cylinder_samples import cylinder_wall, volumes
from scanmill.simulation.body import SIDES
from scanmill.simulation.skin import FACES, owners, skin

AROUND = 12
WALL = cylinder_wall(4.0, 6.0, 5.0, around=AROUND, layers=2, along=3)


def area_vectors(faces):
    a, b, c = WALL.points[faces[:, :3]].transpose(1, 0, 2)
    return np.cross(b - a, c - a) / 2.0


def test_the_sample_is_the_wall_between_two_prisms_of_regular_polygons():
    polygons = 0.5 * AROUND * np.sin(2 * np.pi / AROUND) * (6.0**2 - 4.0**2)
    assert volumes(WALL).min() > 0
    assert volumes(WALL).sum() == pytest.approx(polygons * 5.0)
    assert len(WALL.cells) == AROUND * 2 * 3 * 2 * 3


def test_the_skin_is_closed_and_looks_outwards():
    faces = skin(WALL.cells)
    assert len(faces) == sum(len(named) for named in WALL.faces.values())
    assert np.allclose(area_vectors(faces).sum(axis=0), 0.0)
    middle = WALL.points[faces[:, :3]].mean(axis=1)
    assert (middle * area_vectors(faces)).sum() / 3.0 == pytest.approx(volumes(WALL).sum())


def test_named_faces_look_outwards():
    radial = WALL.points[WALL.faces["inner"][:, :3]].mean(axis=1) * [1, 1, 0]
    assert ((radial * area_vectors(WALL.faces["inner"])).sum(axis=1) < 0).all()
    assert (area_vectors(WALL.faces["top"])[:, 2] > 0).all()
    assert (area_vectors(WALL.faces["bottom"])[:, 2] < 0).all()


def test_middles_lie_between_the_corners_of_their_sides():
    faces = skin(WALL.cells)
    between = WALL.points[faces[:, SIDES]].mean(axis=2)
    assert np.allclose(WALL.points[faces[:, 3:]], between)


def test_owners_find_cell_and_face_also_between_two_cells():
    cells = WALL.cells
    inside = cells[:, FACES[2]]
    cell, face = owners(cells, inside)
    assert (cell == np.arange(len(cells))).all() and (face == 2).all()
    rolled = inside[:, [1, 2, 0, 4, 5, 3]]
    assert (owners(cells, rolled)[0] == cell).all()


def test_faces_that_look_inwards_have_no_owner():
    with pytest.raises(ValueError, match="3 faces"):
        owners(WALL.cells, WALL.faces["inner"][:3, [0, 2, 1, 5, 4, 3]])
