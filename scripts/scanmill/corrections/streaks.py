"""How far the streaks around metal in a CT are off.

The error is estimated slice by slice from the image's own projections. Rays through metal are replaced
by what their neighbours say of a body that a cleaner image shows, and what this changes is the
error: metal artefact reduction by normalised in-painting (Meyer et al. 2010, doi:10.1118/1.3484090),
here by differences, not ratios. Only the error is reconstructed, so the rest of the image keeps its
resolution.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from scanmill.phantom.projection import Beam, project, reconstruct, softened

# The most that a prior image takes metal and the bone beside it for, and what is air and soft tissue
# in it, relative to water.
BRIGHTEST, SOFT, AIR = 2.2, (0.85, 1.3), 0.25
SOFT_VALUE, METAL_VALUE = 1.03, 1.5
# The slice shows the bone beside metal, the in-painted one fewer streaks: priors are between.
FIRST_PART = 0.5
# Blooming reaches this far out of metal, or one voxel.
BLOOMING_MM = 1.5
MISLEADING_HU = 40
# Of voxels where an error of this many HU is estimated, half are off by more than MISLEADING_HU, of
# others as `_chance` says: the curve fits 48 phantoms as docs/artefacts.py makes them, a little high
# where little is estimated. So many of all that are off shall be marked.
EVEN_HU, STEEPNESS, WANTED = 35.0, 3, 0.92
# The least estimate that stands out of noise, and the voxels over which it is averaged.
LEAST_HU, NEIGHBOURHOOD = 5.0, 0.7
# The part of what stands out of air that the estimate is at least, if it is a streak.
EXPLAINED = 0.2
# What the estimate itself is off by, about: of smaller errors, little is taken away.
UNSURE_HU = 8.0
# Soft tissue, in which in-painting is judged, and the voxels across of which it is judged.
SOFT_HU, ACROSS = 200.0, 5


@dataclass
class Streaks:
    """What metal does to one slice, [y, x].

    error: HU that it adds to each voxel, estimated. misled: voxels that are likely off by more than
    MISLEADING_HU, or lie within the metal's blooming.
    """

    error: np.ndarray
    misled: np.ndarray


def find_streaks(
    image: np.ndarray, metal: np.ndarray, spacing: tuple[float, float]
) -> Iterator[tuple[int, Streaks]]:
    """What metal does to the slices that hold some, by their numbers.

    image: HU, metal: mask, both [z, y, x] with z across the plane that the scanner turns in. spacing:
    mm along (x, y). At the slices' own resolution: at half of it, in 6 of 10 slices of 512 x 512 voxels
    less than nine of ten misled ones would be marked.
    """
    beam = Beam(image.shape[1:], spacing)
    for k in np.flatnonzero(metal.any(axis=(1, 2))):
        error = _error(np.maximum(1 + image[k] / 1000, 0), metal[k], beam)
        away = ndimage.distance_transform_edt(~metal[k], sampling=spacing[::-1])
        bloomed = away <= max(BLOOMING_MM, *spacing)
        yield int(k), Streaks(error, _misled(image[k], error, bloomed))


def inpainted(image: np.ndarray, metal: np.ndarray, streaks: Streaks) -> np.ndarray | None:
    """A slice in HU without the errors of its misled voxels; None where it would be no better.

    Streaks make soft tissue uneven; where taking the errors away makes it more so, they are wrong.
    """
    error = streaks.error**3 / (streaks.error**2 + UNSURE_HU**2)
    better = image - np.where(streaks.misled & ~metal, error, 0)
    middles = [ndimage.median_filter(i, ACROSS) for i in (image, better)]
    near = ndimage.binary_dilation(metal, np.ones((ACROSS, ACROSS)))
    soft = streaks.misled & ~near & (np.abs(middles[1]) < SOFT_HU)
    before, after = (
        np.abs(i - middle)[soft].sum() for i, middle in zip((image, better), middles, strict=True)
    )
    return better if after < before else None


def _misled(image: np.ndarray, error: np.ndarray, bloomed: np.ndarray) -> np.ndarray:
    """The fewest voxels that hold the wanted part of all that are likely off."""
    size = np.sqrt(ndimage.gaussian_filter(error**2, NEIGHBOURHOOD))
    chance = _chance(size)
    # Beside the body there is air: how far it is off is seen, but for a table, which streaks do not
    # explain.
    above = image + 1000.0
    outside = _beside((above - error) / 1000)
    chance[outside] = ((above > MISLEADING_HU) & (size > EXPLAINED * above))[outside]
    chance[size < LEAST_HU] = 0
    chance[bloomed] = 1
    falling = np.sort(chance, axis=None)[::-1]
    total = np.cumsum(falling)
    least = falling[np.searchsorted(total, WANTED * total[-1])]
    return bloomed | (chance >= least)


def _chance(size: np.ndarray) -> np.ndarray:
    """How likely voxels are off by more than MISLEADING_HU. size: of the estimated error, HU."""
    power = size**STEEPNESS
    return power / (power + EVEN_HU**STEEPNESS)


def _error(water: np.ndarray, metal: np.ndarray, beam: Beam) -> np.ndarray:
    """HU that the rays through metal add to a slice, beyond what the rays beside them lead to expect.

    water: attenuation relative to it.
    """
    trace = _trace(metal, beam)
    wanted = ndimage.binary_dilation(trace, np.ones((1, 3)))
    views = project(water, beam, wanted)
    first = reconstruct(softened(views - _bridged(views, trace)), beam)
    prior = _prior(np.minimum(water - FIRST_PART * first, BRIGHTEST), metal)
    beyond = views - project(prior, beam, wanted)
    # The slice is as smooth as its scanner made it; made smoother, what it is off by would seem less
    # than it is.
    error = reconstruct(beyond - _bridged(beyond, trace), beam)
    # What replaces the metal itself is no error, and must not leak out of it.
    nearest = ndimage.distance_transform_edt(metal, return_distances=False, return_indices=True)
    return 1000 * error[tuple(nearest)]


def _prior(water: np.ndarray, metal: np.ndarray) -> np.ndarray:
    """What a slice would be without streaks, relative to water: air, soft tissue of one kind, the rest.

    Bone and lung keep their edges: blurred, they would cast streaks of their own.
    """
    smooth = ndimage.gaussian_filter(water, 1.0)
    prior = np.where((smooth > SOFT[0]) & (smooth < SOFT[1]), SOFT_VALUE, water)
    prior[_beside(water)] = 0
    prior[metal] = METAL_VALUE
    return prior


def _beside(water: np.ndarray) -> np.ndarray:
    """The air beside the body in a slice, a mask: what reaches its edges."""
    pieces, number = ndimage.label(ndimage.gaussian_filter(water, 1.0) < AIR)
    edges = np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
    reaching = np.zeros(number + 1, bool)
    reaching[edges] = True
    reaching[0] = False
    return reaching[pieces]


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
