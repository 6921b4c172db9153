"""The anatomies of random patients: organs in one another and beside one another, in tens of mm."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scanmill.phantom.tubes import Ball, smooth

CURVE_PIECES = 5

Body = dict[str, Any]
Tissue = dict[str, Any]
Organ = tuple[str, Tissue, Body]


@dataclass
class Variation:
    """How one patient differs from the usual one.

    strength: 0, not at all, to 1. contrast: of a tumour against its organ, HU or units of MR.
    """

    random: np.random.Generator
    strength: float
    contrast: float

    def sizes(self, *usual: float) -> list[float]:
        """Lengths of one organ, mm: up to a tenth more or less, together and each by itself."""
        factors = self.random.uniform(-0.07, 0.07) + self.random.uniform(-0.03, 0.03, len(usual))
        return [float(x) for x in np.multiply(usual, 1 + self.strength * factors)]

    def place(self, *usual: float) -> list[float]:
        """A position, mm: up to 2 mm off along each axis."""
        return [float(x) for x in usual + self.strength * self.random.uniform(-2, 2, 3)]

    def tissue(self, mean: float, sd: float) -> dict[str, Any]:
        """Intensity and texture: the mean varies between patients as much as within the tissue."""
        texture = {"sd": sd, "length": float(self.random.uniform(2, 6)), "seed": self.seed()}
        return {
            "intensity": float(mean + self.strength * self.random.normal(0, sd)),
            "texture": texture,
        }

    def seed(self) -> int:
        """A seed for what is drawn later."""
        return int(self.random.integers(1 << 31))

    def tumour(self, organ: Tissue) -> Tissue:
        """A tissue that differs from its organ by the contrast, with a texture of its own."""
        return {
            "intensity": organ["intensity"] + self.contrast,
            "texture": organ["texture"] | {"seed": self.seed()},
        }


def abdomen(vary: Variation) -> list[Organ]:
    """Nested organs; a tumour in the liver and one beside a kidney, each nearly of its tissue."""
    liver, kidney = vary.tissue(110, 10), vary.tissue(180, 12)
    lungs = [_ellipsoid(vary, (23, 29, 29), (side * 34, -2, 44)) for side in (-1, 1)]
    return [
        ("body", vary.tissue(-100, 8), _trunk(80, 57, 170)),
        ("muscle", vary.tissue(50, 8), _trunk(73, 50, 160)),
        ("lungs", vary.tissue(-850, 25), {"union": lungs}),
        ("spine", vary.tissue(900, 40), _spine(vary)),
        ("aorta", vary.tissue(350, 5), _tree(_aorta(vary, 10), 0)),
        ("liver", liver, _ellipsoid(vary, (26, 22, 22), (-38, -13, -30))),
        ("liver-tumour", vary.tumour(liver), _ellipsoid(vary, (8, 7, 9), (-42, -14, -30))),
        ("kidney-right", kidney, _ellipsoid(vary, (9, 8, 18), (-35, 26, -46))),
        ("kidney-left", kidney, _ellipsoid(vary, (9, 8, 18), (35, 26, -40))),
        ("kidney-tumour", vary.tumour(kidney), _ellipsoid(vary, (6, 6, 6), (46, 13, -40))),
    ]


def aneurysm(vary: Variation) -> list[Organ]:
    """An aneurysm of the aorta, which branches above and below it; its wall, 2 mm thick, and lumen."""
    aorta = _aorta(vary, 16)
    return [
        ("body", vary.tissue(-100, 8), _trunk(80, 62, 176)),
        ("muscle", vary.tissue(50, 8), _trunk(73, 55, 166)),
        ("spine", vary.tissue(900, 40), _spine(vary)),
        ("wall", vary.tissue(80, 6), _tree(aorta, 2)),
        ("lumen", vary.tissue(350, 6), _tree(aorta, 0)),
    ]


def thrombus(vary: Variation) -> list[Organ]:
    """An aneurysm that a thrombus narrows, in fat, nearly touched by muscle, a vein and bowel.

    All three are nearly of the thrombus's intensity, 45 HU. `aneurysm` is to its outer wall; the lumen
    lies in it, and off its middle.
    """
    x, y, z = vary.place(0, 4, 0)
    neck, sac = vary.sizes(9, 20)
    along = ((55, neck), (30, neck), (-4, sac), (-38, neck), (-55, neck))
    outer = smooth([(x, y, z + d, r) for d, r in along], CURVE_PIECES)
    muscles = [_column(vary, (11, 12), (side * 31, 33, 0), 130) for side in (-1, 1)]
    return [
        ("body", vary.tissue(-100, 8), _trunk(80, 62, 170)),
        ("spine", vary.tissue(250, 30), _spine(vary)),
        ("psoas", vary.tissue(55, 8), {"union": muscles}),
        ("vena-cava", vary.tissue(110, 6), _column(vary, (7, 6), (-32, 8, 0), 130)),
        ("bowel", vary.tissue(35, 10), _ellipsoid(vary, (22, 9, 18), (4, -30, -4))),
        ("aneurysm", vary.tissue(45, 6), _tree([outer], 0)),
        ("lumen", vary.tissue(330, 8), _tree([_narrowed(vary, outer, neck, sac)], 0)),
    ]


def head(vary: Variation) -> list[Organ]:
    """Nested layers; ventricles with a wall of 1.5 mm; a tumour nearly of the brain's intensity."""
    brain = vary.tissue(620, 20)
    sides = {"right": -1, "left": 1}
    organs = [
        ("head", vary.tissue(300, 25), _ellipsoid(vary, (64, 78, 72), (0, 0, 0))),
        ("skull", vary.tissue(60, 10), _ellipsoid(vary, (56, 70, 64), (0, 0, 0))),
        ("brain", brain, _ellipsoid(vary, (49, 63, 57), (0, 0, 0))),
        ("tumour", vary.tumour(brain), _ellipsoid(vary, (9, 11, 10), (-28, -22, 14))),
    ]
    wall, fluid = vary.tissue(480, 15), vary.tissue(150, 10)
    for side, sign in sides.items():
        ventricle = _ventricle(vary, sign)
        organs.append((f"ventricle-wall-{side}", wall, _tree(ventricle, 1.5)))
        organs.append((f"ventricle-{side}", fluid, _tree(ventricle, 0)))
    return organs


def heart(vary: Variation) -> list[Organ]:
    """Two ventricles in a chest, the right one's wall 2.5 mm thin, and the lungs."""
    muscle, blood = vary.tissue(340, 15), vary.tissue(560, 20)
    left, right = (8, -8, -10), (-34, -14, -8)
    return [
        ("chest", vary.tissue(200, 20), _trunk(84, 60, 150)),
        ("lung-left", vary.tissue(40, 8), _ellipsoid(vary, (17, 34, 46), (58, 0, 4))),
        ("lung-right", vary.tissue(40, 8), _ellipsoid(vary, (13, 32, 42), (-66, 0, 4))),
        ("left-ventricle-wall", muscle, _shell(left, (24, 23, 34), 0)),
        ("left-ventricle", blood, _shell(left, (24, 23, 34), 9)),
        ("right-ventricle-wall", muscle, _shell(right, (15, 20, 28), 0)),
        ("right-ventricle", blood, _shell(right, (15, 20, 28), 2.5)),
        ("spine", vary.tissue(250, 20), _spine(vary)),
    ]


ANATOMIES: dict[str, tuple[str, float, Callable[[Variation], list[Organ]]]] = {
    "abdomen": ("CT", -1000, abdomen),
    "aneurysm": ("CT", -1000, aneurysm),
    "thrombus": ("CT", -1000, thrombus),
    "head": ("MR", 0, head),
    "heart": ("MR", 0, heart),
}


def _trunk(x: float, y: float, length: float) -> Body:
    return {"cylinder": {"radii": [x, y], "length": length}}


def _spine(vary: Variation) -> Body:
    return _column(vary, (9, 8), (0, 37, 0), 140)


def _column(
    vary: Variation, radii: tuple[float, float], centre: tuple[float, ...], length: float
) -> Body:
    place = vary.place(*centre)
    return {"cylinder": {"radii": vary.sizes(*radii), "length": length, "centre": place}}


def _ellipsoid(vary: Variation, radii: tuple[float, ...], centre: tuple[float, ...]) -> Body:
    return {"ellipsoid": {"radii": vary.sizes(*radii), "centre": vary.place(*centre)}}


def _shell(centre: tuple[float, ...], radii: tuple[float, ...], depth: float) -> Body:
    """What lies `depth` mm and more below the surface, along the axes."""
    return {"ellipsoid": {"radii": [r - depth for r in radii], "centre": list(centre)}}


Branches = list[list[Ball]]


def _aorta(vary: Variation, bulge: float) -> Branches:
    """The abdominal aorta with an aneurysm, two renal arteries and two iliac ones."""
    tube, sac, renal, iliac = vary.sizes(6.5, bulge, 2.5, 4)
    x, y, z = vary.place(0, 9, 0)
    middle = [(x, y, z + 62, tube), (x, y, z + 40, tube), (x, y, z + 15, tube)]
    aneurysm = [(x + 1, y - 2, z - 14, sac), (x, y, z - 40, tube), (x, y + 1, z - 50, tube)]
    branches = [smooth([*middle, *aneurysm], CURVE_PIECES)]
    for side in (-1, 1):
        kidney = [(x + side * d, y + d / 6, z + 16 - d / 10, renal) for d in (1, 12, 22)]
        leg = [(x + side * d, y + 1 - d / 5, z - 50 - 1.2 * d, iliac) for d in (0.5, 10, 19)]
        branches += [smooth(kidney, CURVE_PIECES), smooth(leg, CURVE_PIECES)]
    return branches


def _narrowed(vary: Variation, outer: list[Ball], neck: float, sac: float) -> list[Ball]:
    """A lumen that fills a vessel but for its wall in the neck, and half its width in the sac."""
    off = vary.random.uniform(-4, 4, 2)
    inner = []
    for x, y, z, radius in outer:
        widened = float(np.clip((radius - neck) / (sac - neck), 0, 1))
        dx, dy = (float(d) for d in off * widened)
        inner.append((x + dx, y + dy, z, radius * (0.8 - 0.3 * widened)))
    return inner


def _ventricle(vary: Variation, side: int) -> Branches:
    """A lateral ventricle of the brain: a horn that curves and widens."""
    front, body, back = vary.sizes(4, 6.5, 5)
    x, y, z = vary.place(side * 13, 2, 8)
    horn = [(x, y - 24, z - 4, front), (x, y, z + 4, body), (x + side * 6, y + 24, z - 8, back)]
    return [smooth(horn, CURVE_PIECES)]


def _tree(branches: Branches, thicker: float) -> Body:
    """Vessels whose radii are so many mm more."""
    return {"tubes": {"branches": [[[x, y, z, r + thicker] for x, y, z, r in b] for b in branches]}}
