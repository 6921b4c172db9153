"""The export stage: from a case's results to DICOM objects on the slices of its source."""

import csv
import json
from dataclasses import replace
from io import BytesIO
from shutil import copytree

import numpy as np
import pytest
import trimesh
from bodies import OBLIQUE, mask_of
from earlier import assert_refusal_passed_on, put_refused
from export import export
from export_samples import (
    CASE,
    CODE,
    FRAME,
    KEY,
    PLANTED,
    PRIVATE,
    ROOT,
    STUDY,
    dice,
    found_on,
    write_series,
)
from highdicom.seg import segread
from ingest import ingest
from measure import measure
from mesh import mesh
from pydicom import dcmread
from resample import resample
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.label_map_files import write_doubts, write_label_map
from scanmill.phantom.body import sphere
from scanmill.sidecar import read_sidecar, write_sidecar
from scanmill.source import dicom as dicom_source
from scanmill.stage import run_stage
from scanmill.volume_file import Volume, read_grid, write_volume

GRID = Grid(
    (60, 66, 22),
    (0.9, 0.8, 2.3),
    (31.3, -112.7, -402.9),
    tuple(OBLIQUE["oblique"].ravel().tolist()),
)
CENTRE = tuple(GRID.to_physical((np.array(GRID.size) - 1) / 2).tolist())
BODIES = {"organ": sphere(17, CENTRE), "gtv": sphere(8, CENTRE)}
STRUCTURES = [
    {
        "name": name,
        "label": label,
        "code": CODE,
        "category": category,
        "laterality": side,
        "colour": colour,
        "segment": {"method": "rules", "steps": []},
        "triangles": None,
        "distances_to": [],
        "drawn": False,
    }
    for name, label, category, side, colour in (
        ("organ", 2, "anatomical", "left", "#dd8265"),
        ("gtv", 5, "abnormal", None, "#102030"),
        ("speck", 6, "anatomical", None, "#ffffff"),
    )
]
ALL = ["seg", "labelmap", "rtstruct", "sr", "stl"]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The inputs of export: a series with planted identity, and what the stages before made of it."""
    folder, series = tmp_path_factory.mktemp("case"), tmp_path_factory.mktemp("source") / "series"
    inside = {name: mask_of(body, GRID) for name, body in BODIES.items()}
    values = np.select([inside["gtv"], inside["organ"]], [300, 40], -1000)
    write_series(series, found_on(GRID), values)
    volume, isotropic = folder / "volume.nii.gz", folder / "isotropic.nii.gz"
    run_stage("ingest", ingest, {"scan": [series]}, {"volume": volume}, {})
    correct = {"metal": "mark", "bias": "off", "noise": "off"}
    parameters = {"spacing": 0.9, "modality": "CT", "correct": correct, "expect": {}}
    resampled = {"isotropic": isotropic, "artefacts": folder / "artefacts.nii.gz"}
    resampled["unsmoothed"] = folder / "unsmoothed.nii.gz"
    run_stage("resample", resample, {"volume": volume}, resampled, parameters)
    grid = read_grid(isotropic)
    label_map = LabelMap.empty(grid, 6)
    for structure in STRUCTURES[:2]:
        label_map.paint(structure["label"], Region.of(mask_of(BODIES[structure["name"]], grid)))
    labels, overlaps = folder / "labels.nii.gz", folder / "overlaps"
    doubts = folder / "doubts"
    write_label_map(labels, overlaps, label_map, {s["name"]: s["label"] for s in STRUCTURES})
    write_doubts(doubts, {}, grid)
    missing = {"status": "refused", "code": "structure-empty", "reason": "no voxel"}
    for path in (labels, overlaps, doubts):
        write_sidecar(path, read_sidecar(isotropic) | {"structures": {"speck": missing}})
    segmented = {"labels": labels, "overlaps": overlaps}
    surfaces = folder / "surfaces"
    meshed = {"surfaces": surfaces, "model": folder / "model.glb"}
    parameters = {"structures": STRUCTURES, "formats": ["ply"], "pass_band": 0.1}
    run_stage("mesh", mesh, segmented, meshed, parameters)
    measurements = folder / "measurements.csv"
    inputs = {"volume": volume, "isotropic": resampled["unsmoothed"]}
    inputs |= {"artefacts": resampled["artefacts"], **segmented, "surfaces": surfaces}
    inputs |= {"doubts": doubts, "centrelines": [], "simulations": []}
    parameters = {"case": CASE, "structures": STRUCTURES, "ledger_limit": 10.0}
    run_stage("measure", measure, inputs, {"measurements": measurements}, parameters)
    assert read_sidecar(measurements)["status"] == "ok"
    return {
        "scan": [series],
        **segmented,
        "surfaces": surfaces,
        "measurements": measurements,
    }


@pytest.fixture(autouse=True)
def key(monkeypatch, tmp_path):
    monkeypatch.setenv("SCANMILL_PSEUDONYM_KEY", KEY.hex())
    monkeypatch.delenv("SCANMILL_SITE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def exported(inputs, kinds=ALL, identity="de-identified", **said):
    """The objects by name, and the sidecar."""
    dicom = inputs["labels"].parent / "dicom"
    parameters = {
        "case": CASE,
        "structures": STRUCTURES,
        "kinds": kinds,
        "identity": identity,
        "allow_uneven": False,
    }
    run_stage("export", export, inputs, {"dicom": dicom}, parameters | said)
    return {path.stem: path.read_bytes() for path in sorted(dicom.iterdir())}, read_sidecar(dicom)


def test_the_kinds_that_are_asked_for_are_written(case):
    names = ["labelmap", "rtstruct", "seg", "sr", "stl-gtv", "stl-organ"]
    objects, said = exported(case)
    assert (said["status"], list(objects)) == ("ok", names)
    assert list(exported(case, ["rtstruct"])[0]) == ["rtstruct"]
    # The report's numbers are those of segments.
    assert list(exported(case, ["sr"])[0]) == ["seg", "sr"]


def test_segments_are_the_bodies_on_the_source_s_slices(case):
    objects, said = exported(case)
    seg = segread(BytesIO(objects["seg"]))
    volume = seg.get_volume()
    index = np.stack(np.indices(volume.array.shape[:3]), axis=-1).reshape(-1, 3)
    own = np.rint(GRID.to_index(volume.map_indices_to_reference(index))).astype(int)
    for n, (name, body) in enumerate(BODIES.items()):
        mask = np.zeros(GRID.shape, bool)
        mask[own[:, 2], own[:, 1], own[:, 0]] = volume.array[..., n].ravel()
        assert dice(mask, mask_of(body, GRID)) > 0.97
        told = said["structures"][name]
        assert told["volume_mm3"] == pytest.approx(np.count_nonzero(mask) * GRID.voxel_volume)
        assert abs(told["change_percent"]) < 0.5
    assert said["spacing_mm"] == pytest.approx(GRID.spacing)
    assert "labelmap-overlap" in {w["code"] for w in said["warnings"]}


def test_the_report_has_the_numbers_of_the_table(case):
    objects, _ = exported(case)
    with open(case["measurements"], encoding="utf-8", newline="") as stream:
        rows = {row["structure"]: row for row in csv.DictReader(stream)}
    report = dcmread(BytesIO(objects["sr"]))
    groups = report.ContentSequence[-1].ContentSequence
    assert len(groups) == len(BODIES)
    for name, group in zip(BODIES, groups, strict=True):
        numbers = [
            float(item.MeasuredValueSequence[0].NumericValue)
            for item in group.ContentSequence
            if item.ValueType == "NUM"
        ]
        columns = ("volume_mm3", "surface_area_mm2", "axial_long_mm", "axial_short_mm")
        columns += ("stat_mean", "stat_min", "stat_max")
        assert numbers[:-1] == [float(rows[name][column]) for column in columns]
        assert numbers[-1] == pytest.approx(float(rows[name]["stat_var"]) ** 0.5, rel=1e-9)


def test_surfaces_lie_where_the_bodies_do(case):
    objects, _ = exported(case)
    for name, body in BODIES.items():
        stl = dcmread(BytesIO(objects[f"stl-{name}"]))
        surface = trimesh.load(BytesIO(stl.EncapsulatedDocument), file_type="stl")
        assert surface.is_watertight
        assert np.allclose(surface.center_mass, CENTRE, atol=0.1)
        assert surface.volume == pytest.approx(body.volume, rel=0.02)


def test_a_structure_without_a_closed_surface_has_no_stl_and_that_is_told(case, tmp_path):
    surfaces = tmp_path / "surfaces"
    copytree(case["surfaces"], surfaces)
    said = read_sidecar(case["surfaces"])
    said["structures"]["organ"] = {"status": "refused", "code": "surface-open", "reason": "open"}
    write_sidecar(surfaces, said)
    objects, said = exported(case | {"surfaces": surfaces}, ["stl"])
    assert list(objects) == ["stl-gtv"]
    (told,) = [w for w in said["warnings"] if w["code"] == "export-open"]
    assert told["structure"] == "organ"


def test_the_same_case_gives_the_same_bytes(case):
    one, other = exported(case)[0], exported(case)[0]
    assert one == other


def test_nothing_of_the_patient_is_in_objects_or_sidecar(case):
    objects, said = exported(case)
    objects["sidecar"] = json.dumps(said).encode()
    for name, content in objects.items():
        for secret in [*PLANTED.values(), PRIVATE, ROOT, str(case["scan"][0])]:
            assert secret.encode() not in content, (name, secret)
            assert secret.encode("latin-1") not in content, (name, secret)


def test_back_to_the_pacs_objects_carry_the_patient_and_refer_to_the_study(case, monkeypatch):
    monkeypatch.delenv("SCANMILL_PSEUDONYM_KEY")
    objects, _ = exported(case, identity="return-to-pacs")
    for content in objects.values():
        made = dcmread(BytesIO(content))
        assert str(made.PatientName) == PLANTED["PatientName"]
        assert made.StudyInstanceUID == STUDY
    rtstruct = dcmread(BytesIO(objects["rtstruct"]))
    assert rtstruct.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID == FRAME


def test_off_the_source_s_slices_no_contours_are_written(case, monkeypatch):
    find = dicom_source.find_volume
    monkeypatch.setattr(
        dicom_source, "find_volume", lambda *args: replace(find(*args), on_slices=False)
    )
    objects, said = exported(case, ["seg", "rtstruct"])
    assert list(objects) == ["seg"]
    assert "export-off-slices" in {w["code"] for w in said["warnings"]}


def test_a_scan_that_is_no_dicom_is_refused_and_the_rest_stays(case, tmp_path):
    grid = replace(GRID, size=(5, 4, 3))
    write_volume(tmp_path / "scan.nii.gz", Volume(np.zeros(grid.shape, np.int16), grid))
    before = case["measurements"].read_bytes()
    objects, said = exported(case | {"scan": [tmp_path / "scan.nii.gz"]})
    assert (said["status"], said["stage"], said["code"]) == (
        "refused",
        "export",
        "export-needs-dicom",
    )
    assert objects == {} and case["measurements"].read_bytes() == before


def test_a_structure_that_the_source_s_slices_miss_is_told(case, tmp_path):
    grid = read_grid(case["labels"].with_name("isotropic.nii.gz"))
    label_map = LabelMap.empty(grid, 6)
    mask = np.zeros(grid.shape, bool)
    mask[3, 30, 30] = True
    label_map.paint(6, Region.of(mask))
    names = {s["name"]: s["label"] for s in STRUCTURES}
    label_map.paint(2, Region.of(mask_of(BODIES["organ"], grid)))
    inputs = case | {"labels": tmp_path / "labels.nii.gz", "overlaps": tmp_path / "overlaps"}
    write_label_map(inputs["labels"], inputs["overlaps"], label_map, names)
    for path in (inputs["labels"], inputs["overlaps"]):
        write_sidecar(path, read_sidecar(case["labels"]))
    objects, said = exported(inputs, ["seg", "rtstruct"])
    segments = dcmread(BytesIO(objects["seg"])).SegmentSequence
    assert [s.SegmentLabel for s in segments] == ["organ"]
    (lost,) = [w for w in said["warnings"] if w["code"] == "export-lost"]
    assert lost["structure"] == "speck"
    assert said["structures"]["speck"] == {"volume_mm3": 0.0, "change_percent": -100.0}


def test_a_refusal_is_passed_on(case, tmp_path):
    inputs = case | {"labels": put_refused(tmp_path / "labels.nii.gz")}
    objects, said = exported(inputs)
    assert_refusal_passed_on(said)
    assert objects == {}
