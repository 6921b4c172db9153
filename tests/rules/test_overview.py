"""The page of a cohort: what it says is what the tables say, and it is the same every time."""

import json
import re

import numpy as np
import pytest
from cohort_to_overview import FAR, LACKING, REASON, REFUSED, STALE, name, put_cohort, run_overview
from scanmill.checks.columns import SHAPES
from scanmill.mesh_file import write_surface
from scanmill.overview.shapes import DRAWN, VIEWS
from scanmill.surface import Surface
from test_report import Reader

CASES, ORGANS = 24, 3


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return put_cohort(tmp_path_factory.mktemp("cohort"), CASES, ORGANS)


@pytest.fixture(scope="module")
def page(told):
    return run_overview(told)


@pytest.fixture(scope="module")
def read(page):
    return Reader(page.read_text(encoding="utf-8"))


def drawn_of(page):
    """What the browser draws of a page: its measures."""
    text = page.read_text(encoding="utf-8").partition('id="data">')[2].partition("</script>")[0]
    return json.loads(text)["measures"]


def rows(read, part):
    """The attributes of the rows of cases."""
    return [said for tag, said in read.elements if tag == "tr" and part in said]


def test_every_case_has_a_line_that_leads_to_its_page(read):
    lines = rows(read, "data-kinds")
    assert len(lines) == CASES
    links = read.of("a", "href")
    for n in range(CASES):
        assert f"../cases/{name(n)}/report.html" in links
    assert "gone" not in read.text


def test_refused_warned_and_outlying_cases_are_said_to_be(read):
    kinds = [said["data-kinds"].split() for said in rows(read, "data-kinds")]
    assert [n for n, found in enumerate(kinds) if "refused" in found] == list(REFUSED)
    assert [n for n, found in enumerate(kinds) if "warned" in found] == [5, 7]
    assert "outlying" in kinds[FAR]
    assert f"{REASON} slices-missing" in read.text
    assert read.text.count(f"stale {STALE[1]}") == 1
    codes = [said["data-codes"].split() for said in rows(read, "data-kinds")]
    assert codes[LACKING] == ["structure-empty"] and codes[REFUSED[0]] == ["slices-missing"]


def test_the_planted_outlier_is_the_farthest_and_measured_as_in_the_table(read, told):
    listed = read.text.partition("An outlier is farther")[2].partition("Refusals")[0]
    first = re.search(r"(case-\d+) organ-1 Volume ([\d.]+) mL", listed)
    assert first[1] == name(FAR)
    with open(told["measurements"]) as stream:
        header, *lines = (line.rstrip("\n").split(",") for line in stream if '"' not in line)
    found = [dict(zip(header, line, strict=False)) for line in lines]
    (row,) = [r for r in found if (r["case"], r["structure"]) == (name(FAR), "organ-1")]
    assert float(first[2]) == pytest.approx(float(row["volume_mm3"]) / 1000, rel=1e-3)


def test_thumbnails_are_in_the_page_and_refused_cases_have_none(read):
    pictures = read.of("img", "src")
    assert len(pictures) == CASES - len(REFUSED)
    assert all(picture.startswith("data:image/png;base64,") for picture in pictures)
    assert len(set(pictures)) == len(pictures)


def test_a_quantity_is_shown_of_the_modality_that_it_has_a_scale_in(told, page):
    provenance = told["provenance"].with_name("of_mr.json")
    provenance.write_text(told["provenance"].read_text().replace('"CT"', '"MR"'))
    other = run_overview(told | {"provenance": provenance, "page": page.with_name("of_mr.html")})
    drawn = [drawn_of(path) for path in (page, other)]
    quantities = [{measure["quantity"] for measure in measures} for measures in drawn]
    assert quantities[0] - quantities[1] == {5}


def test_tables_of_other_rules_are_shown_where_they_are(told, read):
    assert "Changes between timepoints" in read.text and "s<1>" in read.text
    assert "-12.35" in read.text and "Agreement with references" not in read.text
    without = told | {"tables": [], "page": told["page"].with_name("without.html")}
    text = Reader(run_overview(without).read_text(encoding="utf-8")).text
    assert "Changes between timepoints" not in text


def test_how_shapes_vary_is_drawn_where_it_is_known(told, page, tmp_path):
    table = tmp_path / "shapes.csv"
    table.write_text(f"{','.join(SHAPES)}\ntorso,organ-1,ok,,20,3{',1' * (len(SHAPES) - 6)}\n")
    folder = tmp_path / "shapes" / "torso" / "organ-1" / "surfaces"
    folder.mkdir(parents=True)
    points = np.array([[0.0, 0, 0], [9, 0, 0], [0, 8, 0], [0, 0, 7]])
    for file in DRAWN.values():
        write_surface(folder / file, Surface(points, np.array([[0, 2, 1], [0, 1, 3]])))
    more = told | {"tables": [table], "page": page.with_name("shapes.html")}
    names = Reader(run_overview(more).read_text(encoding="utf-8")).of("svg", "aria-label")
    assert names == [f"organ-1 {view}: mean and first mode" for view in VIEWS]
    assert "How shapes vary" not in page.read_text(encoding="utf-8")


def test_cases_that_a_table_marks_can_be_found(told):
    section = {"show": "table", "file": "changes.csv", "title": "C", "mark": "changed"}
    changed = told | {"page": told["page"].with_name("marked.html")}
    page = run_overview(changed, sections=[{"show": "cases"}, section])
    read = Reader(page.read_text(encoding="utf-8"))
    marked = [n for n, s in enumerate(rows(read, "data-kinds")) if "changed" in s["data-kinds"]]
    assert marked == [0, 1] and "2 changed" in read.text
    assert "Methods" not in read.text


def test_the_page_asks_for_no_other_file_and_leads_only_to_cases(page, told):
    text = page.read_text(encoding="utf-8")
    for tag, attributes in Reader(text).elements:
        for key in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(key, "#")
            assert value.startswith(("data:", "#", "../cases/case-")), (tag, value)
    assert "default-src 'none'" in text
    assert str(told["page"].parents[2]) not in text


def test_the_same_cohort_gives_the_same_bytes(told, page):
    before = page.read_bytes()
    assert run_overview(told).read_bytes() == before


def test_a_cohort_of_which_nothing_was_measured_has_a_page(told, tmp_path):
    alone = put_cohort(tmp_path, 4, 1)
    lines = alone["cases"].read_text().splitlines()
    kept = [lines[0], lines[1 + REFUSED[0]]]
    alone["cases"].write_text("\n".join(kept) + "\n")
    lines = alone["measurements"].read_text().splitlines()
    alone["measurements"].write_text("\n".join([lines[0], lines[1 + REFUSED[0]]]) + "\n")
    text = Reader(run_overview(alone).read_text(encoding="utf-8")).text
    assert "Cohort of 1 case " in text and "Nothing was measured." in text
