"""How two files of results differ, in terms of what they hold: cells, voxels, surfaces, keys."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from scanmill.mesh_file import read_surface
from scanmill.staleness import LEFT
from scanmill.surface_measures import volume
from scanmill.volume_file import read_volume

# What a run tells of itself: the same results may have taken other seconds, or another command.
OF_THE_RUN = {
    "cases.tsv": re.compile(".*_(seconds|memory_mb)"),
    "provenance.json": re.compile(r"(command|commit|code|lock_sha256)(\..*)?"),
}
# Of the page of the cohort, the section that tells of the run.
OF_THE_PAGE = re.compile(rb'<section id="run".*?</section>', re.DOTALL)
# Of a sidecar: the fingerprint of the code, which is compared as a whole.
OF_SIDECARS = re.compile("library")
NOTHING = re.compile("(?!)")
SHOWN = 12
Cells = dict[str, str]


def how(first: Path, second: Path) -> str:
    """How a file of a run differs from that of another run; nothing where only the runs themselves do.

    Lengths in mm, volumes in mm3. A file that cannot be read as what it should be is told by its bytes.
    """
    if _kept(first) == _kept(second):
        return ""
    compared = next((by for suffix, by in KINDS.items() if first.name.endswith(suffix)), _bytes)
    try:
        return compared(first, second) or _bytes(first, second)
    except Exception:  # whatever readers raise of a damaged file
        return _bytes(first, second)


def _kept(path: Path) -> Any:
    """What must be the same: the bytes, or all but what a run tells of itself."""
    ignored = _ignored(path)
    if path.suffix == ".html":
        return OF_THE_PAGE.sub(b"", path.read_bytes())
    if ignored is NOTHING:
        return path.read_bytes()
    try:
        if path.suffix == ".tsv":
            kept = [
                [(key, cell) for key, cell in row.items() if not ignored.fullmatch(key)]
                for row in _read(path)
            ]
        else:
            content = json.loads(path.read_text(encoding="utf-8"))
            kept = [(key, value) for key, value in content.items() if not ignored.fullmatch(key)]
        # As text: 1, 1.0 and true are one to Python.
        return json.dumps(kept)
    except (ValueError, AttributeError, TypeError):
        return path.read_bytes()


def _bytes(first: Path, second: Path) -> str:
    one, other = first.read_bytes(), second.read_bytes()
    if len(one) != len(other):
        return f"{len(one)} bytes, now {len(other)}"
    differing = sum(a != b for a, b in zip(one, other, strict=True))
    return f"{differing} of {len(one)} bytes"


def _tables(first: Path, second: Path) -> str:
    one, other = _rows(first), _rows(second)
    said = [*_only("row", one, other), *_only("column", _columns(one), _columns(other))]
    both = [(one[key], other[key]) for key in one if key in other]
    for column in (column for column in _columns(one) if column in _columns(other)):
        pairs = [(a[column], b[column]) for a, b in both if a[column] != b[column]]
        if pairs and not _ignored(first).fullmatch(column):
            rows = "1 row" if len(pairs) == 1 else f"{len(pairs)} rows"
            said.append(f"{column}: {rows}{_by(pairs)}")
    return "; ".join(said)


def _ignored(path: Path) -> re.Pattern:
    return OF_THE_RUN.get(path.name, OF_SIDECARS if path.suffix == ".json" else NOTHING)


def _rows(path: Path) -> dict[str, Cells]:
    """Rows by what names them, and by their number where several are named alike."""
    keyed: dict[str, Cells] = {}
    for row in _read(path):
        name = " ".join(filter(None, (row.get("case"), row.get("structure")))) or "row"
        keyed[name if name not in keyed else f"{name} {len(keyed) + 1}"] = row
    return keyed


def _read(path: Path) -> list[Cells]:
    with open(path, encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t" if path.suffix == ".tsv" else ","))
    # Cases that an earlier sheet had are none of the run.
    return [row for row in rows if row.get("status") != LEFT["status"]]


def _columns(rows: dict[str, Cells]) -> list[str]:
    return list(next(iter(rows.values()), {}))


def _only(what: str, one: Any, other: Any) -> list[str]:
    gone = [name for name in one if name not in other]
    added = [name for name in other if name not in one]
    return [
        f"{what}s {word}: {', '.join(names)}"
        for word, names in (("missing", gone), ("new", added))
        if names
    ]


def _by(pairs: list[tuple[str, str]]) -> str:
    """By how much numbers differ at most, where all are numbers."""
    try:
        numbers = [(float(a), float(b)) for a, b in pairs]
    except ValueError:
        return ""
    a, b = max(numbers, key=lambda pair: abs(pair[1] - pair[0]))
    part = f" ({100 * abs(b - a) / abs(a):.2g} %)" if a else ""
    return f", by up to {abs(b - a):.6g}{part}"


def _volumes(first: Path, second: Path) -> str:
    one, other = read_volume(first), read_volume(second)
    if not one.grid.same_as(other.grid):
        return f"grid: {one.grid.size} voxels of {one.grid.spacing} mm, now " + (
            f"{other.grid.size} of {other.grid.spacing} mm, or elsewhere"
        )
    apart = np.abs(other.array.astype(float) - one.array.astype(float))
    if not apart.any():
        return ""
    return f"{np.count_nonzero(apart)} of {apart.size} voxels, by up to {apart.max():g}"


def _surfaces(first: Path, second: Path) -> str:
    one, other = read_surface(first), read_surface(second)
    volumes = [volume(surface) for surface in (one, other)]
    said = f"volume {volumes[0]:.6g} mm3, now {volumes[1]:.6g}"
    if one.triangles.shape == other.triangles.shape and (one.triangles == other.triangles).all():
        apart = np.linalg.norm(other.points - one.points, axis=1)
        moved = (
            f"{np.count_nonzero(apart)} of {len(apart)} points moved, by up to {apart.max():.3g} mm"
        )
        return f"{moved}; {said}"
    counts = [f"{len(s.points)} points and {len(s.triangles)} triangles" for s in (one, other)]
    return f"{counts[0]}, now {counts[1]}; {said}"


def _objects(first: Path, second: Path) -> str:
    one, other = (
        dict(_leaves(json.loads(path.read_text(encoding="utf-8")))) for path in (first, second)
    )
    keys = [key for key in {**one, **other} if one.get(key, ...) != other.get(key, ...)]
    keys = [key for key in keys if not _ignored(first).fullmatch(key)]
    said = [f"{key}: {one.get(key, 'nothing')}, now {other.get(key, 'nothing')}" for key in keys]
    more = [f"and {len(said) - SHOWN} more"] if len(said) > SHOWN else []
    return "; ".join(said[:SHOWN] + more)


def _leaves(content: Any, key: str = "") -> list[tuple[str, Any]]:
    """Everything in JSON that holds nothing else, by its path."""
    if isinstance(content, (dict, list)) and content:
        parts = content.items() if isinstance(content, dict) else enumerate(content)
        return [
            leaf for k, value in parts for leaf in _leaves(value, f"{key}.{k}" if key else f"{k}")
        ]
    return [(key, content)]


KINDS = {
    ".csv": _tables,
    ".tsv": _tables,
    ".nii.gz": _volumes,
    ".ply": _surfaces,
    ".stl": _surfaces,
    ".obj": _surfaces,
    ".vtp": _surfaces,
    ".json": _objects,
}
