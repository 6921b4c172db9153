"""The rule compare: tables of the cohort's agreement and of changes, with their dictionaries."""

import csv
import json

import pytest
from compare import compare
from scanmill.agreement.columns import AGREEMENT, REFERENCE
from scanmill.change import CHANGES

VOLUME = ("volume_mm3", "volume_low_mm3", "volume_high_mm3", "smallest_detectable_change_mm3")


def write_table(path, rows):
    columns = ["case", "structure", "code", "mask_volume_mm3", "surface_volume_mm3", *VOLUME]
    with open(path, "w", newline="") as stream:
        table = csv.DictWriter(stream, [*columns, *REFERENCE], restval="")
        table.writeheader()
        table.writerows(rows)


def compared(folder, rows, sheet, *names):
    write_table(folder / "measurements.csv", rows)
    outputs = {name: folder / f"{name}.csv" for name in names}
    outputs |= {f"{name}_dictionary": folder / f"{name}.json" for name in names}
    compare(folder / "measurements.csv", sheet, outputs)
    found = []
    for name in names:
        with open(outputs[name], newline="") as stream:
            found.append(list(csv.DictReader(stream)))
    return found


def measured(case, volume, half, structure="liver"):
    numbers = (volume, volume - half, volume + half, half * 2**0.5)
    return {"case": case, "structure": structure} | dict(zip(VOLUME, numbers, strict=True))


def test_subjects_are_compared_with_themselves(tmp_path):
    visits = {"b": ("s1", "2024-03-31"), "a": ("s1", "2024-03-01"), "c": ("s2", "2024-01-01")}
    sheet = {
        case: {"recipe": "torso", "role": "scan", "extra": {"subject": s, "timepoint": t}}
        for case, (s, t) in visits.items()
    }
    rows = [measured("a", 1000, 30), measured("b", 1100, 40), measured("c", 5, 1)]
    rows += [measured("a", 70, 3, "spleen")]
    rows += [{"case": "b", "structure": "spleen", "code": "structure-empty"}]
    ((liver, spleen),) = compared(tmp_path, rows, sheet, "changes")
    assert list(liver) == list(CHANGES) == list(json.loads((tmp_path / "changes.json").read_text()))
    assert (liver["subject"], liver["case_before"], liver["case_after"]) == ("s1", "a", "b")
    assert (liver["elapsed"], liver["status"], liver["exceeds"]) == ("30", "ok", "true")
    ends = [float(liver[f"change_{end}mm3"]) for end in ("", "low_", "high_")]
    assert ends == pytest.approx([100, 50, 150])
    assert (spleen["status"], spleen["code_before"], spleen["code_after"]) == (
        "refused",
        "",
        "structure-empty",
    )
    assert spleen["change_mm3"] == spleen["exceeds"] == spleen["volume_before_mm3"] == ""


def test_the_agreement_is_that_of_the_table(tmp_path):
    rows = [
        measured(case, volume, 1) | {"reference_status": "ok", "reference_volume_mm3": volume - 2}
        for case, volume in (("a", 10), ("b", 21), ("c", 35))
    ]
    sheet = {case: {"recipe": "torso", "role": "scan", "extra": {}} for case in "abc"}
    ((best, mask, _),) = compared(tmp_path, rows, sheet, "agreement")
    assert list(best) == list(AGREEMENT)
    assert set(json.loads((tmp_path / "agreement.json").read_text())) == set(AGREEMENT)
    assert (best["n"], best["bias_mm3"], best["sd_mm3"]) == ("3", "2", "0")
    assert (mask["quantity"], mask["n"], mask["bias_mm3"]) == ("mask_volume_mm3", "0", "")
