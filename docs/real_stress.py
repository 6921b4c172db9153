"""Stress in the walls of two real aortas, as a Markdown table.

    python docs/real_stress.py DATA FOLDER

DATA: the folder of public scans. FOLDER: a new one, for the cohort: vmtk's aorta by its level set, and
TotalSegmentator's by its labels; a hyperelastic wall of 1.5 mm under 120 mmHg.
"""

import sys
from pathlib import Path

import SimpleITK as sitk
import simulated

RECIPE = """\
description: A real aorta with a hyperelastic wall
modality: any
spacing: {spacing}
structures:
  - name: aorta
    label: {label}
    code: {{scheme: SCT, value: "15825003", meaning: Aorta}}
    colour: "#d62728"
    centreline: true
    simulate:
      wall: {{surface: inner, thickness: 1.5, edge: {edge}, material: raghavan-vorp, pressure: 120}}
    segment: {{method: labels}}
"""
# Of the whole CT; example_seg is of a piece of it.
LABELS = "example_seg_fast_force_split"
TOLD = (
    "tetrahedra",
    "dihedral_min_deg",
    "section_max_diameter_mm",
    "stress_mean_mpa",
    "stress_p99_mpa",
    "stress_raw_p99_mpa",
)


def main() -> None:
    """Write the cohort, run it, and print the table."""
    data, folder = (Path(name).resolve() for name in sys.argv[1:3])
    folder.mkdir(parents=True)
    level_set = sitk.ReadImage(str(data / "vmtk_aorta" / "aorta-final-levelset.mha"))
    sitk.WriteImage(sitk.Cast(level_set < 0, sitk.sitkUInt8), str(folder / "vmtk-labels.nrrd"))
    (folder / "vmtk.yaml").write_text(RECIPE.format(spacing=1, label=1, edge=2.5))
    (folder / "total.yaml").write_text(RECIPE.format(spacing=1.5, label=52, edge=3))
    total = data / "totalsegmentator"
    rows = [
        ("vmtk", data / "vmtk_aorta" / "aorta.mha", "vmtk-labels.nrrd", "vmtk.yaml"),
        ("total", total / "example_ct.nii.gz", total / f"{LABELS}.nii.gz", "total.yaml"),
    ]
    simulated.tell(folder, simulated.run(folder, rows), "aorta", TOLD)


if __name__ == "__main__":
    main()
