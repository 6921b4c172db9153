"""Points that correspond on the surfaces of one structure in many atlases, by registration.

The structure's mask in one atlas, the reference, is registered to its mask in each other; the points
of the reference's surface are carried along and then put onto the surface that is there.
"""

from dataclasses import dataclass

import numpy as np

from scanmill.grid import Grid
from scanmill.label_interpolation import resample_labels
from scanmill.label_map import Region
from scanmill.refusal import Refusal
from scanmill.registration.diffeomorphic import register
from scanmill.shape_model.signed_distance import SignedDistance
from scanmill.surface import Surface, boundaries, surface_of
from scanmill.volume_file import Volume

Array = np.ndarray
# Of the surface that a model moves, about.
POINTS = 1500
# Background around a structure that registration sees, of its longest side.
MARGIN = 0.15
# How wide the edge is that it sees, of the same: thin structures need one that coarse voxels show.
SLOPE = 0.1
# Voxels along the longest side that registration looks at.
ACROSS = 56
# A surface whose volume differs more from its mask's has missed it.
MISSED = 0.05


@dataclass
class Exemplar:
    """The structure in one atlas, in a box of its grid with background all around, LPS.

    mask: 1 inside, 0 outside. distance: to its surface. image: what registration sees, float32,
    from 1 inside to -1 outside.
    """

    mask: Volume
    distance: SignedDistance
    image: Volume

    @classmethod
    def of(cls, region: Region, grid: Grid) -> "Exemplar":
        """Of a region with voxels; that the grid goes on around it is taken for granted."""
        sides = np.multiply(region.array.shape, grid.spacing[::-1])
        around = np.ceil(MARGIN * sides.max() / np.asarray(grid.spacing[::-1])).astype(int) + 2
        array = np.pad(region.array, [(n, n) for n in around])
        start = [s.start - n for s, n in zip(region.box, around, strict=True)]
        cropped = grid.crop(tuple(start[::-1]), array.shape[::-1])
        distance = SignedDistance.of(array, cropped, np.ones_like(array))
        image = -np.tanh(distance.depth / (SLOPE * sides.max())).astype(np.float32)
        return cls(Volume(array.view(np.uint8), cropped), distance, Volume(image, cropped))

    @property
    def volume(self) -> float:
        """Of the mask's voxels, mm3."""
        return float(np.count_nonzero(self.mask.array)) * self.mask.grid.voxel_volume

    @property
    def length(self) -> float:
        """The longest side of the box, mm."""
        return float(np.multiply(self.mask.grid.size, self.mask.grid.spacing).max())


def template(exemplar: Exemplar) -> Surface:
    """The closed surface of an exemplar, of about POINTS points, LPS mm."""
    # A shell about the surface, two voxels thick.
    width = max(exemplar.mask.grid.spacing)
    shell = np.count_nonzero(np.abs(exemplar.distance.depth) < width)
    area = shell * exemplar.mask.grid.voxel_volume / (2 * width)
    grid = exemplar.mask.grid.isotropic((area / POINTS) ** 0.5)
    mesh, _ = boundaries(resample_labels(exemplar.mask, grid), grid)
    surface = surface_of(mesh, 1, grid)
    return Surface(exemplar.distance.onto_surface(surface.points.astype(float)), surface.triangles)


def carried(surface: Surface, reference: Exemplar, other: Exemplar) -> Array:
    """The points of a reference's surface on another exemplar's, (n, 3), LPS mm.

    Raises Refusal `registration-failed` where the two have too little in common.
    """
    finest = max(reference.length, other.length) / ACROSS
    transform = register(reference.image, other.image, finest)
    points = other.distance.onto_surface(transform.points(surface.points))
    part = enclosed(points, surface.triangles) / other.volume
    if abs(part - 1) > MISSED:
        raise Refusal(
            "registration-failed",
            f"the surface that was carried onto an atlas encloses {part:.0%} of its volume; atlases "
            "of one anatomy, each with the whole structure, would be right",
        )
    return points


def enclosed(points: Array, triangles: Array) -> float:
    """Volume that a closed surface encloses, mm3."""
    a, b, c = np.moveaxis((points - points.mean(axis=0))[triangles], 1, 0)
    return float((a * np.cross(b, c)).sum() / 6)


def outward(points: Array, triangles: Array) -> Array:
    """The area around each point as a vector along its outward normal, mm2, (n, 3).

    A third of the triangles that meet there.
    """
    a, b, c = np.moveaxis(points[triangles], 1, 0)
    each = np.repeat(np.cross(b - a, c - a) / 6, 3, axis=0)
    ravelled = triangles.ravel()
    return np.stack([np.bincount(ravelled, along, len(points)) for along in each.T], axis=1)
