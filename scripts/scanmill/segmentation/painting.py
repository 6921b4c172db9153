"""What the methods found, painted into the label map."""

from scanmill.refusal import Refusal
from scanmill.segmentation import OF_ONE_STRUCTURE, Scene, Structure
from scanmill.segmentation.doubt import RegionOf, doubt_of


def paint_each(structures: list[Structure], scene: Scene, region_of: RegionOf) -> None:
    """Paint the region of each structure, in order; note what is in doubt, and where there is none.

    region_of: gives a structure's region in a scene that may lean.

    What concerns one structure alone is noted in the record's details, `structures`, by name:
    status, code and reason. Any other Refusal concerns the whole case and is raised.
    """
    for structure in structures:
        try:
            region = region_of(structure, scene)
            if not region.array.any():
                raise Refusal("structure-empty", "the method of this structure found no voxel")
        except Refusal as refusal:
            if refusal.code not in OF_ONE_STRUCTURE:
                raise
            said = {"status": "refused", "code": refusal.code, "reason": refusal.reason}
            scene.record.details.setdefault("structures", {})[structure["name"]] = said
        else:
            doubt = doubt_of(structure, region, scene, region_of)
            scene.label_map.paint(scene.labels[structure["name"]], region)
            if doubt:
                scene.doubts[structure["name"]] = doubt
