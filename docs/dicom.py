"""How quirky DICOM series are read, by ScanMill and by others, as a Markdown table.

    python docs/dicom.py

Each cell counts the series read right, refused, and wrong without a word: a volume of which a voxel
lies elsewhere or has another value, or one where there is none to be read. Series that only the
sheet or the recipe make readable (a choice among several, uneven slices allowed) are ScanMill's
alone; the others are given the folder. Each reading has a process, a bound and a time of its own.
"""

import multiprocessing
import multiprocessing.connection
import os
import resource
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "dicom")]
from cases import Case  # noqa: E402
from quirks import CASES  # noqa: E402
from readers import others, scanmill  # noqa: E402
from stacks import Reading  # noqa: E402

MEMORY = 6 << 30
SECONDS = 60
VERDICTS = ("right", "refused", "wrong")
OWN = "ScanMill"

Counts = dict[tuple[str, str], Counter]


def main() -> None:
    """Print the table."""
    counts = counted()
    names = [OWN, *others()]
    print(f"| series | {' | '.join(names)} |")
    print(f"|---|{'---|' * len(names)}")
    for group in dict.fromkeys(group for group, _ in counts):
        cases = counts[group, OWN].total()
        print(
            f"| {group} ({cases}) | {' | '.join(_cell(counts.get((group, name))) for name in names)} |"
        )


def counted() -> Counts:
    """The verdicts of each group and reader; totals of what can and must not be read come last."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for n, case in enumerate(CASES):
            place = Path(folder) / str(n)
            place.mkdir()
            path = case.write(place)
            found += [(case, name, verdict) for name, verdict in _verdicts(case, path)]
    counts: Counts = {}
    for case, name, verdict in found:
        counts.setdefault((case.group, name), Counter())[verdict] += 1
    for case, name, verdict in found:
        total = "**must be refused**" if case.stack is None else "**readable**"
        counts.setdefault((total, name), Counter())[verdict] += 1
    return counts


def _verdicts(case: Case, path: Path) -> list[tuple[str, str]]:
    verdicts = [(OWN, _apart(lambda: case.judge(scanmill(case, path)), on_crash="wrong"))]
    for name, reader in others().items():
        if not case.is_asked_for:
            judged = lambda reader=reader: case.judge(_or_none(lambda: reader(path)))  # noqa: E731
            verdicts.append((name, _apart(judged, on_crash="refused")))
    return verdicts


def _or_none(read: Callable[[], Reading]) -> Reading | None:
    try:
        return read()
    except Exception:
        return None


def _apart(judge: Callable[[], str], on_crash: str) -> str:
    """A verdict reached in a process of its own, whose crash is a verdict too."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(judge, there))
    process.start()
    there.close()
    try:
        verdict = here.recv() if here.poll(SECONDS) else on_crash
    except EOFError:
        verdict = on_crash
    process.kill()
    process.join()
    return verdict.split(":")[0]


def _send(judge: Callable[[], str], there: multiprocessing.connection.Connection) -> None:
    # What the readers say on the way would be said into the table.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    there.send(judge())


def _cell(counts: Counter | None) -> str:
    return " / ".join(str((counts or Counter())[verdict]) for verdict in VERDICTS)


if __name__ == "__main__":
    main()
