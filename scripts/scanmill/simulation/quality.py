"""How good the mesh of a body is, by the columns of the table."""

import numpy as np

from scanmill.refusal import Refusal
from scanmill.simulation.body import Body
from scanmill.simulation.elements import quarters
from scanmill.simulation.tetrahedra import dihedral_angles, scaled_jacobians

# Degrees: where cells are flatter, the mesh is warned of.
LEAST_ANGLE = 8.0


def quality(body: Body) -> dict[str, float]:
    """How many tetrahedra and nodes there are, and how far the worst are from regular ones."""
    angles = dihedral_angles(body.points, body.cells).min(axis=1)
    return {
        "tetrahedra": len(body.cells),
        "tetrahedra_nodes": len(body.points),
        "dihedral_min_deg": float(angles.min()),
        "dihedral_p1_deg": float(np.quantile(angles, 0.01)),
        "scaled_jacobian_min": float(scaled_jacobians(body.points, body.cells).min()),
    }


def flatness(told: dict[str, float]) -> str | None:
    """What is said of a mesh whose cells are too flat, by its columns; None where none is."""
    angle = told.get("dihedral_min_deg", LEAST_ANGLE)
    if angle >= LEAST_ANGLE:
        return None
    return (
        f"the smallest angle between faces of a tetrahedron is {angle:.1f} degrees; {LEAST_ANGLE:g} or "
        "more would be right, which shorter edges give, of at most 4 times the thickness of a wall"
    )


def require_sound(body: Body) -> None:
    """Raise Refusal where a body has no cell, or some that are flat or inside out."""
    with np.errstate(invalid="ignore"):
        found = quarters(body.points, body.cells)
    # NaN is no more than 0 either.
    bad = int((~(found > 0)).any(axis=1).sum())
    if bad or not len(found):
        text = f"{bad} of {len(found)} tetrahedra are flat or inside out"
        raise Refusal("mesh-inverted", f"{text}; another length of edges may help")
