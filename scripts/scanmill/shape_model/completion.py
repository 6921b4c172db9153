"""A structure completed by its shape model: what is cut or hidden is added, what leaked is dropped."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.refusal import Refusal
from scanmill.shape_model.correspondence import outward
from scanmill.shape_model.filling import filled
from scanmill.shape_model.fit import INDEPENDENT, Fit, fit
from scanmill.shape_model.model import ShapeModel
from scanmill.shape_model.signed_distance import SignedDistance, steps_of

Array = np.ndarray
# How far a structure may reach beyond what was found of it, of the model's longest side.
MARGIN = 0.75
# Of the model's surface: what must be seen, and of that what must lie near the surface found.
LEAST_SEEN, LEAST_TRUSTED = 0.25, 0.5


@dataclass(frozen=True)
class Completion:
    """A structure as its model completes it.

    region: what of it lies in the grid. volume: all of it, mm3. unseen: of that, what lies where the
    scan shows nothing, and sd, of that estimate, mm3.
    """

    region: Region
    volume: float
    unseen: float
    sd: float
    fit: Fit


def complete(
    model: ShapeModel, region: Region, grid: Grid, seen: Array, tolerance: float | None
) -> Completion:
    """The structure that a region with voxels shows, completed.

    seen: voxels of the grid, [z, y, x], that show whether it is there. tolerance: mm from the model's
    boundary, within which another is believed; None: as far as any atlas's was, and a voxel. Raises
    Refusal `shape-lost` where the model does not fit what is seen.
    """
    margin = MARGIN * float(np.ptp(model.modes.mean, axis=0).max())
    more = np.ceil(margin / np.asarray(grid.spacing[::-1])).astype(int)
    first = np.array([s.start for s in region.box]) - more
    wide = grid.crop(
        tuple(first[::-1].tolist()), tuple((region.array.shape + 2 * more)[::-1].tolist())
    )
    mask = np.pad(region.array, [(n, n) for n in more])
    known = _moved(seen, -first, wide.shape)
    if not (mask & known).any():
        raise Refusal(
            "shape-lost",
            "no voxel of the structure lies where the scan shows something; a part would be right",
        )
    distance = SignedDistance.of(mask, wide, known)
    found = fit(model.modes, model.triangles, distance, model.noise)
    _check(found)
    reach = (
        model.reach + max(grid.spacing)
        if tolerance is None
        else np.full(len(model.reach), tolerance)
    )
    whole = _blended(mask, known, wide, found.points, model.triangles, reach)
    return Completion(
        region=Region.of(_moved(whole, first, grid.shape)),
        volume=np.count_nonzero(whole) * grid.voxel_volume,
        unseen=np.count_nonzero(whole & ~known) * grid.voxel_volume,
        sd=_unseen_sd(found, model),
        fit=found,
    )


def _check(found: Fit) -> None:
    if found.seen.mean() < LEAST_SEEN or found.trusted < LEAST_TRUSTED:
        raise Refusal(
            "shape-lost",
            f"{found.seen.mean():.0%} of the surface of the shape model lies where the scan shows "
            f"something, and {found.trusted:.0%} of that near the surface that was found; at least "
            f"{LEAST_SEEN:.0%} and {LEAST_TRUSTED:.0%} would be right",
        )


def _moved(mask: Array, first: Array, shape: tuple[int, ...]) -> Array:
    """A mask in a box of that shape, its first voxel at index `first` there; false around it."""
    box = np.zeros(shape, bool)
    start = np.maximum(first, 0)
    stop = np.minimum(first + mask.shape, shape)
    if (start < stop).all():
        there = tuple(map(slice, start, stop))
        box[there] = mask[tuple(map(slice, start - first, stop - first))]
    return box


def _blended(
    mask: Array, known: Array, grid: Grid, points: Array, triangles: Array, reach: Array
) -> Array:
    """The mask where its boundary lies near the expected one, and is known; else what is expected.

    points, triangles: the expected surface, LPS mm. reach: of each point, mm, within which the mask is
    believed; between that and twice as far, the boundary goes over from one to the other.
    """
    model = steps_of(filled(points, triangles, grid), grid, np.ones_like(known))
    differs = steps_of(mask, grid, known) - model
    z, y, x = doubtful = np.nonzero(known & (np.abs(differs) > reach.min()))
    nearest = cKDTree(points).query(grid.to_physical(np.stack([x, y, z], axis=-1)))[1]
    trust = known.astype(float)
    beyond = np.abs(differs[doubtful]) / reach[nearest] - 1
    trust[doubtful] = np.clip(1 - beyond, 0, 1)
    return model + trust * differs < 0


def _unseen_sd(found: Fit, model: ShapeModel) -> float:
    """Of the volume behind the part of the surface that is not seen, mm3.

    By what the fit leaves open, and what the modes cannot explain.
    """
    faces = outward(found.points, model.triangles)
    hidden = ~found.seen
    slope = np.einsum("ni,nik->k", faces[hidden], found.freedom[hidden])
    area = np.linalg.norm(faces, axis=1)
    part = area[hidden].sum() / area.sum()
    unexplained = (model.noise * area[hidden].sum()) ** 2 / max(INDEPENDENT * part, 1)
    return float(np.sqrt(slope @ found.covariance @ slope + unexplained))
