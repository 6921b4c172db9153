"""PyRadiomics' own 14 shape features of a mask, and the CPU time that it takes for them.

Usage: python pyradiomics_shape.py IMAGE MASK [--label N ...] [--repeat N]. Prints JSON: for each
label the features by name, and the CPU seconds of each repetition of the feature calculation alone.
Imports, reading and the crop to the label's box are not timed.
"""

import argparse
import json
import time
from typing import Any

import SimpleITK as sitk
from radiomics import imageoperations
from radiomics.shape import RadiomicsShape


def shape_features(image: sitk.Image, mask: sitk.Image, label: int, repeat: int) -> dict[str, Any]:
    """The default shape features of one label, and the CPU seconds of each repetition."""
    box, corrected = imageoperations.checkMask(image, mask, label=label)
    cropped = imageoperations.cropToTumorMask(image, corrected or mask, box)
    seconds = []
    for _ in range(repeat):
        start = time.process_time()
        calculator = RadiomicsShape(*cropped, label=label)
        calculator.enableAllFeatures()
        values = calculator.execute()
        seconds.append(time.process_time() - start)
    return {
        "features": {name: float(value) for name, value in values.items()},
        "cpu_seconds": seconds,
    }


def main(image_path: str, mask_path: str, labels: list[int], repeat: int) -> None:
    """Print the features and times of each label."""
    image = sitk.ReadImage(image_path)
    mask = sitk.ReadImage(mask_path, sitk.sitkUInt32)
    result = {label: shape_features(image, mask, label, repeat) for label in labels}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image")
    parser.add_argument("mask")
    parser.add_argument("--label", type=int, nargs="+", default=[1], dest="labels")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.image, arguments.mask, arguments.labels, arguments.repeat)
