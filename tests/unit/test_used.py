"""What a process says that it used."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from scanmill import used
from scanmill.used import Used

SCRIPTS = Path(__file__).parents[2] / "scripts"


def said(code: str, log: Path) -> Used | None:
    with open(log, "w") as stream:
        command = [sys.executable, "-c", f"from scanmill import used\n{code}\nused.tell()"]
        subprocess.run(command, env={"PYTHONPATH": str(SCRIPTS)}, stdout=stream, check=True)
    return used.told(log)


def test_a_peak_that_is_over_is_told(tmp_path):
    quiet = said("", tmp_path / "quiet")
    high = said("held = bytearray(b'x') * 200_000_000; del held", tmp_path / "high")
    assert 195 < high.memory_mb - quiet.memory_mb < 215


def test_the_memory_of_who_started_it_is_not(tmp_path):
    held = bytearray(b"x") * 300_000_000
    assert said("", tmp_path / "log").memory_mb < 100
    assert len(held) == 300_000_000


def test_what_it_started_counts(tmp_path):
    child = "b'x' * 150_000_000; sum(range(10_000_000))"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    found = said(code, tmp_path / "log")
    assert found.memory_mb > 150
    assert found.cpu_s > said("", tmp_path / "quiet").cpu_s


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("printed\nUsed 46.1 MB of memory and 0.22 s of CPU time.\n", Used(46.1, 0.22)),
        ("Used 46.1 MB of memory and 0.22 s of CPU time.\nTraceback\n", None),
        ("", None),
    ],
)
def test_the_last_line_of_a_log_tells(tmp_path, text, expected):
    (tmp_path / "log").write_text(text)
    assert used.told(tmp_path / "log") == expected
    assert used.told(tmp_path / "none") is None


def test_what_is_told_can_be_read(capsys):
    used.tell()
    assert re.fullmatch(used.LINE, capsys.readouterr().out.strip())
