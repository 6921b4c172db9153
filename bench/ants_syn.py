"""Bring the moving scan of each pair onto the fixed one by antspyx: SyN with its defaults.

Usage: python bench/ants_syn.py FOLDER. FOLDER: as bench/registration.py makes it. Writes each pair's
moving labels on the fixed grid, and prints the CPU seconds of each registration as JSON. One thread.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
import ants


def main() -> None:
    """Register each pair, the first one twice: its first run loads what the others need."""
    pairs = sorted(Path(sys.argv[1]).iterdir())
    register(pairs[0])
    print(json.dumps({pair.name: register(pair) for pair in pairs}))


def register(pair: Path) -> float:
    """The CPU seconds of a registration."""
    fixed, moving, labels = (
        ants.image_read(str(pair / f"{name}.nii.gz")) for name in ("fixed", "moving", "labels")
    )
    started = time.process_time()
    found = ants.registration(fixed, moving, type_of_transform="SyN", random_seed=1)
    spent = time.process_time() - started
    moved = ants.apply_transforms(
        fixed, labels, found["fwdtransforms"], interpolator="genericLabel"
    )
    ants.image_write(moved, str(pair / "found.nii.gz"))
    return spent


if __name__ == "__main__":
    main()
