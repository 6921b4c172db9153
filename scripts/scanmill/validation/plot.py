"""The volume errors of all twins as a picture: a line a structure, a dot a twin."""

from collections.abc import Sequence
from html import escape

import numpy as np

from scanmill.validation.challenges import TITLES
from scanmill.validation.comparison import Row

# By challenge: Okabe and Ito's colours, which the colour-blind tell apart.
PALETTE = ("#000000", "#0072b2", "#e69f00", "#d55e00", "#009e73", "#56b4e9", "#cc79a7")
COLOURS = dict(zip(TITLES, PALETTE, strict=True))
LEFT, WIDTH, LINE, TOP, BOTTOM = 260, 520, 26, 70, 40
STEP, LEGEND_COLUMNS = 3, 4
LEAST_RANGE, LARGEST_RANGE = 2.0, 50.0


def svg(errors: Sequence[Row]) -> str:
    """Errors of `volume_mm3`, %, as SVG. Those beyond the axis stand at its end as triangles."""
    rows = [r for r in errors if r["quantity"] == "volume_mm3" and "error_percent" in r]
    lines = list(dict.fromkeys((row["recipe"], row["structure"]) for row in rows))
    end = _range([row["error_percent"] for row in rows])
    height = TOP + LINE * len(lines) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 20}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *_axis(end, height),
        *_legend([d for d in COLOURS if any(row["challenge"] == d for row in rows)]),
    ]
    for n, (recipe, structure) in enumerate(lines):
        y = TOP + LINE * (n + 0.5)
        label = escape(f"{structure} ({recipe})")
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:g}" text-anchor="end">{label}</text>')
        own = [row for row in rows if (row["recipe"], row["structure"]) == (recipe, structure)]
        parts += [_mark(row, y, end) for row in own]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _range(errors: Sequence[float]) -> float:
    """Where the axis ends: 1, 2 or 5 times a power of ten that holds nearly all errors, %."""
    wanted = float(np.quantile(np.abs(errors), 0.98)) if errors else 0.0
    wanted = min(max(wanted, LEAST_RANGE), LARGEST_RANGE)
    steps = [s * 10**p for p in range(3) for s in (1, 2, 5)]
    return float(next(s for s in steps if s >= wanted - 1e-9))


def _place(error: float, end: float) -> float:
    return LEFT + WIDTH * (0.5 + 0.5 * error / end)


def _axis(end: float, height: int) -> list[str]:
    parts = []
    for error in np.linspace(-end, end, 5):
        x = _place(float(error), end)
        colour = "#888888" if error == 0 else "#dddddd"
        parts += [
            f'<path d="M{x:g} {TOP}V{height - BOTTOM}" stroke="{colour}"/>',
            f'<text x="{x:g}" y="{height - BOTTOM + 16}" text-anchor="middle">{error:+g} %</text>',
        ]
    return parts


def _legend(shown: Sequence[str]) -> list[str]:
    parts = ['<text x="8" y="18" font-weight="bold">Error of the volume, a dot a twin</text>']
    for n, challenge in enumerate(shown):
        x = 14 + n % LEGEND_COLUMNS * (LEFT + WIDTH) / LEGEND_COLUMNS
        y = 34 + n // LEGEND_COLUMNS * 18
        parts += [
            f'<circle cx="{x:g}" cy="{y}" r="4" fill="{COLOURS[challenge]}"/>',
            f'<text x="{x + 8:g}" y="{y + 4}" font-size="10">{escape(TITLES[challenge])}</text>',
        ]
    return parts


def _mark(row: Row, y: float, end: float) -> str:
    # The challenges lie beneath each other, so that none hides another.
    y += STEP * (list(COLOURS).index(row["challenge"]) - (len(COLOURS) - 1) / 2)
    colour, error = COLOURS[row["challenge"]], row["error_percent"]
    if abs(error) <= end:
        x = _place(error, end)
        return f'<circle cx="{x:.1f}" cy="{y:g}" r="2.5" fill="{colour}" fill-opacity="0.7"/>'
    x, back = _place(float(np.sign(error)) * end, end), -7 * float(np.sign(error))
    return f'<path d="M{x:g} {y:g}l{back:g} -4v8z" fill="{colour}"/>'
