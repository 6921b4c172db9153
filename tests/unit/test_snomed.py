"""The check digit of SNOMED CT identifiers."""

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scanmill import snomed

DATA = Path(os.environ.get("SCANMILL_DATA", Path(__file__).parents[3] / "shared" / "data"))


def test_the_kidney_and_its_misprints():
    assert snomed.is_identifier("64033007")
    for misprint in ("64033008", "46033007", "64030307", "6403307", "064033007", "64033007 ", ""):
        assert not snomed.is_identifier(misprint)


@given(st.integers(10**5, 10**16))
def test_every_number_has_exactly_one_snomed_check_digit(number):
    assert sum(snomed.is_identifier(f"{number}{digit}") for digit in range(10)) == 1


@pytest.mark.real
def test_published_snomed_codes_pass():
    path = DATA / "totalsegmentator" / "totalsegmentator_snomed_mapping.csv"
    if not path.exists():
        pytest.skip("the shared real scans are not here")
    with open(path, encoding="utf-8") as stream:
        codes = {
            value
            for row in csv.DictReader(stream)
            for column, value in row.items()
            if column.endswith("CodeValue") and value
        }
    assert len(codes) > 50
    assert [code for code in codes if not snomed.is_identifier(code)] == []
