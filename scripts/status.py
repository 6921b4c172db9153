"""Status: how far a run is, from its journal and its results alone.

    python scripts/status.py [RUN]

In: the folder where ScanMill runs, or ran; it is only read, on whatever machine. Out: how many cases
are done, refused (by code), failed (rule and log), under way and waiting, and the time left.
"""

import argparse
from pathlib import Path

from scanmill.progress.standing import Cohort
from scanmill.progress.telling import page


def main() -> None:
    """Read and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", nargs="?", type=Path, default=Path())
    run = parser.parse_args().run
    print("\n".join(page(Cohort(run), run)))


if __name__ == "__main__":
    main()
