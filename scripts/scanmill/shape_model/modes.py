"""Corresponding points aligned by Procrustes, and the principal modes of how they vary.

Alignment is rigid, so that size is a part of shape (Cootes et al. 1995, doi:10.1006/cviu.1995.1004, but
for their scaling), and the mean is turned as the shapes are on average in LPS space.
"""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
# Of the variance of the shapes, what the retained modes hold at least.
RETAINED = 0.98
ALIGNMENTS = 10


@dataclass(frozen=True)
class Modes:
    """A mean shape and how shapes vary about it.

    mean: (n, 3), mm around its centroid, axes as LPS. modes: (k, n, 3), the displacements, mm, of one
    standard deviation of each principal mode, the largest first.
    """

    mean: Array
    modes: Array

    @classmethod
    def of(cls, shapes: Array) -> "Modes":
        """Those of m shapes (m, n, 3), corresponding points in LPS mm; 3 of them or more."""
        aligned = procrustes(shapes)
        mean = aligned.mean(axis=0)
        flat = (aligned - mean).reshape(len(shapes), -1)
        _, sizes, ways = np.linalg.svd(flat, full_matrices=False)
        variances = sizes**2 / (len(shapes) - 1)
        parts = np.cumsum(variances) / variances.sum()
        # Of m shapes no more than m - 1 modes are known: the mean took one.
        kept = min(int(np.searchsorted(parts, RETAINED)) + 1, len(shapes) - 1)
        modes = ways[:kept] * np.sqrt(variances[:kept, None])
        # A mode has no sign of its own: its largest displacement is made positive.
        largest = np.abs(modes).argmax(axis=1)
        modes *= np.sign(modes[np.arange(kept), largest])[:, None]
        return cls(mean, modes.reshape(kept, *mean.shape))

    def shape(self, coefficients: Array) -> Array:
        """The points (n, 3) of the shape of coefficients (k,), in standard deviations."""
        return self.mean + np.tensordot(coefficients, self.modes, axes=1)


def procrustes(shapes: Array) -> Array:
    """Shapes (m, n, 3) moved to the origin and turned onto their mean, mm."""
    centred = shapes - shapes.mean(axis=1, keepdims=True)
    aligned, mean = centred, centred[0]
    for _ in range(ALIGNMENTS):
        aligned = np.stack([shape @ turn_onto(shape, mean) for shape in aligned])
        mean = aligned.mean(axis=0)
    return aligned @ turn_onto(mean, centred.mean(axis=0))


def turn_onto(points: Array, others: Array) -> Array:
    """The rotation, 3x3, that points (n, 3) are multiplied by to lie best on others; both centred.

    Kabsch 1976, doi:10.1107/S0567739476001873.
    """
    u, _, v = np.linalg.svd(points.T @ others)
    u[:, -1] *= np.sign(np.linalg.det(u @ v))
    return u @ v
