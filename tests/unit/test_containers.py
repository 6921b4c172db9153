"""The containers hold what the workflow ships, and its environment from the lock, for any user."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from mill import SHIPPED
from packaging.specifiers import SpecifierSet
from snakemake.cli import parse_args

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "containers" / "Dockerfile").read_text(encoding="utf-8")
DEFINITION = (ROOT / "containers" / "scanmill.def").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("recipe", [DOCKERFILE, DEFINITION], ids=["Docker", "Apptainer"])
POD = yaml.safe_load((ROOT / "containers" / "kubernetes.yaml").read_text(encoding="utf-8"))["spec"][
    "template"
]["spec"]


@BOTH
def test_the_base_is_a_python_that_the_project_allows(recipe):
    (version,) = re.findall(r"BASE=docker\.io/library/python:(3\.\d+)-slim-bookworm$", recipe, re.M)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert version in SpecifierSet(project["requires-python"])


@BOTH
def test_packages_come_from_the_lock_with_hashes_and_from_nowhere_named(recipe):
    (command,) = re.findall(r"-m pip install((?:.*\\\n)*.*)", recipe)
    words = command.replace("\\\n", " ").split()
    assert words[-3:] == [
        "--require-hashes",
        "--requirement",
        "/opt/scanmill/envs/requirements.lock",
    ]
    assert set(words[:-3]) == {"--quiet", "--no-cache-dir", "--disable-pip-version-check"}
    assert "://" not in recipe


def test_all_that_is_shipped_is_in_each_and_nothing_else():
    copied = re.findall(r"^COPY (\w+) /opt/scanmill/(\w*)$", DOCKERFILE, re.M)
    assert sorted(source for source, _ in copied) == sorted(SHIPPED)
    assert all(place == ("" if source == "Snakefile" else source) for source, place in copied)
    files = re.findall(r"^    (\w+) /opt/scanmill/(\w+)$", DEFINITION, re.M)
    assert sorted(files) == sorted((name, name) for name in SHIPPED)
    sent = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.M)
    assert sorted(sent) == sorted(SHIPPED)


def test_the_image_runs_snakemake_as_no_one_in_particular():
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M) == ["1000:1000"]
    assert '\nENTRYPOINT ["snakemake", "--snakefile", "/opt/scanmill/Snakefile"]\n' in DOCKERFILE


def test_the_pod_cannot_write_but_where_its_volumes_are():
    (container,) = POD["containers"]
    assert POD["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    places = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(places) == {volume["name"] for volume in POD["volumes"]}
    # What Snakemake and numba keep goes to /tmp; the cohort's folder is where the image starts.
    assert " XDG_CACHE_HOME=/tmp " in DOCKERFILE
    assert set(places.values()) == {"/tmp", container["workingDir"]}
    assert f"\nWORKDIR {container['workingDir']}\n" in DOCKERFILE


def test_the_pod_asks_for_the_cores_and_no_more_memory_than_it_gets():
    (container,) = POD["containers"]
    _, asked = parse_args(["--snakefile", "Snakefile", *container["args"]])
    requested = container["resources"]["requests"]
    assert str(asked.cores) == requested["cpu"]
    (memory,) = re.findall(r"^(\d+)Gi$", requested["memory"])
    assert asked.resources["mem_mb"].value <= int(memory) * 1024
    assert requested["memory"] == container["resources"]["limits"]["memory"]
