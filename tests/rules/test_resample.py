"""The resample stage: the same values at the same places in the patient, on cubic voxels."""

import json

import numpy as np
import pytest
from bodies import DIRECTIONS
from earlier import OK, assert_refusal_passed_on, put_refused, put_volume
from resample import resample
from scanmill.corrections.artefacts import MARKS
from scanmill.grid import Grid
from scanmill.phantom.fields import bias_field
from scanmill.phantom.noise import add_noise
from scanmill.sidecar import checksum, read_sidecar, write_sidecar
from scanmill.stage import run_stage
from scanmill.volume_file import read_volume

SLOPE = np.array([1.5, -2.25, 0.75])


def parameters(spacing, modality="MR"):
    correct = {"metal": "mark", "bias": "off", "noise": "off"}
    return {"spacing": spacing, "modality": modality, "correct": correct, "expect": {}}


def made(isotropic):
    return {
        "isotropic": isotropic,
        "unsmoothed": isotropic.with_name("unsmoothed.nii.gz"),
        "artefacts": isotropic.with_name("artefacts.nii.gz"),
    }


def scan_grid(direction) -> Grid:
    return Grid((19, 17, 11), (0.9, 1.3, 3.1), (-71.5, 33.25, 812.0), tuple(np.ravel(direction)))


def ramp(grid: Grid) -> np.ndarray:
    """An intensity that is linear in LPS: what linear interpolation reproduces."""
    z, y, x = np.indices(grid.shape)
    return (grid.to_physical(np.stack([x, y, z], -1)) @ SLOPE - 300).astype(np.float32)


def resampled(folder, array, grid, spacing, modality="MR"):
    volume = put_volume(folder / "one" / "volume.nii.gz", array, grid)
    isotropic = folder / "one" / "isotropic.nii.gz"
    run_stage(
        "resample", resample, {"volume": volume}, made(isotropic), parameters(spacing, modality)
    )
    return isotropic, read_sidecar(isotropic)


@pytest.mark.parametrize("direction", ["xyz+++", "zxy-+-", "oblique", "oblique left-handed"])
def test_a_ramp_in_the_patient_stays_the_same_ramp(tmp_path, direction):
    grid = scan_grid(DIRECTIONS[direction])
    isotropic, said = resampled(tmp_path, ramp(grid), grid, 0.8)
    read = read_volume(isotropic)
    assert read.grid.spacing == (0.8, 0.8, 0.8) and said["spacing_mm"] == [0.8, 0.8, 0.8]
    assert said["native_spacing_mm"] == [0.9, 1.3, 3.1]
    # Beyond the outermost voxel centres there is nothing to interpolate between.
    at = grid.to_index(read.grid.to_physical(np.argwhere(read.array > -np.inf)[:, ::-1]))
    within = ((at >= 0) & (at <= np.array(grid.size) - 1)).all(axis=1).reshape(read.array.shape)
    assert within.mean() > 0.5
    np.testing.assert_allclose(read.array[within], ramp(read.grid)[within], atol=2e-3)


def test_native_is_the_scan_itself(tmp_path):
    grid = scan_grid(DIRECTIONS["oblique"])
    isotropic, said = resampled(tmp_path, ramp(grid), grid, "native")
    read = read_volume(isotropic)
    assert read.grid.same_as(grid, 1e-5) and said["spacing_mm"] == [0.9, 1.3, 3.1]
    np.testing.assert_array_equal(read.array, ramp(grid))


def test_a_spacing_that_no_memory_can_hold_is_refused(tmp_path):
    grid = scan_grid(np.eye(3))
    isotropic, said = resampled(tmp_path, ramp(grid), grid, 0.001)
    assert (said["status"], said["stage"], said["code"]) == (
        "refused",
        "resample",
        "data-oversized",
    )
    assert isotropic.stat().st_size == 0


def test_a_refusal_of_ingest_is_passed_on(tmp_path):
    volume = put_refused(tmp_path / "one" / "volume.nii.gz")
    isotropic = volume.with_name("isotropic.nii.gz")
    run_stage("resample", resample, {"volume": volume}, made(isotropic), parameters(1.0))
    assert_refusal_passed_on(read_sidecar(isotropic), isotropic)


def test_the_sidecar_tells_the_input_by_its_checksum_and_no_path(tmp_path):
    grid = scan_grid(np.eye(3))
    isotropic, said = resampled(tmp_path, ramp(grid), grid, 1.0)
    volume = isotropic.with_name("volume.nii.gz")
    assert said["inputs"] == [{"name": "volume", "sha256": checksum(volume)}]
    assert said["parameters"] == parameters(1.0) and said["frame"] == "LPS"
    assert str(tmp_path) not in json.dumps(said) and said.keys() > OK.keys()


def test_a_ct_that_is_not_in_hounsfield_units_is_warned_of(tmp_path):
    grid = Grid((110, 110, 110), (1.0, 1.0, 1.0), (3.0, -9.0, 40.0))
    greys = np.random.default_rng(0).integers(0, 256, grid.shape).astype(np.uint8)
    volume, isotropic = put_volume(tmp_path / "volume.nii.gz", greys, grid), tmp_path / "iso.nii.gz"
    for modality, codes in (("CT", ["not-hounsfield"]), ("MR", [])):
        wanted = parameters("native", modality)
        run_stage("resample", resample, {"volume": volume}, made(isotropic), wanted)
        assert [w["code"] for w in read_sidecar(isotropic)["warnings"]] == codes


def test_a_sealed_frame_of_reference_is_passed_on(tmp_path):
    grid = scan_grid(DIRECTIONS["oblique"])
    volume = put_volume(tmp_path / "one" / "volume.nii.gz", ramp(grid), grid)
    sealed = {"salt": "00", "digest": "11"}
    write_sidecar(volume, OK | {"frame_of_reference": sealed})
    isotropic = volume.with_name("isotropic.nii.gz")
    run_stage("resample", resample, {"volume": volume}, made(isotropic), parameters(2.0))
    assert read_sidecar(isotropic)["frame_of_reference"] == sealed


def test_metal_is_marked_on_the_isotropic_grid_and_warned_of(tmp_path):
    grid = Grid((40, 40, 6), (2.0, 2.0, 4.0), (-71.5, 33.25, 812.0))
    array = np.full(grid.shape, 40, np.int16)
    array[:, 0] = -1000
    array[2:4, 18:22, 25:28] = 3071
    isotropic, _ = resampled(tmp_path, array, grid, 2.0, "CT")
    said, marks = read_sidecar(isotropic), read_volume(isotropic.with_name("artefacts.nii.gz"))
    assert [w["code"] for w in said["warnings"]] == ["metal"]
    assert said["artefacts"]["metal_percent"] == pytest.approx(100 * 24 / array.size, abs=1e-4)
    assert marks.grid.same_as(read_volume(isotropic).grid)
    place = marks.grid.to_physical(np.argwhere(marks.array == MARKS["metal"])[:, ::-1])
    at = np.rint(grid.to_index(place)).astype(int)
    assert len(place) == 48 and (array[tuple(at.T[::-1])] == 3071).all()


def test_noise_is_smoothed_for_finding_and_not_for_measuring(tmp_path):
    grid = scan_grid(DIRECTIONS["oblique left-handed"])
    grid = Grid((40, 36, 20), grid.spacing, grid.origin, grid.direction)
    noisy = add_noise(ramp(grid) / 50 + 200, "CT", 15, 3)
    volume = put_volume(tmp_path / "one" / "volume.nii.gz", noisy, grid)
    outputs = made(volume.with_name("isotropic.nii.gz"))
    for noise in ("off", "diffusion"):
        wanted = parameters("native")
        wanted["correct"] |= {"noise": noise}
        run_stage("resample", resample, {"volume": volume}, outputs, wanted)
        shown, measured = (read_volume(outputs[key]) for key in ("isotropic", "unsmoothed"))
        said = read_sidecar(outputs["isotropic"])
        np.testing.assert_array_equal(measured.array, noisy)
        assert measured.grid.same_as(shown.grid, 1e-5)
        away = (shown.array - ramp(grid) / 50 - 200).std()
        assert away == pytest.approx(15, rel=0.05) if noise == "off" else away < 5
    assert said["corrections"]["noise"]["sd_before"] == pytest.approx(15, rel=0.08)
    of_unsmoothed = {"sha256": checksum(outputs["unsmoothed"])}
    assert read_sidecar(outputs["unsmoothed"]) == said | of_unsmoothed


def test_both_images_have_the_bias_field_taken_off(tmp_path):
    grid = Grid((80, 80, 48), (2.5, 2.5, 3.5), (-71.5, 33.25, 812.0))
    z, y, x = np.indices(grid.shape)
    inside = np.hypot(np.hypot(x - 40, y - 39), (z - 24) * 1.4) < 33
    gain = bias_field(grid, 0.4, 2)
    noisy = add_noise(400 * inside * gain, "MR", 6, 4)
    volume = put_volume(tmp_path / "one" / "volume.nii.gz", noisy, grid)
    outputs, wanted = made(volume.with_name("isotropic.nii.gz")), parameters("native")
    wanted["correct"] |= {"bias": "n4", "noise": "diffusion"}
    run_stage("resample", resample, {"volume": volume}, outputs, wanted)
    said = read_sidecar(outputs["isotropic"])["corrections"]
    assert said["bias"]["applied"] and said["noise"]["applied"]
    for key in ("isotropic", "unsmoothed"):
        values = read_volume(outputs[key]).array[inside]
        assert values.std() / values.mean() < 0.3 * noisy[inside].std() / noisy[inside].mean()
