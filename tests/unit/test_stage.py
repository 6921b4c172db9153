"""What a stage leaves behind: results, refusals or nothing; and the sidecar beside each."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from scanmill.atomic import SupersededError, replacing
from scanmill.card import write_card
from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.sidecar import Damaged, checksum, read_sidecar, sidecar_path, write_json
from scanmill.stage import run_job, run_stage

FIRST, SECOND = SimpleNamespace(attempt=1), SimpleNamespace(attempt=2)


def write(record, scan, volume, text):
    record.grid = Grid((1, 1, 1), (0.5, 0.5, 2.0))
    record.warn("geometry-missing", "a message", "liver")
    record.details["voxels"] = 3
    volume.write_text(text)


def refuse(record, **named):
    raise Refusal("is-4d", "4 volumes; one is right")


def crash(record, volume, **named):
    volume.write_text("half")
    raise MemoryError


def pass_through(record, volume, isotropic, overlaps):
    isotropic.write_text(volume.read_text())
    overlaps.mkdir(exist_ok=True)


@pytest.fixture
def case(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "case").mkdir()
    scan = tmp_path / "source" / "scan.nii.gz"
    scan.write_text("voxels")
    return SimpleNamespace(
        scan=scan,
        volume=tmp_path / "case" / "volume.nii.gz",
        isotropic=tmp_path / "case" / "isotropic.nii.gz",
        overlaps=tmp_path / "case" / "overlaps",
    )


def ingest(case, body, **parameters):
    run_stage("ingest", body, {"scan": case.scan}, {"volume": case.volume}, parameters)


def resample(case, body=pass_through):
    outputs = {"isotropic": case.isotropic, "overlaps": case.overlaps}
    run_stage("resample", body, {"volume": case.volume}, outputs, {})


@pytest.mark.parametrize(
    ("result", "sidecar"),
    [
        ("cases/a/volume.nii.gz", "cases/a/volume.json"),
        ("cases/a.b/labels.nii.gz", "cases/a.b/labels.json"),
        ("cases/a/surfaces", "cases/a/surfaces.json"),
        ("cases/a/model.glb", "cases/a/model.json"),
        ("cohort/measurements.csv", "cohort/measurements.json"),
        ("cases/a/report.html", "cases/a/report.json"),
        ("cases/a/thumbnail.png", "cases/a/thumbnail.json"),
        ("cases/a/surfaces/liver.ply", "cases/a/surfaces/liver.ply.json"),
    ],
)
def test_the_sidecar_lies_beside_its_result(result, sidecar):
    assert sidecar_path(Path(result)) == Path(sidecar)


def test_a_result_has_a_sidecar_that_says_what_it_came_from(case):
    ingest(case, write, text="ok")
    said = read_sidecar(case.volume)
    assert case.volume.read_text() == "ok"
    assert (said["status"], said["stage"], said["code"]) == ("ok", "ingest", None)
    assert (said["frame"], said["spacing_mm"]) == ("LPS", [0.5, 0.5, 2.0])
    assert said["parameters"] == {"text": "ok"}
    assert said["inputs"] == [{"name": "scan", "sha256": checksum(case.scan)}]
    warning = {"code": "geometry-missing", "message": "a message", "structure": "liver"}
    assert said["warnings"] == [warning]
    assert said["voxels"] == 3
    assert {"scanmill", "python", "numpy", "SimpleITK"} <= set(said["software"])


def test_a_sidecar_names_no_path(case):
    ingest(case, write, text="ok")
    assert str(case.scan.parent) not in sidecar_path(case.volume).read_text()
    assert case.scan.name not in sidecar_path(case.volume).read_text()


def test_a_refusal_leaves_empty_outputs_and_says_why(case):
    ingest(case, refuse)
    said = read_sidecar(case.volume)
    assert case.volume.read_bytes() == b""
    assert (said["status"], said["stage"], said["code"]) == ("refused", "ingest", "is-4d")
    assert said["reason"] == "4 volumes; one is right"


def test_a_refusal_is_passed_on_unchanged(case):
    ingest(case, refuse)
    resample(case)
    for path in (case.isotropic, case.overlaps):
        said = read_sidecar(path)
        assert (said["status"], said["stage"], said["code"]) == ("refused", "ingest", "is-4d")
        assert said["reason"] == "4 volumes; one is right"
    assert case.isotropic.read_bytes() == b""
    assert list(case.overlaps.iterdir()) == []


def test_a_refusal_empties_what_an_earlier_run_left(case):
    ingest(case, write, text="ok")
    resample(case)
    (case.overlaps / "stale.nii.gz").write_text("old")
    resample(case, refuse)
    assert case.isotropic.read_bytes() == b""
    assert list(case.overlaps.iterdir()) == []


def test_a_crash_leaves_no_sidecar(case):
    with pytest.raises(MemoryError):
        ingest(case, crash)
    assert not sidecar_path(case.volume).exists()


def test_a_result_without_sidecar_is_not_trusted(case):
    case.volume.write_text("half")
    with pytest.raises(FileNotFoundError):
        resample(case)
    assert not sidecar_path(case.isotropic).exists()


def test_json_beside_the_source_is_no_sidecar(case):
    foreign = sidecar_path(case.scan)
    foreign.write_text(json.dumps({"status": "refused", "code": "is-4d", "Modality": "MR"}))
    ingest(case, write, text="ok")
    assert read_sidecar(case.volume)["status"] == "ok"
    foreign.write_text("not JSON")
    ingest(case, write, text="ok")
    assert read_sidecar(case.volume)["status"] == "ok"


def test_lists_of_inputs_are_all_named_and_looked_at(case):
    ingest(case, write, text="ok")
    inputs = {"volume": case.volume, "supplied": [case.scan, case.scan]}

    def segment(record, isotropic, **named):
        isotropic.touch()

    run_stage("segment", segment, inputs, {"isotropic": case.isotropic}, {})
    said = read_sidecar(case.isotropic)
    assert [i["name"] for i in said["inputs"]] == ["volume", "supplied", "supplied"]


def test_a_missing_source_is_refused_by_the_stage_not_by_the_frame(case):
    case.scan.unlink()
    ingest(case, refuse)
    assert read_sidecar(case.volume)["inputs"] == []


def test_a_job_logs_what_is_printed_and_hides_the_library_and_the_sidecar(case, capfd):
    log = case.volume.with_name("ingest.log")
    job = SimpleNamespace(
        rule="theirs_ingest",
        log=[str(log)],
        input={"scan": str(case.scan)},
        output={"volume": str(case.volume), "sidecar": str(sidecar_path(case.volume))},
        params={"text": "ok", "library": "0123"},
        resources=FIRST,
    )

    def ingest(record, scan, volume, text):
        print("from the stage")
        write(record, scan, volume, text)

    run_job(job, ingest)
    assert "from the stage" in log.read_text() + capfd.readouterr().out
    said = read_sidecar(case.volume)
    assert said["parameters"] == {"text": "ok"}
    assert said["stage"] == "ingest"


def test_a_crash_over_a_card_is_logged_without_what_it_quotes(case, capfd):
    card = case.scan.with_name("scan.card")
    write_card(card, [str(case.scan)], wanted_series="Doe's knee")
    job = SimpleNamespace(
        log=[str(case.volume.with_name("ingest.log"))],
        input={"scan": str(card), "made": []},
        output={"volume": str(case.volume), "sidecar": str(sidecar_path(case.volume))},
        params={},
        resources=FIRST,
    )

    def ingest(record, scan, volume, wanted_series):
        assert scan == [case.scan] and wanted_series == "Doe's knee"
        quoted = "-".join(["Doe", "Jane"])
        try:
            int(quoted)
        except ValueError as error:
            raise OSError(28, "No space left on device", quoted) from error

    with pytest.raises(SystemExit) as crash:
        run_job(job, ingest)
    said = str(crash.value)
    assert "OSError: No space left on device" in said and "in ingest" in said
    assert "ValueError" in said and "Doe-Jane" not in said
    assert not sidecar_path(case.volume).exists()


def attempted(case, body, resources):
    """Run ingest as a job; returns what it printed last, as a crash does, or nothing."""
    job = SimpleNamespace(
        log=[str(case.volume.with_name("ingest.log"))],
        input={"scan": str(case.scan)},
        output={"volume": str(case.volume)},
        params={},
        resources=resources,
    )
    run_job(job, body)


def test_a_crash_is_not_tried_again_until_the_next_run(case, capfd):
    def ingest(record, scan, volume):
        tried.append(scan)
        if len(tried) == 1:
            raise ValueError("planted")
        volume.write_text("ok")

    tried = []
    with pytest.raises(SystemExit, match="ValueError: planted"):
        attempted(case, ingest, FIRST)
    with pytest.raises(SystemExit, match=r"(?s)ValueError: planted.*not tried again"):
        attempted(case, ingest, SECOND)
    assert len(tried) == 1
    attempted(case, ingest, FIRST)
    assert len(tried) == 2
    attempted(case, ingest, SECOND)
    assert len(tried) == 3


@pytest.mark.parametrize("passing", [MemoryError(), OSError(116, "Stale file handle")])
def test_what_may_pass_is_tried_again(case, passing, capfd):
    def ingest(record, scan, volume):
        tried.append(scan)
        raise passing

    tried = []
    for resources in (FIRST, SECOND):
        with pytest.raises(SystemExit, match=type(passing).__name__):
            attempted(case, ingest, resources)
    assert len(tried) == 2


def test_a_damaged_result_is_removed_with_its_sidecar(case):
    ingest(case, write, text="ok")
    resample(case)
    case.volume.write_text("Ok")
    with pytest.raises(Damaged, match=r"volume\.nii\.gz is not what ingest wrote, and was removed"):
        resample(case)
    assert not case.volume.exists() and not sidecar_path(case.volume).exists()
    ingest(case, write, text="ok")
    resample(case)
    (case.overlaps / "another").touch()
    inputs, outputs = {"overlaps": case.overlaps}, {"model": case.volume.with_name("model.glb")}
    with pytest.raises(Damaged, match="overlaps is not what resample wrote"):
        run_stage("mesh", write, inputs, outputs, {})
    assert not case.overlaps.exists() and not sidecar_path(case.overlaps).exists()


def test_a_writer_that_was_superseded_puts_nothing_in_place(case):
    """An orphan of a killed run, which began before its successor and ends after it."""

    def ingest(record, scan, volume):
        with replacing(volume) as temporary:
            temporary.write_text("old")
            run_stage("ingest", successor, {"scan": case.scan}, {"volume": volume}, {})

    def successor(record, scan, volume):
        with replacing(volume) as temporary:
            temporary.write_text("new")

    with pytest.raises(SupersededError):
        run_stage("ingest", ingest, {"scan": case.scan}, {"volume": case.volume}, {})
    assert case.volume.read_text() == "new"
    assert read_sidecar(case.volume)["sha256"] == checksum(case.volume)
    assert sorted(p.name for p in case.volume.parent.iterdir()) == ["volume.json", "volume.nii.gz"]


def test_what_a_card_says_is_in_no_sidecar(case):
    card = case.scan.with_name("scan.card")
    write_card(card, [str(case.scan)], wanted_series="Doe's knee")
    job = SimpleNamespace(
        log=[str(case.volume.with_name("ingest.log"))],
        input={"scan": str(card)},
        output={"volume": str(case.volume)},
        params={"text": "ok"},
        resources=FIRST,
    )

    def ingest(record, scan, volume, text, wanted_series):
        volume.write_text(text)

    run_job(job, ingest)
    assert "Doe" not in sidecar_path(case.volume).read_text()
    assert read_sidecar(case.volume)["inputs"] == [{"name": "scan", "sha256": checksum(case.scan)}]


def test_a_folder_has_the_checksum_of_its_files_and_their_names(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "b").write_text("b")
        (folder / "a").write_text("a")
    assert checksum(one) == checksum(other)
    (other / "a").rename(other / "c")
    assert checksum(one) != checksum(other)


def test_nan_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"volume": math.nan})
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_needs_a_known_code():
    with pytest.raises(ValueError, match="not a refusal code"):
        Refusal("no-such-code", "reason")
