"""Settings of all tests."""

import pytest
from hypothesis import settings

# The first example of a test may compile what it tests.
settings.register_profile("scanmill", deadline=None)
settings.load_profile("scanmill")

# What is set up once for tests of more than one file.
SHARED = {"cluster", "network", "example"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Which tests the same process runs: those of a file, and those that share what is set up once."""
    for item in items:
        shared = SHARED.intersection(item.fixturenames)
        item.add_marker(pytest.mark.xdist_group(min(shared, default=str(item.path))))
