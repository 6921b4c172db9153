"""How well each of the seven challenges is met: one table for all, then one part for each.

    python docs/challenges.py [challenge ...] [--seeds 20]

Without a challenge, all are measured, beside each other, and docs/challenges.md is written; with some,
theirs is printed. The same seeds give the same numbers, but for CPU seconds.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from challenge.table import HEADER, Row, markdown  # noqa: E402

CHALLENGES = {
    "noise": "Noise",
    "partial_volume": "Partial volume",
    "bias": "Intensity inhomogeneity",
    "anisotropy": "Anisotropic resolution",
    "artefacts": "Artefacts",
    "contrast": "Limited contrast",
    "variability": "Morphological variability",
}
INTRODUCTION = """\
# The seven challenges, measured

Written by `python docs/challenges.py`: analytic phantoms of exact truth, through the functions that
the stages call, with the strengths that they find themselves. Before: nothing done. Means with half
their 95 % interval (Student's t); a goal is met by the mean. CPU seconds: median of a scan, to one
digit; nothing else differs from run to run.
"""


def main() -> None:
    """Measure; write the file where all challenges are."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("challenge", nargs="*", metavar="challenge", help=", ".join(CHALLENGES))
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    names = options.challenge or list(CHALLENGES)
    unknown = set(names) - set(CHALLENGES)
    if unknown:
        parser.error(f"no such challenge: {', '.join(sorted(unknown))}")
    with ProcessPoolExecutor(initializer=_one_thread) as pool:
        # The last take longest, so they begin first.
        found = list(pool.map(partial(measure, range(options.seeds)), reversed(names)))
    text = "\n".join(page(dict(zip(names, reversed(found), strict=True))))
    print(text)
    if not options.challenge:
        (ROOT / "docs" / "challenges.md").write_text(text, encoding="utf-8")


def measure(seeds: range, name: str) -> tuple[list[Row], list[str]]:
    """The rows of a challenge, and the lines of its part."""
    challenge = import_module(f"challenge.{name}")
    return challenge.rows(seeds), list(challenge.tables(seeds))


def page(found: dict[str, tuple[list[Row], list[str]]]) -> Iterator[str]:
    """The lines of the page."""
    yield INTRODUCTION
    yield from markdown(HEADER, (row.cells() for rows, _ in found.values() for row in rows))
    for name, (_, lines) in found.items():
        yield f"## {CHALLENGES[name]}"
        yield ""
        yield from lines


def _one_thread() -> None:
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


if __name__ == "__main__":
    main()
