"""The ingest stage: what it writes, what it says, and what it never says."""

from pathlib import Path

import nibabel as nib
import numpy as np
from ingest import ingest
from scanmill.frame_of_reference import matches
from scanmill.sidecar import read_sidecar
from scanmill.stage import run_stage
from scanmill.volume_file import Volume, read_volume
from source_samples import tilted, write_series

AFFINE = np.array([[0, -0.7, 0, 3.5], [0.9, 0, 0, -40], [0, 0, -2.5, 12], [0, 0, 0, 1]], float)
VALUES = np.arange(7 * 6 * 5, dtype=np.int32).reshape(7, 6, 5) - 1000


def ingested(tmp_path, image) -> tuple[Path, dict]:
    scan = tmp_path / "sheet" / "Doe-Jane.nii.gz"
    scan.parent.mkdir()
    image.header["descrip"] = b"Doe^Jane 1970-01-01"
    nib.save(image, scan)
    volume = tmp_path / "cases" / "one" / "volume.nii.gz"
    run_stage("ingest", ingest, {"scan": [scan]}, {"volume": volume}, {})
    return volume, read_sidecar(volume)


def test_a_scan_becomes_a_volume_with_a_sidecar(tmp_path):
    volume, said = ingested(tmp_path, nib.Nifti1Image(VALUES, AFFINE))
    read = read_volume(volume)
    np.testing.assert_array_equal(read.array, VALUES.T)
    assert read.array.dtype == np.int16
    # Voxel (1, 2, 3) of the scan, from RAS by hand.
    there = [-(3.5 - 0.7 * 2), -(-40 + 0.9 * 1), 12 - 2.5 * 3]
    np.testing.assert_allclose(read.grid.to_physical(np.array([1, 2, 3])), there, atol=1e-5)
    assert said["status"] == "ok" and said["spacing_mm"] == [0.9, 0.7, 2.5]
    assert said["source"] == {"format": "nifti-gzip", "voxel_type": "int16", "size": [7, 6, 5]}
    assert said["warnings"] == []


def test_a_refused_scan_leaves_an_empty_volume_and_a_reason(tmp_path):
    volume, said = ingested(tmp_path, nib.Nifti1Image(np.full((7, 6, 5), np.nan), AFFINE))
    assert volume.stat().st_size == 0
    assert (said["status"], said["code"]) == ("refused", "values-not-finite")


def test_warnings_reach_the_sidecar(tmp_path):
    image = nib.Nifti1Image(VALUES, None)
    image.header.set_zooms((0.9, 0.7, 2.5))
    _, said = ingested(tmp_path, image)
    assert [warning["code"] for warning in said["warnings"]] == ["geometry-assumed"]


def test_no_identity_is_carried_over(tmp_path):
    volume, said = ingested(tmp_path, nib.Nifti1Image(VALUES, AFFINE))
    assert "Doe" not in str(said) and "1970" not in str(said)
    assert b"Doe" not in volume.read_bytes()
    assert nib.load(volume).header["descrip"].item() == b""


def test_a_frame_of_reference_is_sealed_not_told(tmp_path):
    uid = "1.2.840.99.7.1"
    for case, shift in (("one", 0), ("two", 1)):
        scan = Volume(tilted().array + shift, tilted().grid)
        write_series(tmp_path / "scans" / case, scan, FrameOfReferenceUID=uid)
        volume = tmp_path / case / "volume.nii.gz"
        run_stage("ingest", ingest, {"scan": [tmp_path / "scans" / case]}, {"volume": volume}, {})
    one, two = (read_sidecar(tmp_path / case / "volume.nii.gz") for case in ("one", "two"))
    assert one["source"]["format"] == "dicom" and uid not in str(one)
    assert matches(uid, one["frame_of_reference"])
    assert not matches(uid + "0", one["frame_of_reference"])
    # Two scans of one patient's frame have nothing in common to be linked by.
    assert one["frame_of_reference"]["digest"] != two["frame_of_reference"]["digest"]
