"""What the checks of a cohort find of errors planted in it, and how often they are wrong, as tables.

    python docs/checks.py [cohorts, 3] [cases, 100] [first cohort, 1]

Cohorts of torsos by chance (`torsos`), from scan and supplied labels through the stages as the workflow
runs them. Each is checked as it is, whole and in parts, where every flag is a false alarm; and, four
times, with five of its cases spoiled, each in another way.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs")]
import torsos  # noqa: E402
from degradations import Labelled  # noqa: E402
from scanmill import recipe  # noqa: E402
from scanmill.checks.cases import Cases, Row  # noqa: E402
from scanmill.checks.flags import flags_of  # noqa: E402
from scanmill.checks.quantity import Flag  # noqa: E402
from scanmill.recipe import Recipe  # noqa: E402
from scanmill.sidecar import read_sidecar  # noqa: E402
from stages import measured_rows  # noqa: E402

PLANTED = {
    "kidneys swapped": torsos.with_swapped_sides,
    "a lobe missing": torsos.without_a_lobe,
    "a leak into the neighbour": torsos.with_a_leak,
    "a wrong slice spacing": torsos.with_wrong_spacing,
    "another patient's labels": torsos.with_labels_of_another,
}
SMALL = (15, 30, 50)
SETS = 4
# What is measured of a case: its rows by structure, and which structures touch.
Measured = tuple[dict[str, Row], dict[str, dict[str, float]]]


def main() -> None:
    """Run the cohorts and print the tables."""
    given = sys.argv[1:]
    cohorts, count, first = map(int, [*given, *("3", "100", "1")[len(given) :]])
    with TemporaryDirectory() as place:
        path = Path(place) / "torsos.yaml"
        path.write_text(torsos.recipe())
        asked = recipe.load(path)
    sound = [
        [measured(case(seed, n), asked) for n in range(count)]
        for seed in range(first, first + cohorts)
    ]
    print_alarms(sound, asked)
    print_found(sound, asked, first)


def case(seed: int, n: int) -> Labelled:
    """The n-th case of a cohort."""
    random = np.random.default_rng([seed, n])
    return torsos.scanned(torsos.torso(random), random)


def measured(scan: Labelled, asked: Recipe) -> Measured:
    """What the stages tell of a case."""
    with TemporaryDirectory() as folder:
        own = Path(folder) / "case"
        rows = measured_rows(scan, asked, own)
        said = read_sidecar(own / "measurements.csv")
    return {row["structure"]: row for row in rows}, said["contacts"]


def flagged(cases: list[Measured], asked: Recipe) -> dict[int, list[Flag]]:
    """The flags of cases, by their place."""
    rows = {str(n): rows for n, (rows, _) in enumerate(cases)}
    contacts = {str(n): contacts for n, (_, contacts) in enumerate(cases)}
    warnings = {name: [] for name in rows}
    inputs = {name: {"ingest": [], "segment": []} for name in rows}
    cohort = Cases(asked.modality, asked.structures, rows, contacts, warnings)
    found: dict[int, list[Flag]] = {}
    for flag in flags_of(cohort, inputs, [], {}):
        found.setdefault(int(flag["case"]), []).append(flag)
    return found


def print_alarms(sound: list[list[Measured]], asked: Recipe) -> None:
    """How many of the cases of cohorts in which nothing is wrong are flagged."""
    whole = len(sound[0])
    print("| cases of a cohort | cohorts | cases flagged | of 100 |\n|---|---|---|---|")
    for size in (*(n for n in SMALL if n < whole), whole):
        parts = [c[k : k + size] for c in sound for k in range(0, whole - size + 1, size)]
        wrong = sum(len(flagged(part, asked)) for part in parts)
        print(f"| {size} | {len(parts)} | {wrong} | {100 * wrong / size / len(parts):.1f} |")


def print_found(sound: list[list[Measured]], asked: Recipe, first: int) -> None:
    """Which of the planted errors are flagged, by which checks, and how many other cases are.

    first: number of the first cohort.
    """
    found = {name: Counter() for name in PLANTED}
    alarms = []
    for seed, cohort in enumerate(sound, start=first):
        for n in range(SETS):
            spoiled = dict(planted([seed, len(cohort), n], asked))
            flags = flagged([spoiled.get(n, own) for n, own in enumerate(cohort)], asked)
            alarms.append(len(flags.keys() - spoiled.keys()))
            for name, place in zip(PLANTED, spoiled, strict=True):
                checks = {flag["check"] for flag in flags.get(place, [])}
                found[name].update(checks | ({"any"} if checks else set()))
    print("\n| planted | flagged | by |\n|---|---|---|")
    for name, counts in found.items():
        by = ", ".join(f"{check} {n}" for check, n in counts.most_common() if check != "any")
        print(f"| {name} | {counts['any']} of {len(alarms)} | {by} |")
    print(f"\nOther cases flagged, each time: {', '.join(map(str, alarms))}.")


def planted(seed: list[int], asked: Recipe) -> Iterator[tuple[int, Measured]]:
    """The places of five cases of a cohort, and what is measured of them spoiled.

    seed: of the cohort, its number of cases, and which of the sets it is.
    """
    random = np.random.default_rng(seed)
    places = random.choice(seed[1], len(PLANTED), replace=False)
    for place, spoil in zip(places.tolist(), PLANTED.values(), strict=True):
        yield place, measured(spoil(case(seed[0], place), random), asked)


if __name__ == "__main__":
    main()
