"""The cohort that config/costs.yaml is fitted to: public scans, phantoms and a CT of 512 x 512 x 400.

Some of the scans are there on finer voxels and corrected, too. `python docs/costs.py DATA FOLDER`, DATA
being what `make real` knows, writes the cohort; then `snakemake --directory FOLDER --cores 1
--config scans=scans.tsv`, and `make calibrate RUN=FOLDER`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "real"))

import cohort  # noqa: E402

PUBLIC = (
    "ct-torso-rules", "ct-torso", "sarcoma-002-rules", "sarcoma-002-ct", "sarcoma-002-mr",
    "sarcoma-008-ct", "head-overlapping-masks", "colin-aal", "mr-small", "ct-small", "cord",
    "head-metaimage", "radiomics-brain1", "aorta-angiography", "hippocampus-dicom",
)  # fmt: skip
PHANTOMS = ("ct-straight", "ct-flipped", "ct-one-kidney", "mr-oblique", "mr-sagittal")
BRIGHT: dict[str, Any] = {
    "description": "whatever is brighter than 100 units, in one piece",
    "modality": "any",
    "spacing": 1.0,
    "structures": [
        {
            "name": "bright",
            "label": 1,
            "code": {"scheme": "99TEST", "value": "bright", "meaning": "bright region"},
            "colour": "#b17a65",
            "segment": {
                "method": "rules",
                "steps": [{"window": [100, None]}, {"largest": 1}, {"fill": "holes"}],
            },
        }
    ],
}
# Of other recipes of scans: the case of the scan, or `large`, and what they have otherwise than BRIGHT.
BRIGHTER: dict[str, tuple[str, dict[str, Any]]] = {
    "head-corrected": (
        "head-overlapping-masks",
        {"modality": "MR", "correct": {"bias": "n4", "noise": "diffusion"}},
    ),
    "head-n4": ("mni-t1", {"modality": "MR", "correct": {"bias": "n4"}}),
    "torso-inpaint": (
        "ct-torso",
        {"modality": "CT", "spacing": 2.0, "correct": {"metal": "inpaint"}},
    ),
    "torso-diffusion": ("ct-torso", {"modality": "CT", "correct": {"noise": "diffusion"}}),
    "large-diffusion": ("large", {"modality": "CT", "correct": {"noise": "diffusion"}}),
    "large-inpaint": (
        "large",
        {"modality": "CT", "spacing": 2.0, "correct": {"metal": "inpaint"}},
    ),
    "large-mr": ("large", {"modality": "MR"}),
    "large-n4": ("large", {"modality": "MR", "correct": {"bias": "n4"}}),
    "large-any": ("large", {}),
}
# The shipped recipe, its spacing in mm, and the case whose scan and labels it is for.
FINER = {
    "torso-fine": ("ct-body", 0.9, "ct-torso-rules"),
    "torso-labels-fine": ("totalsegmentator", 1.0, "ct-torso"),
}


def rows(data: Path, folder: Path) -> list[tuple[str, str, str, str, str]]:
    """Case, scan, recipe, labels and role of each row; paths relative to the folder."""
    known = {row["case"]: row for row in cohort.rows(data)}

    def there(text: str) -> str:
        parts = (part.rpartition("=") for part in text.split(";") if part)
        return ";".join(f"{n}{e}{os.path.relpath(data / path, folder)}" for n, e, path in parts)

    def row(case: str, of: str, recipe: str, labelled: bool) -> tuple[str, str, str, str, str]:
        scan = "scan.nii.gz" if of == "large" else there(known[of]["scan"])
        labels = there(known[of]["labels"]) if labelled else ""
        return case, scan, recipe, labels, ""

    found = [row(case, case, known[case]["recipe"], True) for case in PUBLIC]
    found += [row(case, of, f"./{case}.yaml", False) for case, (of, _) in BRIGHTER.items()]
    found += [row(case, of, f"./{case}.yaml", True) for case, (_, _, of) in FINER.items()]
    found.append(("large-labels", "scan.nii.gz", "./large-labels.yaml", "labels.nii.gz", ""))
    found.append(row("large-rules", "large", "ct-body", False))
    for name in PHANTOMS:
        labels = f"phantom:{name}" if name.startswith("mr") else ""
        found.append((f"phantom-{name}", f"phantom:{name}", f"phantom-{name[:2]}", labels, ""))
    for n, path in enumerate(sorted((data / "msd_hippocampus/images").glob("*.nii.gz"))[12:18]):
        labels = there(f"msd_hippocampus/labels/{path.name}") if n < 4 else ""
        role = "atlas" if n < 4 else "scan"
        found.append(
            (f"hippocampus-{n}", there(str(path.relative_to(data))), "hippocampus", labels, role)
        )
    return found


def write_recipes(folder: Path) -> None:
    """The recipes that the workflow does not ship, in that part of YAML which is JSON."""
    made = {case: BRIGHT | changes for case, (_, changes) in BRIGHTER.items()}
    for case, (shipped, spacing, _) in FINER.items():
        recipe = yaml.safe_load((ROOT / "config" / "recipes" / f"{shipped}.yaml").read_text())
        made[case] = recipe | {"spacing": spacing}
    segment = {"method": "labels", "steps": [{"largest": 1}, {"fill": "holes"}]}
    labelled = BRIGHT["structures"][0] | {"segment": segment}
    made["large-labels"] = BRIGHT | {
        "modality": "CT",
        "structures": [labelled | {"name": f"label-{n}", "label": n} for n in range(1, 26)],
    }
    for case, recipe in made.items():
        (folder / f"{case}.yaml").write_text(json.dumps(recipe, indent=1))


if __name__ == "__main__":
    data, folder = (Path(text).resolve() for text in sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, ROOT / "bench" / "scan.py", folder], check=True)
    write_recipes(folder)
    lines = ["\t".join(row) for row in rows(data, folder)]
    (folder / "scans.tsv").write_text(
        "\n".join(["case\tscan\trecipe\tlabels\trole", *lines]) + "\n"
    )
