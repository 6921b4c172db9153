"""What a script is made of: a fingerprint of the modules that it imports, however deeply; and all code.

Snakemake reruns a rule when its script changes, not when a module that the script imports does. With
this fingerprint as a parameter it does, and only for the scripts that import what changed. The same
goes for the packages in the lock.
"""

import ast
import hashlib
import subprocess
from functools import cache
from pathlib import Path

from scanmill import lock_file

LIBRARY = Path(__file__).parent
ROOT = LIBRARY.parents[1]
LOCK = ROOT / "envs" / "requirements.lock"
# The workflow itself, but for its documentation, tests and shipped recipes.
CODE = (
    "Snakefile",
    "rules/*.smk",
    "scripts/**/*.py",
    "scripts/scanmill/report/*",
    "scripts/scanmill/overview/*",
    "scripts/scanmill/group_comparison/*.html",
    "config/schemas/*",
    "config/phantoms.yaml",
)


def fingerprint(script: Path, lock: Path) -> str:
    """SHA-256 of the library modules behind a script, and of what they need of the lock."""
    modules = _closure(script)
    packages = {name for path in (script, *modules) for name in _packages(path)}
    total = hashlib.sha256(lock_file.fingerprint(lock, packages, all_packages()).encode())
    for part in sorted(modules.union(*map(_beside, modules))):
        total.update(f"{part.relative_to(LIBRARY)}\0".encode())
        total.update(hashlib.sha256(part.read_bytes()).digest())
    return total.hexdigest()


@cache
def all_packages() -> frozenset[str]:
    """The packages that any script or module of the workflow imports."""
    files = (ROOT / "scripts").rglob("*.py")
    return frozenset(name for path in files for name in _packages(path))


def code() -> dict[str, str]:
    """SHA-256 of every file of the workflow's code, by its path in the workflow."""
    files = sorted({path for pattern in CODE for path in ROOT.glob(pattern) if path.is_file()})
    return {
        path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def commit() -> str | None:
    """The commit that the workflow is a checkout of, if it is one and git is here."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--show-prefix", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    prefix, _, found = done.stdout.partition("\n")
    # A prefix: the workflow lies in a checkout of something else.
    return found.strip() if done.returncode == 0 and not prefix else None


def _closure(script: Path) -> set[Path]:
    found: set[Path] = set()
    front = {script}
    while front:
        front = {module for path in front for module in _imports(path)} - found
        found |= front
    return found


def _beside(module: Path) -> set[Path]:
    """What a package has beside its modules, as the templates of pages, where this is its first."""
    if module.name != "__init__.py":
        return set()
    return {file for file in module.parent.iterdir() if file.is_file() and file.suffix != ".py"}


def _imports(path: Path) -> set[Path]:
    """Files of the library's own modules that a file imports anywhere in it."""
    return {file for name in _names(path) for file in _files(name)}


def _packages(path: Path) -> set[str]:
    """The packages of others that a file imports anywhere in it."""
    others = (name for name in _names(path) if name.partition(".")[0] != LIBRARY.name)
    return set(filter(None, map(lock_file.package_of, others)))


@cache
def _names(path: Path) -> frozenset[str]:
    """The modules that a file imports anywhere in it, and what it imports from them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


def _files(name: str) -> list[Path]:
    """The file of a module of the library, and those of the packages above it."""
    parts = name.split(".")
    if parts[0] != LIBRARY.name:
        return []
    candidates = [LIBRARY.joinpath(*parts[1:n], "__init__.py") for n in range(1, len(parts) + 1)]
    candidates.append(LIBRARY.joinpath(*parts[1:]).with_suffix(".py"))
    return [path for path in candidates if path.is_file()]
