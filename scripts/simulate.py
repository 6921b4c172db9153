"""Simulate: the stress that pressure puts the walls of vessels under, and organs as solid bodies.

In: labels.nii.gz with overlaps/, the isotropic scan, and centrelines/ where walls are asked for. Out:
simulation/<structure>.vtu (and other formats on request), the wall or the organ as quadratic
tetrahedra with displacements, stress and strain, and simulation/<structure>-stress.vtp, stress averaged
through the wall on the surface in its middle, or on the organ's skin; LPS, mm, N/mm2. What the table
tells is in the sidecar. What cannot be meshed or solved as asked is tried in other ways (`fallbacks`),
which is warned of where one works; else it is refused alone, and simulation/<structure>-failed.ply is
its surface.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from scanmill.atomic import replacing_folder
from scanmill.label_map_files import read_label_map
from scanmill.mesh_file import write_surface
from scanmill.refusal import Refusal
from scanmill.sidecar import read_sidecar
from scanmill.simulation.fallbacks import Way, first_that_works
from scanmill.simulation.masks import Masks
from scanmill.simulation.quality import flatness
from scanmill.simulation.simulated_solid import simulated_solid
from scanmill.simulation.simulated_wall import simulated_wall, within_wall
from scanmill.simulation.summary import (
    Measures,
)
from scanmill.stage import Record, run_job

Asked = dict[str, Any]
Found = dict[str, Measures]

# Of a pressed organ's voxels, what may lie apart from it and be left out.
SPECKS = 0.05


def simulate(
    record: Record,
    labels: Path,
    overlaps: Path,
    isotropic: Path,
    centrelines: list[Path],
    simulation: Path,
    structures: list[dict[str, Any]],
    pressures: dict[str, float],
) -> None:
    """Write what was simulated.

    centrelines: their folder, where there is one. structures: name, label and simulate of all.
    pressures: of the case, mmHg, by the names that the recipe gives.
    """
    names = {s["name"]: s["label"] for s in structures}
    masks = Masks.of(read_label_map(labels, overlaps, names), names)
    # Vessels are round; what is sharp, as bone may be, would be flattened.
    round_ones = replace(masks, slices=max(read_sidecar(isotropic)["native_spacing_mm"]))
    record.grid = masks.grid
    record.details["structures"] = said = {}
    with replacing_folder(simulation) as folder:
        for name, asked in ((s["name"], s["simulate"]) for s in structures if s["simulate"]):
            if name not in masks:
                continue
            if "solid" in asked:
                own = asked["solid"]
                whole = _pressed_piece(record, masks, name) if own["load"] else masks
                make = partial(simulated_solid, name=name, isotropic=isotropic, folder=folder)
            else:
                own = asked["wall"]
                course = centrelines[0] / f"{name}.csv"
                if not course.exists():
                    continue
                whole = _vessel_piece(record, round_ones, name, own)
                pressure = pressures.get(own["pressure"], own["pressure"])
                make = partial(
                    simulated_wall, name=name, course=course, pressure=pressure, folder=folder
                )
            for part, told in _tried(record, whole, name, own, make, folder).items():
                said[part] = said.get(part, {}) | told


def _tried(
    record: Record,
    masks: Masks,
    name: str,
    asked: Asked,
    make: Callable[[Masks, Asked], Found],
    folder: Path,
) -> Found:
    """What is told of a structure that is simulated as asked, in another way, or refused."""

    def made(way: Way) -> Found:
        return make(masks.blurred(way.blur), asked | {"edge": way.edge * asked["edge"]})

    try:
        found, way, failed = first_that_works(made, asked["edge"])
    except Refusal as refusal:
        surface = f"{name}-failed.ply"
        write_surface(folder / surface, masks.surface(name))
        record.warn(refusal.code, f"{refusal.reason}. simulation/{surface} is its surface", name)
        return {name: {"simulation_code": refusal.code}}
    if failed:
        told = f"simulated with {way.told(asked['edge'])}, since as asked: {failed.reason}"
        record.warn("simulation-fallback", told, name)
    if flat := flatness(found[name]):
        record.warn("mesh-flat", flat, name)
    blur = {"simulation_blur_voxels": way.blur} if way.blur else {}
    found[name] |= {"simulation_edge_mm": way.edge * asked["edge"]} | blur
    return found


def _vessel_piece(record: Record, masks: Masks, name: str, asked: Asked) -> Masks:
    """The piece of a vessel with its thrombus that has its course, which is the largest."""
    piece, apart = masks.in_one_piece(*within_wall(masks, name, asked))
    return _largest(record, piece, apart, name) if name in piece else masks


def _pressed_piece(record: Record, masks: Masks, name: str) -> Masks:
    """An organ without specks that nothing would hold."""
    piece, apart = masks.in_one_piece(name)
    return _largest(record, piece, apart, name) if apart < SPECKS else masks


def _largest(record: Record, piece: Masks, apart: float, name: str) -> Masks:
    if apart:
        told = (
            f"{100 * apart:.2g} % of the voxels lie apart from the largest piece, and were left out"
        )
        record.warn("simulation-pieces", told, name)
    return piece


if __name__ == "__main__":
    run_job(snakemake, simulate)
