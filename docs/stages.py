"""A labelled scan through the stages of a case, as the workflow runs them, and its volumes."""

import csv
import inspect
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from degradations import Labelled
from ingest import ingest
from measure import measure
from mesh import mesh
from resample import resample
from scanmill.recipe import Recipe
from scanmill.stage import run_stage
from scanmill.volume_file import write_volume
from segment import segment

VOLUMES = ("supplied_volume", "mask_volume", "volume", "volume_low", "volume_high")


@dataclass(frozen=True)
class Outcome:
    """A structure as measured; volumes in mm3, NaN where its row has none.

    supplied: of the label as drawn; mask: on the isotropic grid; told: `volume_mm3`, from low to high.
    """

    structure: str
    supplied: float
    mask: float
    told: float
    low: float
    high: float
    method: str

    def holds(self, volume: float) -> bool:
        """Does the interval hold a volume?"""
        return self.low <= volume <= self.high


def measured(case: Labelled, recipe: Recipe) -> list[Outcome]:
    """The structures of a recipe that a scan has, through the stages as the workflow runs them."""
    with tempfile.TemporaryDirectory() as folder:
        rows = measured_rows(case, recipe, Path(folder) / "a")
    return [
        Outcome(
            row["structure"],
            *(float(row[f"{name}_mm3"] or "nan") for name in VOLUMES),
            row["volume_method"],
        )
        for row in rows
    ]


def measured_rows(case: Labelled, recipe: Recipe, own: Path) -> list[dict[str, str]]:
    """The rows of a scan's measurements.

    own: a new folder, named like the case, in which what the stages write stays; scan and labels are
    written beside it.
    """
    scan, labels = own.with_name("scan.nii.gz"), own.with_name("supplied.nii.gz")
    write_volume(scan, case.scan)
    write_volume(labels, case.labels)
    own.mkdir()
    named = ("volume", "isotropic", "unsmoothed", "artefacts", "labels")
    files = {name: own / f"{name}.nii.gz" for name in named}
    files |= {name: own / name for name in ("overlaps", "doubts", "surfaces")}
    files |= {"model": own / "model.glb", "measurements": own / "measurements.csv"}
    files |= {"scan": [scan], "supplied": [labels]}
    said = vars(recipe) | {"case": own.name, "formats": ["ply"], "supplied_structures": [None]}

    def run(
        stage: Callable[..., None], reads: str, writes: str, **other: Path | list[Path]
    ) -> None:
        inputs = {name: files[name] for name in reads.split()} | other
        outputs = {name: files[name] for name in writes.split()}
        taken = inspect.signature(stage).parameters
        parameters = {name: value for name, value in said.items() if name in taken}
        run_stage(stage.__name__, stage, inputs, outputs, parameters)

    run(ingest, "scan", "volume")
    run(resample, "volume", "isotropic unsmoothed artefacts")
    reads = "isotropic supplied" if recipe.supplied() else "isotropic"
    run(segment, reads, "labels overlaps doubts")
    run(mesh, "labels overlaps", "surfaces model")
    reads = "volume artefacts labels overlaps doubts surfaces"
    run(
        measure,
        reads,
        "measurements",
        isotropic=files["unsmoothed"],
        centrelines=[],
        simulations=[],
    )
    with open(files["measurements"], newline="") as stream:
        return list(csv.DictReader(stream))
