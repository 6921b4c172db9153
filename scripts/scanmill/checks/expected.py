"""What the recipe expects of each structure, and of each scan."""

from collections.abc import Iterator

from scanmill.checks.cases import Cases
from scanmill.checks.quantity import Flag
from scanmill.expectations import COARSE, NOISY, SHORT, TILTED

SCAN = (COARSE, SHORT, TILTED, NOISY)
# Of a structure: its column, its unit, and how much of the recipe's unit that is.
RANGES = {
    "volume_ml": ("mask_volume_mm3", "mm3", 1000.0),
    "mean": ("stat_mean", "", 1.0),
}


def unexpected_structures(cases: Cases) -> Iterator[Flag]:
    """A flag for each structure that is cut though whole ones are expected, or beyond its range."""
    for structure in cases.structures:
        name, expected = structure["name"], structure["expect"]
        for case in cases.found(name):
            row = cases.rows[case][name]
            flag = {"case": case, "structure": name, "check": "expected"}
            if expected.get("whole") and row["touches_border"] == "true":
                message = (
                    f"{name} reaches the edge of the scan; a field of view that holds it whole"
                )
                yield flag | {"message": f"{message} is expected"}
            for key, (column, unit, scale) in RANGES.items():
                low, high = (
                    scale * end for end in expected.get(key, (float("-inf"), float("inf")))
                )
                if row[column] and not low <= float(row[column]) <= high:
                    yield flag | {
                        "value": float(row[column]),
                        "low": low,
                        "high": high,
                        "unit": unit,
                        "message": f"{column} of {name} is {float(row[column]):.4g}; {low:g} to "
                        f"{high:g} is expected",
                    }


def unexpected_scans(cases: Cases) -> Iterator[Flag]:
    """A flag for each warning that a scan is not as the recipe expects scans to be."""
    for case, warnings in cases.warnings.items():
        for warning in warnings:
            if warning["code"] in SCAN:
                yield {"case": case, "check": "scan", "message": warning["message"]}
