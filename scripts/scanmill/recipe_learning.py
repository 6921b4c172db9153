"""What a recipe says of the networks that it has trained: is it right, and can they be?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scanmill import yaml_file
from scanmill.learning import environment
from scanmill.problem import SettingsError
from scanmill.yaml_file import Fault

METHOD = "learn"
# Where a recipe does not say; iterations: None, by the number of labelled scans.
DEFAULTS = {"folds": 4, "iterations": None, "batch": 2}
# For each labelled scan; in all at least and at most. With 8, Dice hardly rises beyond the least.
ITERATIONS, LEAST, MOST = 100, 1200, 6000


def learned(structures: list[dict[str, Any]]) -> list[int]:
    """The places of the structures that a network is trained for."""
    return [n for n, s in enumerate(structures) if s["segment"]["method"] == METHOD]


def course(learn: dict[str, int | None], scans: int) -> dict[str, int]:
    """How the networks are trained of so many labelled scans. A fold holds back one at least."""
    iterations = learn["iterations"] or min(max(ITERATIONS * scans, LEAST), MOST)
    return learn | {"folds": min(learn["folds"], scans), "iterations": iterations}


def faults(content: dict[str, Any]) -> Iterator[Fault]:
    """What no schema can see. content: of a recipe that breaks none."""
    if METHOD in content and not learned(content["structures"]):
        text = f"'{METHOD}' was found, and no structure has that method; none would be right"
        yield Fault((METHOD,), text, at_key=True)


def check(path: Path) -> None:
    """Raise SettingsError where a recipe, right in itself, wants a network that cannot be trained."""
    document = yaml_file.read(path)
    lacking = environment.lacking() if (wanted := learned(document.content["structures"])) else ""
    if lacking:
        place = ("structures", wanted[0], "segment", "method")
        raise SettingsError([document.problem(Fault(place, f"'{METHOD}' was found: {lacking}"))])
