"""How well surfaces measure: analytic bodies in every orientation, as a Markdown table.

    python docs/accuracy.py [pass band, 0.1 where none is given]

Each body is sampled as a mask of 1 mm voxels in 51 ways: its grid's axes flipped and permuted in all
48 combinations, and three oblique grids, one of them left-handed; none starts at the origin.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "unit")]
from bodies import BODIES, CENTRE, DIRECTIONS, OBLIQUE, grid_over, mask_of  # noqa: E402
from scanmill.phantom.body import sphere  # noqa: E402
from scanmill.recipe import PASS_BAND  # noqa: E402
from scanmill.surface import boundaries, surface_of  # noqa: E402
from scanmill.surface_measures import area, centroid, is_manifold, volume  # noqa: E402


def main() -> None:
    """Print the tables."""
    pass_band = float(sys.argv[1]) if len(sys.argv) > 1 else PASS_BAND
    bodies(pass_band)
    slices(pass_band)


def bodies(pass_band: float) -> None:
    """Print the largest deviations of each body on cubic voxels."""
    print("| body | volume % | area % | centroid mm | 2-manifold |")
    print("|---|---|---|---|---|")
    for name, body in BODIES.items():
        found = []
        for direction in DIRECTIONS.values():
            grid = grid_over(body, direction=direction)
            mesh, _ = boundaries(mask_of(body, grid).astype(np.uint8), grid, pass_band)
            surface = surface_of(mesh, 1, grid)
            found.append(
                (
                    100 * (volume(surface) / body.volume - 1),
                    100 * (area(surface) / body.area - 1),
                    np.linalg.norm(centroid(surface) - body.centroid),
                    is_manifold(surface),
                )
            )
        largest = [max((row[n] for row in found), key=abs) for n in range(3)]
        sound = sum(row[3] for row in found)
        print(f"| {name} | {largest[0]:+.2f} | {largest[1]:+.2f} | {largest[2]:.3f} | {sound}/51 |")


def slices(pass_band: float) -> None:
    """Print what thick slices do to the area of a sphere of 20 mm that stays on their grid."""
    body = sphere(20, CENTRE)
    print(
        "\n| voxel mm (`spacing: native`) | area %, axis-aligned and three oblique grids |\n|---|---|"
    )
    for thickness in (1.0, 2.0, 3.0, 5.0):
        found = []
        for direction in (np.eye(3), *OBLIQUE.values()):
            grid = grid_over(body, (1.0, 1.0, thickness), direction)
            mesh, _ = boundaries(mask_of(body, grid).astype(np.uint8), grid, pass_band)
            found.append(f"{100 * (area(surface_of(mesh, 1, grid)) / body.area - 1):+.1f}")
        print(f"| 1 x 1 x {thickness:g} | {', '.join(found)} |")


if __name__ == "__main__":
    main()
