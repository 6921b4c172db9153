"""Anisotropic resolution: organs in thick slices, on cubic voxels of 1 mm."""

from collections.abc import Callable, Iterator

import numpy as np
import SimpleITK as sitk
from scanmill.grid import Grid, Triple
from scanmill.label_interpolation import resample_labels
from scanmill.resampling import resample_image
from scanmill.volume_file import Volume
from scipy.ndimage import distance_transform_edt

from challenge.bodies import organ
from challenge.mill import dice, rules, segmented, timed
from challenge.table import Goal, Row, markdown

SPACINGS: tuple[Triple, ...] = ((1, 1, 1), (1, 1, 3), (1, 1, 5), (2, 2, 5), (2, 2, 10))
RADII = (8.0, 16.0)
HALF = rules({"window": [0.5, None]})
Way = Callable[[Volume, Grid], np.ndarray]


def rows(seeds: range) -> list[Row]:
    """An organ of 16 mm in voxels of 2 x 2 x 10 mm, found before it is resampled and after."""
    found = []
    for seed in seeds:
        own = organ(seed, SPACINGS[-1], RADII[-1])
        scan = Volume(own.filled.astype(np.float32), own.grid)
        mask = Volume(_thresholded(scan).astype(np.uint8), own.grid)
        image, image_cost = timed(lambda s=scan, t=own.target: resample_image(s, t))
        labels, labels_cost = timed(lambda m=mask, t=own.target: resample_labels(m, t))
        masks = (_nearest(mask, own.target) > 0.5, _thresholded(image), labels > 0)
        found.append((*(dice(m, own.truth) for m in masks), image_cost, labels_cost))
    before, by_image, by_labels, image_cost, labels_cost = zip(*found, strict=True)
    measured = "Dice at 1 mm of an organ of 16 mm radius in voxels of 2 x 2 x 10 mm"
    goal = Goal("at least", 0.96)
    name = "anisotropic resolution"
    return [
        Row(name, measured, "image resampled, then rules", before, by_image, goal, image_cost, 3),
        Row(name, measured, "supplied mask resampled", before, by_labels, goal, labels_cost, 3),
    ]


def tables(seeds: range) -> Iterator[str]:
    """Interpolations of images and of masks beside each other."""
    yield (
        "An organ's volume at half contrast after interpolation to 1 mm, mean and standard deviation; "
        "and how far values overshoot, % of the contrast: beside air or bone that is an intensity of "
        "another tissue."
    )
    yield ""
    header = ("voxel mm", "radius mm", *(f"{way} %" for way in WAYS))
    header += (f"overshoot %: {', '.join(WAYS)}",)
    each = [(spacing, radius) for spacing in SPACINGS for radius in RADII]
    yield from markdown(header, (_images(*one, seeds) for one in each))
    yield "Supplied masks, Dice with the truth on 1 mm voxels:"
    yield ""
    header = ("voxel mm", "radius mm", "nearest", "signed distance", "ScanMill")
    yield from markdown(header, (_masks(*one, seeds) for one in each[len(RADII) :]))


def _thresholded(image: Volume) -> np.ndarray:
    """The organ as rules find it at half contrast."""
    return segmented(image, {"organ": HALF}).mask("organ")


def _by_itk(interpolator: int) -> Way:
    """Resampling by SimpleITK, on grids of the same directions and centre."""

    def resample(volume: Volume, target: Grid) -> np.ndarray:
        image = sitk.GetImageFromArray(volume.array.astype(np.float32))
        image.SetSpacing(volume.grid.spacing)
        image.SetOrigin(volume.grid.origin)
        image.SetDirection(volume.grid.direction)
        how = sitk.ResampleImageFilter()
        how.SetInterpolator(interpolator)
        how.SetSize(target.size)
        how.SetOutputSpacing(target.spacing)
        how.SetOutputOrigin(target.origin)
        how.SetOutputDirection(target.direction)
        how.UseNearestNeighborExtrapolatorOn()
        return sitk.GetArrayFromImage(how.Execute(image))

    return resample


_nearest = _by_itk(sitk.sitkNearestNeighbor)
WAYS: dict[str, Way] = {
    "ScanMill": lambda volume, target: resample_image(volume, target).array,
    "linear": _by_itk(sitk.sitkLinear),
    "B-spline": _by_itk(sitk.sitkBSpline),
    "windowed sinc": _by_itk(sitk.sitkLanczosWindowedSinc),
}


def _images(spacing: Triple, radius: float, seeds: range) -> tuple[str, ...]:
    """What each interpolation makes of a volume, and how far it overshoots."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for seed in seeds:
        own = organ(seed, spacing, radius)
        for name, way in WAYS.items():
            image = way(Volume(own.filled.astype(np.float32), own.grid), own.target)
            volume = (image > 0.5).sum() * own.target.voxel_volume
            overshoot = float(max(image.max() - 1, -image.min()))
            found[name].append((100 * (volume / own.body.volume - 1), 100 * overshoot))
    columns = [np.transpose(values) for values in found.values()]
    volumes = [f"{errors.mean():+.1f} ± {errors.std():.1f}" for errors, _ in columns]
    over = ", ".join(f"{abs(overshoots.mean()):.0f}" for _, overshoots in columns)
    return _size(spacing), f"{radius:g}", *volumes, over


def _signed_distance(labels: Volume, target: Grid) -> np.ndarray:
    """A mask by its signed distance, interpolated linearly."""
    inside, step = labels.array > 0, labels.grid.spacing[::-1]
    depth = distance_transform_edt(inside, step) - distance_transform_edt(~inside, step)
    return _by_itk(sitk.sitkLinear)(Volume(depth, labels.grid), target) > 0


def _masks(spacing: Triple, radius: float, seeds: range) -> tuple[str, ...]:
    """How well a mask of thick slices agrees with the truth after each resampling."""
    found = []
    for seed in seeds:
        own = organ(seed, spacing, radius)
        labels = Volume((own.filled >= 0.5).astype(np.uint8), own.grid)
        masks = (
            _nearest(labels, own.target) > 0.5,
            _signed_distance(labels, own.target),
            resample_labels(labels, own.target) > 0,
        )
        found.append([dice(mask, own.truth) for mask in masks])
    return _size(spacing), f"{radius:g}", *(f"{v:.3f}" for v in np.mean(found, axis=0))


def _size(spacing: Triple) -> str:
    return " x ".join(f"{s:g}" for s in spacing)
