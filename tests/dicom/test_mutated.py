"""Thousands of damaged series: each is the truth or a refusal, within time and memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mutated_readings import BASES

EACH = 1000  # inputs of each of a dozen bases


@pytest.mark.slow
@pytest.mark.parametrize("base", BASES)
def test_a_damaged_series_is_the_truth_or_a_refusal(base, tmp_path):
    script = Path(__file__).with_name("mutated_readings.py")
    command = [sys.executable, script, tmp_path / "scan", base, "0", str(EACH)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ran.returncode == 0, (lines[-1:], ran.stderr[-2000:])
    assert not [line for line in lines if "wrong" in line]
    assert lines[-1]["refused"] + lines[-1]["read"] == EACH
    assert min(lines[-1].values()) > EACH // 20


def test_more_than_ten_thousand_inputs_are_tried():
    assert EACH * len(BASES) > 10_000
