"""Write a body as Gmsh's mesh (.msh, version 4.1, text).

Format: https://gmsh.info/doc/texinfo/gmsh.html#MSH-file-format
"""

from pathlib import Path
from typing import TextIO

import numpy as np

from scanmill.atomic import replacing
from scanmill.simulation.body import Body
from scanmill.simulation.fields import TOLD

TETRAHEDRA, TRIANGLES = 11, 9
# Gmsh has the middles of a tetrahedron's last two edges the other way round.
ORDER = [0, 1, 2, 3, 4, 5, 6, 7, 9, 8]
VOLUME, SURFACE = 3, 2


def write_msh(path: Path, body: Body) -> None:
    """Write points, LPS mm, cells and named faces; parts and faces are physical groups of their names.

    Part and face k are volume k and surface k, from 1, and so are their groups.
    """
    volumes = [body.cells[cells][:, ORDER] for cells in body.parts.values()]
    surfaces = list(body.faces.values())
    with (
        replacing(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="\n") as stream,
    ):
        stream.write("$MeshFormat\n4.1 0 8\n$EndMeshFormat\n")
        told = "".join(f"{name}={value}\n" for name, value in TOLD.items())
        stream.write(f"$Comments\n{told}$EndComments\n")
        _write_names(stream, body)
        _write_entities(stream, body, surfaces, volumes)
        _write_nodes(stream, body)
        blocks = [(VOLUME, tag, TETRAHEDRA, rows) for tag, rows in enumerate(volumes, start=1)]
        blocks += [(SURFACE, tag, TRIANGLES, rows) for tag, rows in enumerate(surfaces, start=1)]
        _write_elements(stream, blocks)


def _write_names(stream: TextIO, body: Body) -> None:
    names = [f'{VOLUME} {tag} "{name}"\n' for tag, name in enumerate(body.parts, start=1)]
    names += [f'{SURFACE} {tag} "{name}"\n' for tag, name in enumerate(body.faces, start=1)]
    stream.write(f"$PhysicalNames\n{len(names)}\n{''.join(names)}$EndPhysicalNames\n")


def _write_entities(
    stream: TextIO, body: Body, surfaces: list[np.ndarray], volumes: list[np.ndarray]
) -> None:
    """Surfaces and volumes: number, box, one group, and no bounds."""
    stream.write(f"$Entities\n0 0 {len(surfaces)} {len(volumes)}\n")
    for entities in (surfaces, volumes):
        for tag, rows in enumerate(entities, start=1):
            places = body.points[np.unique(rows)]
            box = " ".join(f"{x:.10g}" for x in (*places.min(axis=0), *places.max(axis=0)))
            stream.write(f"{tag} {box} 1 {tag} 0\n")
    stream.write("$EndEntities\n")


def _write_nodes(stream: TextIO, body: Body) -> None:
    """All in one block, of the first volume."""
    count = len(body.points)
    stream.write(f"$Nodes\n1 {count} 1 {count}\n{VOLUME} 1 0 {count}\n")
    stream.writelines(f"{tag}\n" for tag in range(1, count + 1))
    stream.writelines(f"{x:.10g} {y:.10g} {z:.10g}\n" for x, y, z in body.points.tolist())
    stream.write("$EndNodes\n")


def _write_elements(stream: TextIO, blocks: list[tuple[int, int, int, np.ndarray]]) -> None:
    """Blocks of dimension, number of the entity, kind, and rows of points."""
    count = sum(len(rows) for *_, rows in blocks)
    stream.write(f"$Elements\n{len(blocks)} {count} 1 {count}\n")
    tag = 1
    for dimension, entity, kind, rows in blocks:
        stream.write(f"{dimension} {entity} {kind} {len(rows)}\n")
        for row in (rows + 1).tolist():
            stream.write(f"{tag} {' '.join(map(str, row))}\n")
            tag += 1
    stream.write("$EndElements\n")
