"""How far a shape may be from what the others tell before it is flagged."""

import numpy as np
import pytest
from scanmill.checks.shapes import distance


def distances(**changed: float) -> dict[str, float]:
    """Of thirty cases, mm, about 1.5, but for some."""
    usual = 1.5 * np.exp(np.random.default_rng(7).normal(0, 0.15, 30))
    return {f"c{n}": float(mm) for n, mm in enumerate(usual)} | changed


def test_a_shape_that_is_far_from_the_others_is_flagged_and_a_near_one_is_not():
    (flag,) = distance("liver", distances(c3=6.0, c8=0.1), None).flags(1)
    assert (flag["case"], flag["check"], flag["low"]) == ("c3", "shape", 0.0)
    assert flag["high"] < 3
    assert "How far liver, but for 5 % of its surface, lies from" in flag["message"]
    assert (
        f"make is 6 mm; among the 30 cases that have it, 0 to {flag['high']:.3g} mm"
        in flag["message"]
    )


def test_another_cohorts_model_tells_what_is_far():
    told = tuple(distances().values())
    (flag,) = distance("liver", {"one": 1.6, "two": 4.5}, told).flags(1)
    (own,) = distance("liver", distances(c3=6.0), None).flags(1)
    assert flag["case"] == "two" and flag["high"] == pytest.approx(own["high"], rel=0.05)
    assert "of its shape model" in flag["message"]
