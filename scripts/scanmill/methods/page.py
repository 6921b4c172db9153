"""The methods of a run as Markdown for a paper, and the works that it names as BibTeX."""

import re
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from scanmill import visits
from scanmill.cohort import Sidecars
from scanmill.group_comparison.question import Question, name_of
from scanmill.methods.references import REFERENCES
from scanmill.methods.text import sentences

CITATION = re.compile(r"\[@([^\]]+)\]")
BY_HIGHDICOM = ("seg", "labelmap", "sr")
CORRECTIONS = ("metal", "bias", "noise")
# By value of the column volume_method.
VOLUMES = {
    "fit": "by a body of the mask's shape, grown or shrunk to the image",
    "fractions": "by moving each patch of the boundary to where the image shows it",
    "count": "by the mask's voxels, where the image shows next to nothing of the boundary",
}


def page(
    provenance: dict[str, Any], sidecars: dict[str, Sidecars], rows: list[dict[str, str]]
) -> tuple[str, str]:
    """The methods of a run, and their references in BibTeX.

    sidecars: of each case, atlases included, at least of resample where it was measured. rows: of the
    cohort's table.
    """
    paragraphs = [" ".join(_run(provenance, rows))]
    for name, recipe in provenance["recipes"].items():
        cases = [case for case, row in provenance["sheet"].items() if row["recipe"] == name]
        atlases = [case for case in cases if provenance["sheet"][case]["role"] == "atlas"]
        told = [sidecars[case]["resample"] for case in cases if case not in atlases]
        told = [said for said in told if said["status"] == "ok"]
        if told:
            applied = {way: sum(_applied(said, way) for said in told) for way in CORRECTIONS}
            said = sentences(recipe, len(told), len(atlases), applied)
            paragraphs.append(f"Recipe {name}. " + " ".join(said))
    comparisons = [*_simulated(rows), *_references(rows), *_changes(provenance["sheet"])]
    comparisons += _groups(provenance["settings"]["statistics"])
    paragraphs.append(" ".join([*_measures(rows), *comparisons]))
    text = "\n\n".join(filter(None, paragraphs))
    keys = dict.fromkeys(key for cited in CITATION.findall(text) for key in _keys(cited))
    works = sorted((REFERENCES[key].line(), key) for key in keys)
    listed = "\n".join(f"- {line}" for line, _ in works)
    methods = f"# Methods\n\n{CITATION.sub(_named, text)}\n\n## References\n\n{listed}\n"
    return methods, "\n".join(REFERENCES[key].bibtex(key) for key in sorted(keys))


def _run(provenance: dict[str, Any], rows: list[dict[str, str]]) -> Iterator[str]:
    sheet = provenance["sheet"]
    scans = [case for case, row in sheet.items() if row["role"] == "scan"]
    used = provenance["software"]
    versions = used[0]
    yield (
        f"{len(scans)} scans were processed with ScanMill {versions['scanmill']}, a workflow of "
        f"Snakemake {version('snakemake')} [@snakemake] in Python {versions['python']} with NumPy "
        f"{versions['numpy']} [@numpy], Numba {versions['numba']} [@numba], SimpleITK "
        f"{versions['SimpleITK']} [@simpleitk] and VTK {versions['vtk']} [@vtk]."
    )
    if len(used) > 1:
        yield f"Some results were made with other versions: {len(used)} sets of them are in provenance."
    states = {(row["case"], row["structure"]): row["code"] for row in rows if row["code"]}
    if states:
        codes = Counter(states.values())
        told = ", ".join(f"{code} ({count})" for code, count in sorted(codes.items()))
        yield f"Of {len(rows)} structures {len(states)} were not measured, by reason: {told}."
    written = [kind for kind in provenance["settings"]["export"] if kind in BY_HIGHDICOM]
    if written:
        yield f"DICOM objects ({', '.join(written)}) were written by highdicom [@highdicom]."


def _measures(rows: list[dict[str, str]]) -> Iterator[str]:
    measured = [row for row in rows if row["status"] == "ok"]
    if not measured:
        return
    yield (
        "Shape (morph_…) and intensity (stat_…) features follow the Image Biomarker Standardisation "
        "Initiative [@zwanenburg2020], axial diameters RECIST 1.1 [@eisenhauer2009]."
    )
    methods = Counter(row["volume_method"] for row in measured)
    ways = "; ".join(f"of {methods[by]} {way}" for by, way in VOLUMES.items() if methods[by])
    if ways:
        yield (
            "Volumes and their 95 % intervals were told from the intensities of the scan as acquired "
            "by Bayes' rule, with what the method that found the structure would not rule out: "
            f"{ways}."
        )


def _simulated(rows: list[dict[str, str]]) -> Iterator[str]:
    solvers = Counter(row["simulation_solver"] for row in rows if row.get("simulation_solver"))
    if solvers:
        told = ", ".join(f"{solver} ({count})" for solver, count in sorted(solvers.items()))
        yield f"Simulations were solved by {told}."
    others = sum("simulation-fallback" in row.get("warnings", "").split() for row in rows)
    if others:
        yield (
            f"What could not be simulated as the recipe asks ({others} in number) was with edges of "
            "another length, or from a blurred mask, as the rows tell."
        )


def _references(rows: list[dict[str, str]]) -> Iterator[str]:
    compared = [row for row in rows if row.get("reference_status") == "ok"]
    if not compared:
        return
    tolerances = sorted({float(row["surface_dice_tolerance_mm"]) for row in compared})
    yield (
        f"{len(compared)} structures were compared with reference masks, on the references' own grids, "
        "as Metrics Reloaded defines it [@maierhein2024]: by Dice, intersection over union, normalised "
        f"surface Dice at {' and '.join(f'{mm:g}' for mm in tolerances)} mm, Hausdorff distance, its "
        "95th percentile and average symmetric surface distance, surfaces weighted by area "
        "[@nikolov2021]; volumes by limits of agreement [@bland1999] and the intraclass correlation "
        "ICC(2,1) [@mcgraw1996]."
    )


def _changes(sheet: dict[str, Any]) -> Iterator[str]:
    if any(visits.pairs(sheet)):
        yield (
            "Intervals of changes between timepoints were made of those of both volumes [@zou2008]; a "
            "change counts where it exceeds what chance alone exceeds in 5 %."
        )


def _groups(question: Question | None) -> Iterator[str]:
    if question is None:
        return
    group, names = question["group"], [name_of(c) for c in question["covariates"]]
    adjusted = f", adjusted for {', '.join(names)}" if names else ""
    correction = {
        "holm": "Holm's method [@holm1979]",
        "benjamini-hochberg": "the method of Benjamini and Hochberg [@benjamini1995]",
    }[question["correction"]]
    yield (
        f"Groups by {group['column']} were compared with {group['reference']} in "
        f"{', '.join(question['quantities'])}{adjusted}, by ordinary least squares in statsmodels "
        f"{version('statsmodels')} [@seabold2010] with HC2 standard errors and Bell and McCaffrey's "
        "degrees of freedom [@imbens2016]; effect sizes are Hedges' g [@hedges1981]; p was corrected "
        f"for all comparisons together by {correction}."
    )


def _applied(said: dict[str, Any], way: str) -> bool:
    """Whether a scan was corrected in that way: what was asked for may not have been needed."""
    if way == "metal":
        return said["artefacts"].get("metal_percent", 0) > 0
    return said["corrections"].get(way, {}).get("applied", False)


def _keys(cited: str) -> list[str]:
    return [key.strip().removeprefix("@") for key in cited.split(";")]


def _named(citation: re.Match) -> str:
    return f"({'; '.join(REFERENCES[key].short() for key in _keys(citation[1]))})"
