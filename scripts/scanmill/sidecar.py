"""The JSON beside each result: what it is, where it came from, and whether it can be used."""

import hashlib
import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scanmill import __version__
from scanmill.atomic import replacing

SOFTWARE = ("numpy", "numba", "SimpleITK", "vtk")
# What Snakemake leaves in the folders that it knows as outputs.
TIMESTAMP = ".snakemake_timestamp"
SUFFIXES = (".nii.gz", ".csv", ".glb", ".json", ".html", ".npz", ".png")


class Damaged(Exception):  # noqa: N818 - it says what the result is
    """A result is not what its stage wrote."""


def sidecar_path(result: Path) -> Path:
    """Where the sidecar of a result lies: the same folder and stem, `.json`."""
    result = Path(result)
    for suffix in SUFFIXES:
        if result.name.endswith(suffix):
            return result.with_name(result.name.removesuffix(suffix) + ".json")
    return result.with_name(result.name + ".json")


def checksum(path: Path) -> str:
    """SHA-256 of a file; of a folder, that of its files' relative names and checksums in order."""
    path = Path(path)
    if path.is_dir():
        parts = [p for p in path.rglob("*") if p.is_file() and p.name != TIMESTAMP]
        return checksum_of_parts({part.relative_to(path): checksum(part) for part in parts})
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checksum_of_parts(sums: dict[Path, str]) -> str:
    """The checksum of a folder, from those of its files by relative path."""
    total = hashlib.sha256()
    for part in sorted(sums):
        total.update(f"{part.as_posix()}\0{sums[part]}\n".encode())
    return total.hexdigest()


def software() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    versions = {"scanmill": __version__, "python": platform.python_version()}
    return versions | {name: version(name) for name in SOFTWARE}


def write_json(path: Path, content: Any) -> None:
    """Write JSON that is the same bytes for the same content; NaN is refused, not written."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_sidecar(result: Path, content: dict[str, Any]) -> None:
    """Write what is said of a result, with the result's checksum."""
    write_json(sidecar_path(result), content | {"sha256": checksum(result)})


def remove_damaged(result: Path, found: str) -> None:
    """Remove a result and its sidecar, for its stage to make them anew, if it is not what was written.

    found: its checksum as it lies there. Raises Damaged if that is another than its sidecar's.
    """
    said = read_sidecar(result)
    if said["sha256"] == found:
        return
    sidecar_path(result).unlink()
    if result.is_dir():
        shutil.rmtree(result)
    else:
        result.unlink()
    raise Damaged(
        f"{result.name} is not what {said['stage']} wrote, and was removed; the same command again "
        "makes it anew. A disk that fails, or a program that writes into results, may be the cause"
    )


def read_sidecar(result: Path) -> dict[str, Any]:
    """The sidecar of a result. Raises FileNotFoundError where there is none."""
    return json.loads(sidecar_path(result).read_text(encoding="utf-8"))
