"""Which segment a structure is: by name, else by code and side, else none."""

import pytest
from pydicom.sr.coding import Code
from scanmill.refusal import Refusal
from scanmill.segmentation.segment_match import matching
from scanmill.source.segments.segment import Segment

SCT_KIDNEY, SRT_KIDNEY = Code("64033007", "SCT", "Kidney"), Code("T-71000", "SRT", "Kidney")


def structure(*named, laterality=None, code="64033007"):
    return {
        "name": "kidney",
        "code": {"scheme": "SCT", "value": code, "meaning": "Kidney"},
        "laterality": laterality,
        "segment": {"method": "labels", "value": 2, "named": list(named), "steps": []},
    }


def listed(*segments):
    return [Segment(name, None, *rest) for name, *rest in segments]


@pytest.mark.parametrize(
    ("named", "name"),
    [
        ("kidney", "Kidney"),
        ("Kidney", " KIDNEY "),
        ("kid*", "Kidney_L"),
        ("kidney?l", "kidney l"),
        ("ptv [60 gy]", "PTV [60 Gy]"),
    ],
)
def test_by_name(named, name):
    assert matching(structure("other", named), listed(("liver",), (name,), ("kin",))) == 1


def test_a_name_counts_for_more_than_a_code():
    segments = listed(("liver", SCT_KIDNEY), ("kidney", Code("1", "SCT", "")))
    assert matching(structure("kidney"), segments) == 1


@pytest.mark.parametrize("code", [SCT_KIDNEY, SRT_KIDNEY])
def test_by_code(code):
    segments = listed(("a", Code("10200004", "SCT", "Liver")), ("b", code), ("c",))
    assert matching(structure("kidney"), segments) == 1


def test_by_code_and_side():
    segments = listed(("a", SCT_KIDNEY, "left"), ("b", SCT_KIDNEY, "right"))
    assert matching(structure("kidney", laterality="right"), segments) == 1
    with pytest.raises(Refusal) as refusal:
        matching(structure("kidney"), segments)
    assert refusal.value.code == "labels-ambiguous"


@pytest.mark.parametrize(
    ("named", "code"), [("doe*", "labels-ambiguous"), ("kidney", "structure-empty")]
)
def test_none_and_several_are_told_without_names(named, code):
    segments = listed(("Doe 1",), ("Doe 2",), ("liver", Code("1", "SCT", "")))
    with pytest.raises(Refusal, match="of the 3 segments") as refusal:
        matching(structure(named), segments)
    assert refusal.value.code == code and "doe" not in refusal.value.reason.lower()


def test_numbers_say_nothing():
    with pytest.raises(Refusal):
        matching(structure("kidney"), listed(("1",), ("2",)))
