"""Measurements of twins against the truth: rows, their summary, the page and the picture."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.label_map_files import write_label_map
from scanmill.validation.comparison import dice_of, errors_of
from scanmill.validation.page import BEGIN, END, challenge_table, page, with_table
from scanmill.validation.plot import svg
from scanmill.validation.summary import summarised
from test_validation_coverage import block

KNOWN = {"volume": 1000.0, "area": 600.0, "mean": -40.0}
KNOWN |= {"centroid_x": 1.0, "centroid_y": 2.0, "centroid_z": 3.0}


def truth(challenge="", **structures):
    origin = {"twin_of": "one", "recipe": "organs", "draw": 2, "challenge": challenge}
    return origin | {"structures": structures, "absent": ["kidney"]}


def measured(**cells):
    return {"status": "ok", "code": "", **{key: str(value) for key, value in cells.items()}}


SCAN = {
    "twin_of": "one",
    "recipe": "organs",
    "noise": {"sd": 12.25, "distribution": "rician"},
    "blur_voxels": [0.5, 0.5, 0.0],
    "scan_spacing_mm": [0.78, 0.78, 5.0],
    "bias_log_sd": 0.1,
}
REFUSED = {"status": "refused", "code": "structure-empty", "volume_mm3": ""}


def errors(volume=990.0, challenge="", **cells):
    row = measured(volume_mm3=volume, stat_mean=-38, **cells)
    return errors_of(
        truth(challenge, liver=KNOWN), {"liver": row, "kidney": REFUSED}, {"liver": 0.97}
    )


def test_each_quantity_has_its_error_in_its_unit_and_in_percent():
    rows = {r["quantity"]: r for r in errors(centroid_x_mm=1, centroid_y_mm=5, centroid_z_mm=7)}
    volume = rows["volume_mm3"]
    assert (volume["true"], volume["measured"], volume["error"]) == (1000, 990, -10)
    assert volume["error_percent"] == pytest.approx(-1)
    assert (volume["case"], volume["draw"], volume["recipe"]) == ("one", 2, "organs")
    assert rows["stat_mean"]["error"] == 2 and "error_percent" not in rows["stat_mean"]
    assert rows["centroid"]["error"] == pytest.approx(5) and rows["centroid"]["unit"] == "mm"
    assert rows["dice"]["error_percent"] == pytest.approx(-3)
    # Not measured is no error of any size.
    assert "measured" not in rows["surface_area_mm2"] and "error" not in rows["surface_area_mm2"]


@pytest.mark.parametrize(("low", "high", "told"), [(950, 1001, "yes"), (1001, 1100, "no")])
def test_an_interval_holds_the_truth_or_does_not(low, high, told):
    rows = errors(volume_low_mm3=low, volume_high_mm3=high)
    assert [r["in_interval"] for r in rows if r["quantity"] == "volume_mm3"] == [told]
    assert {r["in_interval"] for r in errors() if "in_interval" in r} == {""}


def test_what_was_not_there_and_is_found_all_the_same_is_told():
    found = {
        "liver": measured(volume_mm3=1000),
        "kidney": measured(volume_mm3="", morph_vol_approx=70),
    }
    (row,) = [r for r in errors_of(truth(liver=KNOWN), found, {}) if r["structure"] == "kidney"]
    assert (row["code"], row["true"], row["measured"]) == ("falsely-found", 0, 70)
    rows = [row, *errors()]
    assert {s["structure"] for s in summarised(rows)} == {"liver"}
    assert "kidney (organs)" in page(summarised(rows), rows, [SCAN], "errors.svg")


def test_the_summary_tells_bias_spread_worst_and_what_was_missed():
    rows = errors(990, volume_low_mm3=900, volume_high_mm3=1100)
    rows += errors(1030, volume_low_mm3=1010, volume_high_mm3=1100)
    rows += errors_of(truth(liver=KNOWN), {"liver": REFUSED, "kidney": REFUSED}, {})
    rows += errors(1200, challenge="noise")
    found = {(s["challenge"], s["quantity"]): s for s in summarised(rows)}
    plain = found["", "volume_mm3"]
    assert (plain["twins"], plain["missed"], plain["unit"]) == (3, 1, "%")
    assert plain["bias"] == pytest.approx(1) and plain["worst"] == pytest.approx(3)
    assert plain["sd"] == pytest.approx(np.std([-1, 3], ddof=1))
    assert plain["in_interval_percent"] == 50
    assert found["noise", "volume_mm3"]["bias"] == pytest.approx(20)
    text = page(summarised(rows), rows, [SCAN], "errors.svg")
    assert "| organs | liver | 3 | 1 | +1.0 ± 2.8 | +3.0 | 50 % |" in text
    assert "## Noise twice as strong" in text and "| +20.0 | +20.0 |" in text


def test_the_page_tells_what_the_scans_were_found_to_be():
    rows = errors()
    text = page(summarised(rows), rows, [SCAN, SCAN], "errors.svg")
    line = "| one | organs | 0.78 x 0.78 x 5 | 12.2 (rician) | 0.5 x 0.5 x 0.0 | 0.100 |"
    assert text.count(line) == 1


def test_each_challenge_has_a_line_of_all_its_structures():
    rows = errors(990, volume_low_mm3=900, volume_high_mm3=1100)
    rows += errors(1030, volume_low_mm3=1010, volume_high_mm3=1100)
    rows += errors_of(truth(liver=KNOWN), {"liver": REFUSED, "kidney": REFUSED}, {})
    rows += errors(1200, challenge="noise")
    rows += errors_of(
        truth(liver=KNOWN),
        {"liver": measured(volume_mm3=1000), "kidney": measured(morph_vol_approx=70)},
        {},
    )
    assert challenge_table(rows).splitlines()[2:] == [
        "| scanned like the cohort | 3 | 1 | 1.0 | 2.8 | 50 % | 0.970 |",
        "| noise twice as strong | 1 | 0 | 20.0 | 20.0 |  | 0.970 |",
    ]


def test_a_readme_keeps_all_but_what_stands_between_its_marks():
    readme = f"# Mill\n\n{BEGIN}\nold\n{END}\n\nMore.\n"
    written = with_table(readme, "| new |")
    assert written == f"# Mill\n\n{BEGIN}\n\n| new |\n\n{END}\n\nMore.\n"
    assert with_table(written, "| new |") == written
    with pytest.raises(ValueError, match="marked"):
        with_table(f"# Mill\n{END}\n{BEGIN}\n", "| new |")


def test_our_readme_has_a_place_for_the_table():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert with_table(readme, challenge_table(errors())) != readme


def test_the_picture_has_a_mark_for_each_twin_and_arrows_for_those_beyond():
    rows = [r for n in range(60) for r in errors(1000 + n / 10)] + errors(5000, challenge="bias")
    picture = ElementTree.fromstring(svg(rows))
    space = "{http://www.w3.org/2000/svg}"
    dots = [c for c in picture.iter(space + "circle") if c.get("r") == "2.5"]
    beyond = [p for p in picture.iter(space + "path") if p.get("fill")]
    assert len(dots) == 60 and len(beyond) == 1
    assert any(t.text == "liver (organs)" for t in picture.iter(space + "text"))
    # Zero is in the middle, and errors grow to the right.
    places = [float(c.get("cx")) for c in dots]
    assert places == sorted(places) and places[0] == pytest.approx(520)


def test_nothing_measured_still_gives_a_picture():
    assert ElementTree.fromstring(svg([])).tag.endswith("svg")


def test_dice_is_of_whole_structures_also_under_others(tmp_path):
    grid = Grid((12, 12, 12), (1.0, 1.0, 2.0), (-7.0, 5.0, 40.0), (0, -1, 0, 1, 0, 0, 0, 0, 1))
    box = (slice(2, 10),) * 3
    labels = LabelMap.empty(grid, 2)
    labels.paint(1, Region(box, np.ones((8, 8, 8), bool)))
    labels.paint(2, Region((slice(4, 6),) * 3, np.ones((2, 2, 2), bool)))
    names = {"organ": 1, "tumour": 2}
    write_label_map(tmp_path / "labels.nii.gz", tmp_path / "overlaps", labels, names)

    def of(low, high):
        ends = grid.to_physical(np.array([low, high]) - 0.5)
        return block(np.abs(ends[1] - ends[0]), ends.mean(axis=0))

    surfaces = {"organ": of((2, 2, 2), (10, 10, 10)), "tumour": of((4, 4, 5), (6, 6, 7))}
    found = dice_of(tmp_path, surfaces, names)
    assert found == {"organ": pytest.approx(1.0), "tumour": pytest.approx(0.5)}
