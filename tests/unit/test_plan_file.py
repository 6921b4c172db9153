"""The settings of a run, as its jobs on other machines find them."""

from pathlib import Path

import planted
import pytest
from scanmill import plan_file, settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checked(tmp_path):
    """Settings of one case, by its name."""
    (tmp_path / "one.nrrd").write_bytes(b"NRRD0004\n")
    (tmp_path / "recipe.yaml").write_text(planted.recipe())

    def of(case):
        (tmp_path / "scans.tsv").write_text(f"case\tscan\tsite\n{case}\tone.nrrd\tGraz\n")
        config = {"scans": "scans.tsv", "recipe": "./recipe.yaml"}
        return settings.load(config, ROOT, tmp_path)

    return of


def test_jobs_have_the_settings_that_their_run_was_planned_with(checked, tmp_path, monkeypatch):
    monkeypatch.delenv(plan_file.VARIABLE, raising=False)
    assert plan_file.recall() is None
    first = checked("first")
    plan_file.keep(first, tmp_path / "plans")
    (tmp_path / "one.nrrd").unlink()
    (tmp_path / "scans.tsv").write_text("half a li")
    assert plan_file.recall() == first
    assert plan_file.recall().scans["first"].extra == {"site": "Graz"}


def test_another_run_does_not_take_them_away_and_nobody_else_reads_them(
    checked, tmp_path, monkeypatch
):
    first = checked("first")
    plan_file.keep(first, tmp_path / "plans")
    of_first = plan_file.os.environ[plan_file.VARIABLE]
    plan_file.keep(checked("second"), tmp_path / "plans")
    assert plan_file.recall().scans.keys() == {"second"}
    monkeypatch.setenv(plan_file.VARIABLE, of_first)
    assert plan_file.recall() == first
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "plans").iterdir()]
    assert modes == [0o600, 0o600]
    assert (tmp_path / "plans").stat().st_mode & 0o777 == 0o700


def test_the_latest_plan_of_a_folder_is_found(checked, tmp_path, monkeypatch):
    folder = tmp_path / "plans"
    with pytest.raises(ValueError, match="without a plan"):
        plan_file.latest(folder)
    for name, time in (("first", 1), ("second", 3), ("third", 2)):
        plan_file.keep(checked(name), folder)
        plan_file.os.utime(plan_file.os.environ[plan_file.VARIABLE], (time, time))
    assert plan_file.latest(folder).scans.keys() == {"second"}
    earlier = checked("earlier")
    object.__delattr__(earlier, "sizes")
    plan_file.keep(earlier, folder)
    with pytest.raises(ValueError, match="another version"):
        plan_file.latest(folder)
    monkeypatch.delenv(plan_file.VARIABLE)
