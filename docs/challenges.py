"""How well each challenge of the image is met: phantoms of exact truth, as Markdown tables.

    python docs/challenges.py [seeds, 20 where none are given]

noise: a tumour of 9.5 voxels' radius in an organ, its contrast one standard deviation of the noise.
bias: heads and hearts of `scanmill.phantom.cohort` in a coil of 1 +- 0.4. anisotropy: balls and
ellipsoids anywhere between the voxels, on oblique grids.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import distance_transform_edt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill.corrections.bias import find_bias, without_bias  # noqa: E402
from scanmill.corrections.noise import without_floor, without_noise  # noqa: E402
from scanmill.grid import Grid, Triple  # noqa: E402
from scanmill.label_interpolation import resample_labels  # noqa: E402
from scanmill.noise_level import noise_sd  # noqa: E402
from scanmill.phantom.body import Body, Ellipsoid, sphere  # noqa: E402
from scanmill.phantom.cohort import patients  # noqa: E402
from scanmill.phantom.description import grid_of, patient_of, turned  # noqa: E402
from scanmill.phantom.fields import bias_field  # noqa: E402
from scanmill.phantom.noise import rician  # noqa: E402
from scanmill.phantom.point_spread import SAMPLES  # noqa: E402
from scanmill.phantom.rendering import occupancy, signal, visible_occupancy  # noqa: E402
from scanmill.phantom.scanning import texture  # noqa: E402
from scanmill.resampling import resample_image  # noqa: E402
from scanmill.volume_file import Volume  # noqa: E402

CENTRE = (61.3, -112.7, 402.9)
CONTRAST = 30.0
RADIUS = 9.5
Filter = Callable[[np.ndarray, float], np.ndarray]


def main() -> None:
    """Print the tables."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    noise(seeds)
    floor(seeds)
    bias(seeds)
    images(seeds)
    masks(seeds)


def grid_around(centre: Triple, size: tuple[int, int, int], spacing: Triple, turn: Triple) -> Grid:
    """An oblique grid with a centre."""
    direction = tuple(turned(turn).ravel().tolist())
    grid = Grid(size, spacing, (0.0, 0.0, 0.0), direction)
    origin = np.asarray(centre) - grid.to_physical((np.asarray(size) - 1) / 2)
    return Grid(size, spacing, tuple(origin.tolist()), direction)


def part(body: Body, grid: Grid) -> np.ndarray:
    """The part of each voxel that a body fills."""
    return occupancy(body, grid) / SAMPLES


def through(run: Callable[[sitk.Image], sitk.Image]) -> Filter:
    """A filter of SimpleITK."""
    return lambda scan, _: sitk.GetArrayFromImage(run(sitk.GetImageFromArray(scan)))


def total_variation(weight: float, steps: int = 60) -> Filter:
    """Rudin, Osher and Fatemi's, by Chambolle's projection; weight: in standard deviations."""

    def divergence(dual: np.ndarray) -> np.ndarray:
        return sum(np.diff(dual[axis], axis=axis, prepend=0) for axis in range(3))

    def smooth(scan: np.ndarray, sd: float) -> np.ndarray:
        dual = np.zeros((3, *scan.shape), np.float32)
        for _ in range(steps):
            slope = scan / (weight * sd) + divergence(dual)
            for axis in range(3):
                last = np.take(slope, [-1], axis)
                dual[axis] += np.diff(slope, axis=axis, append=last) / 6
            dual /= np.maximum(1, np.linalg.norm(dual, axis=0))
        return scan + weight * sd * divergence(dual)

    return smooth


def own(scan: np.ndarray, _: float) -> np.ndarray:
    """Ours: its strength is estimated from the scan."""
    spacing = (1.0, 1.0, 1.0)
    return without_noise(scan, spacing, noise_sd(scan, spacing))


FILTERS: dict[str, Filter] = {
    "none": lambda scan, _: scan,
    "diffusion (ours)": own,
    "curvature diffusion": through(
        lambda scan: sitk.CurvatureAnisotropicDiffusion(scan, 0.0625, 3, 1, 10)
    ),
    "Gaussian 1 voxel": through(lambda scan: sitk.SmoothingRecursiveGaussian(scan, 1.0)),
    "median 5": through(lambda scan: sitk.Median(scan, [2, 2, 2])),
    "total variation 0.7": total_variation(0.7),
    "total variation 1": total_variation(1.0),
}


def noise(seeds: range) -> None:
    """Print how a tumour at each contrast to noise is found by its threshold at half contrast."""
    grid = grid_around(CENTRE, (64, 62, 60), (1.0, 1.0, 1.0), (12, -8, 25))
    filled = part(sphere(RADIUS, CENTRE), grid)
    organ = part(sphere(27, CENTRE), grid)
    truth, near = filled >= 0.5, part(sphere(18, CENTRE), grid) == 1
    deep = part(sphere(RADIUS - 4, CENTRE), grid) == 1
    around = near & (part(sphere(RADIUS + 4, CENTRE), grid) == 0)
    clean = -50 + 100 * organ + CONTRAST * filled
    print("| filter | contrast / noise | Dice | tissue means moved, % of contrast |", end="")
    print(" edge moved, voxel | CPU s |\n|---|---|---|---|---|---|")
    for name, smooth in FILTERS.items():
        for ratio in (1, 3, 10):
            sd, rows = CONTRAST / ratio, []
            started = time.process_time()
            for seed in seeds:
                random = np.random.default_rng(seed)
                scan = (clean + sd * random.standard_normal(grid.shape)).astype(np.float32)
                found = smooth(scan, sd)
                mask = near & (found > 50 + CONTRAST / 2)
                moved = [100 * (found - scan)[where].mean() / CONTRAST for where in (deep, around)]
                edge = RADIUS * ((mask.sum() / truth.sum()) ** (1 / 3) - 1)
                dice = 2 * (mask & truth).sum() / (mask.sum() + truth.sum())
                rows.append((dice, *moved, edge))
            dice, inside, outside, edge = np.mean(rows, axis=0)
            cost = (time.process_time() - started) / len(seeds)
            means = f"{inside:+.1f}, {outside:+.1f}"
            print(f"| {name} | {ratio} | {dice:.3f} | {means} | {edge:+.2f} | {cost:.2f} |")


def floor(seeds: range) -> None:
    """Print the means of faint tissues in MR, with the floor of the noise and without."""
    print(
        "\n| MR signal, noise 20 | as scanned | smoothed | and without the floor |\n|---|---|---|---|"
    )
    for level in (0.0, 20.0, 50.0, 100.0):
        found = []
        for seed in seeds:
            scan = rician(np.full((24, 32, 32), level), 20, np.random.default_rng(seed))
            smooth = without_noise(scan, (1.0, 1.0, 1.0), 20)
            found.append((scan.mean(), smooth.mean(), without_floor(smooth, 20).mean()))
        print(f"| {level:g} | " + " | ".join(f"{v:.1f}" for v in np.mean(found, axis=0)) + " |")


def bias(seeds: range) -> None:
    """Print what is left of a field over the body, as the standard deviation of its logarithm."""
    print(
        "\n| bias | log sd before | after: mean, worst | taken off | CPU s |\n|---|---|---|---|---|"
    )
    for kind in ("head", "heart"):
        rows, taken, cost = [], 0, 0.0
        for seed, description in zip(
            seeds, patients(kind, len(seeds), 11, (2.5, 2.5, 3.5), noise=8), strict=True
        ):
            patient, grid = patient_of(description), grid_of(description["grid"])
            visible = visible_occupancy(patient, grid)
            clean = signal(patient, visible) + texture(patient, visible, grid)
            gain = bias_field(grid, 0.4, seed)
            scan = rician(clean * gain, 8, np.random.default_rng(seed)).astype(np.float32)
            body = clean > 60
            started = time.process_time()
            found = find_bias(scan, grid.spacing)
            cost += time.process_time() - started
            taken += found.accepted
            left = np.log(gain[body] * without_bias(scan, found)[body] / scan[body])
            rows.append((np.log(gain[body]).std(), left.std()))
        before, after = np.mean(rows, axis=0)
        worst, cost = np.max(rows, axis=0)[1], cost / len(seeds)
        of = f"{taken} of {len(seeds)}"
        print(f"| {kind} | {before:.3f} | {after:.3f}, {worst:.3f} | {of} | {cost:.2f} |")


SPACINGS: tuple[Triple, ...] = ((1, 1, 1), (1, 1, 3), (1, 1, 5), (2, 2, 5), (2, 2, 10))


def scanned(
    seeds: range, spacing: Triple, radius: float
) -> Iterator[tuple[Body, Grid, np.ndarray]]:
    """Ellipsoids of a mean radius on oblique grids, and the part of each voxel that they fill."""
    for seed in seeds:
        random = np.random.default_rng([seed, 7])
        centre = tuple(random.uniform(-80, 80, 3).tolist())
        radii = radius * np.exp(random.uniform(-0.2, 0.2, 3))
        radii *= radius / np.prod(radii) ** (1 / 3)
        turn = tuple(random.uniform(-30, 30, 3).tolist())
        body = Ellipsoid(
            radii=tuple(radii.tolist()),
            centre=centre,
            rotation=tuple(turned(turn).ravel().tolist()),
        )
        size = tuple(int(n) for n in np.ceil(2 * (1.3 * radius + 4) / np.asarray(spacing)) + 5)
        middle = tuple((np.asarray(centre) + random.uniform(-0.5, 0.5, 3) * spacing).tolist())
        grid = grid_around(middle, size, spacing, turn=(10, -14, 33))
        yield body, grid, part(body, grid)


def by_itk(interpolator: int) -> Callable[[Volume, Grid], np.ndarray]:
    """Resampling by SimpleITK, on grids of the same directions and centre."""

    def resample(volume: Volume, target: Grid) -> np.ndarray:
        image = sitk.GetImageFromArray(volume.array.astype(np.float32))
        image.SetSpacing(volume.grid.spacing)
        image.SetOrigin(volume.grid.origin)
        image.SetDirection(volume.grid.direction)
        how = sitk.ResampleImageFilter()
        how.SetInterpolator(interpolator)
        how.SetSize(target.size)
        how.SetOutputSpacing(target.spacing)
        how.SetOutputOrigin(target.origin)
        how.SetOutputDirection(target.direction)
        how.UseNearestNeighborExtrapolatorOn()
        return sitk.GetArrayFromImage(how.Execute(image))

    return resample


def images(seeds: range) -> None:
    """Print an organ's volume at half contrast after each interpolation, and how far it overshoots."""
    print("\n| voxel mm, to 1 mm | radius mm | linear % | B-spline % | windowed sinc % |", end="")
    print(" overshoot %: linear, B-spline, sinc |\n|---|---|---|---|---|---|")
    ways = {
        "linear": lambda volume, target: resample_image(volume, target).array,
        "B-spline": by_itk(sitk.sitkBSpline),
        "sinc": by_itk(sitk.sitkLanczosWindowedSinc),
    }
    for spacing in SPACINGS:
        for radius in (8.0, 16.0):
            found = {name: [] for name in ways}
            for body, grid, filled in scanned(seeds, spacing, radius):
                target = grid.isotropic(1.0)
                for name, way in ways.items():
                    image = way(Volume(filled.astype(np.float32), grid), target)
                    volume = (image > 0.5).sum() * target.voxel_volume
                    found[name].append(
                        (volume / body.volume - 1, max(image.max() - 1, -image.min()))
                    )
            means = {name: 100 * np.mean(values, axis=0) for name, values in found.items()}
            sds = {name: 100 * np.std(values, axis=0)[0] for name, values in found.items()}
            volumes = " | ".join(f"{means[name][0]:+.1f} +- {sds[name]:.1f}" for name in ways)
            over = ", ".join(f"{means[name][1]:.0f}" for name in ways)
            size = " x ".join(f"{s:g}" for s in spacing)
            print(f"| {size} | {radius:g} | {volumes} | {over} |")


def signed_distance(labels: Volume, target: Grid) -> np.ndarray:
    """A mask by its signed distance, interpolated linearly."""
    inside, step = labels.array > 0, labels.grid.spacing[::-1]
    depth = distance_transform_edt(inside, step) - distance_transform_edt(~inside, step)
    return by_itk(sitk.sitkLinear)(Volume(depth, labels.grid), target) > 0


def masks(seeds: range) -> None:
    """Print the Dice of a supplied mask on a grid of 1 mm with the truth there."""
    print("\n| mask's voxel mm, to 1 mm | radius mm | nearest | signed distance | ours |")
    print("|---|---|---|---|---|")
    for spacing in SPACINGS[1:]:
        for radius in (8.0, 16.0):
            rows = []
            for body, grid, filled in scanned(seeds, spacing, radius):
                labels, target = Volume((filled >= 0.5).astype(np.uint8), grid), grid.isotropic(1.0)
                truth = part(body, target) >= 0.5
                nearest = by_itk(sitk.sitkNearestNeighbor)(labels, target) > 0.5
                found = (
                    nearest,
                    signed_distance(labels, target),
                    resample_labels(labels, target) > 0,
                )
                rows.append([2 * (m & truth).sum() / (m.sum() + truth.sum()) for m in found])
            size = " x ".join(f"{s:g}" for s in spacing)
            dice = " | ".join(f"{v:.3f}" for v in np.mean(rows, axis=0))
            print(f"| {size} | {radius:g} | {dice} |")


if __name__ == "__main__":
    main()
