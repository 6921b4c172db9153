"""Pseudonyms tell nothing but the case; the original identity is told by name."""

from datetime import datetime

import pytest
from export_samples import CASE, FRAME, GRIDS, KEY, PLANTED, SERIES, STUDY, found_on
from pydicom import Dataset, dcmread
from pydicom.uid import UID
from scanmill.export.identity import Original, Pseudonyms

DE_IDENTIFIED = Pseudonyms(KEY, CASE)


def header(**said):
    made = found_on(GRIDS["axial"]).header()
    for keyword, value in said.items():
        setattr(made, keyword, value)
    return made


def days(earlier, later):
    return (datetime.strptime(later, "%Y%m%d") - datetime.strptime(earlier, "%Y%m%d")).days


def test_a_uid_has_one_pseudonym_for_each_key():
    pseudonyms = {Pseudonyms(key, CASE).uid(STUDY) for key in (KEY, KEY[::-1], b"x" * 32)}
    assert len(pseudonyms) == 3
    assert DE_IDENTIFIED.uid(STUDY) == Pseudonyms(KEY, CASE).uid(STUDY)
    # A study belongs to one patient, and the objects' patient is the case.
    assert DE_IDENTIFIED.uid(STUDY) != Pseudonyms(KEY, "another").uid(STUDY)
    uids = [DE_IDENTIFIED.uid(uid) for uid in (STUDY, SERIES, FRAME)]
    assert len(set(uids)) == 3
    for uid in uids:
        assert UID(uid).is_valid and uid.startswith("2.25.") and STUDY not in uid


def test_a_derived_uid_depends_on_each_part_and_on_where_they_part():
    parts = [("a", "b"), ("ab",), ("a", "", "b"), ("a", "c")]
    for identity in (DE_IDENTIFIED, Original()):
        assert len({identity.derived(*p) for p in parts}) == len(parts)
    assert DE_IDENTIFIED.derived("uid") != DE_IDENTIFIED.uid("")


def test_only_what_is_listed_is_told():
    told = DE_IDENTIFIED.subject(header())
    filled = {e.keyword: str(e.value) for e in told if str(e.value)}
    assert filled.pop("StudyDate") != PLANTED["StudyDate"]
    assert filled.pop("DeidentificationMethod")
    assert filled == {
        "PatientName": CASE,
        "PatientID": CASE,
        "PatientIdentityRemoved": "YES",
        "LongitudinalTemporalInformationModified": "MODIFIED",
        "StudyTime": "101500",
    }


def test_dates_of_one_patient_keep_their_intervals_and_go_back():
    for patient in ("A", "B", "PLANTID123"):
        found = header(PatientID=patient)
        moved = [DE_IDENTIFIED.date(found, d) for d in ("20190704", "20200229", "20200301")]
        assert days(moved[0], moved[1]) == days("20190704", "20200229")
        assert days(moved[1], moved[2]) == 1
        assert 1 <= days(moved[0], "20190704") <= 3650


def test_patients_are_shifted_differently():
    moved = {DE_IDENTIFIED.date(header(PatientID=str(n)), "20190704") for n in range(50)}
    assert len(moved) > 40
    assert (
        len({Pseudonyms(bytes([n]) * 32, CASE).date(header(), "20190704") for n in range(50)}) > 40
    )


def test_studies_without_a_patient_id_are_not_linked():
    one, other = (header(PatientID="", StudyInstanceUID=uid) for uid in ("1.2.3", "1.2.4"))
    assert DE_IDENTIFIED.date(one, "20190704") != DE_IDENTIFIED.date(other, "20190704")


@pytest.mark.parametrize(
    "date", ["", "2019", "2019111", "20190231", "4 July 2019", "00010101", "planted"]
)
def test_what_is_no_date_is_left_out(date):
    assert DE_IDENTIFIED.date(header(), date) == ""


@pytest.mark.parametrize(
    ("time", "told", "own"),
    [
        ("101530.123456", "101500", "101530.123456"),
        ("1015", "101500", "1015"),
        ("10", "100000", "10"),
        ("101530 ", "101500", "101530"),
        ("10:15:30", "", ""),
        ("251530", "", ""),
        ("planted", "", ""),
    ],
)
def test_times_are_told_in_whole_minutes(time, told, own):
    assert (DE_IDENTIFIED.time(time), Original().time(time)) == (told, own)


def test_two_studies_of_a_patient_keep_their_interval_in_different_cases():
    moved = [
        Pseudonyms(KEY, case).subject(header(StudyDate=date, StudyInstanceUID=uid)).StudyDate
        for case, date, uid in (("a", "20190704", "1.2.3"), ("b", "20191204", "1.2.4"))
    ]
    assert days(*moved) == days("20190704", "20191204")


def test_names_in_other_character_sets_go_back_as_text(tmp_path):
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    made = header(PatientName=name, StudyDescription="検査")
    made.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    made.save_as(tmp_path / "one.dcm", implicit_vr=False, little_endian=True)
    told = Original().subject(dcmread(tmp_path / "one.dcm", force=True))
    told.SpecificCharacterSet = "ISO_IR 192"
    told.save_as(tmp_path / "two.dcm", implicit_vr=False, little_endian=True)
    assert name.encode() in (tmp_path / "two.dcm").read_bytes()
    again = dcmread(tmp_path / "two.dcm", force=True)
    assert (str(again.PatientName), again.StudyDescription) == (name, "検査")


def test_how_a_source_was_de_identified_goes_back_with_it():
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    methods = ["first by hand", "then by profile"]
    told = Original().subject(
        header(
            PatientIdentityRemoved="YES",
            DeidentificationMethod=methods,
            DeidentificationMethodCodeSequence=[code],
        )
    )
    assert list(told.DeidentificationMethod) == methods
    assert told.DeidentificationMethodCodeSequence[0] == code


def test_the_original_identity_is_the_source_s_own():
    told = Original().subject(header())
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "StudyID"):
        assert str(told[keyword].value) == PLANTED[keyword]
    assert told.PatientSex == "F"
    for keyword in ("PatientComments", "InstitutionName", "OperatorsName"):
        assert keyword not in told
    assert Original().uid(STUDY) == STUDY
    assert Original().date(header(), "20190704") == "20190704"


def test_an_empty_header_gives_empty_attributes():
    for identity in (DE_IDENTIFIED, Original()):
        told = identity.subject(Dataset())
        assert told.StudyDate == told.StudyTime == told.AccessionNumber == ""
