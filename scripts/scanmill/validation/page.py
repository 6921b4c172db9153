"""What a person reads of a validation: its page, and the table that a README holds, in Markdown."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from scanmill.validation.challenges import TITLES
from scanmill.validation.comparison import CENTROID, DICE, FALSELY_FOUND, Row
from scanmill.validation.summary import by_challenge

CAVEATS = """\
A twin is a scan made of a measured case: the surfaces that were found in it are its anatomy, whose
volumes are known exactly, and the scan's own tissues, noise and blur fill them. So these are the
errors of scanning, segmenting and measuring **the anatomy that was found**. They do not tell
whether the right thing was found. Three things make twins unlike patients: their surfaces are
smooth; what no structure describes, but for the gas that one holds in CT, is blurred a little; and
labels that a recipe takes as supplied are those of an observer who sees in every voxel what fills
most of it. A quantity is missed where a twin has the structure and no number was told of it.
Volumes and areas are off by so many percent of the truth, bias ± standard deviation; the
centroid's distance and Dice are means."""
# The lines of a README between which its table stands.
BEGIN, END = "<!-- make validate writes this -->", "<!-- up to here -->"
Truth = Mapping[str, Any]


def page(
    summary: Sequence[Row], errors: Sequence[Row], truths: Sequence[Truth], figure: str
) -> str:
    """The page. truths: of all twins. figure: name of the picture beside it."""
    parts = ["# How far the numbers are off, by twins of this cohort", challenge_table(errors)]
    parts += [CAVEATS, f"![Volume errors of every twin, by structure]({figure})"]
    ordered = sorted(summary, key=lambda row: list(TITLES).index(row["challenge"]))
    for challenge, rows in groupby(ordered, key=lambda row: row["challenge"]):
        parts += [f"## {_title(challenge)}", _table(list(rows))]
    parts += _falsely_found(errors)
    parts += ["## What the scans were found to be", _scans(truths)]
    return "\n\n".join(parts) + "\n"


def challenge_table(errors: Sequence[Row]) -> str:
    """Of each challenge, what all structures of all its twins are off."""
    lines = [
        "| twins | volumes | missed | median error % | 95 % are within % | interval holds | Dice |",
        "|---|---|---|---|---|---|---|",
    ]
    for short in by_challenge(errors):
        cells = [
            TITLES[short.challenge],
            str(short.measured),
            str(short.missed),
            _text(short.median, ".1f"),
            _text(short.high, ".1f"),
            _text(short.held, ".0f", " %"),
            _text(short.dice, ".3f"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def with_table(readme: str, table: str) -> str:
    """A README with another table between its marks.

    Raises ValueError where it does not have both.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no table is marked by the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _title(challenge: str) -> str:
    title = TITLES[challenge] if challenge else f"twins {TITLES[challenge]}"
    return title[0].upper() + title[1:]


def _table(rows: Sequence[Row]) -> str:
    lines = [
        "| recipe | structure | twins | missed | volume % | worst | interval holds | surface area % | "
        "centroid mm | Dice |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (recipe, structure), group in groupby(rows, key=lambda r: (r["recipe"], r["structure"])):
        by = {row["quantity"]: row for row in group}
        volume = by["volume_mm3"]
        held = volume.get("in_interval_percent")
        cells = [
            recipe,
            structure,
            volume["twins"],
            volume["missed"],
            _bias(volume),
            _number(volume, "worst", "+.1f"),
            _text(held, ".0f", " %"),
            _bias(by.get("surface_area_mm2", {})),
            _number(by.get(CENTROID, {}), "bias", ".2f"),
            f"{1 + by[DICE]['bias'] / 100:.3f}" if "bias" in by.get(DICE, {}) else "",
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _bias(row: Row) -> str:
    """Mean and standard deviation."""
    bias, sd = _number(row, "bias", "+.1f"), _number(row, "sd", ".1f")
    return f"{bias} ± {sd}" if sd else bias


def _number(row: Row, key: str, form: str) -> str:
    return _text(row.get(key), form)


def _text(value: float | None, form: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{form}}{unit}"


def _falsely_found(errors: Sequence[Row]) -> list[str]:
    false = [row for row in errors if row.get("code") == FALSELY_FOUND]
    if not false:
        return []
    names = sorted({f"{row['structure']} ({row['recipe']})" for row in false})
    return [f"Found in {len(false)} twins of cases that do not have it: {', '.join(names)}."]


def _scans(truths: Sequence[Truth]) -> str:
    """A line a case: its voxels, and the noise, blur and bias field that were estimated."""
    lines = [
        "| case | recipe | voxel mm | noise | blur, voxels | bias field, log sd |",
        "|---|---|---|---|---|---|",
    ]
    for name, truth in {truth["twin_of"]: truth for truth in truths}.items():
        noise = truth["noise"]
        cells = [
            name,
            truth["recipe"],
            " x ".join(f"{step:.3g}" for step in truth["scan_spacing_mm"]),
            f"{noise['sd']:.3g} ({noise['distribution']})",
            " x ".join(f"{blur:.1f}" for blur in truth["blur_voxels"]),
            _text(truth["bias_log_sd"], ".3f"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
