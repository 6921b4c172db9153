"""Environments for networks to be trained in: a real one, where there is one, and imitations."""

import sys
from pathlib import Path

import pytest
from scanmill.learning import environment
from scanmill.learning.design import Design

DESIGN = Design((1.0, 1.0, 1.0), (40, 40, 40), {"zscore": "scan"})
# What tests that train are skipped with, where nothing can train.
LACKING = environment.lacking()
needs_torch = pytest.mark.skipif(bool(LACKING), reason=LACKING)


def imitate_torch(folder: Path, monkeypatch) -> None:
    """Have the Python that trains be this one, with something that is called torch."""
    (folder / "torch").mkdir(parents=True)
    (folder / "torch" / "__init__.py").touch()
    monkeypatch.setenv(environment.VARIABLE, sys.executable)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    environment._lacking.cache_clear()
