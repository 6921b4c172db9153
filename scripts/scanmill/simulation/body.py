"""What is simulated: a body of quadratic tetrahedra, its materials, its load and what holds it."""

from dataclasses import dataclass

import numpy as np

# The edges of a tetrahedron in the order of the nodes in their middles: that of Abaqus (C3D10) and VTK.
EDGES = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))
# Those of a triangle, likewise.
SIDES = ((0, 1), (1, 2), (2, 0))


@dataclass(frozen=True)
class Body:
    """Quadratic tetrahedra, whose edges may be bent; parts that touch share the nodes there.

    points: [n, 3], LPS mm. cells: [m, 10] indices of points, four corners a, b, c, d with
    (b - a) x (c - a) . (d - a) > 0 and the middles of EDGES, which bend them.
    parts: by name, the indices of its cells. faces: by name, [k, 6] indices of points, three corners
    that turn anticlockwise seen from outside, and the middles of SIDES.
    """

    points: np.ndarray
    cells: np.ndarray
    parts: dict[str, np.ndarray]
    faces: dict[str, np.ndarray]


@dataclass(frozen=True)
class Elastic:
    """Linear and isotropic. young: N/mm2, of all, or [m] of each cell of a part. poisson: below 0.5.

    Beside a hyperelastic material, where displacements are large, it is St. Venant and Kirchhoff's:
    second Piola-Kirchhoff stress is linear in Green-Lagrange strain.
    """

    young: float | np.ndarray
    poisson: float

    def of(self, cells: slice) -> "Elastic":
        """The material of some of the part's cells, in their order."""
        is_mapped = isinstance(self.young, np.ndarray)
        return Elastic(self.young[cells], self.poisson) if is_mapped else self


@dataclass(frozen=True)
class RaghavanVorp:
    """Hyperelastic, incompressible: W = alpha (I_B - 3) + beta (I_B - 3)^2. alpha, beta: N/mm2.

    Of the wall of abdominal aneurysms: Raghavan and Vorp 2000, doi:10.1016/S0021-9290(99)00201-8.
    """

    alpha: float
    beta: float

    def of(self, cells: slice) -> "RaghavanVorp":
        """The material of some of the part's cells, all of which have the same."""
        return self


Material = Elastic | RaghavanVorp


@dataclass(frozen=True)
class Fixed:
    """Faces that do not move."""


@dataclass(frozen=True)
class Springs:
    """Faces on springs to where they were.

    Stiffness along their normal; across it, away from the faces' middle; and around that. N/mm3.
    """

    normal: float
    outwards: float
    around: float

    @property
    def stiffnesses(self) -> tuple[float, float, float]:
        """Along the axes of `supports.frames`."""
        return self.normal, self.outwards, self.around


@dataclass(frozen=True)
class Problem:
    """A body and what is done to it.

    materials: by part. pressures: by name of faces, N/mm2, against them. supports: by name of faces.
    """

    body: Body
    materials: dict[str, Material]
    pressures: dict[str, float]
    supports: dict[str, Fixed | Springs]
