"""What there is to watch while a network learns."""

import math
import xml.etree.ElementTree as ElementTree

from scanmill.learning.curve import Point, write_curve

CURVE = [Point(10, 1.9, [0.25, math.nan]), Point(20, 0.5, [0.5, math.nan])]
SVG = "{http://www.w3.org/2000/svg}"


def test_the_table_has_a_column_a_structure(tmp_path):
    write_curve(tmp_path, CURVE, ["left", "right"], 40)
    assert (tmp_path / "curve.tsv").read_text() == (
        "iteration\tloss\tdice_left\tdice_right\n10\t1.9000\t0.2500\t\n20\t0.5000\t0.5000\t\n"
    )


def test_the_picture_has_a_line_a_structure_and_ends_where_the_curve_does(tmp_path):
    write_curve(tmp_path, CURVE, ["a < b", "right"], 40)
    picture = ElementTree.parse(tmp_path / "curve.svg").getroot()
    loss, first, second = (line.get("points") for line in picture.iter(f"{SVG}polyline"))
    (x, y), (right, half) = ([float(v) for v in p.split(",")] for p in first.split())
    # Losses above 1 end at the top, where a Dice of 1 would stand; half of the training is done.
    top = float(loss.split()[0].split(",")[1])
    assert half - top == (y - top) * 2 / 3 and second == ""
    middle = next(text.get("x") for text in picture.iter(f"{SVG}text") if text.text == "20")
    assert right == float(middle) and x < right
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert "a < b: 0.500" in texts and "right" in texts and "40" in texts
