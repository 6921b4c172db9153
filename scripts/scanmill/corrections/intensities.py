"""What is done about the intensities of a scan, and what its sidecar tells of it: bias, then noise.

The bias field is an error of every measurement, so it is taken off for all that follows. Smoothing is
for finding structures alone: the variance, range and percentiles of a smoothed structure are those of
the filter, not of the patient, so statistics are taken from the scan without it.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scanmill.noise_level import noise_level
from scanmill.volume_file import Volume


@dataclass
class Corrected:
    """A scan corrected on its own grid.

    measured: without its bias field; intensities are measured here. shown: smoothed as well;
    structures are found here. said: by correction, what it found and did, of JSON types. warnings:
    code and message, of corrections that were asked for and not made.
    """

    measured: Volume
    shown: Volume
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[tuple[str, str]] = field(default_factory=list)


def correct(scan: Volume, modality: str, bias: str, noise: str) -> Corrected:
    """Correct a scan on its own grid.

    modality: CT, MR or any. bias: off or n4. noise: off or diffusion.
    """
    result = Corrected(scan, scan)
    if bias == "n4":
        _correct_bias(result)
    if noise == "diffusion":
        _correct_noise(result, modality)
    return result


def _correct_bias(result: Corrected) -> None:
    # Imported here, as below: most recipes correct nothing, and every job pays for its imports.
    from scanmill.corrections.bias import find_bias, without_bias

    scan = result.measured
    bias = find_bias(scan.array, scan.grid.spacing)
    if bias is None:
        message = "the body in the scan is too small to tell a bias field; none was taken off"
        result.said["bias"] = {"method": "n4", "applied": False}
        result.warnings.append(("bias-kept", message))
        return
    result.said["bias"] = {
        "method": "n4",
        "applied": bias.accepted,
        "field_log_sd": bias.log_sd,
        "entropy_before": bias.entropy_before,
        "entropy_after": bias.entropy_after,
    }
    if not bias.accepted:
        message = (
            "tissues are hardly purer without the bias field that was found; it was not taken off"
        )
        result.warnings.append(("bias-kept", message))
        return
    array = _stored(without_bias(scan.array, bias), scan.array.dtype)
    result.measured = result.shown = Volume(array, scan.grid)


def _correct_noise(result: Corrected, modality: str) -> None:
    from scanmill.corrections.noise import without_floor, without_noise

    scan = result.measured
    level = noise_level(scan.array, scan.grid.spacing)
    said = result.said["noise"] = {
        "method": "diffusion",
        "applied": level.sd > 0,
        "sd_before": level.sd,
        "distribution": level.distribution,
        "correlation_in_plane": level.in_plane,
        "correlation_between_slices": level.between_slices,
    }
    if level.sd == 0:
        result.warnings.append(
            ("noise-none", "no noise was found in the scan; it was not smoothed")
        )
        return
    smooth = without_noise(scan.array, scan.grid.spacing, level.sd)
    # One voxel in eight tells it as well, and a large CT has no room for a third image.
    some = (slice(None, None, 2),) * 3
    said["removed_sd"] = float((smooth[some] - scan.array[some]).std())
    said["sd_after"] = noise_level(smooth, scan.grid.spacing).sd
    if modality == "MR" and level.distribution == "rician":
        smooth = without_floor(smooth, level.sd)
    if not level.white:
        message = (
            "the noise of neighbouring voxels is alike, or fine anatomy looks like noise: smoothing "
            "removes less of it than of white noise"
        )
        result.warnings.append(("noise-correlated", message))
    result.shown = Volume(_stored(smooth, scan.array.dtype), scan.grid)


def _stored(array: np.ndarray, scanned: np.dtype) -> np.ndarray:
    """Corrected intensities, float32; of a scan in whole numbers, whole numbers, which pack well."""
    if scanned.kind == "f":
        return array
    whole = np.rint(array, out=array)
    wide = max(abs(float(whole.min())), abs(float(whole.max()))) > np.iinfo(np.int16).max
    return whole.astype(np.int32 if wide else np.int16)
