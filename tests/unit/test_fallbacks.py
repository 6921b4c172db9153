"""What is tried in which order, and what is told of it."""

import pytest
from scanmill.refusal import Refusal
from scanmill.simulation.fallbacks import AS_ASKED, LONGER, SHORTER, SMOOTHER, first_that_works


def failing(code, until=None):
    """Something that fails with a code until it is tried in a way; and the ways that were tried."""
    tried = []

    def make(way):
        tried.append(way)
        if way != until:
            raise Refusal(code if way == AS_ASKED else "part-lost", "too thin")
        return "found"

    return make, tried


def test_what_works_is_done_once():
    make, tried = failing("wall-folded", AS_ASKED)
    assert first_that_works(make, 3.0) == ("found", AS_ASKED, None)
    assert tried == [AS_ASKED]


def test_the_first_other_way_that_works_is_taken():
    make, tried = failing("mesher-failed", LONGER)
    found, way, failed = first_that_works(make, 3.0)
    assert (found, way, failed.code) == ("found", LONGER, "mesher-failed")
    assert tried == [AS_ASKED, SHORTER, LONGER]


def test_what_nothing_mends_is_refused_with_the_first_reason():
    make, tried = failing("mesher-failed")
    with pytest.raises(Refusal) as refusal:
        first_that_works(make, 3.0)
    assert tried == [AS_ASKED, SHORTER, LONGER, SMOOTHER]
    assert refusal.value.code == "mesher-failed"
    assert refusal.value.reason == (
        "too thin; nor was it done with edges of 2.4 mm; nor with edges of 3.75 mm; nor with its mask "
        "blurred by 1 voxel"
    )


@pytest.mark.parametrize("code", ["solver-memory", "side-bare", "mesh-large"])
def test_what_another_mesh_does_not_mend_is_not_tried_again(code):
    make, tried = failing(code)
    with pytest.raises(Refusal, match=f"{code}: too thin$"):
        first_that_works(make, 3.0)
    assert tried == [AS_ASKED]


def test_what_is_no_refusal_is_raised():
    def make(way):
        raise MemoryError

    with pytest.raises(MemoryError):
        first_that_works(make, 3.0)
