"""What the checks of a cohort find of errors planted in it, and how often they are wrong, as tables.

    python docs/checks.py [cohorts, 3] [cases, 100] [first cohort, 1] [shapes]

Cohorts of torsos by chance (`torsos`), from scan and supplied labels through the stages as the workflow
runs them. Each is checked as it is, whole and in parts, where every flag is a false alarm; and, four
times, with five of its cases spoiled, each in another way. With `shapes`, those of all structures are
compared, too (`shape_check`), which takes most of an hour for a cohort of 100.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "docs")]
import torsos  # noqa: E402
from degradations import Labelled  # noqa: E402
from scanmill import recipe  # noqa: E402
from scanmill.checks import FEWEST  # noqa: E402
from scanmill.checks.cases import Cases, Row  # noqa: E402
from scanmill.checks.flags import flags_of  # noqa: E402
from scanmill.checks.quantity import Flag  # noqa: E402
from scanmill.grid import Grid  # noqa: E402
from scanmill.label_map import LabelMap, Region  # noqa: E402
from scanmill.label_map_files import read_label_map  # noqa: E402
from scanmill.recipe import Recipe  # noqa: E402
from scanmill.refusal import Refusal  # noqa: E402
from scanmill.shape_model.correspondence import Exemplar, carried, template  # noqa: E402
from scanmill.shape_model.of_cohort import exemplar, lengths, most_usual, whole  # noqa: E402
from scanmill.shape_model.variability import variability  # noqa: E402
from scanmill.sidecar import read_sidecar  # noqa: E402
from scanmill.surface import Surface  # noqa: E402
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
SHAPES = "shapes"
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Measured:
    """A case: its rows by structure, which structures touch, and its label map."""

    rows: dict[str, Row]
    contacts: dict[str, dict[str, float]]
    labels: LabelMap


@dataclass
class Shapes:
    """The shapes of structures in the cases of a cohort, each brought into correspondence once.

    sound: its cases as they are, one of which is what the others correspond to: the most usual does not
    change when five of a hundred are spoiled.
    """

    asked: Recipe
    sound: list[Measured]
    _carried: dict[tuple[str, Measured], Array | Refusal | None] = field(default_factory=dict)
    _references: dict[str, tuple[Exemplar, Surface]] = field(default_factory=dict)

    def errors(self, cases: list[Measured]) -> Iterator[Row]:
        """Rows of reconstruction.csv, of cases by their place."""
        for structure in self.asked.structures:
            name, label = structure["name"], structure["label"]
            found = [self._points(name, label, case) for case in cases]
            for n, points in enumerate(found):
                if isinstance(points, Refusal):
                    row = {"case": str(n), "structure": name, "status": "refused"}
                    yield row | {"code": points.code}
            used = [n for n, points in enumerate(found) if isinstance(points, np.ndarray)]
            if len(used) >= FEWEST:
                told = variability(np.stack([found[n] for n in used]))
                for n, mean, far in zip(used, told.errors, told.far, strict=True):
                    row = {"case": str(n), "structure": name, "status": "ok", "code": ""}
                    yield row | {"reconstruction_mm": mean, "reconstruction_p95_mm": far}

    def _points(self, name: str, label: int, case: Measured) -> Array | Refusal | None:
        if (name, case) not in self._carried:
            region = whole(case.labels, label)
            self._carried[name, case] = region and self._onto(name, label, region, case.labels.grid)
        return self._carried[name, case]

    def _onto(self, name: str, label: int, region: Region, grid: Grid) -> Array | Refusal:
        if name not in self._references:
            places = [(whole(case.labels, label), case.labels.grid) for case in self.sound]
            places = [place for place in places if place[0]]
            usual = most_usual([lengths(*place) for place in places])
            reference = exemplar(*places[usual])
            self._references[name] = reference, template(reference)
        reference, surface = self._references[name]
        try:
            return carried(surface, reference, exemplar(region, grid))
        except Refusal as refusal:
            return refusal


def main() -> None:
    """Run the cohorts and print the tables."""
    given = [number for number in sys.argv[1:] if number != SHAPES]
    cohorts, count, first = map(int, [*given, *("3", "100", "1")[len(given) :]])
    with TemporaryDirectory() as place:
        path = Path(place) / "torsos.yaml"
        path.write_text(torsos.recipe())
        asked = recipe.load(path)
    sound = [
        [measured(case(seed, n), asked) for n in range(count)]
        for seed in range(first, first + cohorts)
    ]
    shapes = [Shapes(asked, cases) if SHAPES in sys.argv else None for cases in sound]
    print_alarms(sound, asked, shapes)
    print_found(sound, asked, shapes, first)


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
        names = {structure["name"]: structure["label"] for structure in asked.structures}
        label_map = read_label_map(own / "labels.nii.gz", own / "overlaps", names)
    return Measured({row["structure"]: row for row in rows}, said["contacts"], label_map)


def flagged(cases: list[Measured], asked: Recipe, shapes: Shapes | None) -> dict[int, list[Flag]]:
    """The flags of cases, by their place."""
    rows = {str(n): case.rows for n, case in enumerate(cases)}
    contacts = {str(n): case.contacts for n, case in enumerate(cases)}
    warnings = {name: [] for name in rows}
    inputs = {name: {"ingest": [], "segment": []} for name in rows}
    cohort = Cases(asked.modality, asked.structures, rows, contacts, warnings)
    found: dict[int, list[Flag]] = {}
    errors = list(shapes.errors(cases)) if shapes else []
    for flag in flags_of(cohort, inputs, errors, {}):
        found.setdefault(int(flag["case"]), []).append(flag)
    return found


def print_alarms(sound: list[list[Measured]], asked: Recipe, shapes: list[Shapes | None]) -> None:
    """How many of the cases of cohorts in which nothing is wrong are flagged."""
    every = len(sound[0])
    print("| cases of a cohort | cohorts | cases flagged | of 100 |\n|---|---|---|---|")
    for size in (*(n for n in SMALL if n < every), every):
        parts = [
            (cases[k : k + size], own)
            for cases, own in zip(sound, shapes, strict=True)
            for k in range(0, every - size + 1, size)
        ]
        wrong = sum(len(flagged(part, asked, own)) for part, own in parts)
        print(f"| {size} | {len(parts)} | {wrong} | {100 * wrong / size / len(parts):.1f} |")


def print_found(
    sound: list[list[Measured]], asked: Recipe, shapes: list[Shapes | None], first: int
) -> None:
    """Which of the planted errors are flagged, by which checks, and how many other cases are.

    first: number of the first cohort.
    """
    found = {name: Counter() for name in PLANTED}
    alarms, all_found = [], 0
    for seed, (cohort, known) in enumerate(zip(sound, shapes, strict=True), start=first):
        for n in range(SETS):
            spoiled = dict(planted([seed, len(cohort), n], asked))
            cases = [spoiled.get(n, own) for n, own in enumerate(cohort)]
            flags = flagged(cases, asked, known)
            alarms.append(len(flags.keys() - spoiled.keys()))
            all_found += spoiled.keys() <= flags.keys()
            for name, place in zip(PLANTED, spoiled, strict=True):
                checks = {flag["check"] for flag in flags.get(place, [])}
                found[name].update(checks | ({"any"} if checks else set()))
    print("\n| planted | flagged | by |\n|---|---|---|")
    for name, counts in found.items():
        by = ", ".join(f"{check} {n}" for check, n in counts.most_common() if check != "any")
        print(f"| {name} | {counts['any']} of {len(alarms)} | {by} |")
    print(f"\nAll of a set are flagged in {all_found} of {len(alarms)}.")
    print(f"Other cases flagged, each time: {', '.join(map(str, alarms))}.")


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
