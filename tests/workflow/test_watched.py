"""What a person sees of a run: in a terminal, in a file, and from another shell."""

import os
import time

import pytest
from interrupted import interrupted, waiting_copy, write_cohort
from mill import ROOT, copied
from scanmill.progress.course import SILENT_S
from terminal import COLUMNS, in_terminal, left, rewritten, status, without_terminal

pytestmark = pytest.mark.slow

CONFIG = "--configfile", "config.yaml"
FIRST_LINE = '    names = {s["name"]: s["label"] for s in structures}\n'
PLANTED = '    if "two" in str(labels):\n        raise RuntimeError("planted crash")\n'


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A cohort of three, of which one is refused and one crashes, and what was seen of its run."""
    folder = write_cohort(tmp_path_factory.mktemp("watched") / "cohort")
    (folder / "two.nrrd").write_bytes((folder / "one.nrrd").read_bytes())
    (folder / "three.nrrd").write_bytes(b"no header")
    lines = [f"{name}\t{name}.nrrd" for name in ("one", "two", "three")]
    (folder / "scans.tsv").write_text("\n".join(["case\tscan", *lines]) + "\n")
    copy = copied(folder.with_name("copy"))
    script = copy / "scripts" / "mesh.py"
    assert script.read_text().count(FIRST_LINE) == 1
    script.write_text(script.read_text().replace(FIRST_LINE, PLANTED + FIRST_LINE))
    sent, code = in_terminal(folder, *CONFIG, root=copy)
    return folder, sent, code


def test_the_line_tells_how_far_it_is_and_fits_the_terminal(watched):
    _, sent, _ = watched
    drawn = rewritten(sent)
    assert drawn and all(len(line) < COLUMNS for line in drawn)
    assert drawn[0].startswith("3 cases: 0 done")
    assert drawn[-1].startswith("3 cases: ") and "1 refused, 1 failed; " in drawn[-1]


def test_what_went_wrong_stays_on_the_screen_and_the_routine_does_not_come(watched):
    _, sent, code = watched
    shown = left(sent)
    assert code != 0
    assert len([line for line in shown if line.startswith("three: refused, ")]) == 1
    assert "3 cases: 1 done, 1 refused, 1 failed." in shown
    text = "\n".join(shown)
    for said in ("Error in rule mesh", "logs/two/mesh.log", "RuntimeError: planted crash"):
        assert said in text
    assert "Some jobs failed; the other cases were done." in "\n".join(shown[-20:])
    for routine in ("Select jobs", "Finished jobid", "Job stats", "steps ("):
        assert routine not in text


def test_another_shell_is_told_the_same(watched):
    folder, *_ = watched
    said = status(folder)
    assert said[0] == "3 cases: 1 done, 1 refused, 1 failed."
    assert "ended after" in said[1]
    assert [line for line in said if line.endswith(": three")]
    assert f"two mesh failed; log: {folder / 'logs' / 'two' / 'mesh.log'}" in said


def test_a_plan_is_told_as_ever_and_leaves_the_journal_alone(watched):
    folder, *_ = watched
    before = status(folder)
    said, code = without_terminal(folder, *CONFIG, "--dry-run")
    assert code == 0 and "Job stats:" in said and "This was a dry-run" in said
    assert status(folder) == before


def test_mended_without_a_terminal_there_are_plain_lines(watched):
    folder, *_ = watched
    said, code = without_terminal(folder, *CONFIG)
    assert code == 0 and "\x1b" not in said
    assert [line for line in said.splitlines() if line.startswith("3 cases: 1 done, 1 refused")]
    assert said.count("3 cases: 2 ok, 1 refused. Table: ") == 1
    assert status(folder)[0] == "3 cases: 2 done, 1 refused."
    said, code = without_terminal(folder, *CONFIG)
    assert code == 0 and "Nothing to be done" in said


def test_a_run_that_is_not_told_what_finishes_notes_nothing(watched):
    folder, *_ = watched
    said, code = without_terminal(folder, *CONFIG, "--quiet", "progress", "--forcerun", "collect")
    assert code == 0 and "3 cases: 2 ok, 1 refused. Table: " in said
    assert status(folder)[:2] == [
        "3 cases: 2 done, 1 refused.",
        "No run is noted here: this is what the results tell.",
    ]


def test_mistakes_of_the_user_are_told(tmp_path):
    folder = write_cohort(tmp_path / "cohort")
    (folder / "scans.tsv").write_text("case\tscan\none\tnone.nrrd\n")
    said, code = without_terminal(folder, *CONFIG)
    assert code != 0 and "scans.tsv:2:5: " in said
    assert status(folder)[0].endswith("RUN=FOLDER, would be right.")


def test_a_run_that_was_killed_is_told_from_one_that_goes_on(tmp_path):
    folder = write_cohort(tmp_path / "cohort")
    journal = folder / "logs" / "run.jsonl"
    with interrupted(folder, waiting_copy(tmp_path / "copy")):
        said = status(folder)
        assert said[0] == "1 cases: 1 under way."
        assert "goes on" in said[1] and "Under way (on a cluster: submitted): one mesh" in said
        noted = journal.read_bytes()
        refused, code = without_terminal(folder, *CONFIG, root=ROOT)
        assert code != 0 and "cannot be locked" in refused.replace("\n", " ")
        assert journal.read_bytes() == noted
    old = time.time() - SILENT_S - 1
    os.utime(journal, (old, old))
    said = status(folder)
    assert said[0] == "1 cases: 1 waiting." and "killed" in said[1]
    assert "Without results: one" in said
