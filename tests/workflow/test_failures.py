"""A crash in one case: the others go on, the run says so, the log holds why, and a rerun mends it."""

import pytest
from mill import mill, rows, snakemake

pytestmark = pytest.mark.slow

PLANTED = '    if "two" in str(labels):\n        raise RuntimeError("planted " + "crash")\n'


def test_a_crash_stops_its_own_case_only_and_a_later_run_mends_it(workshop):
    copy, folder = workshop
    (folder / "two.nrrd").write_bytes((folder / "one.nrrd").read_bytes())
    (folder / "scans.tsv").write_text("case\tscan\ntwo\ttwo.nrrd\none\tone.nrrd\n")
    script = copy / "scripts" / "mesh.py"
    sound = script.read_text()
    first_line = '    names = {s["name"]: s["label"] for s in structures}\n'
    assert sound.count(first_line) == 1
    script.write_text(sound.replace(first_line, PLANTED + first_line))
    done = snakemake(folder, "--configfile", "config.yaml", root=copy)
    assert done.returncode != 0
    results = folder / "results"
    assert (results / "cases" / "one" / "measurements.csv").stat().st_size > 0
    assert not (results / "cases" / "two" / "model.glb").exists()
    assert not (results / "cohort" / "measurements.csv").exists()
    log = (folder / "logs" / "two" / "mesh.log").read_text()
    assert "Traceback" in log and "RuntimeError: planted crash" in log
    assert "logs/two/mesh.log" in done.stdout and "planted crash" in done.stdout
    script.write_text(sound)
    mill(folder, "--configfile", "config.yaml", root=copy)
    assert [row["status"] for row in rows(results / "cohort" / "cases.tsv")] == ["ok", "ok"]
