"""Fit what jobs take to those of a run, and say what they asked for and what they used.

Usage: python scripts/calibrate.py RUN [RUN ...] [--costs FILE]. RUN is a working directory in which
ScanMill has run; of several runs the jobs are taken together. Writes the fitted costs, beside which
what the runs do not tell is as it was, to FILE (default: costs.yaml in the first RUN): a file for the
config's key `costs`. Prints what jobs would be granted by it, and what they used: a table by rule, and
one of the cases' jobs on a cluster.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import yaml
from scanmill import costs, plan_file
from scanmill.atomic import replacing
from scanmill.cost_fit import fit
from scanmill.costs import MEMORY, TIME, Costs
from scanmill.jobs_done import Job, jobs_of

HEAD = """\
# What jobs take, fitted by `make calibrate`, for the key `costs` of a config. What the figures mean is
# said in config/costs.yaml of ScanMill.
"""
USE: dict[str, Callable[[Job], float]] = {
    MEMORY: lambda job: job.used.memory_mb,
    TIME: lambda job: job.used.cpu_s,
}
# The stage that all cases end with.
LAST = "measure"
# Million isotropic voxels of the classes of cases.
CLASSES = (0.0, 1.0, 4.0, 16.0, 64.0, float("inf"))


def fitted(known: Costs, jobs: list[Job]) -> Costs:
    """The costs of these jobs, refused ones aside: they did not do all their work."""
    rules: dict[str, Any] = {}
    for rule, before in known.rules.items():
        done = [job for job in jobs if job.rule == rule and not job.refused]
        rules[rule] = {
            quantity: fit(
                [job.work for job in done],
                [used(job) for job in done],
                before[quantity],
                known.least[quantity],
            )
            for quantity, used in USE.items()
        }
    return Costs(known.headroom, known.least, known.snakemake_mb, rules)


def of_rules(known: Costs, jobs: list[Job]) -> Iterator[str]:
    """Lines of a table: what each rule's jobs are granted, and what they used."""
    yield "| rule | jobs | used MB | granted / used | CPU s | granted / used |"
    yield "|---|---|---|---|---|---|"
    for rule in known.rules:
        done = [job for job in jobs if job.rule == rule and not job.refused]
        if done:
            cells = []
            for quantity, used in USE.items():
                cells.append(_range([used(job) for job in done]))
                granted = (known.granted(rule, quantity, job.work) / used(job) for job in done)
                cells.append(_range(list(granted), 1))
            yield f"| {rule} | {len(done)} | {' | '.join(cells)} |"


class CaseJob(NamedTuple):
    """The job of a case on a cluster: what it asks for by some costs, and what it uses.

    It asks for the memory of the rule that needs most, and for the time of all.
    """

    isotropic: float
    asked_mb: float
    used_mb: float
    asked_minutes: float
    used_minutes: float

    @property
    def part(self) -> float:
        """Memory asked for by memory used."""
        return self.asked_mb / self.used_mb


def whole_cases(jobs: list[Job]) -> list[list[Job]]:
    """The jobs of each case that was done from its first stage to its last."""
    done: dict[tuple[Path, str], list[Job]] = {}
    for job in jobs:
        done.setdefault((job.run, job.case), []).append(job)
    return [
        case
        for case in done.values()
        if LAST in {job.rule for job in case} and not any(job.refused for job in case)
    ]


def case_job(known: Costs, case: list[Job]) -> CaseJob:
    """What the job of a case asks for and uses. case: the jobs of its rules."""
    return CaseJob(
        case[0].work["isotropic"],
        max(known.memory_mb(job.rule, job.work) for job in case),
        known.beside(case[0].work) + max(job.used.memory_mb for job in case),
        sum(known.minutes(job.rule, job.work) for job in case),
        sum(job.used.cpu_s for job in case) / 60,
    )


def unseen(known: Costs, cases: list[list[Job]]) -> Iterator[CaseJob]:
    """The cases' jobs, each by costs that were fitted to the cases of nine other tenths."""
    for tenth in range(min(10, len(cases))):
        others = [job for n, case in enumerate(cases) if n % 10 != tenth for job in case]
        costs_of_others = fitted(known, others)
        yield from (case_job(costs_of_others, case) for case in cases[tenth::10])


def of_cases(cases: list[CaseJob]) -> Iterator[str]:
    """Lines of a table: what the jobs of cases ask a cluster for, and what they use there."""
    yield "| million isotropic voxels | cases | asked MB | used MB | asked / used | minutes | used |"
    yield "|---|---|---|---|---|---|---|"
    for low, high in pairwise(CLASSES):
        chosen = [case for case in cases if low <= case.isotropic < high]
        if chosen:
            cells = (
                _range([case.asked_mb for case in chosen]),
                _range([case.used_mb for case in chosen]),
                _range([case.part for case in chosen], 2),
                _range([case.asked_minutes for case in chosen]),
                _range([case.used_minutes for case in chosen], 1),
            )
            yield f"| {low:g} to {high:g} | {len(chosen)} | {' | '.join(cells)} |"


def judged(cases: list[CaseJob]) -> str:
    """How many cases' jobs ask for too little memory or for too much."""
    less, more = sum(case.part < 1 for case in cases), sum(case.part > 2 for case in cases)
    late = sum(case.used_minutes > case.asked_minutes for case in cases)
    return (
        f"{len(cases)} cases: {less} used more memory than asked for, {late} more time; {more} asked "
        f"for more than twice the memory that they used (most: {max(c.part for c in cases):.2f} times)"
    )


def lines(known: Costs, found: Costs, jobs: list[Job]) -> Iterator[str]:
    """What is printed. known: the costs before; found: those fitted to the jobs."""
    yield from of_rules(found, jobs)
    if cases := whole_cases(jobs):
        by_found = [case_job(found, case) for case in cases]
        yield from ("", *of_cases(by_found), "", f"{judged(by_found)}.")
        yield f"By costs fitted without them, {judged(list(unseen(known, cases)))}."


def _range(values: list[float], digits: int = 0) -> str:
    """Least, median and largest."""
    return ", ".join(f"{value:.{digits}f}" for value in (min(values), median(values), max(values)))


def main() -> None:
    """Read the runs, fit, write and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--costs", type=Path)
    asked = parser.parse_args()
    try:
        plans = [plan_file.latest(run / "sources") for run in asked.runs]
    except ValueError as error:
        sys.exit(str(error))
    jobs = [job for run, plan in zip(asked.runs, plans, strict=True) for job in jobs_of(run, plan)]
    found = fitted(plans[0].costs, jobs)
    path = asked.costs or asked.runs[0] / "costs.yaml"
    with replacing(path) as temporary:
        content = costs.plain(found)
        text = yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=1000)
        temporary.write_text(HEAD + text, encoding="utf-8")
    print("\n".join([*lines(plans[0].costs, found, jobs), f"Written: {path}"]))


if __name__ == "__main__":
    main()
