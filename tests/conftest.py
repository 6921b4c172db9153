"""Settings of all tests."""

from hypothesis import settings

# The first example of a test may compile what it tests.
settings.register_profile("scanmill", deadline=None)
settings.load_profile("scanmill")
