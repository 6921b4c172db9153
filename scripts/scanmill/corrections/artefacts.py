"""Where a scan cannot be believed: metal, streaks, rings, a body cut off, table, padding, ghosts."""

from dataclasses import dataclass, field

import numpy as np

from scanmill.corrections.field_of_view import AIR_HU, cut_off, field_of_view, radii
from scanmill.corrections.ghosts import SUSPECT_PERCENT, ghosting
from scanmill.corrections.metal import find_metal
from scanmill.corrections.rings import find_rings
from scanmill.corrections.table import find_table
from scanmill.grid import Grid
from scanmill.kernel import kernel
from scanmill.label_map import count_voxels
from scanmill.volume_file import Volume

# What the marks mean. Where two meet, the later in this order is shown.
MARKS = {"table": 6, "padding": 5, "truncation": 4, "ring": 3, "streak": 2, "metal": 1}
PADDING, TABLE = MARKS["padding"], MARKS["table"]


@dataclass
class Examination:
    """What was found in a scan.

    image: the scan; of a CT, padding and table are air, and streaks in-painted where that was asked
    for. marks: values of MARKS, uint8 [z, y, x] on the scan's grid, None where nothing is marked.
    warnings: code and sentence. said: for the sidecar.
    """

    image: np.ndarray
    marks: np.ndarray | None = None
    warnings: list[tuple[str, str]] = field(default_factory=list)
    said: dict[str, float] = field(default_factory=dict)

    def planes(self, across: int) -> np.ndarray:
        """The marks to write to, with the slices' axis first. across: that axis of the array."""
        if self.marks is None:
            self.marks = np.zeros(self.image.shape, np.uint8)
        return np.moveaxis(self.marks, across, 0)


def examine_ct(scan: Volume, metal: str) -> Examination:
    """Look for what spoils a CT. metal: off, mark, or inpaint, which changes the image as well.

    Padding and table become air in the scan's own array: a large CT has no room for a second one.
    """
    across = 2 - scan.grid.axial_axis
    spacing = tuple(s for axis, s in enumerate(scan.grid.spacing) if axis != scan.grid.axial_axis)
    found = Examination(scan.array)
    planes = np.moveaxis(scan.array, across, 0)
    _examine_field_of_view(found, planes, spacing, across)
    _examine_table(found, planes, (*spacing, scan.grid.spacing[scan.grid.axial_axis]), across)
    _examine_rings(found, planes, spacing, across)
    if metal != "off":
        _examine_metal(found, scan.grid, spacing, across, inpaint=metal == "inpaint")
    if found.marks is not None:
        counts = count_voxels(found.marks, max(MARKS.values()) + 1)
        if counts[PADDING] or counts[TABLE]:
            _remove(found.image, found.marks, np.array(AIR_HU, found.image.dtype)[()])
        for kind, value in MARKS.items():
            found.said[f"{kind}_percent"] = round(100 * float(counts[value]) / found.marks.size, 4)
    return found


def examine_mr(scan: Volume) -> Examination:
    """Look for ghosts of motion in an MR; its slices lie across the axis of the largest spacing."""
    found = Examination(scan.array)
    across = 2 - int(np.argmax(scan.grid.spacing))
    percent = ghosting(scan.array, across)
    if percent is not None:
        found.said["ghosting_percent"] = round(percent, 4)
        if percent >= SUSPECT_PERCENT:
            found.warnings.append(
                (
                    "ghosts",
                    f"the air beside the body is {percent:.1f} % of the body's signal brighter along "
                    f"one axis than along the other; clean scans stay below {SUSPECT_PERCENT:g} %: the "
                    "patient may have moved",
                )
            )
    return found


def onto(marks: np.ndarray | None, source: Grid, target: Grid) -> np.ndarray:
    """Marks on a grid with the same centre and directions, each voxel's that of the nearest."""
    if marks is None:
        return np.zeros(target.shape, np.uint8)
    if source.same_as(target):
        return marks
    nearest = []
    for axis in range(3):
        steps = np.arange(target.size[axis]) - (target.size[axis] - 1) / 2
        place = steps * (target.spacing[axis] / source.spacing[axis]) + (source.size[axis] - 1) / 2
        nearest.append(np.clip(np.rint(place).astype(int), 0, source.size[axis] - 1))
    result = np.empty(target.shape, marks.dtype)
    _pick(marks, *nearest[::-1], result)
    return result


@kernel
def _pick(marks, along_z, along_y, along_x, result):  # noqa: ANN001, ANN202
    """marks[np.ix_(...)]; numpy takes five times as long."""
    for k in range(len(along_z)):
        for j in range(len(along_y)):
            line = marks[along_z[k], along_y[j]]
            for i in range(len(along_x)):
                result[k, j, i] = line[along_x[i]]


def _examine_field_of_view(
    found: Examination, planes: np.ndarray, spacing: tuple[float, float], across: int
) -> None:
    radius = field_of_view(planes, spacing)
    if radius is None:
        return
    marks = found.planes(across)
    # Nothing was marked before: all slices are set to the same one.
    marks[:] = PADDING * (radii(planes.shape[1:], spacing) > radius).astype(np.uint8)
    slices = 0
    for k, cut in cut_off(planes, spacing, radius):
        marks[k][cut] = MARKS["truncation"]
        slices += 1
    if slices > 0:
        found.warnings.append(
            (
                "truncation",
                f"the body reaches out of the round field of view in {slices} slices: what lies "
                "outside is missing, and what lies beside the rim reads too high",
            )
        )


def _examine_table(
    found: Examination, planes: np.ndarray, spacing: tuple[float, float, float], across: int
) -> None:
    for k, table in find_table(planes, spacing):
        found.planes(across)[k][table] = TABLE


@kernel
def _remove(image, marks, air):  # noqa: ANN001, ANN202
    """Make air of what is no part of the patient, in place."""
    for z in range(image.shape[0]):
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                if marks[z, y, x] in (PADDING, TABLE):
                    image[z, y, x] = air


def _examine_rings(
    found: Examination, planes: np.ndarray, spacing: tuple[float, float], across: int
) -> None:
    """Only in whole slices: of a part of one, the middle is not where the scanner turned about."""
    rows, columns = planes.shape[1:]
    if rows != columns or not np.isclose(*spacing, rtol=1e-3):
        return
    rings = find_rings(planes)
    slices = sum(len(r) > 0 for r in rings)
    if slices == 0:
        return
    distance = radii(planes.shape[1:], (1.0, 1.0))
    for marks, radii_ in zip(found.planes(across), rings, strict=True):
        for radius in radii_:
            marks[np.abs(distance - radius) <= 1.5] = MARKS["ring"]
    found.warnings.append(("rings", f"{slices} slices have rings about their middle"))


def _examine_metal(
    found: Examination, grid: Grid, spacing: tuple[float, float], across: int, inpaint: bool
) -> None:
    metal = find_metal(found.image, grid)
    if metal is None:
        return
    # Imported here: few scans hold metal, and every job pays for its imports.
    from scanmill.corrections.streaks import find_streaks, inpainted

    if inpaint:
        found.image = found.image.copy()
    planes, held = np.moveaxis(found.image, across, 0), np.moveaxis(metal, across, 0)
    marks = found.planes(across)
    painted = 0
    for k, streaks in find_streaks(planes, held, spacing):
        marks[k][streaks.misled] = MARKS["streak"]
        better = inpainted(planes[k], held[k], streaks) if inpaint else None
        if better is not None:
            planes[k] = np.rint(better) if planes.dtype.kind in "iu" else better
            painted += 1
    np.copyto(found.marks, MARKS["metal"], where=metal)
    slices = int(held.any(axis=(1, 2)).sum())
    if inpaint:
        found.said["inpainted_slices"] = painted
    found.warnings.append(
        (
            "metal",
            f"metal was found, {np.count_nonzero(metal) * grid.voxel_volume:.0f} mm3 of it in "
            f"{slices} slices; values around it are "
            f"{f'in-painted in {painted} of them and ' if inpaint else ''}not to be relied on",
        )
    )
