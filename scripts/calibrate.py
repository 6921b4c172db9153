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
from typing import Any

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


def of_cases(known: Costs, jobs: list[Job]) -> Iterator[str]:
    """Lines of a table: what the job of a case asks a cluster for, and what it uses there.

    It asks for the memory of the rule that needs most, and for the time of all.
    """
    done: dict[tuple[Path, str], list[Job]] = {}
    for job in jobs:
        done.setdefault((job.run, job.case), []).append(job)
    whole = [
        group
        for group in done.values()
        if LAST in {job.rule for job in group} and not any(job.refused for job in group)
    ]
    yield "| million isotropic voxels | cases | asked MB | used MB | asked / used | minutes | used |"
    yield "|---|---|---|---|---|---|---|"
    ratios: list[float] = []
    for low, high in pairwise(CLASSES):
        chosen = [group for group in whole if low <= group[0].work["isotropic"] < high]
        if chosen:
            asked = [max(known.memory_mb(j.rule, j.work) for j in group) for group in chosen]
            used = [_used_mb(known, group) for group in chosen]
            parts = [a / u for a, u in zip(asked, used, strict=True)]
            minutes = [sum(known.minutes(j.rule, j.work) for j in group) for group in chosen]
            taken = [sum(j.used.cpu_s for j in group) / 60 for group in chosen]
            cells = (
                _range(asked),
                _range(used),
                _range(parts, 2),
                _range(minutes),
                _range(taken, 1),
            )
            yield f"| {low:g} to {high:g} | {len(chosen)} | {' | '.join(cells)} |"
            ratios += parts
    yield ""
    yield (
        f"{len(ratios)} cases: {sum(part < 1 for part in ratios)} used more memory than asked for, "
        f"{sum(part > 2 for part in ratios)} were given more than twice what they used."
    )
    over = [j for j in jobs if any(u(j) > known.granted(j.rule, q, j.work) for q, u in USE.items())]
    yield f"{len(jobs)} jobs, refused ones included: {len(over)} used more than they were granted."


def _used_mb(known: Costs, group: list[Job]) -> float:
    """What the job of a case uses on a cluster: Snakemake, and the rule that needs most."""
    return known.beside(group[0].work) + max(job.used.memory_mb for job in group)


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
    print("\n".join([*of_rules(found, jobs), "", *of_cases(found, jobs), "", f"Written: {path}"]))


if __name__ == "__main__":
    main()
