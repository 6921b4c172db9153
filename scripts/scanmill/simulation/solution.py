"""What solving finds: how points move, and stress and strain in cells."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Solution:
    """The answer to a Problem; tensors are xx yy zz xy yz zx, LPS, means of each cell.

    displacements: [n, 3], mm, of points. stresses: [m, 6], N/mm2, true (Cauchy). strains: [m, 6],
    Green-Lagrange, shear as components of the tensor (half of what engineers name gamma); where all
    materials are linear, displacements are taken for small, and both for small as well.
    """

    displacements: np.ndarray
    stresses: np.ndarray
    strains: np.ndarray


def principal(tensors: np.ndarray) -> np.ndarray:
    """The eigenvalues [m, 3], rising, of symmetric tensors [m, 6]: xx yy zz xy yz zx."""
    return np.linalg.eigvalsh(tensors[:, [[0, 3, 5], [3, 1, 4], [5, 4, 2]]])


def first_principal(tensors: np.ndarray) -> np.ndarray:
    """The largest eigenvalue [m] of symmetric tensors [m, 6]."""
    return principal(tensors)[:, -1]


def von_mises(stresses: np.ndarray) -> np.ndarray:
    """The equivalent stress [m] of von Mises of stresses [m, 6]: xx yy zz xy yz zx."""
    normal, shear = stresses[:, :3], stresses[:, 3:]
    differences = normal - np.roll(normal, 1, axis=1)
    return np.sqrt(0.5 * (differences**2).sum(axis=1) + 3.0 * (shear**2).sum(axis=1))
