"""What a script is made of: a fingerprint of the modules that it imports, however deeply.

Snakemake reruns a rule when its script changes, not when a module that the script imports does. With
this fingerprint as a parameter it does, and only for the scripts that import what changed.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent


def fingerprint(script: Path, lock: Path) -> str:
    """SHA-256 of the library modules behind a script, by name and content, and of the lock."""
    total = hashlib.sha256(lock.read_bytes())
    for module in sorted(_closure(script)):
        total.update(f"{module.relative_to(LIBRARY)}\0".encode())
        total.update(hashlib.sha256(module.read_bytes()).digest())
    return total.hexdigest()


def _closure(script: Path) -> set[Path]:
    found: set[Path] = set()
    front = {script}
    while front:
        front = {module for path in front for module in _imports(path)} - found
        found |= front
    return found


@cache
def _imports(path: Path) -> frozenset[Path]:
    """Files of the library's own modules that a file imports anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(file for name in names for file in _files(name))


def _files(name: str) -> list[Path]:
    """The file of a module of the library, and those of the packages above it."""
    parts = name.split(".")
    if parts[0] != LIBRARY.name:
        return []
    candidates = [LIBRARY.joinpath(*parts[1:n], "__init__.py") for n in range(1, len(parts) + 1)]
    candidates.append(LIBRARY.joinpath(*parts[1:]).with_suffix(".py"))
    return [path for path in candidates if path.is_file()]
