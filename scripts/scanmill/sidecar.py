"""The JSON beside each result: what it is, where it came from, and whether it can be used."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from scanmill import __version__
from scanmill.atomic import replacing

SOFTWARE = ("numpy", "numba", "SimpleITK", "vtk")
SUFFIXES = (".nii.gz", ".csv", ".glb", ".json", ".html")


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
        total = hashlib.sha256()
        for part in sorted(p for p in path.rglob("*") if p.is_file()):
            total.update(f"{part.relative_to(path).as_posix()}\0{checksum(part)}\n".encode())
        return total.hexdigest()
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def software() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    versions = {"scanmill": __version__, "python": platform.python_version()}
    return versions | {name: version(name) for name in SOFTWARE}


def write_json(path: Path, content: Any) -> None:
    """Write JSON that is the same bytes for the same content; NaN is refused, not written."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_sidecar(result: Path) -> dict[str, Any]:
    """The sidecar of a result. Raises FileNotFoundError where there is none."""
    return json.loads(sidecar_path(result).read_text(encoding="utf-8"))
