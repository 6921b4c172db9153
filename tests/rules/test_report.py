"""The report stage: a page that is whole, says what the results say, and is the same every time."""

import csv
import json
import re
from html.parser import HTMLParser

import pytest
from case_to_report import put_case, run_report
from earlier import LABELS, REFUSED, organ, put_refused
from scanmill.sidecar import read_sidecar

UNTREATED = {"metal": "off", "bias": "off", "noise": "off"}
SMOOTHED = {"metal": "mark", "bias": "off", "noise": "diffusion"}


class Reader(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.said, self.hidden = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.hidden = tag in ("script", "style")

    def handle_endtag(self, tag):
        self.hidden = False

    def handle_data(self, data):
        if not self.hidden:
            self.said.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.said).split())

    def of(self, name, key):
        return [found[key] for tag, found in self.elements if tag == name and key in found]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return put_case(tmp_path_factory.mktemp("cases") / "case-one", SMOOTHED)


@pytest.fixture(scope="module")
def page(inputs):
    return run_report(inputs)


def test_the_page_says_what_the_results_say(page, inputs):
    read = Reader(page.read_text(encoding="utf-8"))
    assert "case-one" in read.text and "2 of 2 structures measured" in read.text
    for row in inputs["measurements"].read_text().splitlines()[1:]:
        cells = row.split(",")
        assert cells[1] in read.text
    said = read_sidecar(inputs["measurements"])
    assert said["warnings"]
    for warning in said["warnings"]:
        assert warning["message"] in read.text
    assert "organ & its <rim>" in read.text
    noise = read_sidecar(inputs["isotropic"])["corrections"]["noise"]
    assert (
        f"standard deviation {noise['sd_before']:.3g} before, {noise['sd_after']:.3g} after"
        in read.text
    )
    # Overview, structures, and the scan as acquired, corrected and smoothed: three views of each.
    assert len(read.of("image", "href")) == 3 * (1 + 2 + 3)


def test_volumes_and_intervals_are_those_of_the_table(page, inputs):
    header, *rows = (line.split(",") for line in inputs["measurements"].read_text().splitlines())
    text = Reader(page.read_text(encoding="utf-8")).text
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        told = re.search(rf"{cells['structure']} ([\d.]+) \(([\d.]+) to ([\d.]+)\)", text)
        exact = [float(cells[f"volume_{end}mm3"]) / 1000 for end in ("", "low_", "high_")]
        assert [float(value) for value in told.groups()] == pytest.approx(exact, rel=1e-3)


def test_the_page_asks_for_no_other_file_and_names_none(page, inputs):
    text = page.read_text(encoding="utf-8")
    read = Reader(text)
    for tag, attributes in read.elements:
        for key in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(key, "").startswith(("data:", "#")) or key not in attributes, tag
    assert "default-src 'none'" in text
    assert str(inputs["volume"].parent.parent) not in text


def test_the_same_case_gives_the_same_bytes(page, inputs):
    before = page.read_bytes()
    assert run_report(inputs).read_bytes() == before
    assert read_sidecar(page)["status"] == "ok"


def test_a_structure_that_others_lie_in_is_seen_through_and_each_can_be_hidden(page):
    boxes = [
        found
        for tag, found in Reader(page.read_text(encoding="utf-8")).elements
        if tag == "input" and "data-body" in found
    ]
    assert ["data-around" in box for box in boxes] == [True, False]


@pytest.mark.parametrize("masks", [{}, {"organ": organ()}], ids=["none", "one"])
def test_structures_that_were_not_found_are_said_to_be(tmp_path, masks):
    page = run_report(put_case(tmp_path / "case-one", UNTREATED, masks))
    read = Reader(page.read_text(encoding="utf-8"))
    assert f"{len(masks)} of 2 structures measured" in read.text
    lacking = [name for name in LABELS if name not in masks]
    assert f"{', '.join(lacking)}: no voxel was found structure-empty" in read.text
    assert len(read.of("image", "href")) == 3 * (1 + len(masks) + 2)
    assert ("Nothing was measured" in read.text) == (not masks)


LOAD = {"held": "inferior", "pressed": "superior", "force": 100, "depth": 5}
PRESSED = {"edge": 7, "material": {"young": 500, "poisson": 0.3}, "load": LOAD}


@pytest.mark.slow
def test_what_was_simulated_is_shown_with_its_scale_and_numbers(tmp_path):
    inputs = put_case(tmp_path / "case-one", UNTREATED, solid=PRESSED)
    page = run_report(inputs)
    read = Reader(page.read_text(encoding="utf-8"))
    assert "Equivalent stress of von Mises at the surface, as solved by ScanMill." in read.text
    (scale,) = (a["aria-label"] for _, a in read.elements if a.get("class") == "scale")
    assert re.search(r"from 0 to [\d.]+ N/mm² and above$", scale)
    assert len(read.of("image", "href")) == 3 * (1 + 2 + 2) + 3
    with open(inputs["measurements"], newline="") as stream:
        row = next(csv.DictReader(stream))
    told = re.search(r"Stiffness N/mm .*? organ ([\d.]+) ", read.text)
    assert float(told[1]) == pytest.approx(float(row["stiffness_n_per_mm"]), rel=1e-3)
    assert page.stat().st_size < 8e6
    before = page.read_bytes()
    assert run_report(inputs).read_bytes() == before


def test_what_could_not_be_simulated_is_said_to_be(tmp_path):
    solid = PRESSED | {"load": LOAD | {"depth": 0.001}}
    page = run_report(put_case(tmp_path / "case-one", UNTREATED, solid=solid))
    text = Reader(page.read_text(encoding="utf-8")).text
    assert "organ was not simulated: side-bare" in text
    assert "simulation/organ-failed.ply is its surface" in text
    assert "Stress of organs" not in text


def test_a_refused_case_has_a_page_that_says_why(inputs, tmp_path):
    folder = tmp_path / "case-two"
    refused = {name: put_refused(folder / path.name) for name, path in inputs.items() if path}
    refused |= {"centrelines": [], "simulations": []}
    page = run_report(refused)
    text = Reader(page.read_text(encoding="utf-8")).text
    assert REFUSED["reason"] in text and REFUSED["code"] in text and "case-two" in text
    said = json.loads((folder / "report.json").read_text())
    assert (said["status"], said["code"]) == ("refused", REFUSED["code"])
