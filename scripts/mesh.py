"""Mesh: closed surfaces of all structures, LPS mm.

In: labels.nii.gz and overlaps/. Out: surfaces/<structure>.ply (and other formats on request), smooth,
2-manifold, with the volume of their voxels, sharing their boundaries where structures touch; and
model.glb, all of them named and coloured, in metres, Y up. Structures that others cover in part are
meshed whole, each on its own.
"""

from pathlib import Path
from typing import Any

from scanmill.atomic import replacing_folder
from scanmill.decimation import decimate, distances
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region
from scanmill.label_map_files import read_label_map
from scanmill.mesh_file import write_glb, write_surface
from scanmill.refusal import Refusal
from scanmill.stage import Record, run_job
from scanmill.surface import (
    Boundaries,
    Surface,
    area,
    boundaries,
    is_manifold,
    is_watertight,
    keep_volumes,
    surface_of,
    volume,
)


def mesh(
    record: Record,
    labels: Path,
    overlaps: Path,
    surfaces: Path,
    model: Path,
    structures: list[dict[str, Any]],
    formats: list[str],
) -> None:
    """Write the surfaces. structures: name, label, colour and triangle budget of each.

    formats: suffixes of the files, of ply, stl, obj and vtp.
    """
    names = {s["name"]: s["label"] for s in structures}
    label_map = read_label_map(labels, overlaps, names)
    record.grid = label_map.grid
    budgets = {s["label"]: s["triangles"] for s in structures if s["triangles"]}
    meshes = _meshes(label_map, budgets, record)
    scene: dict[str, tuple[Surface, str]] = {}
    said: dict[str, Any] = {}
    with replacing_folder(surfaces) as folder:
        for structure in structures:
            name, label = structure["name"], structure["label"]
            if label not in meshes:
                continue
            shared, grid, undecimated = meshes[label]
            surface = surface_of(shared, label, grid)
            said[name] = _describe(surface)
            if not said[name]["watertight"]:
                refusal = Refusal("surface-open", "the mesh of this structure has open edges")
                said[name] = {"status": "refused", "code": refusal.code, "reason": refusal.reason}
                continue
            if undecimated is not None:
                apart = distances(surface_of(undecimated, label, grid), surface)
                said[name] |= {"decimation_mean_mm": apart[0], "decimation_max_mm": apart[1]}
            scene[name] = (surface, structure["colour"])
            for suffix in formats:
                write_surface(folder / f"{name}.{suffix}", surface)
    record.details["structures"] = said
    write_glb(model, scene)


def _meshes(
    label_map: LabelMap, budgets: dict[int, int], record: Record
) -> dict[int, tuple[Boundaries, Grid, Boundaries | None]]:
    """By label: the mesh that holds its surface, its grid, and that mesh before decimation if any."""
    grid = label_map.grid
    visible = label_map.array
    if label_map.covered:
        visible = visible.copy()
        for label in label_map.covered:
            visible[visible == label] = 0
    meshes = {}
    pieces = [(visible, grid)] + [_piece(r, label, grid) for label, r in label_map.covered.items()]
    for array, own_grid in pieces:
        if not array.any():
            continue
        shared, repaired = boundaries(array, own_grid)
        record.details["repaired_voxels"] = record.details.get("repaired_voxels", 0) + repaired
        own_budgets = {k: v for k, v in budgets.items() if (shared.sides == k).any()}
        before = None
        if own_budgets:
            before, shared = shared, decimate(shared, own_budgets)
            keep_volumes(shared, largest_step=0.25 * min(grid.spacing))
        for label in range(1, len(shared.volumes)):
            if shared.volumes[label] > 0:
                meshes[label] = (shared, own_grid, before if label in own_budgets else None)
    return meshes


def _piece(region: Region, label: int, grid: Grid) -> tuple[Any, Grid]:
    """A region as a label map of its own box."""
    start = tuple(s.start for s in region.box[::-1])
    size = tuple(region.array.shape[::-1])
    return region.array * label, grid.crop(start, size)


def _describe(surface: Surface) -> dict[str, Any]:
    return {
        "status": "ok",
        "triangles": len(surface.triangles),
        "surface_volume_mm3": volume(surface),
        "surface_area_mm2": area(surface),
        "watertight": is_watertight(surface),
        "manifold": is_manifold(surface),
    }


if __name__ == "__main__":
    run_job(snakemake, mesh)
