"""The stiffness of bone by its density, and that by a scan's Hounsfield units."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from scanmill.simulation.body import Body
from scanmill.simulation.elements import INSIDE
from scanmill.volume_file import Volume

# Young's modulus along the trabeculae, N/mm2, by the apparent density to a power, g/cm3: Morgan et al.
# 2003, doi:10.1016/S0021-9290(03)00071-X, by the site of the bone.
LAWS = {
    "morgan-2003-vertebra": (4730.0, 1.56),
    "morgan-2003-tibia": (15520.0, 1.93),
    "morgan-2003-trochanter": (15010.0, 2.18),
    "morgan-2003-femoral-neck": (6850.0, 1.49),
}


@dataclass(frozen=True)
class Bone:
    """How stiffness follows from Hounsfield units.

    law: a name of LAWS. slope, intercept: of apparent density by HU, g/cm3. least: N/mm2.
    """

    law: str
    slope: float
    intercept: float
    least: float

    def young(self, hounsfield: np.ndarray) -> np.ndarray:
        """Young's moduli, N/mm2, of a scan's values; none is below the least."""
        factor, power = LAWS[self.law]
        density = self.intercept + self.slope * hounsfield
        return np.maximum(factor * np.maximum(density, 0) ** power, self.least)


def young_in(bone: Bone, image: Volume, body: Body, cells: np.ndarray) -> np.ndarray:
    """The mean of Young's modulus in some cells [k], N/mm2. image: HU.

    Of four places in each, between voxels: first the law, then the mean (Taddei et al. 2007,
    doi:10.1016/j.medengphy.2006.10.014).
    """
    corners = body.points[body.cells[cells, :4]]
    places = np.einsum("qc,mcx->mqx", INSIDE, corners)
    index = image.grid.to_index(places.reshape(-1, 3))[:, ::-1].T
    values = map_coordinates(image.array, index, order=1, mode="nearest", output=float)
    return bone.young(values).reshape(len(cells), len(INSIDE)).mean(axis=1)
