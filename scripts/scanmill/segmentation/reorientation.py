"""Images between a scan's own grid and one along the patient's axes, in physical space."""

import numpy as np
import SimpleITK as sitk

from scanmill.grid import TOWARDS, Grid, Triple
from scanmill.resampling import resample_image
from scanmill.volume_file import Volume

# Of cosines: at the end of a scan of half a metre less than half a millimetre.
PARALLEL = 1e-3


def patient_grid(grid: Grid, axes: str, spacing: Triple) -> Grid:
    """The grid along the patient's axes that covers a grid's block of space and has its centre.

    axes: the sides that the indices of an array rise towards, first axis first. spacing: mm, in the
    same order.
    """
    directions = np.array([TOWARDS[letter] for letter in axes])
    blocks = np.abs(directions @ grid.axes) @ grid.size
    size = np.maximum(1, np.ceil(blocks / spacing - 1e-3)).astype(int)
    centre = grid.to_physical((np.asarray(grid.size) - 1) / 2)
    middle = Grid(
        (1, 1, 1), spacing[::-1], tuple(map(float, centre)), tuple(directions[::-1].T.ravel())
    )
    return middle.concentric(tuple(int(n) for n in size[::-1]), spacing[::-1])


def onto(volume: Volume, target: Grid) -> Volume:
    """Resample an image onto a grid with the same centre, whatever the directions of the two.

    Where these are parallel, axes are swapped and turned without loss before `resample_image`; else
    interpolation is linear, and beyond the image lies its least value. (Cubic B-splines ring: at the
    skin of a CT they made soft tissue of 40 HU one of more than 170.)
    """
    turned = _turned(volume, target)
    parallel = np.abs(np.subtract(turned.grid.direction, target.direction)).max() < PARALLEL
    if parallel:
        return resample_image(turned, target)
    extent = np.multiply(turned.grid.size, turned.grid.spacing)
    size = np.maximum(1, np.ceil(extent / target.spacing - 1e-3)).astype(int)
    finer = turned.grid.concentric(tuple(int(n) for n in size), target.spacing)
    return _rotated(resample_image(turned, finer), target)


def _turned(volume: Volume, target: Grid) -> Volume:
    """The same voxels, their axes swapped and turned to lie nearest to the target's."""
    own = np.reshape(volume.grid.direction, (3, 3))
    cosines = np.reshape(target.direction, (3, 3)).T @ own
    order = _assigned(np.abs(cosines))
    backward = [cosines[k, axis] < 0 for k, axis in enumerate(order)]
    # Arrays are [z, y, x], grids (x, y, z).
    array = volume.array.transpose([2 - axis for axis in order[::-1]])
    array = array[tuple(slice(None, None, -1 if turn else 1) for turn in backward[::-1])]
    signs = np.where(backward, -1, 1)
    size = tuple(volume.grid.size[axis] for axis in order)
    spacing = tuple(volume.grid.spacing[axis] for axis in order)
    first = np.zeros(3)
    for k, axis in enumerate(order):
        first[axis] = size[k] - 1 if backward[k] else 0
    origin = tuple(float(x) for x in volume.grid.to_physical(first))
    direction = tuple(float(x) for x in (own[:, order] * signs).ravel())
    return Volume(np.ascontiguousarray(array), Grid(size, spacing, origin, direction))


def _assigned(nearness: np.ndarray) -> list[int]:
    """For each of the target's axes, the axis of the volume that goes with it; each once."""
    order = [-1, -1, -1]
    left = nearness.copy()
    for _ in range(3):
        k, axis = np.unravel_index(np.argmax(left), left.shape)
        order[k] = int(axis)
        left[k], left[:, axis] = -1, -1
    return order


def _rotated(volume: Volume, target: Grid) -> Volume:
    image = sitk.GetImageFromArray(volume.array.astype(np.float32, copy=False))
    image.SetSpacing(volume.grid.spacing)
    image.SetOrigin(volume.grid.origin)
    image.SetDirection(volume.grid.direction)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(target.size)
    resampler.SetOutputSpacing(target.spacing)
    resampler.SetOutputOrigin(target.origin)
    resampler.SetOutputDirection(target.direction)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetDefaultPixelValue(float(volume.array.min()))
    return Volume(sitk.GetArrayFromImage(resampler.Execute(image)), target)
