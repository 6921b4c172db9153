"""Real organs as solid bodies, as a Markdown table, and a picture of one.

    python docs/solids.py DATA FOLDER [picture.png]

DATA: the folder of public scans. FOLDER: a new one, for the cohort: a vertebra of TotalSegmentator's CT
between its sides, as stiff as its Hounsfield units say; its liver, and an anterior hippocampus by hand,
as meshes.
"""

import sys
from pathlib import Path

import numpy as np
import simulated

RECIPE = """\
description: A real organ as a solid body
modality: {modality}
spacing: {spacing}
structures:
  - name: {name}
    label: {label}
    code: {{scheme: 99LOCAL, value: ORGAN, meaning: Organ}}
    colour: "#d62728"
    simulate: {{solid: {solid}}}
    segment: {{method: labels}}
"""
# Water at 0 HU, and a gram of apparent density a thousand HU: a guess, as no phantom was in the scan.
BONE = (
    "{law: morgan-2003-vertebra, density: {slope: 0.001, intercept: 0.0}, poisson: 0.3, least: 10}"
)
LOAD = "{held: inferior, pressed: superior, force: 1000, depth: 22}"
ORGANS = {
    "vertebra": ("CT", 1.5, 31, f"{{edge: 3, material: {BONE}, load: {LOAD}}}"),
    "liver": ("CT", 3, 5, "{edge: 8, formats: [msh]}"),
    "hippocampus": ("MR", 1, 1, "{edge: 2, formats: [msh]}"),
}
TOLD = (
    "tetrahedra",
    "dihedral_min_deg",
    "dihedral_p1_deg",
    "scaled_jacobian_min",
    "mesh_vs_mask_percent",
    "young_mean_mpa",
    "stiffness_n_per_mm",
    "von_mises_p99_mpa",
    "strain_third_p1",
)


def main() -> None:
    """Write the cohort, run it, and print the table."""
    data, folder = (Path(name).resolve() for name in sys.argv[1:3])
    folder.mkdir(parents=True)
    total, hippocampi = data / "totalsegmentator", data / "msd_hippocampus"
    ct = total / "example_ct_sm.nii.gz", total / "example_seg.nii.gz"
    mr = tuple(hippocampi / kind / "hippocampus_003.nii.gz" for kind in ("images", "labels"))
    scans = {"vertebra": ct, "liver": ct, "hippocampus": mr}
    rows = [(name, *scan, f"{name}.yaml") for name, scan in scans.items()]
    for name, (modality, spacing, label, solid) in ORGANS.items():
        text = RECIPE.format(
            modality=modality, spacing=spacing, name=name, label=label, solid=solid
        )
        (folder / f"{name}.yaml").write_text(text)
    simulated.tell(folder, simulated.run(folder, rows), "organ", TOLD)
    if sys.argv[3:]:
        draw(folder / "results" / "cases" / "vertebra" / "simulation" / "vertebra.vtu", sys.argv[3])


def draw(path: Path, picture: str) -> None:
    """Half of the vertebra by its stiffness, and by what it is put under."""
    import pyvista

    body = pyvista.read(path)
    half = body.clip(normal=(1, 0, 0))
    plotter = pyvista.Plotter(off_screen=True, shape=(1, 2), window_size=(1400, 700), border=False)
    shown = {"young_N_mm2": "Young's modulus, N/mm2", "von_mises_stress_N_mm2": "von Mises, N/mm2"}
    for column, (name, title) in enumerate(shown.items()):
        plotter.subplot(0, column)
        plotter.add_mesh(
            half.copy(),
            scalars=name,
            show_edges=True,
            clim=(0, np.quantile(body.cell_data[name], 0.98)),
            scalar_bar_args={"title": title, "color": "black"},
        )
        plotter.camera_position = "yz"
        plotter.camera.zoom(1.15)
        plotter.camera.azimuth, plotter.camera.elevation = -20, 15
    plotter.screenshot(picture)


if __name__ == "__main__":
    main()
