"""Seeds as people and 3D Slicer write them: what is read, and what each mistake is called."""

import json

import pytest
from scanmill.problem import SettingsError
from scanmill.seed_file import Seed, read_seeds

TABLE = "structure\tx\ty\tz\tradius_mm\ntumour\t12.5\t-80\t1e2\t3\nbackground\t-1\t2\t-3\t\n"
FCSV = (
    "# Markups fiducial file version = 4.11\n# CoordinateSystem = {frame}\n"
    "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
    "1,-12.5,80,100,0,0,0,1,1,1,0,tumour-1,,\n"
)


def markups(frame="RAS", **more) -> str:
    points = [
        {"label": "tumour-1", "position": [-12.5, 80, 100], "positionStatus": "defined"},
        {"label": "tumour-2", "position": [0, 0, 0], "positionStatus": "preview"},
    ]
    markup = {"type": "Fiducial", "coordinateSystem": frame, "controlPoints": points} | more
    return json.dumps({"markups": [markup]})


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder, name, text) -> list[str]:
    path = write(folder, name, text)
    with pytest.raises(SettingsError) as caught:
        read_seeds(path)
    return [line.removeprefix(f"{path}:") for line in str(caught.value).split("\n")]


def test_a_table_is_in_lps(tmp_path):
    assert read_seeds(write(tmp_path, "s.tsv", TABLE)) == [
        Seed("tumour", (12.5, -80, 100), 3, 2),
        Seed("background", (-1, 2, -3), None, 3),
    ]


@pytest.mark.parametrize("name", ["s.mrk.json", "s.fcsv"])
@pytest.mark.parametrize("frame, sign", [("RAS", 1), ("LPS", -1)])
def test_markups_say_their_own_frame(tmp_path, name, frame, sign):
    text = markups(frame) if name.endswith("json") else FCSV.format(frame=frame)
    (seed,) = read_seeds(write(tmp_path, name, text))
    assert seed.point == (sign * 12.5, sign * -80, 100)
    assert seed.is_of("tumour") and seed.is_of("tumour-1") and not seed.is_of("tumour-2")


@pytest.mark.parametrize("number, sign", [("0", 1), ("1", -1)])
def test_older_markups_number_the_frames(tmp_path, number, sign):
    (seed,) = read_seeds(write(tmp_path, "s.fcsv", FCSV.format(frame=number)))
    assert seed.point == (sign * 12.5, sign * -80, 100)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("\tz\t", "\tZ\t", ["1:15: the column 'Z' is unknown; ", "1:1: the column 'z' is missing"]),
        ("12.5", "nan", ["2:8: 'x': 'nan' was found; LPS mm"]),
        ("-80", "inf", ["2:13: 'y': 'inf' was found; LPS mm"]),
        ("1e2", "", ["2:17: 'z': '' was found; LPS mm"]),
        ("\t3\n", "\t-3\n", ["2:21: 'radius_mm': '-3' was found; a number of mm from 0"]),
        ("tumour", "", ["2:1: 'structure': nothing was found"]),
        ("\t2\t-3", "", ["3:1: 3 of 5 cells were found"]),
        ("\t", ",", ["1:1: the header is separated by commas; tabs"]),
    ],
)
def test_each_mistake_in_a_table_is_named_where_it_stands(tmp_path, old, new, said):
    found = problems(tmp_path, "s.tsv", TABLE.replace(old, new))
    assert len(found) == len(said)
    for text, start in zip(sorted(found), sorted(said), strict=True):
        assert text.startswith(start)


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("s.mrk.json", markups(None), "no coordinate system was found; one of LPS and RAS"),
        ("s.mrk.json", markups("IJK"), "the coordinate system 'IJK' was found"),
        ("s.mrk.json", markups(type="Curve"), "a markup of type 'Curve' was found; 'Fiducial'"),
        ("s.mrk.json", markups(coordinateUnits="cm"), "coordinates in 'cm' were found; mm"),
        ("s.mrk.json", markups(controlPoints=[]), "the file holds no seed"),
        ("s.mrk.json", markups(controlPoints=[{"label": "a"}]), "this is no file of markups"),
        ("s.mrk.json", markups().replace("80", "NaN"), "the point 'tumour-1' has no place"),
        ("s.mrk.json", markups().replace("tumour-1", " "), "a point without a label"),
        ("s.mrk.json", "[1]", "this is no file of markups"),
        ("s.mrk.json", "{", "this is no file of markups"),
        ("s.fcsv", FCSV.replace("# Coord", "# Other"), "no coordinate system was found"),
        ("s.fcsv", FCSV.format(frame="2"), "the coordinate system '2' was found"),
        ("s.fcsv", FCSV.format(frame="RAS").replace("-12.5", "x"), "the point 'tumour-1' has no"),
        ("s.fcsv", "1,2,3\n", "this is no .fcsv of 3D Slicer"),
        ("s.tsv", "structure\tx\ty\tz\n", "the file holds no seed"),
    ],
)
def test_each_mistake_in_markups_is_named(tmp_path, name, text, said):
    (found,) = problems(tmp_path, name, text)
    assert found.startswith(f"1:1: {said}")
