"""What all corrections of a scan cost together, CPU seconds: a head by MR, and the torso of scan.py.

    python bench/corrections.py

Goals: 10 s for an MR of 256 x 256 x 180 voxels, 20 s for a CT of 512 x 512 x 400. Each is run twice, so
that the loops are compiled; the second is told.
"""

import sys
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import scan  # noqa: E402
from scanmill.corrections.artefacts import examine_ct, examine_mr  # noqa: E402
from scanmill.corrections.intensities import correct  # noqa: E402
from scanmill.grid import Grid  # noqa: E402
from scanmill.phantom.fields import bias_field  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402

# Half axes of a head's skin, brain and ventricles against the scan's, and their signals.
SHELLS = ((0.8, 250.0), (0.65, 500.0), (0.2, 330.0))


def head(size: tuple[int, int, int]) -> Volume:
    """An MR of three tissues, a coil of 1 +- 0.4, noise of 8, in whole numbers."""
    grid = Grid(size, (1.0, 1.0, 1.0))
    axes = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in grid.shape)]
    distance = np.sqrt(sum(axis**2 for axis in axes))
    signal = np.zeros(grid.shape)
    for radius, value in SHELLS:
        signal[distance < radius] = value
    signal *= bias_field(grid, 0.4, 1)
    real, imaginary = np.random.default_rng(1).normal(0, 8, (2, *grid.shape))
    return Volume(np.rint(np.hypot(signal + real, imaginary)).astype(np.int16), grid)


def torso(size: tuple[int, int, int]) -> Volume:
    """The benchmarks' CT."""
    random = np.random.default_rng(scan.SEED)
    return Volume(
        scan.make_intensities(scan.make_torso(size, random), random), Grid(size, scan.SPACING)
    )


def costs(volume: Volume, modality: str) -> tuple[float, float]:
    """CPU seconds of finding artefacts, and of bias and noise."""
    start = time.process_time()
    found = examine_ct(volume, "mark") if modality == "CT" else examine_mr(volume)
    between = time.process_time()
    correct(
        Volume(found.image, volume.grid), modality, "n4" if modality == "MR" else "off", "diffusion"
    )
    return between - start, time.process_time() - between


def main() -> None:
    """Print the table."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    print("| scan | artefacts | bias and noise | all, CPU s | goal |\n|---|---|---|---|---|")
    for modality, make, size, goal in (
        ("MR", head, (256, 256, 180), 10),
        ("CT", torso, (512, 512, 400), 20),
    ):
        costs(make(tuple(n // 4 for n in size)), modality)
        artefacts, intensities = costs(make(size), modality)
        name = f"{modality} {' x '.join(map(str, size))}"
        total = artefacts + intensities
        print(f"| {name} | {artefacts:.1f} | {intensities:.1f} | {total:.1f} | {goal} |")


if __name__ == "__main__":
    main()
