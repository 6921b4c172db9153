"""How a structure's shape varied over a cohort, on disk: what cases of another one are held against."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scanmill.atomic import replacing
from scanmill.grid import Grid
from scanmill.label_map import Region
from scanmill.shape_model.correspondence import Exemplar, carried
from scanmill.shape_model.modes import Modes
from scanmill.shape_model.variability import Variability, away
from scanmill.surface import Surface


@dataclass(frozen=True)
class KnownShape:
    """What the cases of a cohort tell of a structure's shape.

    reference: the structure in the most usual case. surface: there, LPS mm; its points are carried onto
    those of any case. told: of all cases.
    """

    reference: Exemplar
    surface: Surface
    told: Variability

    def away(self, case: Exemplar) -> tuple[float, float]:
        """How far a case is from the nearest shape that the modes make, mm: mean, 95th percentile.

        Raises Refusal `registration-failed`.
        """
        return away(self.told.modes, carried(self.surface, self.reference, case))


def write_known_shape(path: Path, known: KnownShape) -> None:
    """Write a shape as .npz (`loading.ARRAYS`): the same bytes for the same shape, no case's name."""
    mask = known.reference.mask
    with replacing(path) as temporary:
        np.savez(
            temporary,
            mean_mm=known.told.modes.mean,
            modes_mm=known.told.modes.modes,
            triangles=known.surface.triangles,
            errors_mm=known.told.errors,
            far_mm=known.told.far,
            specificity_mm=known.told.specificity,
            surface_mm=known.surface.points,
            mask=mask.array,
            spacing_mm=mask.grid.spacing,
            origin_mm=mask.grid.origin,
            direction=mask.grid.direction,
        )


def read_known_shape(path: Path) -> KnownShape:
    """The shape of a file."""
    with np.load(path) as found:
        mask = found["mask"]
        place = (tuple(found[key].tolist()) for key in ("spacing_mm", "origin_mm", "direction"))
        return KnownShape(
            Exemplar.of(Region.of(mask > 0), Grid(mask.shape[::-1], *place)),
            Surface(found["surface_mm"], found["triangles"]),
            Variability(
                Modes(found["mean_mm"], found["modes_mm"]),
                found["errors_mm"],
                found["far_mm"],
                float(found["specificity_mm"]),
            ),
        )
