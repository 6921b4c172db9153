"""The recipe aaa on an aneurysm with thrombus, scanned obliquely, from points in LPS mm in its file."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from earlier import put_volume
from scanmill import recipe
from scanmill.grid import Grid, bounding_box
from scanmill.label_interpolation import resample_labels
from scanmill.phantom.cohort import patients
from scanmill.phantom.scanning import scan_of
from scanmill.resampling import resample_image
from scanmill.sidecar import read_sidecar
from scanmill.stage import run_stage
from scanmill.volume_file import read_volume
from scipy.ndimage import distance_transform_edt
from segment import segment

RECIPE = recipe.load(Path(__file__).parents[2] / "config" / "recipes" / "aaa.yaml")
# Coarser than the recipe's voxels, to be quick.
SPACING, MARGIN = 2.0, 13


def points(mask: np.ndarray, grid: Grid, name: str, parts: int) -> list[str]:
    """Lines of a file of seeds: the deepest point of each of so many parts along the body's axis."""
    along = grid.to_physical(np.argwhere(mask)[:, ::-1])[:, 2]
    ends = np.linspace(along.min(), along.max(), parts + 1)
    z, y, x = np.indices(mask.shape)
    height = grid.to_physical(np.stack([x, y, z], axis=-1))[..., 2]
    inside = distance_transform_edt(mask)
    lines = []
    for low, high in pairwise(ends):
        deepest = (inside * ((height >= low) & (height < high))).argmax()
        place = np.unravel_index(deepest, mask.shape)[::-1]
        lines.append("\t".join([name, *(f"{v:.2f}" for v in grid.to_physical(np.array(place)))]))
    return lines


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The folder of a segmented case, and the true masks by structure."""
    (patient,) = patients("thrombus", 1, 8, (1.5, 1.5, 2.5), variability=0.6)
    scan = scan_of(patient)
    whole = scan.image.grid.isotropic(SPACING)
    labels = resample_labels(scan.labels, whole)
    number = {s["name"]: s["label"] for s in patient["structures"]}
    vessel = np.isin(labels, [number["aneurysm"], number["lumen"]])
    box = bounding_box(vessel, MARGIN)
    labels, vessel = labels[box], vessel[box]
    grid = whole.crop(tuple(s.start for s in box[::-1]), labels.shape[::-1])
    lumen = labels == number["lumen"]
    lines = ["structure\tx\ty\tz", *points(lumen, grid, "aneurysm", 5)]
    lines += points(vessel & ~lumen, grid, "aneurysm", 5)
    near = distance_transform_edt(~vessel) * SPACING < 20
    for name in ("spine", "psoas", "vena-cava", "bowel", "body"):
        lines += points((labels == number[name]) & near, grid, "background", 3)
    folder = tmp_path_factory.mktemp("case")
    (folder / "seeds.tsv").write_text("\n".join(lines) + "\n")
    isotropic = put_volume(
        folder / "one" / "isotropic.nii.gz", resample_image(scan.image, whole).array[box], grid
    )
    outputs = {n: isotropic.with_name(n) for n in ("overlaps", "doubts")}
    outputs["labels"] = isotropic.with_name("labels.nii.gz")
    inputs = {"isotropic": isotropic, "seeds": [folder / "seeds.tsv"]}
    parameters = {"modality": RECIPE.modality, "structures": RECIPE.structures}
    run_stage("segment", segment, inputs, outputs, parameters)
    truth = {"aneurysm": vessel, "lumen": lumen, "thrombus": vessel & ~lumen}
    return isotropic.parent, truth


def test_lumen_and_thrombus_are_found_and_make_the_aneurysm(case):
    folder, truth = case
    labels = read_volume(folder / "labels.nii.gz").array
    whole = read_volume(folder / "overlaps" / "aneurysm.nii.gz").array > 0
    label = {s["name"]: s["label"] for s in RECIPE.structures}
    found = {name: labels == label[name] for name in ("lumen", "thrombus")} | {"aneurysm": whole}
    for name, least in (("aneurysm", 0.9), ("lumen", 0.92), ("thrombus", 0.82)):
        overlap = 2 * (found[name] & truth[name]).sum() / (found[name].sum() + truth[name].sum())
        assert overlap > least, name
    assert (found["lumen"] | found["thrombus"])[whole].mean() > 0.9


def test_what_lies_in_the_aneurysm_is_no_conflict(case):
    said = read_sidecar(case[0] / "labels.nii.gz")
    assert said["status"] == "ok" and said.get("structures", {}) == {}
    assert {c["taken_by"] for c in said["conflicts"]} == {"lumen", "thrombus"}
    assert "structures-overlap" not in {w["code"] for w in said["warnings"]}
