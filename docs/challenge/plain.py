"""The ways to find a patient's organs that atlases are held against (`segmenters.py`)."""

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk
from scanmill.volume_file import Volume
from scipy import ndimage
from seeded import Target, by_growing, half_ball

from challenge import variability
from challenge.mill import Found, rules, segmented

# The organs, and the labels of the patient in each.
ORGANS = {n: parts for n, parts in variability.ORGANS.items() if n != "liver-tumour"}
# HU that the organs usually have (`scanmill.phantom.anatomy`), and how many parts each has.
USUAL = {"lungs": -850, "spine": 900, "aorta": 350, "liver": 110, "kidneys": 180}
PARTS = {"lungs": 2, "kidneys": 2}
# ITK tries all combinations of thresholds: with one more or two, of 128 bins, it takes minutes.
THRESHOLDS = 3


def plain_otsu(image: Volume, _: np.ndarray) -> np.ndarray:
    """Of Otsu's classes of intensities, that in which the organ's usual one lies; its largest parts."""
    otsu = sitk.OtsuMultipleThresholdsImageFilter()
    otsu.SetNumberOfThresholds(THRESHOLDS)
    otsu.Execute(sitk.GetImageFromArray(image.array))
    ends = [-np.inf, *otsu.GetThresholds(), np.inf]
    segments = {}
    for organ, usual in USUAL.items():
        n = int(np.searchsorted(ends, usual))
        window = [None if np.isinf(end) else end for end in ends[n - 1 : n + 1]]
        segments[organ] = rules({"window": window}, {"largest": PARTS.get(organ, 1)})
    return labels_of(segmented(image, segments))


def plain_growing(image: Volume, truth: np.ndarray) -> np.ndarray:
    """Confidence connected regions, each from the deepest point of a part of the true organ.

    Of regions that overlap, the smaller one has the voxel: it leaked less.
    """
    everywhere = np.ones(truth.shape, bool)
    regions = []
    for label in range(1, len(ORGANS) + 1):
        parts, count = ndimage.label(truth == label)
        for part in range(1, count + 1):
            target = Target(image, parts == part, everywhere)
            regions.append((label, by_growing(target, half_ball(target))))
    result = np.zeros_like(truth)
    for label, region in sorted(regions, key=lambda each: -each[1].sum()):
        result[region] = label
    return result


def plain_rules(image: Volume, _: np.ndarray) -> np.ndarray:
    """The windows of `phantom-ct`, the same for every patient."""
    return labels_of(segmented(image, variability.segments(), "CT"))


def labels_of(found: Found) -> np.ndarray:
    """The organs, 1, 2, ... in the order of ORGANS; the last of those that have a voxel."""
    result = np.zeros(found.label_map.grid.shape, np.uint8)
    for label, organ in enumerate(ORGANS, 1):
        result[found.mask(organ)] = label
    return result


# From an image and the true labels, of which only seeds are taken.
PLAIN: dict[str, Callable[[Volume, np.ndarray], np.ndarray]] = {
    "Otsu": plain_otsu,
    "region growing": plain_growing,
    "`rules`": plain_rules,
}
