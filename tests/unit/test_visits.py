"""Subjects and timepoints: how they are ordered, and what is no order."""

from datetime import date
from types import SimpleNamespace

import pytest
from scanmill.visits import elapsed, faults, moment, pairs


def test_a_timepoint_is_a_number_or_a_date():
    assert moment("10") > moment("9.5") > moment("-1")
    assert moment("2024-03-01") == date(2024, 3, 1)
    assert elapsed("2024-02-28", "2024-03-01") == 2 and elapsed("0.5", "3") == 2.5


@pytest.mark.parametrize(
    "text", ["baseline", "t1", "20240131", "2024-13-01", "2024-1-5", "1e3", "nan", "1,5"]
)
def test_what_is_neither_is_refused(text):
    with pytest.raises(ValueError, match=f"'{text}' was found; a number, or a date such as 2024-"):
        moment(text)


def rows(*visits, recipe="r", role="scan"):
    """Rows of a sheet from line 2 on. visits: subject and timepoint of each."""
    return [
        SimpleNamespace(
            recipe=recipe, role=role, line=n, extra={"subject": subject, "timepoint": timepoint}
        )
        for n, (subject, timepoint) in enumerate(visits, start=2)
    ]


@pytest.mark.parametrize(
    ("visits", "line", "column", "said"),
    [
        ([("a", "1"), ("a", "later")], 3, "timepoint", "'later' was found; a number"),
        ([("a", "1"), ("a", "")], 3, "timepoint", "'' was found; a number"),
        ([("", "1")], 2, "subject", "nothing was found beside a timepoint"),
        ([("a", "1"), ("b", "1"), ("a", "1.0")], 4, "timepoint", "line 2 has the same"),
        ([("a", "1"), ("a", "2024-01-31")], 3, "timepoint", "line 2 has a number"),
        ([("a", "2024-01-31"), ("a", "1")], 3, "timepoint", "line 2 has a date"),
    ],
)
def test_each_mistake_has_its_line_and_column(visits, line, column, said):
    ((found_line, found_column, text),) = faults(rows(*visits))
    assert (found_line, found_column) == (line, column) and said in text


def test_what_is_no_visit_is_no_mistake():
    assert not list(faults(rows(("", ""), ("a", "1"), ("b", "2024-01-31"), ("a", "2"))))
    assert not list(faults(rows(("a", "x"), role="atlas")))
    assert not list(faults([*rows(("a", "1")), *rows(("a", "1"), recipe="other")]))
    (alone,) = rows(("a", "x"))
    del alone.extra["subject"]
    assert not list(faults([alone]))


def test_pairs_are_neighbours_in_time_of_one_recipe():
    told = {
        case: {"recipe": recipe, "role": role, "extra": {"subject": subject, "timepoint": when}}
        for case, recipe, role, subject, when in (
            ("late", "r", "scan", "a", "10"),
            ("early", "r", "scan", "a", "2"),
            ("first", "r", "scan", "a", "-1"),
            ("other", "q", "scan", "a", "3"),
            ("alone", "r", "scan", "b", "1"),
            ("taught", "r", "atlas", "b", "2"),
            ("none", "r", "scan", "", ""),
        )
    }
    told["plain"] = {"recipe": "r", "role": "scan", "extra": {}}
    assert list(pairs(told)) == [("a", "first", "early"), ("a", "early", "late")]
