"""What of the lock a program depends on: the packages that it imports, and all that these need."""

import hashlib
import re
import sys
from collections.abc import Set
from functools import cache
from pathlib import Path

# Of packages that are imported by another name than theirs.
PACKAGES = {
    "cc3d": "connected-components-3d",
    "gdcm": "python-gdcm",
    "jpeg_ls": "pyjpegls",
    "openjpeg": "pylibjpeg-openjpeg",
    "rle": "pylibjpeg-rle",
    "vtkmodules": "vtk",
    "yaml": "pyyaml",
}
# They start programs, or are for documentation and tests: no result is theirs.
ASIDE = frozenset({"snakemake", "snakemake-executor-plugin-slurm", "pyvista", "trimesh"})
OURSELVES = "scanmill"


def package_of(module: str) -> str:
    """The package that a module is of, as locks write it, or nothing for one of Python itself."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return ""
    return PACKAGES.get(top, top.lower().replace("_", "-"))


def fingerprint(lock: Path, packages: Set[str], all_packages: Set[str]) -> str:
    """SHA-256 of the entries of packages in a lock, and of all that they need.

    all_packages: what any program here imports. What the project asks for and none imports is loaded by
    some other package, which none can tell: so all programs depend on it.
    """
    entries, asked_by = _read(lock)
    asked = {name for name, by in asked_by.items() if OURSELVES in by}
    needed = set(packages) | (asked - all_packages - ASIDE)
    front = needed
    while front:
        front = {name for name, by in asked_by.items() if by & front} - needed
        needed |= front
    found = (entries[name] for name in sorted(needed & entries.keys()))
    return hashlib.sha256("".join(found).encode()).hexdigest()


@cache
def _read(lock: Path) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Of each package its entries, pins and hashes, and what asked for it: its comments say so."""
    entries: dict[str, str] = {}
    asked_by: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8").strip()):
        name = entry.partition("==")[0]
        lines = [line.strip() for line in entry.split("\n")]
        entries[name] = entries.get(name, "") + "".join(s + "\n" for s in lines if s[0] != "#")
        told = (re.fullmatch(r"# (?:via| ) +([\w.-]+)(?: \(pyproject\.toml\))?", s) for s in lines)
        asked_by.setdefault(name, set()).update(match[1] for match in told if match)
    return entries, asked_by
