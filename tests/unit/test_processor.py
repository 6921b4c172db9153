"""Which versions of numerical functions are used does not depend on the processor."""

import pytest
from scanmill import processor

INTEL = "processor\t: 0\nmodel name\t: {}\nflags\t\t: fpu sse2 {}\n\n"


@pytest.mark.parametrize("newer", ["", "avx512f avx512vl"])
def test_old_and_new_processors_are_told_alike(tmp_path, monkeypatch, newer):
    told = tmp_path / "cpuinfo"
    told.write_text(INTEL.format("any", f"fma avx2 {newer}") * 200)
    monkeypatch.setattr(processor, "TOLD", told)
    assert processor.settled() == processor.SETTLED


@pytest.mark.parametrize(
    "text", [INTEL.format("avx2 fma", "avx"), "processor\t: 0\nFeatures: asimd"]
)
def test_processors_that_could_not_run_it_are_not_told_to(tmp_path, monkeypatch, text):
    told = tmp_path / "cpuinfo"
    told.write_text(text)
    monkeypatch.setattr(processor, "TOLD", told)
    assert processor.settled() == {}


def test_elsewhere_nothing_is_set(tmp_path, monkeypatch):
    monkeypatch.setattr(processor, "TOLD", tmp_path / "none")
    assert processor.settled() == {}
