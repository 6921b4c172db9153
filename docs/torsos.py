"""Torsos by chance, as scans with label maps: lungs in lobes, organs that touch, and what goes wrong.

Each patient has a size, proportions, a pose and a breath of its own; each organ a size, form and place;
a smooth warp bends all. Scanners lay their grids along any axes, and whoever drew the labels went off
the boundary here and there. Volumes have no closed form: organs press on each other, as `phantom`'s do
not.
"""

from dataclasses import dataclass, replace

import numpy as np
from degradations import Labelled
from scanmill.grid import Grid
from scanmill.phantom.description import grid_of, turned
from scanmill.phantom.fields import correlated_field
from scanmill.phantom.warp import Warp, random_warp
from scanmill.volume_file import Volume
from scipy.ndimage import gaussian_filter

AXES = ("LPS", "RAS", "PIL", "LPI", "SLA")
# Of each organ: HU, sd of its texture; half axes and centre, mm, LPS from the middle of the diaphragm.
# Later organs press on earlier ones.
ORGANS = {
    "lung-right": (-830, 30, (46, 68, 88), (-66, 0, 62)),
    "lung-left": (-830, 30, (42, 66, 86), (66, 4, 62)),
    "heart": (130, 8, (42, 40, 46), (16, -28, 42)),
    "liver": (105, 10, (72, 62, 46), (-58, -8, -26)),
    "spleen": (120, 8, (24, 34, 40), (84, 28, -18)),
    "kidney-right": (170, 12, (23, 22, 46), (-58, 48, -74)),
    "kidney-left": (170, 12, (23, 22, 48), (60, 48, -66)),
    "spine": (260, 50, (19, 18, 400), (0, 70, 0)),
}
# Fissures: the lobe above a plane through the lung's middle; its height there, mm, and its slope
# towards the back. The right lung's middle lobe lies in front, below the horizontal fissure.
OBLIQUE, SLOPE, HORIZONTAL = 4.0, 0.8, 10.0
STRUCTURES = (
    "lung-right-upper",
    "lung-right-middle",
    "lung-right-lower",
    "lung-left-upper",
    "lung-left-lower",
    *list(ORGANS)[2:],
)
LABELS = {name: n for n, name in enumerate(STRUCTURES, start=1)}
SPACING = (3.0, 3.0, 3.5)
BODY = (142.0, 100.0)
SOFT, FAT, AIR, SKIN = 45.0, -95.0, -1000.0, 18.0
# Half of the scan, mm.
HALF = np.array([170.0, 125.0, 165.0])


@dataclass(frozen=True)
class Torso:
    """A patient.

    organs: half axes and centre of each, mm. fissures: heights of the oblique ones and the horizontal
    one, mm. turn: 3x3, of the patient. size: factors along x, y and z. hu: of the tissues.
    """

    organs: dict[str, tuple[np.ndarray, np.ndarray]]
    fissures: tuple[float, float, float]
    turn: np.ndarray
    size: np.ndarray
    warp: Warp
    hu: dict[str, float]


def torso(random: np.random.Generator) -> Torso:
    """One by chance: volumes of organs vary by 20 to 35 %, as those of adults do."""
    whole = random.normal(0, 0.05)
    breath = random.normal(0, 6)
    organs = {}
    for name, (_, _, axes, centre) in ORGANS.items():
        own = random.normal(0, 0.09 if name == "spleen" else 0.045)
        factors = np.exp(own + random.normal(0, 0.035, 3))
        moved = np.add(centre, random.normal(0, 4, 3))
        if name != "spine":
            moved[2] -= breath
        organs[name] = (np.array(axes) * factors, moved)
    for side in ("right", "left"):
        organs[f"lung-{side}"][0][2] *= 1 + breath / 90
    return Torso(
        organs,
        tuple(np.array([OBLIQUE, OBLIQUE, HORIZONTAL]) + random.normal(0, 5, 3)),
        turned(tuple(random.normal(0, 4, 3).tolist())),
        np.exp(whole + random.normal(0, 0.025, 3)),
        random_warp(float(random.uniform(0.3, 0.7)), 160.0, int(random.integers(1 << 31))),
        {name: float(random.normal(hu, 8)) for name, (hu, *_) in ORGANS.items()},
    )


def scanned(patient: Torso, random: np.random.Generator) -> Labelled:
    """Its scan, noisy and blurred, and its labels, drawn by someone."""
    grid = _grid(random)
    z, y, x = np.indices(grid.shape)
    points = grid.to_physical(np.stack([x, y, z], axis=-1).reshape(-1, 3))
    middle = grid.to_physical((np.array(grid.size) - 1) / 2)
    own = (
        patient.warp.inverse((points - middle + random.normal(0, 6, 3)) @ patient.turn)
        / patient.size
    )
    tissues = _labels(patient, own, np.zeros(len(own))).reshape(grid.shape)
    wobble = correlated_field(grid, 12.0, int(random.integers(1 << 31)))
    drawn = _labels(patient, own, 0.8 * wobble.ravel()).reshape(grid.shape)
    return Labelled(
        Volume(_image(patient, own, tissues, grid, random), grid), Volume(drawn, grid), "CT", 100.0
    )


def _grid(random: np.random.Generator) -> Grid:
    axes = str(random.choice(AXES))
    spacing = np.array(SPACING) * random.uniform(0.9, 1.1, 3)
    axis = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}
    half = np.array([HALF[axis[letter]] for letter in axes])
    return grid_of(
        {
            "size": [int(n) for n in np.ceil(2 * half / spacing)],
            "spacing": [float(s) for s in spacing],
            "centre": [float(c) for c in random.normal(0, 30, 3)],
            "axes": axes,
            "turn": [float(a) for a in random.normal(0, 3, 3)],
        }
    )


def _labels(patient: Torso, points: np.ndarray, off: np.ndarray) -> np.ndarray:
    """The label at each point; off: mm that boundaries are moved by there."""
    labels = np.zeros(len(points), np.uint8)
    oblique_right, oblique_left, horizontal = patient.fissures
    for name, (axes, centre) in patient.organs.items():
        apart = (points - centre) / axes
        radius = np.sqrt((apart**2).sum(axis=1))
        inside = (radius - 1) * axes.min() < off
        if name == "spine":
            inside = np.hypot(apart[:, 0], apart[:, 1]) * axes[0] < axes[0] + off
        if name.startswith("lung"):
            from_middle = points - centre
            side = name.removeprefix("lung-")
            height = oblique_right if side == "right" else oblique_left
            above = from_middle[:, 2] - SLOPE * from_middle[:, 1] > height + 0.5 * off
            labels[inside & above] = LABELS[f"{name}-upper"]
            if side == "right":
                under = from_middle[:, 2] < horizontal + 0.5 * off
                labels[inside & above & under] = LABELS["lung-right-middle"]
            labels[inside & ~above] = LABELS[f"{name}-lower"]
        else:
            labels[inside] = LABELS[name]
    return labels


def _image(
    patient: Torso,
    points: np.ndarray,
    tissues: np.ndarray,
    grid: Grid,
    random: np.random.Generator,
) -> np.ndarray:
    radius = np.hypot(points[:, 0] / BODY[0], points[:, 1] / BODY[1]).reshape(grid.shape)
    image = np.where(radius < 1, SOFT, np.where(radius < 1 + SKIN / BODY[1], FAT, AIR))
    texture = correlated_field(grid, 5.0, int(random.integers(1 << 31)))
    for name, label in LABELS.items():
        organ = name if name in ORGANS else "-".join(name.split("-")[:2])
        own = tissues == label
        image[own] = patient.hu[organ] + ORGANS[organ][1] * texture[own]
    blurred = gaussian_filter(image, 1.2 / np.array(grid.spacing[::-1]))
    noise = random.normal(0, random.uniform(12, 25), grid.shape)
    return np.rint(blurred + noise).astype(np.int16)


def recipe() -> str:
    """The text of their recipe."""
    text = "description: Torsos by chance\nmodality: CT\nspacing: 3.0\nstructures:\n"
    for name, label in LABELS.items():
        sides = [side for side in ("left", "right") if side in name]
        text += f"""  - name: {name}
    label: {label}
    code: {{scheme: 99TORSO, value: {name}, meaning: {name}}}
    colour: "#{40 + 15 * label:02x}80{220 - 15 * label:02x}"
    segment: {{method: labels}}
{f"    laterality: {sides[0]}" if sides else ""}
"""
    return text


def with_swapped_sides(case: Labelled, random: np.random.Generator) -> Labelled:
    """The kidneys' labels are each other's."""
    right, left = LABELS["kidney-right"], LABELS["kidney-left"]
    labels = case.labels.array.copy()
    labels[case.labels.array == right], labels[case.labels.array == left] = left, right
    return _with_labels(case, labels)


def without_a_lobe(case: Labelled, random: np.random.Generator) -> Labelled:
    """One lobe, whichever, was not found."""
    lobes = [name for name in STRUCTURES if name.startswith("lung")]
    lost = str(random.choice(lobes))
    labels = case.labels.array.copy()
    labels[labels == LABELS[lost]] = 0
    return _with_labels(case, labels)


def with_a_leak(case: Labelled, random: np.random.Generator) -> Labelled:
    """An organ goes on into a neighbour: a ball around a place where they touch is taken from it."""
    organ, neighbour = LEAKS[int(random.integers(len(LEAKS)))]
    labels = case.labels.array.copy()
    grid = case.labels.grid
    own, other = labels == LABELS[organ], labels == LABELS[neighbour]
    near = gaussian_filter(own.astype(float), 1) * other
    touching = np.argwhere(near > 0.5 * near.max())
    place = grid.to_physical(touching[int(random.integers(len(touching)))][::-1])
    inside = np.argwhere(other)[:, ::-1]
    apart = np.linalg.norm(grid.to_physical(inside) - place, axis=1)
    # So much of the neighbour is taken, the nearest first.
    taken = inside[np.argsort(apart, kind="stable")[: int(random.uniform(0.15, 0.3) * len(inside))]]
    labels[taken[:, 2], taken[:, 1], taken[:, 0]] = LABELS[organ]
    return _with_labels(case, labels)


LEAKS = (
    ("liver", "kidney-right"),
    ("liver", "heart"),
    ("spleen", "kidney-left"),
    ("lung-right-upper", "lung-right-lower"),
    ("lung-left-lower", "lung-left-upper"),
)


def with_wrong_spacing(case: Labelled, random: np.random.Generator) -> Labelled:
    """The header's slice spacing is a quarter to two thirds off, for scan and labels alike."""
    grid = case.scan.grid
    spacing = list(grid.spacing)
    factor = float(random.uniform(1.25, 1.67))
    spacing[grid.axial_axis] *= factor if random.random() < 0.5 else 1 / factor
    wrong = replace(grid, spacing=tuple(spacing))
    return replace(
        case, scan=Volume(case.scan.array, wrong), labels=Volume(case.labels.array, wrong)
    )


def with_labels_of_another(case: Labelled, random: np.random.Generator) -> Labelled:
    """Another patient's labels, saved on this scan's grid, middle on middle."""
    other = scanned(torso(random), random)
    grid, source = case.scan.grid, other.labels.grid
    z, y, x = np.indices(grid.shape)
    points = grid.to_physical(np.stack([x, y, z], axis=-1))
    middles = [g.to_physical((np.array(g.size) - 1) / 2) for g in (source, grid)]
    index = np.rint(source.to_index(points - middles[1] + middles[0])).astype(int)
    inside = ((index >= 0) & (index < source.size)).all(axis=-1)
    x, y, z = np.moveaxis(np.clip(index, 0, np.array(source.size) - 1), -1, 0)
    return _with_labels(case, np.where(inside, other.labels.array[z, y, x], 0).astype(np.uint8))


def _with_labels(case: Labelled, labels: np.ndarray) -> Labelled:
    return replace(case, labels=Volume(labels, case.labels.grid))
