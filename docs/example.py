"""The example cohort against its exact truth, as Markdown tables for the README.

python docs/example.py results
"""

import csv
import json
import sys
from pathlib import Path

SHOWN = (
    "status",
    "code",
    "volume_mm3",
    "surface_volume_mm3",
    "surface_area_mm2",
    "watertight",
    "stat_mean",
)


def truth_of(results: Path, case: str) -> dict[str, dict]:
    """A patient's structures by name. Those found by rules are whole; supplied ones are as visible."""
    path = results / "phantoms" / case / "truth.json"
    return {s["name"]: s for s in json.loads(path.read_text())["structures"]}


def main(results: Path) -> None:
    """Print an excerpt of the table, then each structure's error, volume % by case."""
    with open(results / "cohort" / "measurements.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    excerpt = {("ct-straight", "liver"), ("ct-one-kidney", "kidney-left"), ("mr-oblique", "brain")}
    for row in rows:
        if (row["case"], row["structure"]) in excerpt | {("mr-truncated", "brain")}:
            cells = [row["case"], row["structure"], *(row[key] for key in SHOWN)]
            print("| " + " | ".join(cells) + " |")
    errors: dict[str, dict[str, str]] = {}
    cases = list(dict.fromkeys(row["case"] for row in rows))
    for row in rows:
        if row["status"] == "ok":
            truth = truth_of(results, row["case"])[row["structure"]]
            exact = truth["volume_mm3" if row["supplied_volume_mm3"] else "whole_volume_mm3"]
            error = 100 * (float(row["volume_mm3"]) / exact - 1)
            errors.setdefault(row["structure"], {})[row["case"]] = f"{error:+.2f}"
        else:
            errors.setdefault(row["structure"], {})[row["case"]] = row["code"]
    print("\n| structure | " + " | ".join(cases) + " |\n|---" * 1 + "|---" * len(cases) + "|")
    for structure, by_case in errors.items():
        print(f"| {structure} | " + " | ".join(by_case.get(case, "") for case in cases) + " |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
