"""How a network learns, to be watched while it does."""

import csv
import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from scanmill.atomic import replacing

WIDTH, HEIGHT, LEFT, TOP, LETTER = 560, 300, 50, 40, 8
# Okabe and Ito's colours, which the colour-blind tell apart: of the loss, then of the classes.
GREY = "#777777"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


class Point(NamedTuple):
    """Of the iterations since the last one: the mean loss. dice: by structure, in windows held back."""

    iteration: int
    loss: float
    dice: list[float]


def write_curve(
    folder: Path, curve: Sequence[Point], structures: Sequence[str], iterations: int
) -> None:
    """Write `curve.tsv` and `curve.svg`, each as a whole.

    structures: names of the classes, from 1. iterations: of the whole training.
    """
    with replacing(folder / "curve.tsv") as temporary, open(temporary, "w", newline="") as stream:
        rows = csv.writer(stream, delimiter="\t", lineterminator="\n")
        rows.writerow(["iteration", "loss", *(f"dice_{name}" for name in structures)])
        for point in curve:
            dice = ["" if math.isnan(d) else f"{d:.4f}" for d in point.dice]
            rows.writerow([point.iteration, f"{point.loss:.4f}", *dice])
    with replacing(folder / "curve.svg") as temporary:
        temporary.write_text(chart(curve, structures, iterations), "utf-8")


def chart(curve: Sequence[Point], structures: Sequence[str], iterations: int) -> str:
    """The loss, grey, and the Dice of each structure in windows held back, from 0 to 1, as SVG."""
    lines = [(GREY, "loss", [(p.iteration, p.loss) for p in curve])]
    for n, name in enumerate(structures):
        places = [(p.iteration, p.dice[n]) for p in curve if not math.isnan(p.dice[n])]
        lines.append((COLOURS[n % len(COLOURS)], escape(name), places))
    legend = 80 + LETTER * max(map(len, structures))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + legend} '
        f'{TOP + HEIGHT + 40}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="bold">Loss, and Dice in labelled scans '
        "that are held back</text>",
        *_axes(iterations),
    ]
    for n, (colour, name, places) in enumerate(lines):
        path = " ".join(f"{_x(at, iterations):.1f},{_y(value):.1f}" for at, value in places)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        )
        told = f"{name}: {places[-1][1]:.3f}" if places else name
        at = f'x="{LEFT + WIDTH + 12}" y="{TOP + 14 + 18 * n}"'
        parts.append(f'<text {at} fill="{colour}">{told}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(iteration: int, iterations: int) -> float:
    return LEFT + WIDTH * iteration / iterations


def _y(value: float) -> float:
    return TOP + HEIGHT * (1 - min(max(value, 0.0), 1.0))


def _axes(iterations: int) -> Iterator[str]:
    for tenth in range(0, 11, 2):
        y = _y(tenth / 10)
        yield f'<path d="M{LEFT} {y:g}h{WIDTH}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:g}" text-anchor="end">{tenth / 10:g}</text>'
    for part in (0, 0.5, 1):
        x = LEFT + WIDTH * part
        at = f'x="{x:g}" y="{TOP + HEIGHT + 20}" text-anchor="middle"'
        yield f"<text {at}>{part * iterations:g}</text>"
    middle = f'x="{LEFT + WIDTH / 2:g}" y="{TOP + HEIGHT + 36}" text-anchor="middle"'
    yield f"<text {middle}>iterations</text>"
