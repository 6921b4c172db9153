"""A good engineer's first script for a case, with SimpleITK, scipy, scikit-image and trimesh.

Usage: python careful.py SCAN LABELS FOLDER. From a CT and its label map on the same grid: the CT
and the cleaned label map at 1 mm (isotropic.nii.gz, labels.nii.gz), a smoothed surface of each
label (surfaces/*.ply, LPS mm), all of them in one scene (model.glb, metres, Y up) and one row of
measurements per label (measurements.csv). Each label is worked on in its own box.

It prints the CPU seconds of each phase and the peak memory.
"""

import colorsys
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk
import trimesh
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.measure import marching_cubes

Box = tuple[slice, slice, slice]

SPACING_MM = 1.0
SMALLEST_PART = 0.1
SMOOTHING_STEPS = 10
PERCENTILES = (5, 25, 50, 75, 95)
GLTF_FROM_LPS = np.array(
    [[0.001, 0, 0, 0], [0, 0, 0.001, 0], [0, -0.001, 0, 0], [0, 0, 0, 1]], dtype=float
)
phases: dict[str, float] = {}


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Add the CPU time of a block to a phase."""
    start = time.process_time()
    yield
    phases[name] = phases.get(name, 0.0) + time.process_time() - start


def report_phases() -> None:
    """Print what each phase took, all threads together; the rest is start-up and imports."""
    rest = time.process_time() - sum(phases.values())
    for name, seconds in {"start": rest, **phases}.items():
        print(f"{name:12}{seconds:8.2f} s")
    print(f"{'peak':12}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB")


def resample(image: sitk.Image, interpolator: int, pixel: int) -> sitk.Image:
    """Resample an image to 1 mm voxels over the same block of space."""
    size = np.ceil(np.multiply(image.GetSize(), image.GetSpacing()) / SPACING_MM - 1e-6)
    middle = [(n - 1) / 2 for n in image.GetSize()]
    centre = image.TransformContinuousIndexToPhysicalPoint(middle)
    direction = np.reshape(image.GetDirection(), (3, 3))
    origin = centre - direction @ ((size - 1) / 2 * SPACING_MM)
    return sitk.Resample(
        image,
        size.astype(int).tolist(),
        sitk.Transform(),
        interpolator,
        origin.tolist(),
        [SPACING_MM] * 3,
        image.GetDirection(),
        0.0,
        pixel,
        useNearestNeighborExtrapolator=True,
    )


def as_image(array: np.ndarray, grid: sitk.Image) -> sitk.Image:
    """An array [z, y, x] as an image on the grid of another one."""
    image = sitk.GetImageFromArray(array)
    image.CopyInformation(grid)
    return image


def to_physical(index: np.ndarray, grid: sitk.Image) -> np.ndarray:
    """LPS mm of voxel indices (n, 3), ordered (z, y, x)."""
    axes = np.reshape(grid.GetDirection(), (3, 3)) * grid.GetSpacing()
    return index[:, ::-1] @ axes.T + grid.GetOrigin()


def boxes_of(labels: np.ndarray) -> dict[int, Box]:
    """The box of each label, one voxel wider than the label where the volume allows."""
    boxes = {}
    for label, box in enumerate(ndimage.find_objects(labels), 1):
        if box is not None:
            boxes[label] = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)
    return boxes


def clean(mask: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Drop the parts smaller than a tenth of the largest; fill enclosed holes in the background."""
    parts, _ = ndimage.label(mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept = (sizes >= SMALLEST_PART * sizes.max())[parts]
    return kept | (ndimage.binary_fill_holes(kept) & background)


def make_surface(mask: np.ndarray, start: np.ndarray, grid: sitk.Image) -> trimesh.Trimesh:
    """The smoothed surface of a mask, LPS mm; start: the grid voxel (z, y, x) of its corner."""
    vertices, faces, _, _ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5)
    mesh = trimesh.Trimesh(to_physical(vertices + start - 1, grid), faces, process=False)
    if mesh.volume < 0:
        mesh.invert()
    return trimesh.smoothing.filter_taubin(mesh, iterations=SMOOTHING_STEPS)


def measure(
    mask: np.ndarray, hu: np.ndarray, start: np.ndarray, surface: trimesh.Trimesh, grid: sitk.Image
) -> dict[str, float]:
    """Volume, area, place, extent, axes and intensities of one structure; mm, mm2, mm3 and HU."""
    voxels = to_physical(np.argwhere(mask) + start, grid)
    variances = np.sort(np.linalg.eigvalsh(np.cov(voxels.T, bias=True)))[::-1]
    axes = 4 * np.sqrt(np.maximum(variances, 0))
    hull = surface.vertices[ConvexHull(surface.vertices).vertices]
    values = hu[mask]
    row = {
        "voxel_volume_mm3": len(voxels) * SPACING_MM**3,
        "surface_volume_mm3": surface.volume,
        "surface_area_mm2": surface.area,
        "largest_diameter_mm": pdist(hull).max(),
        "major_axis_mm": axes[0],
        "minor_axis_mm": axes[1],
        "least_axis_mm": axes[2],
        "mean_hu": values.mean(),
        "sd_hu": values.std(),
        "min_hu": values.min(),
        "max_hu": values.max(),
    }
    row |= {f"centroid_{a}_mm": c for a, c in zip("xyz", voxels.mean(axis=0), strict=True)}
    row |= {f"bbox_min_{a}_mm": c for a, c in zip("xyz", surface.bounds[0], strict=True)}
    row |= {f"bbox_max_{a}_mm": c for a, c in zip("xyz", surface.bounds[1], strict=True)}
    row |= {
        f"p{p}_hu": v for p, v in zip(PERCENTILES, np.percentile(values, PERCENTILES), strict=True)
    }
    return row


def write_scene(path: Path, surfaces: dict[int, trimesh.Trimesh]) -> None:
    """Write all surfaces, each in its own colour, as one GLB in metres, Y up."""
    scene = trimesh.Scene()
    for label, surface in surfaces.items():
        colour = [*colorsys.hsv_to_rgb(label / len(surfaces), 0.6, 0.9), 1.0]
        material = trimesh.visual.material.PBRMaterial(baseColorFactor=colour)
        surface.visual = trimesh.visual.TextureVisuals(material=material)
        scene.add_geometry(surface, node_name=f"label_{label}", geom_name=f"label_{label}")
    scene.apply_transform(GLTF_FROM_LPS)
    scene.export(path)


def main(
    scan: Path, supplied: Path, folder: Path, boxes_in: Callable[[np.ndarray], dict[int, Box]]
) -> None:
    """Do a whole case; boxes_in gives the part of the volume in which to work on each label."""
    (folder / "surfaces").mkdir(parents=True, exist_ok=True)
    with phase("read"):
        image = sitk.ReadImage(scan)
    with phase("resample"):
        # Linear interpolation straight to int16 would truncate towards zero.
        image = resample(image, sitk.sitkLinear, sitk.sitkFloat32)
        hu = np.rint(sitk.GetArrayViewFromImage(image)).astype(np.int16)
        del image
    with phase("read"):
        grid = sitk.ReadImage(supplied)
    with phase("resample"):
        grid = resample(grid, sitk.sitkNearestNeighbor, sitk.sitkUInt8)
        labels = sitk.GetArrayViewFromImage(grid)

    cleaned = np.zeros_like(labels)
    rows, surfaces = [], {}
    with phase("clean"):
        boxes = boxes_in(labels)
    for label, box in boxes.items():
        start = np.array([side.start for side in box])
        with phase("clean"):
            mask = clean(labels[box] == label, labels[box] == 0)
            cleaned[box][mask] = label
        with phase("mesh"):
            surfaces[label] = make_surface(mask, start, grid)
        with phase("measure"):
            rows.append({"label": label, **measure(mask, hu[box], start, surfaces[label], grid)})

    with phase("write volumes"):
        sitk.WriteImage(as_image(hu, grid), folder / "isotropic.nii.gz")
        sitk.WriteImage(as_image(cleaned, grid), folder / "labels.nii.gz")
    with phase("write meshes"):
        for label, surface in surfaces.items():
            surface.export(folder / "surfaces" / f"label_{label}.ply")
        write_scene(folder / "model.glb", surfaces)
    with phase("write table"):
        pd.DataFrame(rows).to_csv(folder / "measurements.csv", index=False)
    report_phases()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), boxes_in=boxes_of)
