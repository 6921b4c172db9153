"""The script as it is often written: careful.py's work on the whole volume again for each label.

Usage: python naive.py SCAN LABELS FOLDER. The outputs are the same as careful.py's.
"""

import sys
from pathlib import Path

import numpy as np
from careful import Box, main


def whole_volume(labels: np.ndarray) -> dict[int, Box]:
    """The whole volume for every label that occurs."""
    box = tuple(slice(0, n) for n in labels.shape)
    return {int(label): box for label in np.unique(labels) if label != 0}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), boxes_in=whole_volume)
