"""How two files of results differ is told in terms of what they hold."""

import json

import numpy as np
import pytest
import trimesh
from scanmill.grid import Grid
from scanmill.mesh_file import write_surface
from scanmill.reproduction.differences import how
from scanmill.surface import Surface
from scanmill.volume_file import Volume, write_volume

GRID = Grid((4, 3, 2), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
TABLE = "case,structure,volume_mm3,code\na,liver,100,\na,spleen,50,\nb,liver,0.5,few\n"


@pytest.fixture
def pair(tmp_path):
    """Two files of one name in two folders."""

    def of(name):
        for folder in ("one", "other"):
            (tmp_path / folder).mkdir(exist_ok=True)
        return tmp_path / "one" / name, tmp_path / "other" / name

    return of


def told(pair, name, first, second):
    for path, content in zip(pair(name), (first, second), strict=True):
        path.write_text(content)
    return how(*pair(name))


def test_equal_bytes_do_not_differ(pair):
    assert told(pair, "a.csv", TABLE, TABLE) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("100", "101", "volume_mm3: 1 row, by up to 1 (1 %)"),
        ("few", "many", "code: 1 row"),
        ("0.5,few", ",few", "volume_mm3: 1 row"),
        ("b,liver,0.5,few\n", "", "rows missing: b liver"),
        ("few\n", "few\nc,liver,1,\n", "rows new: c liver"),
        ("volume_mm3", "volume", "columns missing: volume_mm3; columns new: volume"),
    ],
)
def test_tables(pair, old, new, said):
    assert told(pair, "a.csv", TABLE, TABLE.replace(old, new, 1)) == said


def test_rows_in_another_order_and_line_ends_are_told_by_the_bytes(pair):
    lines = TABLE.splitlines(keepends=True)
    assert "bytes" in told(pair, "a.csv", TABLE, "".join([lines[0], lines[2], lines[1], lines[3]]))
    assert "bytes" in told(pair, "b.csv", TABLE, TABLE.replace("\n", "\r\n"))


def test_the_page_of_a_cohort_may_tell_of_another_run_and_of_nothing_else(pair):
    page = '<p>a</p><section id="run"><p>1 s</p>\n</section><section id="c"></section>'
    assert told(pair, "report.html", page, page.replace("1 s", "22 s")) == ""
    assert "bytes" in told(pair, "report.html", page, page.replace("<p>a", "<p>b"))
    assert "bytes" in told(pair, "report.html", page, page.replace('"c"', '"d"'))


def test_what_a_run_tells_of_itself_may_differ_and_all_else_may_not(pair):
    cases = "case\tstatus\tmesh_seconds\tmesh_memory_mb\na\tok\t1.5\t90\n"
    assert told(pair, "cases.tsv", cases, cases.replace("1.5", "2")) == ""
    assert told(pair, "cases.tsv", cases, cases.replace("ok\t1.5", "refused\t2")) == "status: 1 row"
    assert told(pair, "cases.tsv", cases, "").startswith("rows missing: a; columns missing: case")
    known = {
        "command": "snakemake",
        "commit": "a",
        "lock_sha256": "b",
        "code": {"x": "y"},
        "sheet": {},
    }
    for key, value in {"command": "", "commit": None, "lock_sha256": "", "code": {}}.items():
        texts = json.dumps(known), json.dumps(known | {key: value})
        assert told(pair, "provenance.json", *texts) == ""
    texts = json.dumps(known), json.dumps(known | {"sheet": {"a": 1}})
    assert (
        told(pair, "provenance.json", *texts) == "sheet: {}, now nothing; sheet.a: nothing, now 1"
    )
    assert "bytes" in told(pair, "provenance.json", texts[0], texts[0][:-1])
    # Only of these two: a sheet may carry a column of such a name into the table.
    assert told(pair, "measurements.csv", "case,x_seconds\na,1\n", "case,x_seconds\na,2\n") != ""


def test_json_is_told_by_its_keys(pair):
    one, other = {"a": {"b": [1, 2]}, "c": "x"}, {"a": {"b": [1, 3]}, "d": None}
    said = told(pair, "a.json", json.dumps(one), json.dumps(other))
    assert said == "a.b.1: 2, now 3; c: x, now nothing; d: nothing, now None"
    assert "bytes" in told(pair, "a.json", '{"a": 1, "b": 2}', '{"b": 2, "a": 1}')
    many = [json.dumps({str(n): n + k for n in range(30)}) for k in (0, 1)]
    assert told(pair, "a.json", *many).endswith("; and 18 more")


def test_volumes_are_told_by_their_voxels(pair):
    paths = pair("labels.nii.gz")
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    changed = array.copy()
    changed[0, 0, :2] += (5, -7)
    write_volume(paths[0], Volume(array, GRID))
    write_volume(paths[1], Volume(changed, GRID))
    assert how(*paths) == "2 of 24 voxels, by up to 7"
    write_volume(
        paths[1], Volume(array, Grid(GRID.size, (1.0, 1.0, 3.0), GRID.origin, GRID.direction))
    )
    assert how(*paths).startswith("grid: ")
    write_volume(paths[1], Volume(array.astype(np.float32), GRID))
    assert "bytes" in how(*paths)
    paths[1].write_bytes(b"")
    assert "bytes, now 0" in how(*paths)


@pytest.mark.parametrize("suffix", ["ply", "stl", "obj", "vtp"])
def test_surfaces_are_told_by_points_and_volume(pair, suffix):
    paths = pair(f"ball.{suffix}")
    ball = trimesh.creation.icosphere(subdivisions=2, radius=10)
    points = np.array(ball.vertices)
    write_surface(paths[0], Surface(points, np.array(ball.faces)))
    moved = points.copy()
    moved[3] *= 1.05
    write_surface(paths[1], Surface(moved, np.array(ball.faces)))
    said = how(*paths)
    assert "1 of 162 points moved, by up to 0.5 mm" in said or suffix == "stl"
    assert f"volume {ball.volume:.6g} mm3, now " in said
    coarse = trimesh.creation.icosphere(subdivisions=1, radius=10)
    write_surface(paths[1], Surface(np.array(coarse.vertices), np.array(coarse.faces)))
    assert "320 triangles, now 42 points and 80 triangles" in how(*paths)
    assert f"now {coarse.volume:.6g}" in how(*paths)


def test_other_files_are_told_by_their_bytes(pair):
    assert told(pair, "model.glb", "abcd", "abxx") == "2 of 4 bytes"
    assert told(pair, "model.glb", "abcd", "ab") == "4 bytes, now 2"


def test_cases_that_an_earlier_sheet_had_are_none_of_the_run(pair):
    cases = "case\tstatus\na\tok\n"
    assert told(pair, "cases.tsv", cases + "gone\tstale\n", cases) == ""
    assert told(pair, "cases.tsv", cases + "gone\trefused\n", cases) == "rows missing: gone"


def test_the_fingerprint_of_the_code_is_not_compared_in_each_sidecar(pair):
    assert told(pair, "labels.json", '{"library": "a", "b": 1}', '{"library": "c", "b": 1}') == ""
    assert told(pair, "labels.json", '{"library": "a", "b": 1}', '{"library": "a", "b": 2}') != ""
    # Equal to Python, and not to the reader of a file.
    assert "bytes" in told(pair, "labels.json", '{"b": 1}', '{"b": 1.0}')
