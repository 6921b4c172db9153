"""One Slurm for all tests that need it."""

import pytest
from slurm import lacking, slurm


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A running Slurm of two nodes."""
    if reason := lacking():
        pytest.skip(reason)
    with slurm(tmp_path_factory.mktemp("slurm")):
        yield
