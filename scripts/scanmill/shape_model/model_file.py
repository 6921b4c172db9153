"""Shape models on disk: one .npz, the same bytes for the same models."""

from pathlib import Path

import numpy as np

from scanmill.atomic import replacing
from scanmill.shape_model.model import ShapeModel
from scanmill.shape_model.modes import Modes


def write_models(path: Path, models: dict[str, ShapeModel]) -> None:
    """Write models by structure. Arrays are named `structure/quantity`; units as in the classes."""
    arrays = {}
    for name, model in models.items():
        arrays |= {
            f"{name}/mean_mm": model.modes.mean,
            f"{name}/modes_mm": model.modes.modes,
            f"{name}/triangles": model.triangles,
            f"{name}/reach_mm": model.reach,
            f"{name}/residuals_mm": model.residuals,
            f"{name}/distances": model.distances,
            f"{name}/misses": model.misses,
        }
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def read_models(path: Path) -> dict[str, ShapeModel]:
    """The models of a file, by structure."""
    with np.load(path) as arrays:
        names = dict.fromkeys(key.rpartition("/")[0] for key in arrays)
        return {
            name: ShapeModel(
                Modes(arrays[f"{name}/mean_mm"], arrays[f"{name}/modes_mm"]),
                arrays[f"{name}/triangles"],
                arrays[f"{name}/reach_mm"],
                arrays[f"{name}/residuals_mm"],
                arrays[f"{name}/distances"],
                arrays[f"{name}/misses"],
            )
            for name in names
        }
