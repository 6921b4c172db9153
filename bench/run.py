"""Time ScanMill's case against the careful and the naive script, side by side on one scan.

Usage: python bench/run.py FOLDER [--small] [--naive] [--opponents PYTHON]. Each program runs in its own
processes; CPU seconds are user and system time of all threads, start of the interpreter and imports
included; memory is the largest resident set of any one process. ScanMill's five stages run as their
scripts do in the workflow, each in a process of its own, sidecars and checksums included.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LABELS = range(1, 26)
STEPS = [{"largest": 1}, {"fill": "holes"}]
JOB = """
import json, sys
from importlib import import_module
from pathlib import Path
from scanmill.stage import run_stage
name, inputs, outputs, parameters = json.loads(sys.argv[1])
def paths(named):
    return {k: [Path(p) for p in v] if isinstance(v, list) else Path(v) for k, v in named.items()}

run_stage(name, getattr(import_module(name), name), paths(inputs), paths(outputs), parameters)
"""


def stages(scan: Path, labels: Path, case: Path) -> list[tuple[str, dict, dict, dict]]:
    """Name, inputs, outputs and parameters of each stage of the case."""
    structures = [
        {
            "name": f"label-{n}",
            "label": n,
            "colour": "#dd8265",
            "triangles": None,
            "segment": {"method": "labels", "value": n, "steps": STEPS},
            "distances_to": [],
            "drawn": False,
        }
        for n in LABELS
    ]

    def chosen(*keys: str) -> list[dict]:
        return [{key: s[key] for key in keys} for s in structures]

    at = {
        name: str(case / file)
        for name, file in (
            ("volume", "volume.nii.gz"),
            ("isotropic", "isotropic.nii.gz"),
            ("unsmoothed", "unsmoothed.nii.gz"),
            ("artefacts", "artefacts.nii.gz"),
            ("labels", "labels.nii.gz"),
            ("overlaps", "overlaps"),
            ("surfaces", "surfaces"),
            ("model", "model.glb"),
            ("measurements", "measurements.csv"),
        )
    }

    def files(*names: str) -> dict[str, str]:
        return {name: at[name] for name in names}

    return [
        ("ingest", {"scan": [str(scan)]}, files("volume"), {}),
        (
            "resample",
            files("volume"),
            files("isotropic", "unsmoothed", "artefacts"),
            {
                "spacing": 1.0,
                "modality": "CT",
                "correct": {"metal": "mark", "bias": "off", "noise": "off"},
            },
        ),
        (
            "segment",
            files("isotropic") | {"supplied": [str(labels)]},
            files("labels", "overlaps"),
            {
                "modality": "CT",
                "structures": chosen("name", "label", "segment"),
                "supplied_structures": [None],
            },
        ),
        (
            "mesh",
            files("labels", "overlaps"),
            files("surfaces", "model"),
            {
                "structures": chosen("name", "label", "colour", "triangles"),
                "formats": ["ply"],
                "pass_band": 0.1,
            },
        ),
        (
            "measure",
            files("volume", "artefacts", "labels", "overlaps", "surfaces")
            | {"isotropic": at["unsmoothed"]},
            files("measurements"),
            {
                "case": "bench",
                "structures": chosen("name", "label", "distances_to", "drawn"),
                "ledger_limit": 10.0,
            },
        ),
    ]


def cost(command: list[str], **environment: str) -> tuple[float, float]:
    """CPU seconds and peak MiB of a command. Raises CalledProcessError where it fails."""
    process = subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command[:3])
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def scanmill(scan: Path, labels: Path, case: Path) -> dict[str, tuple[float, float]]:
    """Cost of each stage."""
    case.mkdir(parents=True, exist_ok=True)
    environment = {
        "PYTHONPATH": str(ROOT / "scripts"),
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    return {
        stage[0]: cost([sys.executable, "-c", JOB, json.dumps(stage)], **environment)
        for stage in stages(scan, labels, case)
    }


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--naive", action="store_true")
    parser.add_argument("--opponents", default=sys.executable)
    options = parser.parse_args()
    bench = ROOT / "bench"
    folder = options.folder / ("small" if options.small else "full")
    scan, labels = folder / "scan.nii.gz", folder / "labels.nii.gz"
    if not labels.exists():
        size = ["--small"] if options.small else []
        cost([options.opponents, str(bench / "scan.py"), str(folder), *size])
    # Compiled code is kept between runs, as on a user's second case.
    scanmill(scan, labels, folder / "scanmill")
    ours = scanmill(scan, labels, folder / "scanmill")
    rows = {f"  {name}": spent for name, spent in ours.items()}
    rows["ScanMill"] = (sum(s for s, _ in ours.values()), max(m for _, m in ours.values()))
    for name in ("careful", "naive") if options.naive else ("careful",):
        command = [options.opponents, str(bench / f"{name}.py"), str(scan), str(labels)]
        rows[name] = cost([*command, str(folder / name)])
    own_seconds, own_memory = rows["ScanMill"]
    print(f"{'':12}{'CPU s':>9}{'MiB':>8}{'ScanMill is':>14}{'of its memory':>16}")
    for name, (seconds, memory) in rows.items():
        line = f"{name:12}{seconds:9.2f}{memory:8.0f}"
        if name in ("careful", "naive"):
            line += f"{own_seconds / seconds:14.3f}{own_memory / memory:16.2f}"
        print(line)


if __name__ == "__main__":
    main()
