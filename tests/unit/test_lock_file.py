"""What of the lock a program depends on."""

from pathlib import Path

import pytest
from scanmill import lineage, lock_file

LOCK = """\
alpha==1.0 \\
    --hash=sha256:aa
    # via scanmill (pyproject.toml)
beta==2.0 \\
    --hash=sha256:bb
    # via
    #   scanmill (pyproject.toml)
    #   alpha
    #   pytest
gamma==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:cc
    # via beta
gamma==1.1 ; python_full_version >= '3.12' \\
    --hash=sha256:dd
    # via beta
loaded-by-others==1.0 \\
    --hash=sha256:ee
    # via scanmill (pyproject.toml)
pytest==1.0 \\
    --hash=sha256:ff
    # via scanmill (pyproject.toml:test)
snakemake==9.1 \\
    --hash=sha256:00
    # via scanmill (pyproject.toml)
"""
ALL = frozenset({"alpha", "beta", "pytest"})
ROOT = Path(__file__).parents[2]


@pytest.fixture
def changes(tmp_path):
    """Which programs, by the package that they import, see a change of the lock."""

    def of(old: str, new: str) -> set[str]:
        assert LOCK.count(old) == 1
        locks = [tmp_path / f"{len(list(tmp_path.iterdir()))}-{n}.lock" for n in range(2)]
        locks[0].write_text(LOCK)
        locks[1].write_text(LOCK.replace(old, new))
        prints = {
            name: {lock_file.fingerprint(lock, {name}, ALL) for lock in locks}
            for name in sorted(ALL)
        }
        return {name for name, found in prints.items() if len(found) == 2}

    return of


@pytest.mark.parametrize(
    ("old", "new", "seen_by"),
    [
        ("alpha==1.0", "alpha==1.1", {"alpha"}),
        ("sha256:aa", "sha256:ab", {"alpha"}),
        ("beta==2.0", "beta==2.1", {"alpha", "beta", "pytest"}),
        ("gamma==1.1", "gamma==1.2", {"alpha", "beta", "pytest"}),
        ("loaded-by-others==1.0", "loaded-by-others==1.1", ALL),
        ("pytest==1.0", "pytest==1.1", {"pytest"}),
        ("snakemake==9.1", "snakemake==9.2", set()),
        ("    #   alpha\n", "    #   alpha\n    #   nobody\n", set()),
    ],
)
def test_a_change_is_seen_by_what_depends_on_it(changes, old, new, seen_by):
    assert changes(old, new) == seen_by


def test_every_import_of_the_workflow_is_of_a_package_in_the_lock():
    entries, _ = lock_file._read(lineage.LOCK)
    # These lie in environments of their own: envs/learn.lock and envs/nnunet.lock.
    assert lineage.all_packages() - entries.keys() <= {"torch", "nnunetv2"}
    assert {"numpy", "vtk", "connected-components-3d", "pyyaml"} <= lineage.all_packages()


def test_modules_of_python_and_of_other_names_are_known():
    names = ("os.path", "vtkmodules.util.numpy_support", "fill_voids", "SimpleITK", "yaml")
    found = [lock_file.package_of(name) for name in names]
    assert found == ["", "vtk", "fill-voids", "simpleitk", "pyyaml"]
