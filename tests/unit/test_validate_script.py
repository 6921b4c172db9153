"""The validation's script: what it says where nothing can be validated; twins that stay untouched."""

import os

import pytest
import validate
from scanmill.sidecar import write_json
from scanmill.validation.twin_files import renewing


def said(*arguments) -> str:
    with pytest.raises(SystemExit) as ended:
        validate.main([*arguments, "results/validation"])
    return str(ended.value)


def test_without_results_the_cohort_is_to_be_run_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "run the cohort first" in said("twins") and "run the cohort first" in said("errors")


def test_a_cohort_that_was_refused_as_a_whole_is_told_from_one_that_was_not_run(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "results/cases/ct-straight/surfaces.json", {"status": "refused"})
    assert "cases.tsv says why" in said("twins")


def test_twins_that_were_not_measured_have_no_errors(tmp_path):
    with pytest.raises(SystemExit, match="have not been measured yet"):
        validate.write_errors({}, tmp_path, None)


def test_the_sheets_problems_are_said_without_a_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "nowhere.tsv" in said("--scans", "nowhere.tsv", "twins")


@pytest.mark.parametrize("wrong", ["0", "-2", "all", "1.5", ""])
def test_so_many_twins_is_a_number_from_one_on(wrong, capsys):
    with pytest.raises(SystemExit):
        validate.main(["twins", "folder", f"--seeds={wrong}"])
    assert f"{wrong!r} was found; a number from 1 on would be right" in capsys.readouterr().err


def test_what_is_written_again_and_equal_is_not_touched(tmp_path):
    place = tmp_path / "twin0001"
    for content in ("same", "same", "other"):
        with renewing(place) as fresh:
            (fresh / "labels").mkdir()
            (fresh / "labels/liver").write_text(content)
            (fresh / "scan").write_text("scan")
            if content == "same":
                (fresh / "labels/gone").write_text("")
        if content == "same":
            os.utime(place / "scan", (1, 1))
            os.utime(place / "labels/liver", (1, 1))
    assert (place / "scan").stat().st_mtime == 1
    assert (place / "labels/liver").stat().st_mtime > 1
    assert (place / "labels/liver").read_text() == "other"
    assert not (place / "labels/gone").exists() and list(tmp_path.iterdir()) == [place]
