"""A case whose stages have run, all but its report: a ball in an organ, on an oblique grid."""

from pathlib import Path
from typing import Any

import numpy as np
from earlier import GRID, LABELS, ball, image, organ, put_doubts, put_label_map, put_volume
from measure import measure
from mesh import mesh
from resample import resample
from scanmill.recipe_simulation import filled
from scanmill.stage import run_stage
from simulate import simulate

from report import refuse, report

COLOURS = {"organ": "#dd8265", "ball": "#33cc55"}
# Noise of a CT, without which nothing is there to be smoothed.
SD = 25.0
READ = (
    *("volume", "isotropic", "unsmoothed", "artefacts"),
    *("labels", "overlaps", "surfaces", "measurements"),
)


def put_case(
    folder: Path,
    correct: dict[str, str],
    masks: dict[str, np.ndarray] | None = None,
    solid: dict[str, Any] | None = None,
) -> dict[str, Path]:
    """Run the stages before; what report reads, by name. masks: of the structures, else both.

    solid: what is asked of the organ's simulation.
    """
    masks = {"organ": organ(), "ball": ball()} if masks is None else masks
    lacking = {"status": "refused", "code": "structure-empty", "reason": "no voxel was found"}
    said = {name: {"status": "ok"} if name in masks else lacking for name in LABELS}
    noise = np.random.default_rng(5).normal(0, SD, GRID.shape)
    volume = put_volume(folder / "volume.nii.gz", (image() + noise).astype(np.int16))
    resampled = {n: folder / f"{n}.nii.gz" for n in ("isotropic", "unsmoothed", "artefacts")}
    parameters = {"spacing": "native", "modality": "CT", "correct": correct, "expect": {}}
    run_stage("resample", resample, {"volume": volume}, resampled, parameters)
    labelled = put_label_map(folder, {"structures": said}, **masks)
    meshed = {"surfaces": folder / "surfaces", "model": folder / "model.glb"}
    structures = [
        {
            "name": name,
            "label": label,
            "colour": COLOURS[name],
            "triangles": None,
            "distances_to": [],
            "drawn": False,
        }
        for name, label in LABELS.items()
    ]
    asked = ("name", "label", "colour", "triangles")
    parameters = {"structures": chosen(structures, asked), "formats": ["ply"], "pass_band": 0.1}
    run_stage("mesh", mesh, labelled, meshed, parameters)
    inputs = {
        "volume": volume,
        "isotropic": resampled["unsmoothed"],
        "artefacts": resampled["artefacts"],
        **labelled,
        "doubts": put_doubts(folder),
        "surfaces": meshed["surfaces"],
        "centrelines": [],
        "simulations": [],
    }
    if solid:
        inputs["simulations"] = [put_simulation(folder, inputs, solid)]
    asked = ("name", "label", "distances_to", "drawn")
    parameters = {
        "case": folder.name,
        "structures": chosen(structures, asked),
        "ledger_limit": 0.001,
    }
    measured = {"measurements": folder / "measurements.csv"}
    run_stage("measure", measure, inputs, measured, parameters)
    found = {"volume": volume} | resampled | labelled | meshed | measured
    further = {name: inputs[name] for name in ("centrelines", "simulations")}
    return {name: found[name] for name in READ} | further


def put_simulation(folder: Path, inputs: dict[str, Path], solid: dict[str, Any]) -> Path:
    """Simulate the organ as a solid."""
    structures = [
        {"name": name, "label": label, "simulate": None} for name, label in LABELS.items()
    ]
    structures[0]["simulate"] = filled({"solid": solid})
    read = {name: inputs[name] for name in ("labels", "overlaps", "isotropic", "centrelines")}
    found = folder / "simulation"
    parameters = {"structures": structures, "pressures": {}}
    run_stage("simulate", simulate, read, {"simulation": found}, parameters)
    return found


def run_report(inputs: dict[str, Path]) -> Path:
    """Run the stage; the page."""
    folder = inputs["volume"].parent
    page = folder / "report.html"
    structures = [
        {
            "name": name,
            "label": label,
            "colour": COLOURS[name],
            "code": {"scheme": "SCT", "value": "1", "meaning": f"{name} & its <rim>"},
        }
        for name, label in LABELS.items()
    ]
    parameters = {"case": folder.name, "structures": structures}
    outputs = {"report": page, "thumbnail": folder / "thumbnail.png"}
    run_stage("report", report, inputs, outputs, parameters, refused=refuse)
    return page


def chosen(structures: list[dict], keys: tuple[str, ...]) -> list[dict]:
    """What a stage needs to know of structures."""
    return [{key: s[key] for key in keys} for s in structures]
