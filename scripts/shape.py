"""Shape: how the structures of a recipe vary in shape among its atlases.

In: the label maps of the recipe's atlases, with what is covered in them. Out: shapes.npz, a shape model
of each structure that the recipe asks for (`shape_model.model_file`): points in mm around the mean
shape's centroid, axes as LPS.
"""

from pathlib import Path
from typing import Any

from scanmill.label_map_files import read_label_map
from scanmill.refusal import Refusal
from scanmill.segmentation import Exemplar as Atlas
from scanmill.segmentation import exemplars
from scanmill.shape_model import FEWEST
from scanmill.shape_model.building import build
from scanmill.shape_model.correspondence import Exemplar
from scanmill.shape_model.model import ShapeModel
from scanmill.shape_model.model_file import write_models
from scanmill.stage import Record, run_job


def shape(
    record: Record,
    labels: list[Path],
    overlaps: list[Path],
    shapes: Path,
    wanted: dict[str, Any],
) -> None:
    """Write the models. wanted: `of`, names of structures; `labels`, of all in the atlases, by name.

    A structure without a model is noted in the record's details, `structures`. Raises Refusal
    `atlases-missing` where too few atlases could be read.
    """
    usable = exemplars.usable(list(map(Atlas, labels, labels)), FEWEST, record)
    ready = [labels.index(atlas.labels) for atlas in usable]
    models, said = {}, {}
    for name in wanted["of"]:
        found = (_whole(labels[n], overlaps[n], wanted["labels"], name) for n in ready)
        whole = [exemplar for exemplar in found if exemplar]
        try:
            models[name] = _model(whole, len(ready), name, record)
            said[name] = {"status": "ok"} | _told(models[name])
        except Refusal as refusal:
            said[name] = {"status": "refused", "code": refusal.code, "reason": refusal.reason}
    record.details["structures"] = said
    write_models(shapes, models)


def _whole(labels: Path, overlaps: Path, names: dict[str, int], name: str) -> Exemplar | None:
    """A structure in an atlas; None where it is not there, or reaches the edge of the scan."""
    label_map = read_label_map(labels, overlaps, names)
    region, shape = label_map.region(names[name]), label_map.grid.shape
    cut = any(s.start == 0 or s.stop == n for s, n in zip(region.box, shape, strict=True))
    return None if cut or not region.array.any() else Exemplar.of(region, label_map.grid)


def _model(whole: list[Exemplar], atlases: int, name: str, record: Record) -> ShapeModel:
    model, lost = build(whole)
    if len(whole) < atlases:
        message = f"{atlases - len(whole)} of {atlases} atlases do not show it whole and had no say"
        record.warn("shape-atlas-cut", message, name)
    if lost:
        message = f"{lost} of {len(whole)} atlases could not be registered and had no say"
        record.warn("shape-atlas-lost", message, name)
    return model


def _told(model: ShapeModel) -> dict[str, float]:
    return {
        "atlases": len(model.distances),
        "modes": len(model.modes.modes),
        "noise_mm": model.noise,
        "largest_residual_mm": float(model.residuals.max()),
    }


if __name__ == "__main__":
    run_job(snakemake, shape)
