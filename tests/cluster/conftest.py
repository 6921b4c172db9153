"""One Slurm for all tests that need it, and what their cohorts are compared with."""

import pytest
from mill import contents, mill
from shared_scan import CONFIG, write_cohort
from slurm import lacking, slurm


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A running Slurm of two nodes."""
    if reason := lacking():
        pytest.skip(reason)
    with slurm(tmp_path_factory.mktemp("slurm")):
        yield


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The contents of the results of one case, made by this machine alone."""
    folder = write_cohort(tmp_path_factory.mktemp("undisturbed") / "cohort")
    return contents(mill(folder, *CONFIG))
