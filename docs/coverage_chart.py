"""The calibration of intervals as a picture: nominal against observed coverage."""

from collections.abc import Sequence
from math import floor, sqrt

LEFT, TOP, SIDE, WIDTH, HEIGHT = 70, 50, 400, 500, 520
STEP, LARGEST = 10, 100.0
# Sds to either side in which 95 % of the counts lie.
SDS, BAND_POINTS = 1.959964, 41
# Okabe and Ito's colours, which the colour-blind tell apart.
LINE, BAND, GREY = "#0072b2", "#e6e6e6", "#777777"


def coverage_chart(pairs: Sequence[tuple[float, float]], number: int) -> str:
    """Nominal against observed coverage, both in %, of `number` intervals each, as SVG.

    The line is where they are equal; in the band lie 95 % of the counts of calibrated intervals.
    """
    least = min(*(min(pair) for pair in pairs), LARGEST - STEP)
    low = STEP * floor(least / STEP)
    places = [(_x(nominal, low), _y(observed, low)) for nominal, observed in pairs]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="14" font-weight="bold">How often intervals hold the '
        f"truth: {number} structures</text>",
        _band(low, number),
        *_axes(low),
        f'<path d="M{_x(low, low):g} {_y(low, low):g}L{_x(100, low):g} {_y(100, low):g}" '
        f'stroke="{GREY}" stroke-dasharray="5 4"/>',
        f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="1.5"/>',
    ]
    for (x, y), (nominal, observed) in zip(places, pairs, strict=True):
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{LINE}">'
            f"<title>{nominal:g} %: {observed:.1f} %</title></circle>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(percent: float, low: float) -> float:
    return LEFT + SIDE * (percent - low) / (LARGEST - low)


def _y(percent: float, low: float) -> float:
    return TOP + SIDE * (LARGEST - percent) / (LARGEST - low)


def _band(low: float, number: int) -> str:
    """Where counts of calibrated intervals lie by chance."""
    across = [low + (LARGEST - low) * n / (BAND_POINTS - 1) for n in range(BAND_POINTS)]
    half = [SDS * sqrt(p * (LARGEST - p) / number) for p in across]
    above = [(p, min(p + h, LARGEST)) for p, h in zip(across, half, strict=True)]
    below = [(p, max(p - h, low)) for p, h in zip(across, half, strict=True)]
    edge = " ".join(f"{_x(p, low):.1f},{_y(q, low):.1f}" for p, q in [*above, *below[::-1]])
    return f'<polygon points="{edge}" fill="{BAND}"/>'


def _axes(low: int) -> list[str]:
    bottom = TOP + SIDE
    parts = [
        f'<rect x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="none" stroke="{GREY}"/>'
    ]
    for percent in range(low, int(LARGEST) + 1, STEP):
        x, y = _x(percent, low), _y(percent, low)
        parts += [
            f'<path d="M{x:g} {bottom}v5M{LEFT} {y:g}h-5" stroke="{GREY}"/>',
            f'<text x="{x:g}" y="{bottom + 20}" text-anchor="middle">{percent}</text>',
            f'<text x="{LEFT - 9}" y="{y + 4:g}" text-anchor="end">{percent}</text>',
        ]
    middle = TOP + SIDE / 2
    parts += [
        f'<text x="{LEFT + SIDE / 2:g}" y="{bottom + 42}" text-anchor="middle">nominal, %</text>',
        f'<text transform="translate(22 {middle:g}) rotate(-90)" text-anchor="middle">'
        "hold the true volume, %</text>",
    ]
    return parts
