"""The two commands, as make would run them."""

import shutil
import subprocess

import pytest
from mill import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not here")


def plan(folder, *arguments: str) -> str:
    command = ["make", "--dry-run", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def fresh(tmp_path):
    """The Makefile and the lock alone, as on a machine where nothing was made yet."""
    shutil.copy2(ROOT / "Makefile", tmp_path)
    (tmp_path / "envs").mkdir()
    shutil.copy2(ROOT / "envs" / "requirements.lock", tmp_path / "envs")
    return tmp_path


@pytest.mark.parametrize("goal", ["run", "test", "lint"])
def test_each_command_makes_the_environment_from_the_hashed_lock_first(fresh, goal):
    lines = plan(fresh, goal).splitlines()
    install = [n for n, line in enumerate(lines) if "pip install" in line]
    assert len(install) == 1
    assert "--require-hashes" in lines[install[0]] and "envs/requirements.lock" in lines[install[0]]
    assert all("snakemake" not in line and "pytest" not in line for line in lines[: install[0]])


def test_status_reads_the_folder_that_it_is_told(fresh):
    (fresh / ".venv").mkdir()
    (fresh / ".venv" / ".complete").touch()
    assert plan(fresh, "status").strip() == '.venv/bin/python scripts/status.py "."'
    assert plan(fresh, "status", "RUN=a b").strip() == '.venv/bin/python scripts/status.py "a b"'


def test_a_made_environment_is_not_made_again(fresh):
    (fresh / ".venv").mkdir()
    (fresh / ".venv" / ".complete").touch()
    lines = plan(fresh, "run", "CORES=3").splitlines()
    (line,) = lines
    assert line.endswith(" .venv/bin/snakemake --logger scanmill --cores 3 ")


def test_run_takes_the_users_sheet_from_where_the_user_is(fresh):
    # Snakemake's working directory is the one that make runs in: a relative path needs no more.
    assert '--config "scans=my.tsv"' in plan(fresh, "run", "SCANS=my.tsv")
    assert '--config "scans=my scans/s.tsv"' in plan(fresh, "run", "SCANS=my scans/s.tsv")


def test_run_is_what_make_does_by_itself(fresh):
    assert plan(fresh) == plan(fresh, "run")


def test_validate_runs_the_cohort_then_its_twins_then_compares(fresh):
    (fresh / ".venv").mkdir()
    (fresh / ".venv" / ".complete").touch()
    lines = plan(fresh, "validate", "SCANS=my.tsv", "CORES=3", "TWINS=7").splitlines()
    programs = [line.partition(".venv/bin/")[2].split()[0] for line in lines]
    assert programs == [
        "snakemake",
        "python",
        "snakemake",
        "python",
    ]
    assert '--scans "my.tsv" --twins 7 ' in lines[1] and '--scans "my.tsv"' in lines[3]
    assert "--directory results/validation" in lines[2] and "scans=scans.tsv" in lines[2]


def test_reproduce_takes_results_and_where_the_scans_are_now(fresh):
    (fresh / ".venv").mkdir()
    (fresh / ".venv" / ".complete").touch()
    command = '.venv/bin/python scripts/reproduce.py "{}" --to "{}" {} --cores 3'
    assert plan(fresh, "reproduce", "CORES=3").strip() == command.format(
        "results", "reproduced", ""
    )
    asked = plan(fresh, "reproduce", "CORES=3", "RUN=a b", "TO=c", "SCANS=d e")
    assert asked.strip() == command.format("a b", "c", '--scans "d e"')
