"""Settings of all tests."""

from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# The first example of a test may compile what it tests.
settings.register_profile("scanmill", deadline=None)
settings.load_profile("scanmill")

# Whose tests share what is set up once: a Slurm, a PACS.
SHARED = ("tests/cluster", "tests/pacs")


class ByFile(LoadScopeScheduling):
    """A process runs all tests of a file, or of a folder whose tests share what is set up once."""

    def _split_scope(self, nodeid):
        file, _, _ = nodeid.partition("::")
        folder, _, _ = file.rpartition("/")
        return folder if folder in SHARED else file


def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)
