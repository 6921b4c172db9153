"""The jobs of a finished run: what they had to do, and what they used."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scanmill import used, work
from scanmill.cohort import RESULTS
from scanmill.places import PHANTOM
from scanmill.settings import Settings
from scanmill.sidecar import read_sidecar, sidecar_path
from scanmill.used import Used
from scanmill.work import Work


@dataclass(frozen=True)
class Job:
    """A job of a rule.

    run: the working directory. case: empty for what is the cohort's. refused: it did not do all that
    work.
    """

    run: Path
    rule: str
    case: str
    work: Work
    used: Used
    refused: bool


def jobs_of(run: Path, settings: Settings) -> list[Job]:
    """The jobs whose logs tell what they used. run: the working directory; settings: of its plan."""
    jobs = []
    of_all = work.of_cohort(settings)
    for rule, case, amounts, log in _logs(settings):
        told = used.told(run / "logs" / log)
        if told:
            jobs.append(Job(run, rule, case, of_all | amounts, told, _refused(run, rule, case)))
    return jobs


def _logs(settings: Settings) -> Iterator[tuple[str, str, Work, str]]:
    """Rule, case, work and log of each job that a run may have had."""
    atlases = work.atlases_of(settings)
    for case, row in settings.scans.items():
        if row.scan.startswith(PHANTOM):
            name = row.scan.removeprefix(PHANTOM)
            scan = work.of_scan(settings.sizes[case])
            yield "phantom", "", scan, f"phantoms/{name}.log"
        of_case = work.of_case(settings, case, atlases)
        for rule in RESULTS:
            yield rule, case, of_case, f"{case}/{rule}.log"
    for recipe, name in _compared(settings):
        log = f"shapes/{settings.recipes[recipe].name}/{name}/vary.log"
        yield "vary", "", work.of_shapes(settings, recipe), log
    for key in atlases:
        name, of_recipe = settings.recipes[key].name, work.of_recipe(settings, key, atlases)
        yield "shape", "", of_recipe, f"shapes/{name}/shape.log"
        yield "cross_validate", "", of_recipe, f"models/{name}/cross_validate.log"
        for fold in range(1, len(atlases[key]) + 1):
            yield "learn", "", of_recipe, f"models/{name}/fold-{fold}/learn.log"
    yield "check", "", {}, "check.log"
    yield "collect", "", {}, "collect.log"


def _compared(settings: Settings) -> Iterator[tuple[str, str]]:
    """Recipe and name of each structure whose shapes may have been compared."""
    for recipe in dict.fromkeys(row.recipe for row in settings.scans.values()):
        for name in settings.recipes[recipe].shape_checked():
            yield recipe, name


def _refused(run: Path, rule: str, case: str) -> bool:
    result = run / "results" / "cases" / case / RESULTS[rule] if case else None
    if result is None or not sidecar_path(result).exists():
        return False
    return read_sidecar(result)["status"] == "refused"
