"""Structures completed by shape models: what another method found, as atlases show that it looks."""

import numpy as np

from scanmill.label_map import Region
from scanmill.refusal import Refusal
from scanmill.segmentation import Scene, Structure, steps
from scanmill.segmentation.painting import paint_each
from scanmill.segmentation.regions import needed
from scanmill.shape_model.completion import Completion, complete
from scanmill.shape_model.fit import mahalanobis, residual
from scanmill.shape_model.model import ShapeModel
from scanmill.shape_model.model_file import read_models
from scanmill.sidecar import read_sidecar

# Of a hundred shapes that vary as the atlases do, so many are less unusual than one that is warned of.
UNUSUAL = 99.0
# A residual is warned of that is so many times the largest which an atlas left.
UNLIKE = 1.5
# Percent of a structure beyond the scan, or hidden, that is worth a warning.
UNSEEN = 1.0


def segment(structures: list[Structure], scene: Scene) -> None:
    """Paint each structure as its shape model completes the one that it is made of, within the grid.

    What the table is to say of it is noted in the record's details, `shapes`, by name. A structure is
    refused (`shape-missing`, `shape-lost`) where there is no model, or it does not fit.
    """
    said = read_sidecar(scene.shapes)
    models = read_models(scene.shapes) if said["status"] == "ok" else {}
    reasons = said.get("structures", {})

    def region_of(structure: Structure, scene: Scene) -> Region:
        way = structure["segment"]
        found = needed(way["of"], scene)
        if way["of"] not in models:
            raise Refusal("shape-missing", reasons.get(way["of"], said)["reason"])
        model = models[way["of"]]
        completed = complete(model, found, scene.grid, scene.seen(), way["tolerance"])
        told = columns(model, completed, found, scene)
        scene.record.details.setdefault("shapes", {})[structure["name"]] = told
        _warn(model, told, structure["name"], scene)
        return steps.apply(way["steps"], completed.region, scene)

    paint_each(structures, scene, region_of)


def columns(
    model: ShapeModel, completed: Completion, found: Region, scene: Scene
) -> dict[str, float]:
    """What the table tells of a completed structure. found: of what it was made."""
    within = completed.region.full(scene.grid.shape)
    changed = np.count_nonzero(within != found.full(scene.grid.shape))
    distance, half = mahalanobis(completed.fit), model.half_interval(completed.sd)
    return {
        "shape_volume_mm3": completed.volume,
        "shape_volume_low_mm3": completed.volume - min(half, completed.unseen),
        "shape_volume_high_mm3": completed.volume + half,
        "shape_unseen_percent": 100 * completed.unseen / completed.volume,
        "shape_changed_percent": 100 * changed / found.count(),
        "shape_distance": distance,
        "shape_percentile": model.percentile(distance),
        "shape_residual_mm": residual(completed.fit),
        "shape_atlases": len(model.distances),
        "shape_modes": len(model.modes.modes),
    }


def _warn(model: ShapeModel, told: dict[str, float], name: str, scene: Scene) -> None:
    unseen, percentile = told["shape_unseen_percent"], told["shape_percentile"]
    if unseen > UNSEEN:
        message = (
            f"{unseen:.1f} % of it, as its shape model expects it, lies beyond the scan or in voxels "
            "that artefacts spoil: shape_volume_mm3 is of the whole, all other columns are of what "
            "lies in the scan"
        )
        scene.record.warn("shape-unseen", message, name)
    if percentile > UNUSUAL:
        message = (
            f"its shape is more unusual than {percentile:.1f} % of shapes that vary as the "
            f"{told['shape_atlases']} atlases do"
        )
        scene.record.warn("shape-unusual", message, name)
    if told["shape_residual_mm"] > UNLIKE * model.residuals.max():
        message = (
            f"its surface lies {told['shape_residual_mm']:.2g} mm from the nearest shape that the "
            f"model knows, and no atlas more than {model.residuals.max():.2g} mm"
        )
        scene.record.warn("shape-unlike", message, name)
