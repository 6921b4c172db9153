"""How good the mesh of a body is, by the columns of the table."""

import numpy as np

from scanmill.simulation.body import Body
from scanmill.simulation.tetrahedra import dihedral_angles, scaled_jacobians


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
