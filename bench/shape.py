"""Time ScanMill's shape quantities against PyRadiomics' own, for the same 14 features and values.

Usage: python bench/shape.py PYTHON IMAGE MASK [--label N ...] [--repeat N]. PYTHON: an interpreter with
PyRadiomics 3.0.1 (see README.md). CPU seconds of the calculation alone, the median of several
repetitions; imports, reading and the crop to the label's box are not timed on either side.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill.diameters import plane_diameters  # noqa: E402
from scanmill.label_map import regions_of  # noqa: E402
from scanmill.shape_features import bordered, mesh_features  # noqa: E402
from scanmill.source import read_source  # noqa: E402


def fourteen(mask: np.ndarray, spacing: tuple[float, float, float]) -> dict[str, float]:
    """PyRadiomics' default shape features, under its names."""
    found = mesh_features(bordered(mask), spacing)
    planes = plane_diameters(mask, np.asarray(spacing)).tolist()
    count = np.count_nonzero(mask)
    # PyRadiomics divides the scatter of the voxels by their number, IBSI by one less.
    axes = math.sqrt((count - 1) / count)
    return {
        "MeshVolume": found["morph_volume"],
        "VoxelVolume": found["morph_vol_approx"],
        "SurfaceArea": found["morph_area_mesh"],
        "SurfaceVolumeRatio": found["morph_av"],
        "Sphericity": found["morph_sphericity"],
        "Maximum3DDiameter": found["morph_diam"],
        "Maximum2DDiameterRow": planes[0],
        "Maximum2DDiameterColumn": planes[1],
        "Maximum2DDiameterSlice": planes[2],
        "MajorAxisLength": found["morph_pca_maj_axis"] * axes,
        "MinorAxisLength": found["morph_pca_min_axis"] * axes,
        "LeastAxisLength": found["morph_pca_least_axis"] * axes,
        "Elongation": found["morph_pca_elongation"],
        "Flatness": found["morph_pca_flatness"],
    }


def main() -> None:
    """Print a line per label: voxels, both times, their ratio and the largest difference."""
    parser = argparse.ArgumentParser()
    parser.add_argument("python")
    parser.add_argument("image", type=Path)
    parser.add_argument("mask", type=Path)
    parser.add_argument("--label", type=int, nargs="+", default=[1])
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    command = [options.python, str(ROOT / "bench" / "pyradiomics_shape.py")]
    labels = [str(label) for label in options.label]
    command += [str(options.image), str(options.mask), "--label", *labels]
    command += ["--repeat", str(options.repeat)]
    theirs = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    volume, _ = read_source(options.mask)
    regions = regions_of(volume.array.astype(np.uint16))
    spent = [0.0, 0.0]
    print(" label    voxels  PyRadiomics s  ScanMill s   ratio    apart")
    for label in options.label:
        region = regions[label]
        seconds = []
        for _ in range(options.repeat + 1):
            start = time.process_time()
            ours = fourteen(region.array, volume.grid.spacing)
            seconds.append(time.process_time() - start)
        own = statistics.median(seconds[1:])
        reference = theirs[str(label)]
        other = statistics.median(reference["cpu_seconds"])
        apart = max(abs(ours[name] / value - 1) for name, value in reference["features"].items())
        spent = [spent[0] + other, spent[1] + own]
        print(
            f"{label:6}{region.count():10}{other:15.4f}{own:12.5f}{other / own:8.0f}{apart:10.1e}"
        )
    print(f"{'all':>6}{'':10}{spent[0]:15.4f}{spent[1]:12.5f}{spent[0] / spent[1]:8.0f}")


if __name__ == "__main__":
    main()
