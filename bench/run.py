"""Time ScanMill's case against the careful and the naive script, side by side on one scan.

Usage: python bench/run.py FOLDER [--small] [--naive] [--opponents PYTHON]. ScanMill's case is that of a
real run of the workflow, as far as its row of measurements: the cost of each stage is what its job says
that it used. CPU seconds are user and system time of all threads, start of the interpreter and imports
included; memory is the largest resident set of any one process. What Snakemake itself takes for the one
case is told apart.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from scanmill import used  # noqa: E402

CASE = "bench"
LABELS = range(1, 26)
STAGES = ("ingest", "resample", "segment", "mesh", "measure")
RECIPE = {
    "description": "what careful.py does: 25 supplied labels at 1 mm, each cleaned",
    "modality": "CT",
    "spacing": 1.0,
    "correct": {"metal": "mark", "bias": "off", "noise": "off"},
    "structures": [
        {
            "name": f"label-{n}",
            "label": n,
            "code": {"scheme": "SCT", "value": "91723000", "meaning": "Anatomical structure"},
            "colour": "#dd8265",
            "segment": {
                "method": "labels",
                "value": n,
                "steps": [{"largest": 1}, {"fill": "holes"}],
            },
        }
        for n in LABELS
    ],
}


def cost(command: list[str]) -> used.Used:
    """What a command and what it starts take. Raises CalledProcessError where it fails."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, spent = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    return used.Used(spent.ru_maxrss * 1024e-6, spent.ru_utime + spent.ru_stime)


def scanmill(scan: Path, labels: Path, folder: Path) -> tuple[dict[str, used.Used], float]:
    """What each stage of the case takes, and the CPU seconds of Snakemake beside them.

    folder: of the run, which is made anew.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "torso.yaml").write_text(yaml.safe_dump(RECIPE))
    sheet = f"case\tscan\tlabels\trecipe\n{CASE}\t{scan}\t{labels}\t{folder / 'torso.yaml'}\n"
    (folder / "scans.tsv").write_text(sheet)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "1", "--quiet", "all"]
    command += ["--config", "scans=scans.tsv", "--", f"results/cases/{CASE}/measurements.csv"]
    whole = cost(command)
    spent = {stage: used.told(folder / "logs" / CASE / f"{stage}.log") for stage in STAGES}
    return spent, whole.cpu_s - sum(stage.cpu_s for stage in spent.values())


def table(stages: dict[str, used.Used], beside: float, others: dict[str, used.Used]) -> str:
    """The figures, and by how much ScanMill's differ from those of the other programs.

    beside: CPU seconds of Snakemake.
    """
    memory = max(stage.memory_mb for stage in stages.values())
    seconds = sum(stage.cpu_s for stage in stages.values())
    lines = [f"{'':12}{'CPU s':>9}{'MB':>8}{'ScanMill is':>14}{'of its memory':>16}"]
    rows = {f"  {name}": spent for name, spent in stages.items()}
    for name, spent in (rows | {"ScanMill": used.Used(memory, seconds)}).items():
        lines.append(f"{name:12}{spent.cpu_s:9.2f}{spent.memory_mb:8.0f}")
    lines.append(f"{'Snakemake':12}{beside:9.2f}")
    for name, spent in others.items():
        ratios = f"{seconds / spent.cpu_s:14.3f}{memory / spent.memory_mb:16.2f}"
        lines.append(f"{name:12}{spent.cpu_s:9.2f}{spent.memory_mb:8.0f}{ratios}")
    return "\n".join(lines)


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--naive", action="store_true")
    parser.add_argument("--opponents", default=sys.executable)
    options = parser.parse_args()
    bench = ROOT / "bench"
    folder = options.folder.absolute() / ("small" if options.small else "full")
    scan, labels = folder / "scan.nii.gz", folder / "labels.nii.gz"
    if not labels.exists():
        size = ["--small"] if options.small else []
        cost([options.opponents, str(bench / "scan.py"), str(folder), *size])
    # Compiled code is kept between runs, as on a user's second case.
    scanmill(scan, labels, folder / "scanmill")
    stages, beside = scanmill(scan, labels, folder / "scanmill")
    others = {}
    for name in ("careful", "naive") if options.naive else ("careful",):
        command = [options.opponents, str(bench / f"{name}.py"), str(scan), str(labels)]
        others[name] = cost([*command, str(folder / name)])
    print(table(stages, beside, others))


if __name__ == "__main__":
    main()
