"""Slices of a case's page: points of the patient are where pictures show them; sides are right."""

import base64
import io
import math

import numpy as np
import pytest
from PIL import Image
from scanmill.grid import Grid
from scanmill.report.picture import around, cropped, outline, picture, visible, whole
from scanmill.report.png import png
from scanmill.report.view import facing, views
from scanmill.report.window import BONE, LUNG, SOFT, Window, of_image, of_structure

SIZE, SPACING, ORIGIN = (40, 30, 20), (1.0, 1.5, 4.0), (-12.0, 31.0, 7.0)
GREY = Window(0, 255, "all")


def grids() -> dict[str, Grid]:
    tilt = math.radians(25)
    oblique = (
        *(math.cos(tilt), 0.0, math.sin(tilt)),
        *(0.0, 1.0, 0.0),
        *(-math.sin(tilt), 0.0, math.cos(tilt)),
    )
    directions = {
        "straight": (1, 0, 0, 0, 1, 0, 0, 0, 1),
        "flipped": (-1, 0, 0, 0, -1, 0, 0, 0, 1),
        "downwards": (1, 0, 0, 0, 1, 0, 0, 0, -1),
        "sagittal": (0, 0, 1, 1, 0, 0, 0, 1, 0),
        "coronal": (1, 0, 0, 0, 0, 1, 0, -1, 0),
        "oblique": oblique,
    }
    return {
        name: Grid(SIZE, SPACING, ORIGIN, tuple(map(float, direction)))
        for name, direction in directions.items()
    }


EACH = pytest.mark.parametrize("grid", grids().values(), ids=grids().keys())


@EACH
def test_a_marked_voxel_is_at_the_place_of_its_point_in_each_view(grid):
    index = (31, 4, 16)
    image = np.zeros(grid.shape, np.uint8)
    image[index[::-1]] = 255
    point = grid.to_physical(np.array(index))
    for view in views(grid):
        plane = view.cut(image, view.slice_of(point))
        row, column = (int(n[0]) for n in np.nonzero(plane))
        middle = (column + 0.5) * view.pixel[0], (row + 0.5) * view.pixel[1]
        assert view.place(point) == pytest.approx(middle)
        assert view.extent == pytest.approx(
            (plane.shape[1] * view.pixel[0], plane.shape[0] * view.pixel[1])
        )


@EACH
def test_each_view_hangs_the_patient_as_radiologists_do(grid):
    middle = grid.to_physical((np.array(grid.size) - 1) / 2)
    hung = {"axial": "R L A P", "coronal": "R L S I", "sagittal": "A P S I"}
    assert [view.name for view in views(grid)] == list(hung)
    for view in views(grid):
        marks = view.marks()
        sides = [marks[edge] for edge in ("left", "right", "top", "bottom")]
        assert [side[0] for side in sides] == hung[view.name].split()
        # The point a centimetre to the patient's left (posterior, superior) is nearer to that edge.
        for edge, step in (("right", (1, 0)), ("bottom", (0, 1))):
            towards = np.zeros(3)
            towards["LPS".find(marks[edge][0])] = 10
            if marks[edge][0] == "I":
                towards = np.array([0, 0, -10.0])
            moved = view.place(middle + towards) - view.place(middle)
            assert moved @ step > 8


def test_an_edge_that_faces_two_sides_names_both_the_nearest_first():
    assert facing(np.array([0.9, -0.43, 0.0])) == "LA"
    assert facing(np.array([-0.05, 0.05, 0.998])) == "S"


def test_a_picture_has_the_proportions_of_the_patient_and_a_bar_of_whole_millimetres():
    grid = grids()["straight"]
    image = np.zeros(grid.shape, np.int16)
    axial, coronal, _ = views(grid)
    assert picture(axial, image, 0, GREY, 999).frame == (0, 0, 40, 45)
    shown = picture(coronal, image, 29, GREY, 999)
    assert shown.frame == shown.placed == (0, 0, 40, 80)
    assert (shown.bar, shown.slice, shown.slices) == (10, 30, 30)


def test_a_coarser_picture_has_the_means_and_lies_where_the_finer_did():
    grid = grids()["straight"]
    image = np.arange(np.prod(SIZE), dtype=np.int32).reshape(grid.shape) % 251
    axial = views(grid)[0]
    shown = cropped(axial, axial.cut(image, 3), 3, GREY, whole(axial), 14)
    pixels = np.asarray(Image.open(io.BytesIO(decoded(shown.image))))
    assert pixels.shape == (10, 14)
    assert pixels[0, 0] == round(float(image[3, :3, :3].mean()))
    assert shown.frame == (0, 0, 40, 45) and shown.placed == (0, 0, 42, 45)


def decoded(url: str) -> bytes:
    return base64.b64decode(url.removeprefix("data:image/png;base64,"))


def test_a_png_is_read_back_by_others_as_it_was():
    grey = np.random.default_rng(3).integers(0, 256, (37, 53)).astype(np.uint8)
    read = Image.open(io.BytesIO(png(grey)))
    assert read.mode == "L" and (np.asarray(read) == grey).all()


def test_the_part_about_a_structure_has_room_and_is_not_slim():
    mask = np.zeros((200, 100), bool)
    mask[40:140, 48:52] = True
    part = around(mask, (1.0, 0.5), margin=0.2, least=20)
    assert (part.top, part.bottom) == (20, 160)
    assert part.right - part.left == pytest.approx(0.7 * 50, abs=1)
    assert (part.left + part.right) / 2 == pytest.approx(50, abs=1)


def test_an_outline_runs_between_the_pixels_inside_and_outside():
    mask = np.zeros((10, 10), bool)
    mask[2:5, 3:7] = True
    path = outline("one", "#112233", mask, (2.0, 3.0)).path
    points = np.array([[float(x) for x in pair.split()] for pair in path[1:-1].split("L")])
    assert path.startswith("M") and path.endswith("Z")
    assert points.min(axis=0).tolist() == [6.0, 6.0]
    assert points.max(axis=0).tolist() == [14.0, 15.0]


def test_a_dark_colour_gets_white_and_a_bright_one_stays():
    assert visible("#33cc55") == "#33cc55"
    dark = np.array(list(bytes.fromhex(visible("#00007f")[1:])), float)
    assert dark @ (0.299, 0.587, 0.114) == pytest.approx(130, abs=1)
    assert dark[2] > dark[0] == dark[1]


@pytest.mark.parametrize(("value", "expected"), [(-800, LUNG), (40, SOFT), (900, BONE)])
def test_a_structure_of_a_ct_has_the_window_of_its_values(value, expected):
    image = np.full((4, 4, 4), value, np.int16)
    assert of_structure(image, of_image(image, hounsfield=True)) == expected


def test_without_hounsfield_units_the_window_is_of_percentiles_for_all_structures():
    image = np.tile(np.arange(1001.0), (7, 7, 1))
    whole_scan = of_image(image, hounsfield=False)
    assert whole_scan.low == pytest.approx(10, abs=3) and whole_scan.high == pytest.approx(
        995, abs=3
    )
    assert of_structure(image, whole_scan) == whole_scan
    assert GREY.grey(np.array([-5, 0, 100.4, 300])).tolist() == [0, 0, 100, 255]
