"""Metal in a CT: where it lies, and how far the streaks around it are off.

The error is estimated slice by slice from the image's own projections. Rays through metal are replaced
by what their neighbours say of a body that a first, cleaner image shows, and what this changes is the
error: metal artefact reduction by normalised in-painting (Meyer et al. 2010, doi:10.1118/1.3484090),
here by differences, not ratios. Only the error is reconstructed, so the rest of the image keeps its
resolution.
"""

from collections.abc import Iterator

import cc3d
import numpy as np
from scipy import ndimage

from scanmill.grid import Grid
from scanmill.phantom.projection import Beam, project, reconstruct

# Enamel and the densest bone stay below CORE_HU, which a 12-bit CT, clipped at 3071, still holds.
CORE_HU = 3000
EDGE_HU = 2200
# A ball of 2.7 mm across: smaller metal casts no streak that stands out of the noise.
LEAST_CORE_MM3 = 10.0
# Voxels across, about, of slices in which streaks are marked; time grows with the cube of it.
COARSE_MATRIX = 256
# The most that a prior image takes metal and the bone beside it for, and what is soft tissue in it,
# relative to water.
BRIGHTEST, SOFT, AIR = 2.2, (0.85, 1.3), 0.25
SOFT_VALUE, METAL_VALUE = 1.03, 1.5


def find_metal(image: np.ndarray, grid: Grid) -> np.ndarray | None:
    """The metal of a CT in HU, a mask [z, y, x]; None where there is none.

    Connected voxels above EDGE_HU of which at least LEAST_CORE_MM3 are above CORE_HU.
    """
    if image.max() <= CORE_HU:
        return None
    pieces = cc3d.connected_components(image > EDGE_HU)
    cores = np.bincount(pieces[image > CORE_HU], minlength=int(pieces.max()) + 1)
    chosen = cores * grid.voxel_volume >= LEAST_CORE_MM3
    chosen[0] = False
    return chosen[pieces] if chosen.any() else None


def metal_errors(
    image: np.ndarray, metal: np.ndarray, spacing: tuple[float, float], fine: bool
) -> Iterator[tuple[int, np.ndarray]]:
    """How much metal adds to each voxel of the slices that hold some: number and HU, [y, x].

    image: HU, metal: mask, both [z, y, x] with z across the plane that the scanner turns in. spacing:
    mm along (x, y). fine: at the slices' own resolution, which in-painting needs; else at that of
    COARSE_MATRIX, which is enough to mark what is off.
    """
    block = 1 if fine else max(1, round(max(image.shape[1:]) / COARSE_MATRIX))
    for k in np.flatnonzero(metal.any(axis=(1, 2))):
        water = _averaged(np.maximum(1 + image[k] / 1000, 0), block)
        held = _averaged(metal[k], block) > 0
        beam = Beam(water.shape, (spacing[0] * block, spacing[1] * block))
        yield int(k), _refined(_error(water, held, beam), block, image.shape[1:])


def _error(water: np.ndarray, metal: np.ndarray, beam: Beam) -> np.ndarray:
    """HU that the rays through metal add to a slice, beyond what the rays beside them lead to expect.

    water: attenuation relative to it.
    """
    trace = _trace(metal, beam)
    wanted = ndimage.binary_dilation(trace, np.ones((1, 3)))
    views = project(water, beam, wanted)
    first = reconstruct(views - _bridged(views, trace), beam)
    # The slice shows the bone beside the metal, the in-painted one fewer streaks: the mean has both.
    prior = _prior(np.minimum(water - first / 2, BRIGHTEST), metal)
    beyond = views - project(prior, beam, wanted)
    error = 1000 * reconstruct(beyond - _bridged(beyond, trace), beam)
    # What replaces the metal itself is no error, and must not leak out of it.
    nearest = ndimage.distance_transform_edt(metal, return_distances=False, return_indices=True)
    return error[tuple(nearest)]


def _prior(water: np.ndarray, metal: np.ndarray) -> np.ndarray:
    """What a slice would be without noise and streaks, relative to water: air, soft tissue, bone."""
    smooth = ndimage.gaussian_filter(water, 1.0)
    smooth[(smooth > SOFT[0]) & (smooth < SOFT[1])] = SOFT_VALUE
    smooth[smooth < AIR] = 0
    smooth[metal] = METAL_VALUE
    return smooth


def _trace(metal: np.ndarray, beam: Beam) -> np.ndarray:
    """The rays through metal and the next on either side, a mask [view, ray]."""
    rows, columns = np.nonzero(metal)
    x = (columns - (metal.shape[1] - 1) / 2) * (beam.spacing[0] / beam.pitch)
    y = (rows - (metal.shape[0] - 1) / 2) * (beam.spacing[1] / beam.pitch)
    place = np.outer(np.cos(beam.angles), x) + np.outer(np.sin(beam.angles), y)
    ray = np.floor(place + (beam.rays - 1) / 2).astype(np.int64)
    trace = np.zeros((len(beam.angles), beam.rays), bool)
    reach = round(max(beam.spacing) / beam.pitch)
    for beside in range(-reach, reach + 2):
        np.put_along_axis(trace, np.clip(ray + beside, 1, beam.rays - 2), True, axis=1)
    return trace


def _bridged(views: np.ndarray, trace: np.ndarray) -> np.ndarray:
    """Views [view, ray] with straight lines where the trace lies."""
    bridged = views.copy()
    rays = np.arange(views.shape[1])
    for view, gap in zip(bridged, trace, strict=True):
        view[gap] = np.interp(rays[gap], rays[~gap], view[~gap])
    return bridged


def _averaged(image: np.ndarray, block: int) -> np.ndarray:
    """Means of square blocks of a slice; those at its ends are filled with the outermost values."""
    image = np.pad(image, [(0, -n % block) for n in image.shape], mode="edge")
    rows, columns = (n // block for n in image.shape)
    return image.reshape(rows, block, columns, block).mean(axis=(1, 3))


def _refined(coarse: np.ndarray, block: int, shape: tuple[int, ...]) -> np.ndarray:
    """A slice on its own voxels again, linear between the blocks' middles."""
    if block > 1:
        coarse = ndimage.zoom(coarse, block, order=1, mode="nearest", grid_mode=True)
    return coarse[: shape[0], : shape[1]]
