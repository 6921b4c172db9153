"""The environments agree: what pyproject.toml asks for is in the lock, and conda gets the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "envs" / "requirements.lock").read_text(encoding="utf-8")
# One entry: the pin on a line of its own, then hashes and comments, indented.
ENTRIES = re.split(r"\n(?=\S)", LOCK.strip())
DIRECT = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
FOR_TESTS = [Requirement(text) for text in PROJECT["dependency-groups"]["test"]]
PYTHONS = ("3.11", "3.12", "3.13")


def pins(python: str) -> dict[str, str]:
    """The lock's version of each package, for a Python on Linux."""
    found = {}
    about = {"python_full_version": f"{python}.4", "python_version": python}
    about |= {"sys_platform": "linux", "platform_machine": "x86_64"}
    for entry in ENTRIES:
        pin, _, marker = entry.split(" \\\n")[0].partition(" ; ")
        name, _, version = pin.partition("==")
        if not marker or Marker(marker).evaluate(about):
            assert canonicalize_name(name) not in found, f"{name} is pinned twice"
            found[canonicalize_name(name)] = version
    return found


def test_conda_gets_the_direct_dependencies_at_the_versions_of_the_lock():
    environment = yaml.safe_load((ROOT / "envs" / "scanmill.yaml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    python, installer, packages = environment["dependencies"]
    assert (python, installer) == ("python=3.12", "pip")
    versions = pins("3.12")
    expected = [f"{r.name}=={versions[canonicalize_name(r.name)]}" for r in DIRECT]
    assert packages == {"pip": expected}


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_satisfies_what_the_project_asks_for(python):
    assert Requirement(f"python{PROJECT['project']['requires-python']}").specifier.contains(python)
    versions = pins(python)
    for requirement in DIRECT + FOR_TESTS:
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), (requirement, version)


def test_every_entry_of_the_lock_is_one_version_with_hashes():
    assert len(ENTRIES) > 80
    for entry in ENTRIES:
        first, *others = entry.split("\n")
        assert re.match(r"[a-z0-9.-]+==[^\s]+( ; .+)? \\$", first), first
        hashes = [line for line in others if "--hash=" in line]
        assert hashes, first
        for line in hashes:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


@pytest.mark.parametrize("lock", sorted((ROOT / "envs").glob("*.lock")), ids=lambda path: path.stem)
def test_a_lock_names_no_host_and_has_hashes(lock):
    text = lock.read_text(encoding="utf-8")
    for sign in ("://", "--index-url", "--extra-index-url", "--find-links", "--trusted-host", "@ "):
        assert sign not in text
    pins = [line for line in text.splitlines() if line[:1].isalnum()]
    assert pins and all(line.endswith(" \\") and "==" in line for line in pins)


def test_the_networks_are_trained_with_the_numpy_that_measures():
    text = (ROOT / "envs" / "learn.lock").read_text(encoding="utf-8")
    assert re.findall("^numpy==.*$", text, re.MULTILINE) == re.findall(
        "^numpy==.*$", LOCK, re.MULTILINE
    )


def test_every_rule_names_the_environment():
    for path in (ROOT / "rules").glob("*.smk"):
        text = path.read_text(encoding="utf-8")
        for rule in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]:
            assert "../envs/scanmill.yaml" in rule, path.name
