"""How well centrelines and the diameters across them are told: analytic tubes, as a Markdown table.

    python docs/vessels.py [poses, 5 where none is given]

Masks of tubes that are bent, or bulge and part into two, in random poses, on voxels of 1 mm, and on
slices of 3 mm that are brought to cubic voxels of 1 mm as the workflow does it.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill.centreline.course import courses_of  # noqa: E402
from scanmill.centreline.summary import summary  # noqa: E402
from scanmill.centreline.tree import ways_of  # noqa: E402
from scanmill.grid import Grid, Triple  # noqa: E402
from scanmill.label_interpolation import resample_labels  # noqa: E402
from scanmill.label_map import Region  # noqa: E402
from scanmill.phantom.description import turned  # noqa: E402
from scanmill.phantom.tubes import Tubes  # noqa: E402
from scanmill.surface import surface_of_mask  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402

SPACINGS = ((1.0, 1.0, 1.0), (0.7, 0.7, 3.0))
MARGIN = 4.0


def bent() -> tuple[Tubes, float, float, int]:
    """A tube of radius 8 that bends by 2.2 radians around 35 mm; its width, length and ends."""
    t = np.linspace(0, 2.2, 60)
    course = np.stack([35 * np.cos(t), 35 * np.sin(t), 0 * t, 8 + 0 * t], axis=1)
    return Tubes(branches=(as_branch(course),)), 16, 35 * 2.2 + 2 * 8, 1


def aneurysm() -> tuple[Tubes, float, float, int]:
    """A trunk of radius 10 that bulges to 25, aside, and parts into two of 6."""
    z = np.linspace(-65, 65, 80)
    bulge = np.exp(-((z / 18) ** 2))
    trunk = np.stack([8 * bulge, 0 * z, z, 10 + 15 * bulge], axis=1)
    t = np.linspace(0, 1, 20)[:, None]
    legs = [trunk[0] + t * [side, 4, -40, -4] for side in (26, -26)]
    length = np.linalg.norm(np.diff(trunk[:, :3], axis=0), axis=1).sum()
    length += np.linalg.norm([26, 4, 40]) + 10 + 6
    return Tubes(branches=tuple(map(as_branch, (trunk, *legs)))), 50, length, 2


def as_branch(course: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """A branch of tubes from rows of x, y, z, radius."""
    return tuple(map(tuple, course.tolist()))


def main() -> None:
    """Print the table."""
    poses = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(
        "| tube | voxels, mm | largest diameter, mm | error, mean and largest, mm | length, mm "
        "| error | branches right |\n|---|---|---|---|---|---|---|"
    )
    for name, (tubes, width, length, ends) in {"bent": bent(), "aneurysm": aneurysm()}.items():
        for spacing in SPACINGS:
            found = [measured(t, spacing) for t in posed(tubes, poses)]
            size = " x ".join(f"{s:g}" for s in spacing)
            wide, long = (
                errors([told[key] for told in found], truth)
                for key, truth in (
                    ("section_max_diameter_mm", width),
                    ("centreline_length_mm", length),
                )
            )
            right = sum(told["centreline_branches"] == ends for told in found)
            print(
                f"| {name} | {size} | {width:g} | {wide} | {length:.1f} | {long} | "
                f"{right} of {poses} |",
                flush=True,
            )


def posed(tubes: Tubes, number: int) -> Iterator[Tubes]:
    """Tubes turned and shifted at random."""
    rng = np.random.default_rng(3)
    for _ in range(number):
        rotation = turned(tuple(rng.uniform(-180, 180, 3)))
        centre = tuple(rng.uniform(-200, 200, 3).tolist())
        yield replace(tubes, rotation=tuple(rotation.ravel()), centre=centre)


def measured(tubes: Tubes, spacing: Triple) -> dict[str, float]:
    """The row of a vessel, from its mask of voxels whose centres it holds."""
    low, high = tubes.bounds()
    size = tuple(int(n) for n in np.ceil((high - low + 2 * MARGIN) / spacing))
    grid = Grid(size, spacing, tuple((low - MARGIN).tolist()), tuple(np.eye(3).ravel().tolist()))
    z, y, x = np.indices(grid.shape)
    places = grid.to_physical(np.stack([x, y, z], axis=-1)).reshape(-1, 3)
    labels = (tubes.distance(places) < 0).reshape(grid.shape).astype(np.uint8)
    cubic = grid.isotropic(1.0)
    labels = resample_labels(Volume(labels, grid), cubic)
    surface = surface_of_mask(labels == 1, cubic, max(spacing))
    return summary(courses_of(ways_of(Region.of(labels == 1), cubic), surface, 1.0))


def errors(found: list[float], truth: float) -> str:
    """The mean error, and the largest."""
    off = np.array(found) - truth
    return f"{off.mean():+.2f}, {abs(off).max():.2f}"


if __name__ == "__main__":
    main()
