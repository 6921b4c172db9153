"""Mesh: closed surfaces of all structures, LPS mm.

In: labels.nii.gz and overlaps/. Out: surfaces/<structure>.ply (and other formats on request), smooth,
2-manifold, with the volume of their voxels, sharing their boundaries where structures touch; and
model.glb, all of them named and coloured, in metres, Y up. Structures that others cover in part are
meshed whole, each on its own.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scanmill.atomic import replacing_folder
from scanmill.grid import Grid
from scanmill.label_map import LabelMap, Region, count_voxels
from scanmill.label_map_files import read_label_map
from scanmill.mesh_file import write_glb, write_surface
from scanmill.refusal import Refusal
from scanmill.stage import Record, run_job
from scanmill.surface import Surface, boundaries, keep_volumes, surfaces_of
from scanmill.surface_measures import area, is_manifold, is_watertight, volume

# Beyond it the area of a sphere of 20 mm is over 2 % too large (docs/accuracy.py).
THICK = 2


def mesh(
    record: Record,
    labels: Path,
    overlaps: Path,
    surfaces: Path,
    model: Path,
    structures: list[dict[str, Any]],
    formats: list[str],
    pass_band: float,
) -> None:
    """Write the surfaces. structures: name, label, colour and triangle budget of each.

    formats: suffixes of the files, of ply, stl, obj and vtp. pass_band: of the smoothing.
    """
    names = {s["name"]: s["label"] for s in structures}
    label_map = read_label_map(labels, overlaps, names)
    record.grid = label_map.grid
    if max(record.grid.spacing) > THICK * min(record.grid.spacing):
        record.warn(
            "surface-steps",
            f"voxels are {max(record.grid.spacing):g} mm thick and {min(record.grid.spacing):g} mm "
            "wide: surface areas include the steps between slices; use a spacing in mm",
        )
    budgets = {s["label"]: s["triangles"] for s in structures if s["triangles"]}
    meshed = {label: found for label, *found in _surfaces(label_map, budgets, pass_band, record)}
    present = {*np.flatnonzero(count_voxels(label_map.array, 1 + max(names.values())))}
    present |= set(label_map.covered)
    scene: dict[str, tuple[Surface, str]] = {}
    said: dict[str, Any] = {}
    with replacing_folder(surfaces) as folder:
        for structure in structures:
            name, label = structure["name"], structure["label"]
            if label not in present:
                continue
            if label not in meshed:
                # So small where neighbours meet that the repair of pinches took all of it.
                said[name] = _refused("no closed surface is left of this structure")
                continue
            surface, described = meshed[label]
            said[name] = described
            if described["status"] == "ok":
                scene[name] = (surface, structure["colour"])
                for suffix in formats:
                    write_surface(folder / f"{name}.{suffix}", surface)
    record.details["structures"] = said
    write_glb(model, scene)


def _surfaces(
    label_map: LabelMap, budgets: dict[int, int], pass_band: float, record: Record
) -> Iterator[tuple[int, Surface, dict[str, Any]]]:
    """Label, surface and description of each structure: first those that share boundaries."""
    grid = label_map.grid
    visible = label_map.array
    if label_map.covered:
        visible = np.where(np.isin(visible, list(label_map.covered)), 0, visible)
    pieces = [(visible, grid)] + [_piece(r, label, grid) for label, r in label_map.covered.items()]
    repaired = 0
    for array, own_grid in pieces:
        if not array.any():
            continue
        mesh, changes = boundaries(array, own_grid, pass_band)
        repaired += changes
        before: dict[int, Surface] = {}
        own_budgets = {k: v for k, v in budgets.items() if (mesh.sides == k).any()}
        if own_budgets:
            # Imported here: what it needs costs a fifth of a second, and few recipes ask for it.
            from scanmill.decimation import decimate, distances

            before = dict(surfaces_of(mesh, own_grid))
            mesh = decimate(mesh, own_budgets)
            keep_volumes(mesh, largest_step=0.25 * min(grid.spacing))
        for label, surface in surfaces_of(mesh, own_grid):
            described = _describe(surface)
            if label in own_budgets and described["status"] == "ok":
                apart = distances(before[label], surface)
                described |= {"decimation_mean_mm": apart[0], "decimation_max_mm": apart[1]}
            yield label, surface, described
    record.details["repaired_voxels"] = repaired


def _piece(region: Region, label: int, grid: Grid) -> tuple[Any, Grid]:
    """A region as a label map of its own box."""
    start = tuple(s.start for s in region.box[::-1])
    size = tuple(region.array.shape[::-1])
    return region.array * label, grid.crop(start, size)


def _describe(surface: Surface) -> dict[str, Any]:
    manifold = is_manifold(surface)
    if not (manifold or is_watertight(surface)):
        return _refused("the mesh of this structure has open edges")
    return {
        "status": "ok",
        "triangles": len(surface.triangles),
        "surface_volume_mm3": volume(surface),
        "surface_area_mm2": area(surface),
        "watertight": True,
        "manifold": manifold,
    }


def _refused(reason: str) -> dict[str, Any]:
    refusal = Refusal("surface-open", reason)
    return {"status": "refused", "code": refusal.code, "reason": refusal.reason}


if __name__ == "__main__":
    run_job(snakemake, mesh)
