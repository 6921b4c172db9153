"""What ScanMill measures on public scans, beside what their publishers say.

    python tests/real/published.py RESULTS DATA

prints the largest deviations as a Markdown table. RESULTS: of the cohort that cohort.py writes. DATA:
the folder of public scans.
"""

import csv
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvista

Rows = dict[tuple[str, str], dict[str, str]]

IBSI_CASE = "ibsi-phantom"
RADIOMICS_CASES = ("brain1", "breast1")
AXES = {
    "original_shape_MajorAxisLength": "morph_pca_maj_axis",
    "original_shape_MinorAxisLength": "morph_pca_min_axis",
    "original_shape_LeastAxisLength": "morph_pca_least_axis",
}
SHAPE = {
    "original_shape_VoxelVolume": "morph_vol_approx",
    "original_shape_MeshVolume": "morph_volume",
    "original_shape_SurfaceArea": "morph_area_mesh",
    "original_shape_SurfaceVolumeRatio": "morph_av",
    "original_shape_Sphericity": "morph_sphericity",
    "original_shape_Maximum3DDiameter": "morph_diam",
    "original_shape_Elongation": "morph_pca_elongation",
    "original_shape_Flatness": "morph_pca_flatness",
}
# Those that PyRadiomics and IBSI define alike; percentiles and kurtosis they do not.
INTENSITY = {
    "original_firstorder_Mean": "stat_mean",
    "original_firstorder_Variance": "stat_var",
    "original_firstorder_Skewness": "stat_skew",
    "original_firstorder_Median": "stat_median",
    "original_firstorder_Minimum": "stat_min",
    "original_firstorder_Maximum": "stat_max",
    "original_firstorder_Range": "stat_range",
    "original_firstorder_MeanAbsoluteDeviation": "stat_mad",
}
# vmtk_aorta: the voxels of its level set below 0, mm3.
LEVEL_SET_MM3 = 13430.30


@dataclass(frozen=True)
class Comparison:
    """A number of ours beside a published one. tolerance: as published, if it was."""

    source: str
    quantity: str
    ours: float
    theirs: float
    tolerance: float | None = None

    @property
    def deviation(self) -> float:
        """Relative difference."""
        return abs(self.ours - self.theirs) / abs(self.theirs)

    @property
    def agrees(self) -> bool:
        """Within the published tolerance; where that is 0, equal in the three digits published."""
        if self.tolerance:
            return abs(self.ours - self.theirs) <= self.tolerance
        return f"{self.ours:.3g}" == f"{self.theirs:.3g}"


def measured(results: Path) -> Rows:
    """The rows of the cohort's table by case and structure."""
    with open(results / "cohort" / "measurements.csv", encoding="utf-8", newline="") as stream:
        return {(row["case"], row["structure"]): row for row in csv.DictReader(stream)}


def totalsegmentator(rows: Rows, data: Path) -> list[Comparison]:
    """Volume and mean intensity of every structure that its statistics.json has a volume of."""
    found = []
    for name, said in _statistics(data).items():
        if said["volume"] > 0:
            row = rows["ct-small", name]
            for key, column in (("volume", "mask_volume_mm3"), ("intensity", "stat_mean")):
                found.append(Comparison("TotalSegmentator", column, float(row[column]), said[key]))
    return found


def absent_from_totalsegmentator(data: Path) -> list[str]:
    """The structures that its statistics.json has no volume of."""
    return [name for name, said in _statistics(data).items() if said["volume"] == 0]


def _statistics(data: Path) -> dict[str, dict[str, float]]:
    path = data / "totalsegmentator" / "example_seg_fast" / "statistics.json"
    return json.loads(path.read_text())


def pyradiomics(rows: Rows, data: Path) -> list[Comparison]:
    """Shape and first-order features of its brain1 and breast1."""
    return [comparison for case in RADIOMICS_CASES for comparison in _radiomics(case, rows, data)]


def _radiomics(case: str, rows: Rows, data: Path) -> Iterator[Comparison]:
    theirs: dict[str, str] = {}
    for table in ("shape", "firstorder"):
        with open(data / "pyradiomics" / "baseline" / f"baseline_{table}.csv") as stream:
            theirs |= {line["featureName"]: line[case] for line in csv.DictReader(stream)}
    row = rows[f"radiomics-{case}", "mask"]
    for feature, column in (SHAPE | INTENSITY).items():
        yield Comparison("PyRadiomics", column, float(row[column]), float(theirs[feature]))
    # IBSI's reference values have the sample covariance of the voxels, PyRadiomics the population's.
    voxels = round(float(row["morph_vol_approx"]) / _voxel_volume(theirs))
    for feature, column in AXES.items():
        ours = float(row[column]) * math.sqrt((voxels - 1) / voxels)
        yield Comparison("PyRadiomics", column, ours, float(theirs[feature]))


def _voxel_volume(baseline: dict[str, str]) -> float:
    spacing = baseline["diagnostics_Image-original_Spacing"].strip("()").split(",")
    return math.prod(float(step) for step in spacing)


def ibsi(rows: Rows, data: Path) -> list[Comparison]:
    """Every quantity of IBSI's digital phantom that we report."""
    path = data / "ibsi" / "reference_values" / "ibsi_1_dig_phantom.csv"
    row = rows[IBSI_CASE, "mask"]
    with open(path, encoding="utf-8-sig", newline="") as stream:
        return [
            Comparison("IBSI", tag, float(row[tag]), float(value), float(tolerance))
            for value, tolerance, tag in list(csv.reader(stream, delimiter=";"))[1:]
            if tag in row and value
        ]


def aorta(rows: Rows) -> list[Comparison]:
    """Voxel volume and surface volume inside vmtk's level set."""
    row = rows["aorta-levelset", "aorta"]
    return [
        Comparison("vmtk", column, float(row[column]), LEVEL_SET_MM3)
        for column in ("mask_volume_mm3", "surface_volume_mm3")
    ]


def distances_to_vmtk(results: Path, data: Path) -> np.ndarray:
    """Distances (mm) of our surface's points from vmtk's, and of its points from ours.

    Ours is in LPS as it stands in the file; theirs is in RAS and is brought to LPS here.
    """
    ours = pyvista.read(results / "cases" / "aorta-levelset" / "surfaces" / "aorta.ply")
    theirs = pyvista.read(data / "vmtk_aorta" / "aorta-surface.vtp")
    theirs.points = theirs.points * np.array([-1, -1, 1], theirs.points.dtype)
    both = ((ours, theirs), (theirs, ours))
    found = [one.compute_implicit_distance(other)["implicit_distance"] for one, other in both]
    return np.abs(np.concatenate(found))


def surface_differences(results: Path, rows: Rows, voxels: int) -> dict[tuple[str, str], float]:
    """Surface against isotropic mask, %, of each structure of more than so many voxels."""
    found = {}
    for (case, structure), row in rows.items():
        if row["status"] == "ok":
            said = json.loads((results / "cases" / case / "labels.json").read_text())
            if float(row["morph_vol_approx"]) / math.prod(said["spacing_mm"]) > voxels:
                found[case, structure] = float(row["surface_vs_isotropic_percent"])
    return found


def supplied_differences(rows: Rows) -> dict[tuple[str, str], float]:
    """Isotropic mask against supplied label, %, where no edge of the scan cuts the structure."""
    column = "isotropic_vs_supplied_percent"
    return {
        key: float(row[column])
        for key, row in rows.items()
        if row[column] and row["touches_border"] == "false"
    }


def told_volumes(rows: Rows) -> tuple[int, str]:
    """How many rows have a volume; by which methods, and how wide half of their intervals are, %."""
    told = [row for row in rows.values() if row["volume_mm3"]]
    ways = Counter(row["volume_method"] for row in told)
    ends = [[float(r[f"volume_{end}mm3"]) for end in ("low_", "high_", "")] for r in told]
    width = np.median([100 * (high - low) / volume for low, high, volume in ends])
    methods = ", ".join(f"{number} by {way}" for way, number in ways.most_common())
    return len(told), f"{methods}; half of the intervals at least {width:.0f} % wide"


def _lines(results: Path, data: Path) -> Iterator[tuple[str, str, int, str]]:
    rows = measured(results)
    for source, found in (
        ("TotalSegmentator `statistics.json`, example_ct_sm", totalsegmentator(rows, data)),
        ("PyRadiomics baselines, brain1 and breast1", pyradiomics(rows, data)),
    ):
        for column in dict.fromkeys(comparison.quantity for comparison in found):
            deviations = [c.deviation for c in found if c.quantity == column]
            yield source, f"`{column}`", len(deviations), f"{max(deviations):.1e}"
    for family in ("morph", "stat"):
        found = [c for c in ibsi(rows, data) if c.quantity.startswith(family)]
        agreeing = f"{sum(c.agrees for c in found)} within the published tolerance"
        yield "IBSI digital phantom", f"`{family}_*`", len(found), agreeing
    for comparison in aorta(rows):
        yield "vmtk level set", f"`{comparison.quantity}`", 1, f"{comparison.deviation:.1e}"
    apart = distances_to_vmtk(results, data)
    told = f"mean {apart.mean():.2f} mm, largest {apart.max():.2f} mm"
    yield "vmtk surface, RAS brought to LPS", "distance between surfaces", len(apart), told
    differences = surface_differences(results, rows, 1000).values()
    told = f"{max(map(abs, differences)):.1e} %"
    yield "all cases, over 1000 voxels", "`surface_vs_isotropic_percent`", len(differences), told
    yield "all cases", "`volume_mm3`", *told_volumes(rows)
    differences = supplied_differences(rows).values()
    told = f"{max(map(abs, differences)):.1e} %"
    yield (
        "all cases, not cut by the scan",
        "`isotropic_vs_supplied_percent`",
        len(differences),
        told,
    )


if __name__ == "__main__":
    print("| source | quantity | n | largest deviation |\n|---|---|---|---|")
    for line in _lines(Path(sys.argv[1]), Path(sys.argv[2])):
        print("| " + " | ".join(map(str, line)) + " |")
