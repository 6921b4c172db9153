"""What a cell asks for, and that exactly one series answers it: no server needed."""

import pytest
from scanmill.pacs.query import Query, QueryError, Series, find, parse
from scanmill.places import CellError, Places
from scanmill.problem import SettingsError
from scanmill.refusal import Refusal


class Shelf:
    """A PACS of a list of series; it filters by the keys that it knows, as servers do."""

    def __init__(self, *series, knows=("StudyInstanceUID", "SeriesInstanceUID", "PatientID")):
        self.held, self.knows = series, knows

    def studies(self, wanted):
        return self._having(wanted)

    def series(self, study, wanted):
        return self._having(dict(wanted) | ({"StudyInstanceUID": study} if study else {}))

    def _having(self, wanted):
        known = {key: value for key, value in wanted.items() if key in self.knows}
        return [s for s in self.held if all(str(s.get(k)) == v for k, v in known.items())]


def one(uid, number, study="1.2", stated=3, **more):
    return {
        "StudyInstanceUID": study,
        "SeriesInstanceUID": uid,
        "SeriesNumber": number,
        "NumberOfSeriesRelatedInstances": stated,
    } | more


def test_a_uid_alone_and_keywords():
    assert parse("dicomweb: 1.2.3 ") == Query("dicomweb", {}, {"SeriesInstanceUID": "1.2.3"})
    asked = parse("dimse:PatientID=a b; SeriesDescription=T1 *;StudyDate=20240131;")
    assert asked.server == "dimse"
    assert asked.study == {"PatientID": "a b", "StudyDate": "20240131"}
    assert asked.series == {"SeriesDescription": "T1 *"}
    assert "a b" not in repr(asked)


WRONG = {
    "dicomweb:": "SeriesInstanceUID has a value that it cannot have; a UID",
    "dicomweb:DOE": "a UID would be right",
    "dicomweb:1.02": "a UID would be right",
    "dicomweb:1." + "2" * 64: "a UID would be right",
    "dimse:Modality=CT": "one of them would be right",
    "dimse:PatientID=*": "without wildcards",
    "dimse:PatientID=DOE;PatientName=DOE": "keyword that is not known",
    "dimse:PatientID=DOE;PatientID=DOE": "PatientID was found twice",
    "dimse:PatientID=a\\DOE": "without wildcards",
    "dimse:StudyInstanceUID=1.2;SeriesNumber=DOE": "a whole number",
    "dimse:StudyInstanceUID=1.2;StudyDate=2024-01-31": "a day such as",
}


@pytest.mark.parametrize("cell, right", WRONG.items())
def test_what_no_pacs_understands(cell, right):
    with pytest.raises(QueryError) as caught:
        parse(cell)
    assert right in " ".join(caught.value.args) and "DOE" not in " ".join(caught.value.args)


def test_one_series_is_found_by_what_tells_it_apart():
    shelf = Shelf(
        one("1.2.1", "01", PatientID="P"), one("1.2.2", 2, PatientID="P"), one("9.1", 1, "9")
    )
    assert find(shelf, parse("dimse:1.2.2")) == Series("1.2", "1.2.2", 2, 3)
    assert find(shelf, parse("dimse:StudyInstanceUID=1.2;SeriesNumber=1")).uid == "1.2.1"
    assert find(shelf, parse("dimse:PatientID=P;SeriesNumber=02")).uid == "1.2.2"


def test_a_server_that_ignores_a_key_does_not_choose_for_the_user():
    shelf = Shelf(one("1.2.1", 1, SeriesDescription="AX T2 [post]"))
    with pytest.raises(Refusal) as caught:
        find(shelf, parse("dimse:StudyInstanceUID=1.2;SeriesDescription=AX T1*"))
    assert caught.value.code == "pacs-none"
    with pytest.raises(Refusal, match="pacs-none"):
        find(shelf, parse("dimse:StudyInstanceUID=1.2;Modality=CT"))
    asked = parse("dimse:StudyInstanceUID=1.2;SeriesDescription=ax t2 [*]")
    assert find(shelf, asked).uid == "1.2.1"


def test_several_are_listed_by_number_never_by_name():
    held = [one(f"1.2.{n}", n, SeriesDescription="DOE") for n in range(25)]
    held += [one("9.9", "", "9", stated=None)]
    for series in held:
        series["PatientID"] = "DOE"
    with pytest.raises(Refusal) as caught:
        find(Shelf(*held), parse("dimse:PatientID=DOE"))
    assert caught.value.code == "pacs-several"
    reason = caught.value.reason
    assert "26 series of 2 studies" in reason and "number 7 (3 instances)" in reason
    assert "and 6 more" in reason and "DOE" not in reason and "1.2." not in reason


def test_an_answer_twice_is_one_series():
    shelf = Shelf(one("1.2.1", 1), one("1.2.1", 1))
    assert find(shelf, parse("dimse:1.2.1")).uid == "1.2.1"


@pytest.fixture
def places(tmp_path, monkeypatch):
    path = tmp_path / "site.yaml"
    path.touch(0o600)
    path.write_text("dimse: {host: p, port: 104, called: P}")
    monkeypatch.setenv("SCANMILL_SITE", str(path))
    return Places(tmp_path, frozenset())


def test_a_cell_is_checked_before_any_job(places):
    assert places.scan("dimse:1.2.3") == "dimse:1.2.3"
    assert places.labels("dimse:1.2.3", None, False) == ((None, "dimse:1.2.3"),)
    with pytest.raises(CellError, match="a UID would be right"):
        places.scan("dimse:DOE")
    with pytest.raises(CellError, match="describes no such server"):
        places.scan("dicomweb:1.2.3")


def test_a_wrong_site_file_is_told_at_its_own_place(places, tmp_path):
    (tmp_path / "site.yaml").write_text("dimse: {host: p, port: 0, called: P}")
    with pytest.raises(SettingsError) as caught:
        places.scan("dimse:1.2.3")
    assert caught.value.problems[0].file == str(tmp_path / "site.yaml")
