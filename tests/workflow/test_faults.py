"""What breaks while a cohort runs loses nothing, spoils nothing, and is mended by the same command.

After each fault the results are, byte for byte, those of a run that nothing happened to, and what was
finished before is not done again.
"""

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager

import planted
import pytest
from interrupted import alive, interrupted, wait_for, waiting_copy, write_cohort
from mill import contents, mill, planned, snakemake

pytestmark = pytest.mark.slow

CONFIG = ("--configfile", "config.yaml")
FROM_MESH = {"mesh": 1, "measure": 1, "collect": 1, "describe": 1, "all": 1}


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


@contextmanager
def mounted(folder, *options):
    """A file system in memory, where this process may mount one."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield lambda *options: subprocess.run(
            ["mount", "-o", ",".join(("remount", *options)), str(folder)], check=True
        )
    finally:
        subprocess.run(["umount", str(folder)], check=True)


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
