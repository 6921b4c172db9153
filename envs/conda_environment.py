"""Write scanmill.yaml: the direct dependencies, at the versions of the lock, for `--sdm conda`.

python envs/conda_environment.py
"""

import re
import tomllib
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).resolve().parent
PYTHON = "3.12"
PINNED = re.compile(r"^(\S+)==(\S+?)(?: ; (.+?))? \\$", re.MULTILINE)
HEAD = f"""# Made by `make lock` from pyproject.toml and requirements.lock: change those, not this file.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python={PYTHON}
  - pip
  - pip:
"""


def locked(lock: str) -> dict[str, str]:
    """The version of each package in a lock, for the Python of the environment on Linux."""
    about = {"python_full_version": f"{PYTHON}.0", "python_version": PYTHON}
    about |= {"sys_platform": "linux", "platform_machine": "x86_64"}
    return {
        canonicalize_name(name): version
        for name, version, marker in PINNED.findall(lock)
        if not marker or Marker(marker).evaluate(about)
    }


def environment(project: str, lock: str) -> str:
    """The text of the conda environment from those of pyproject.toml and the lock."""
    versions = locked(lock)
    direct = [Requirement(text).name for text in tomllib.loads(project)["project"]["dependencies"]]
    return HEAD + "".join(
        f"      - {name}=={versions[canonicalize_name(name)]}\n" for name in direct
    )


if __name__ == "__main__":
    project = (FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8")
    lock = (FOLDER / "requirements.lock").read_text(encoding="utf-8")
    (FOLDER / "scanmill.yaml").write_text(environment(project, lock), encoding="utf-8")
