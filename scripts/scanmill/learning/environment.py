"""Where the Python is that has torch: in an environment of its own, since torch is gigabytes."""

import os
import subprocess
from functools import cache
from pathlib import Path

VARIABLE = "SCANMILL_LEARNER"
ROOT = Path(__file__).parents[3]
DEFAULT = ROOT / ".venv-learn" / "bin" / "python"
NEEDED = "numpy", "torch"


def interpreter() -> Path:
    """The Python that networks are trained with."""
    return Path(os.environ.get(VARIABLE, DEFAULT))


def lacking() -> str:
    """Why no network can be trained, and what would help; empty where one can."""
    return _lacking(interpreter())


@cache
def _lacking(python: Path) -> str:
    right = (
        f"'make learner' in ScanMill's folder, or {VARIABLE} with the path of a Python that has "
        f"{' and '.join(NEEDED)}, would be right"
    )
    if not python.is_file():
        return f"the environment that networks are trained in is not there; {right}"
    # Found, not imported: that takes seconds.
    asked = f"import importlib.util as u; print(*(n for n in {NEEDED} if not u.find_spec(n)))"
    try:
        done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return f"the Python that networks are trained with does not start; {right}"
    missing = " and ".join(done.stdout.split())
    return f"the Python that networks are trained with has no {missing}; {right}" if missing else ""
