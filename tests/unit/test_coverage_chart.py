"""The picture of the intervals' calibration: where its points, its line and its band lie."""

import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[2] / "docs"))
from coverage_chart import coverage_chart

SVG = "{http://www.w3.org/2000/svg}"


@given(st.lists(st.floats(5, 100), min_size=1, max_size=8), st.integers(20, 2000))
def test_calibrated_coverages_lie_on_the_charts_diagonal_and_in_its_frame(coverages, number):
    chart = ElementTree.fromstring(coverage_chart([(c, c) for c in coverages], number))
    start, end = (
        [float(v) for v in point.split()]
        for point in chart.findall(f"{SVG}path")[-1].get("d").lstrip("M").split("L")
    )
    circles = chart.findall(f"{SVG}circle")
    assert len(circles) == len(coverages)
    for circle in circles:
        x, y = float(circle.get("cx")), float(circle.get("cy"))
        part = (x - start[0]) / (end[0] - start[0])
        assert -0.001 <= part <= 1.001
        assert y == pytest.approx(start[1] + part * (end[1] - start[1]), abs=0.11)


def test_too_few_hits_lie_below_the_charts_band_and_as_many_as_chance_allows_within():
    # Of 400 intervals of 95 %, chance leaves 1.959964 * sqrt(0.95 * 0.05 / 400) = 2.1 % either way.
    chart = ElementTree.fromstring(coverage_chart([(50, 50), (95, 92), (95, 93.5)], 400))
    corners = chart.find(f"{SVG}polygon").get("points").split()
    points = [tuple(map(float, corner.split(","))) for corner in corners]
    lower = sorted(points[len(points) // 2 :])
    _, few, allowed = (
        (float(c.get("cx")), float(c.get("cy"))) for c in chart.findall(f"{SVG}circle")
    )
    at = np.interp(few[0], *zip(*lower, strict=True))
    assert few[1] > at > allowed[1]
