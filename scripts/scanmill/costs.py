"""What jobs ask for: memory and time by the work that they have, from config/costs.yaml."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanmill import yaml_file
from scanmill.problem import SettingsError

SHIPPED = Path(__file__).parents[2] / "config" / "costs.yaml"
MEMORY, TIME = "memory_mb", "seconds"

Amounts = Mapping[str, float]


@dataclass(frozen=True)
class Costs:
    """A checked file of costs.

    headroom: factor on what is expected, of memory_mb and seconds. least: that any job is given.
    snakemake_mb: for each unit of work, what Snakemake itself takes in a job of a cluster. rules: by
    rule, memory_mb and seconds for each unit.
    """

    headroom: dict[str, float]
    least: dict[str, float]
    snakemake_mb: dict[str, float]
    rules: dict[str, dict[str, dict[str, float]]]

    def expected(self, rule: str, quantity: str, work: Amounts) -> float:
        """What a rule's job takes at most, by the fit: MB or seconds."""
        return _total(self.rules[rule][quantity], work)

    def beside(self, work: Amounts) -> float:
        """What Snakemake itself takes in a job of a cluster, MB."""
        return _total(self.snakemake_mb, work)

    def granted(self, rule: str, quantity: str, work: Amounts) -> float:
        """What a rule's job may take, head-room included: MB or seconds."""
        expected = self.headroom[quantity] * self.expected(rule, quantity, work)
        return max(self.least[quantity], expected)

    def memory_mb(self, rule: str, work: Amounts) -> int:
        """The memory to ask a cluster for, MB."""
        return math.ceil(self.beside(work) + self.granted(rule, MEMORY, work))

    def minutes(self, rule: str, work: Amounts) -> int:
        """The run time to ask a cluster for, minutes."""
        return math.ceil(self.granted(rule, TIME, work) / 60)


def read(path: Path) -> Costs:
    """Read a file of costs. Raises SettingsError with all that is wrong in it."""
    document = yaml_file.read(path)
    faults = yaml_file.check(document.content, "costs")
    if faults:
        raise SettingsError([document.problem(fault) for fault in faults])
    return Costs(**document.content)


def _total(costs: Amounts, work: Amounts) -> float:
    return sum(each * work.get(name, 0) for name, each in costs.items())


def plain(costs: Costs) -> dict[str, Any]:
    """The content of the file."""
    return {
        "headroom": costs.headroom,
        "least": costs.least,
        "snakemake_mb": costs.snakemake_mb,
        "rules": costs.rules,
    }
