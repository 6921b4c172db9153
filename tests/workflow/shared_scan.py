"""Cohorts whose cases have one small scan, so that each one's results tell those of all."""

from hashlib import sha256
from pathlib import Path

import planted
from mill import contents

CONFIG = ("--configfile", "config.yaml")
# The name of the case of undisturbed results, in them too.
REFERENCE = "reference"
TABLE = "cohort/measurements.csv"


def write_cohort(folder: Path, cases: tuple[str, ...] = (REFERENCE,)) -> Path:
    """A sheet of cases of one small scan, its recipe and a config; returns the folder."""
    folder.mkdir(exist_ok=True)
    planted.write_itk(folder / "scan.nrrd", planted.scan()[0])
    (folder / "recipe.yaml").write_text(planted.recipe())
    (folder / "config.yaml").write_text("scans: scans.tsv\nrecipe: recipe.yaml\n")
    rows = "".join(f"{case}\tscan.nrrd\n" for case in cases)
    (folder / "scans.tsv").write_text(f"case\tscan\n{rows}")
    return folder


def expected(reference: dict[str, bytes], cases: tuple[str, ...]) -> dict[str, bytes]:
    """What the results of these cases and their table would be: the reference's, under their names."""
    found = {}
    of_case = {name: text for name, text in reference.items() if name.startswith("cases/")}
    # These have the case's name in them, and sidecars know their checksums.
    naming = [of_case[f"cases/{REFERENCE}/{name}"] for name in ("measurements.csv", "report.html")]
    for case in cases:
        for name, text in of_case.items():
            renamed = _renamed(text, case)
            for other in naming:
                renamed = renamed.replace(_sum(other), _sum(_renamed(other, case)))
            found[name.replace(REFERENCE, case)] = renamed
    head, *_ = reference[TABLE].splitlines(keepends=True)
    rows = [found[f"cases/{case}/measurements.csv"].partition(b"\n")[2] for case in cases]
    return found | {TABLE: b"".join([head, *rows])}


def _renamed(text: bytes, case: str) -> bytes:
    return text.replace(REFERENCE.encode(), case.encode())


def _sum(text: bytes) -> bytes:
    return sha256(text).hexdigest().encode()


def differing(results: Path, reference: dict[str, bytes], cases: tuple[str, ...]) -> list[str]:
    """Files of the results that are not as they would be, missing and left ones included."""
    wanted = expected(reference, cases)
    found = {
        n: text for n, text in contents(results).items() if n == TABLE or n.startswith("cases/")
    }
    return [name for name in found | wanted if found.get(name) != wanted.get(name)]
