"""A frame of reference can be compared, and neither read nor linked."""

import numpy as np
from scanmill.frame_of_reference import matches, seal

UID = "1.2.826.0.1.3680043.8.498.1234"
VOXELS = np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def test_a_seal_matches_its_own_uid_only():
    sealed = seal(UID, VOXELS)
    assert matches(UID, sealed)
    assert not matches(UID + "5", sealed) and not matches("", sealed)


def test_a_seal_holds_no_uid_and_two_scans_of_one_frame_have_nothing_in_common():
    one, other = seal(UID, VOXELS), seal(UID, VOXELS + 1)
    assert UID not in str(one)
    assert one["salt"] != other["salt"] and one["digest"] != other["digest"]
    assert matches(UID, other)


def test_a_seal_is_of_the_voxels_not_of_how_they_lie_in_memory():
    assert seal(UID, VOXELS) == seal(UID, np.asfortranarray(VOXELS))
