"""What breaks while a cohort runs loses nothing, spoils nothing, and is mended by the same command.

After each fault the results are, byte for byte, those of a run that nothing happened to, and what was
finished before is not done again.
"""

import json
import os
import shutil
import signal
import tarfile

import planted
import pytest
from file_system import fill, mounted
from interrupted import alive, interrupted, wait_for, waiting_copy, write_cohort
from mill import contents, mill, planned, snakemake
from source_samples import write_series

pytestmark = pytest.mark.slow

CONFIG = ("--configfile", "config.yaml")
FROM_MESH = dict.fromkeys(
    ("mesh", "measure", "report", "collect", "check", "describe", "overview", "all"), 1
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return waiting_copy(tmp_path_factory.mktemp("waiting") / "copy")


@pytest.fixture(scope="module")
def undisturbed(copy, tmp_path_factory):
    """The contents of the results, by the spacing of the recipe: as it is written, and another."""
    folder = write_cohort(tmp_path_factory.mktemp("undisturbed") / "cohort")
    as_it_is = contents(mill(folder, *CONFIG, root=copy))
    (folder / "recipe.yaml").write_text(planted.recipe(spacing=1.5))
    return {1.25: as_it_is, 1.5: contents(mill(folder, *CONFIG, root=copy))}


@pytest.fixture
def folder(tmp_path):
    return write_cohort(tmp_path / "cohort")


def differing(results, undisturbed) -> list[str]:
    """Files of the results that are not as they would be, missing and left ones included."""
    found = contents(results)
    return [name for name in found | undisturbed if found.get(name) != undisturbed.get(name)]


def test_two_runs_in_one_folder_and_an_interrupt(folder, copy, undisturbed):
    with interrupted(folder, copy) as run:
        second = snakemake(folder, *CONFIG, root=copy)
        assert second.returncode != 0
        assert "cannot be locked" in second.stdout and "--unlock" in second.stdout
        run.interrupt()
        assert run.end() != 0
        wait_for(lambda: not alive(run.job))
    assert planned(folder, *CONFIG, root=copy) == FROM_MESH
    assert differing(mill(folder, *CONFIG, root=copy), undisturbed[1.25]) == []


def test_a_killed_job_is_done_again_in_the_same_run(folder, copy, undisturbed):
    with interrupted(folder, copy) as run:
        run.held.unlink()
        os.kill(run.job, signal.SIGKILL)
        assert run.end() == 0
    assert differing(folder / "results", undisturbed[1.25]) == []


def test_an_orphan_of_a_killed_run_spoils_nothing_of_the_next(folder, copy, undisturbed):
    with interrupted(folder, copy) as run:
        run.process.kill()
        run.end()
        assert alive(run.job)
        (folder / "recipe.yaml").write_text(planted.recipe(spacing=1.5))
        stopped = snakemake(folder, *CONFIG, root=copy)
        assert stopped.returncode != 0 and "--unlock" in stopped.stdout
        assert snakemake(folder, *CONFIG, "--unlock", root=copy).returncode == 0
        results = mill(folder, *CONFIG, root=copy)
        run.held.unlink()
        wait_for(lambda: not alive(run.job))
    assert differing(results, undisturbed[1.5]) == []
    assert planned(folder, *CONFIG, root=copy) == {}


def test_what_jobs_finished_when_nobody_noted_it_is_made_again(folder, copy):
    mill(folder, *CONFIG, root=copy)
    for note in (folder / ".snakemake" / "metadata").iterdir():
        note.unlink()
    again = dict.fromkeys(("ingest", "resample", "segment"), 1) | FROM_MESH
    assert planned(folder, *CONFIG, root=copy) == again


def test_a_scan_that_vanishes_is_no_refusal_and_may_come_back(folder, copy, undisturbed):
    scan, away = folder / "one.nrrd", folder / "away"
    vanish = f"import os; os.rename({str(scan)!r}, {str(away)!r})\n"
    script = copy / "scripts" / "ingest.py"
    sound = script.read_text()
    script.write_text(sound.replace("from pathlib", vanish + "from pathlib", 1))
    done = snakemake(folder, *CONFIG, root=copy)
    script.write_text(sound)
    assert done.returncode != 0 and "once it is back, the same command again" in done.stdout
    away.rename(scan)
    assert differing(mill(folder, *CONFIG, root=copy), undisturbed[1.25]) == []


def test_a_damaged_intermediate_is_found_by_its_consumer_and_made_anew(folder, copy, undisturbed):
    results = mill(folder, *CONFIG, root=copy)
    labels = results / "cases" / "one" / "labels.nii.gz"
    content = bytearray(labels.read_bytes())
    content[len(content) // 2] ^= 1
    labels.write_bytes(content)
    done = snakemake(folder, *CONFIG, root=copy)
    assert done.returncode != 0
    assert "labels.nii.gz is not what segment wrote" in done.stdout
    assert "same command again" in done.stdout
    assert planned(folder, *CONFIG, root=copy) == {"segment": 1} | FROM_MESH
    assert differing(mill(folder, *CONFIG, root=copy), undisturbed[1.25]) == []


def test_a_full_disk_and_scans_that_cannot_be_written(folder, tmp_path, copy, undisturbed):
    scans = tmp_path / "scans"
    with mounted(scans, "size=2m") as remount, mounted(folder / "results", "size=200k") as resize:
        shutil.move(folder / "one.nrrd", scans)
        (folder / "scans.tsv").write_text(f"case\tscan\none\t{scans / 'one.nrrd'}\n")
        remount("ro")
        done = snakemake(folder, *CONFIG, root=copy)
        assert done.returncode != 0 and "No space left on device" in done.stdout
        resize("size=20m")
        assert differing(mill(folder, *CONFIG, root=copy), undisturbed[1.25]) == []


def test_a_full_disk_for_what_snakemake_notes(folder, copy, undisturbed):
    notes = folder / ".snakemake"
    with mounted(notes, "size=4m"):
        with interrupted(folder, copy) as run:
            fill(notes / "filler")
            run.held.unlink()
            assert run.end() != 0
        assert "No space left on device" in folder.with_suffix(".out").read_text()
        (notes / "filler").unlink()
        assert planned(folder, *CONFIG, root=copy) == FROM_MESH
        assert differing(mill(folder, *CONFIG, root=copy), undisturbed[1.25]) == []


def test_a_full_disk_for_temporary_files(folder, tmp_path, monkeypatch):
    scratch, archive = tmp_path / "scratch", folder / "one.tar.gz"
    write_series(tmp_path / "series", planted.scan()[0])
    with tarfile.open(archive, "w:gz") as file:
        file.add(tmp_path / "series", "series")
    (folder / "scans.tsv").write_text(f"case\tscan\none\t{archive.name}\n")
    monkeypatch.setenv("TMPDIR", str(scratch))
    volume = "results/cases/one/volume.nii.gz"
    with mounted(scratch, "size=100k") as resize:
        done = snakemake(folder, volume, *CONFIG)
        assert done.returncode != 0 and "No space left on device" in done.stdout
        resize("size=20m")
        results = mill(folder, volume, *CONFIG)
    assert json.loads((results / "cases" / "one" / "volume.json").read_text())["status"] == "ok"
