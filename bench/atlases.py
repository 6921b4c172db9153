"""Time the method `atlas` on a phantom head of 256 x 256 x 256 voxels of 1 mm, mostly air, by others.

Usage: python bench/atlases.py [ATLASES, 5]. One thread. All differ in shape, place and axes.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs")]
from challenge.mill import dice, timed  # noqa: E402
from scanmill.fusion.multi_atlas import Atlas, segmented  # noqa: E402
from scanmill.phantom.cohort import patient  # noqa: E402
from scanmill.phantom.scanning import Scan, scan_of  # noqa: E402
from scanmill.registration.pyramid import finest_spacing  # noqa: E402

SIZE, SPACING, NOISE = 256, 1.0, 20.0
VARIABILITY, CONTRAST = 0.5, 30.0


def head(n: int) -> Scan:
    """A patient by chance."""
    description = patient("head", [61, n], (SPACING,) * 3, VARIABILITY, CONTRAST, NOISE)
    description["grid"]["size"] = [SIZE] * 3
    return scan_of(description)


def main() -> None:
    """Print CPU seconds, peak memory and the Dice of each structure."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    target, others = head(0), [head(n) for n in range(1, count + 1)]
    names = {t["label"]: t["name"] for t in target.truth}
    finest = finest_spacing(target.image.grid, others[0].image.grid)
    atlases, preparing = timed(lambda: [Atlas.of(o.image, o.labels, finest) for o in others])
    started = time.perf_counter()
    found, spent = timed(lambda: segmented(target.image, atlases, max(names) + 1).labels())
    elapsed = time.perf_counter() - started
    in_air = np.mean(target.labels.array == 0)
    print(f"{count} atlases, {SIZE}^3 voxels, {100 * in_air:.0f} % air, finest {finest:.1f} mm")
    print(f"atlases made ready {preparing:.1f} CPU s; segmented {spent:.1f} CPU s, {elapsed:.1f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    for label, name in names.items():
        print(f"{name:24}Dice {dice(found == label, target.labels.array == label):.3f}")


if __name__ == "__main__":
    main()
