"""Sentences on what was done to the scans of a recipe: what it asked for, and nothing else.

A sentence names works by their keys, `[@grady2006]`, as Pandoc does; see `page`.
"""

from collections.abc import Iterator
from typing import Any

from scanmill.methods import simulations

Structure = dict[str, Any]

# By method: how structures are found by it.
FOUND = {
    "labels": "{names} {were} taken from supplied labels, brought onto the voxels by shape-based "
    "interpolation that keeps each label's volume [@raya1990]",
    "rules": "{names} {were} found by rules on intensity, size and place",
    "seeded": "{names} {were} grown from seeds by random walks [@grady2006] with the intensities of "
    "what they find as a prior [@grady2005]",
    "atlas": "{names} {were} found by {atlases} labelled scans of the cohort: symmetric diffeomorphic "
    "registration [@avants2008; @vercauteren2008], joint label fusion [@wang2013] and expectation "
    "maximisation on the intensities [@leemput1999]",
    "learn": "{names} {were} found by {folds} U-Nets after nnU-Net [@isensee2021], trained on "
    "{atlases} labelled scans of the cohort and cross-validated",
    "model": "{names} {were} found by trained networks ({sources}), window by window [@isensee2021]",
    "shape": "{names} {were} completed by statistical models of shape [@cootes1995] of {atlases} "
    "labelled scans of the cohort",
}
# By step of a recipe: what else is to be named.
STEPS = {
    "side": "The patient's left and right were parted by the plane across which the scan is most like "
    "itself [@ardekani1997].",
    "margin": "Margins were grown in millimetres in each direction of the patient [@stroom1997].",
    "handles": "Handles were cut or filled [@kriegeskorte2001].",
}


def sentences(
    recipe: dict[str, Any], scans: int, atlases: int, applied: dict[str, int]
) -> Iterator[str]:
    """What a recipe had done.

    recipe: as in provenance. scans: how many it had; atlases: how many labelled ones taught it.
    applied: to how many scans each correction that may be left out was made.
    """
    yield _grid(recipe, scans)
    yield from _corrections(recipe, scans, applied)
    yield from _segmentation(recipe, atlases)
    yield from _surfaces(recipe)
    yield from _courses(recipe["structures"])
    yield from simulations.sentences(recipe["structures"])
    yield from _distances(recipe["structures"])


def _grid(recipe: dict[str, Any], scans: int) -> str:
    kind = "" if recipe["modality"] == "any" else f"{recipe['modality']} "
    what = f"The {kind}scan was" if scans == 1 else f"The {scans} {kind}scans were"
    if recipe["spacing"] == "native":
        return f"{what} worked on as acquired, without resampling."
    return (
        f"{what} resampled to cubic voxels of {recipe['spacing']:g} mm: by cubic convolution "
        "[@keys1981], held to the range of the values that it lies between, where that is finer, and "
        "by averages where it is coarser."
    )


def _corrections(recipe: dict[str, Any], scans: int, applied: dict[str, int]) -> Iterator[str]:
    correct, modality = recipe["correct"], recipe["modality"]
    if recipe["uneven_slices"] == "resample":
        yield "DICOM slices at uneven distances were resampled to even ones."
    if modality == "CT":
        yield "Of the CT, patient table and padding were set to air, and artefacts marked."
    if applied["metal"] and correct["metal"] == "mark":
        yield (
            f"In {applied['metal']} of {scans} there was metal: streaks were marked by what normalised "
            "in-painting of projections [@meyer2010] would change, and values left as they were."
        )
    if applied["metal"] and correct["metal"] == "inpaint":
        yield (
            f"In {applied['metal']} of {scans} there was metal: values around it were corrected by "
            "normalised in-painting of projections [@meyer2010]."
        )
    if correct["bias"] == "n4":
        yield (
            "The bias field was estimated by N4 [@tustison2010], and taken off where tissues became "
            f"purer: in {applied['bias']} of {scans}."
        )
    if correct["noise"] == "diffusion":
        yield (
            "For structures to be found, scans were smoothed by robust anisotropic diffusion "
            "[@perona1990; @black1998] at the level of their own noise: "
            f"{applied['noise']} of {scans}. Intensities were measured without this smoothing."
        )


def _segmentation(recipe: dict[str, Any], atlases: int) -> Iterator[str]:
    structures = recipe["structures"]
    for method, text in FOUND.items():
        found = [s for s in structures if s["segment"]["method"] == method]
        if found:
            told = {
                "names": _listed(s["name"] for s in found),
                "were": "was" if len(found) == 1 else "were",
                "atlases": atlases,
                "folds": min(recipe["learn"]["folds"], atlases),
                "sources": "; ".join(recipe["models"]),
            }
            sentence = text.format(**told)
            yield f"{sentence[0].upper()}{sentence[1:]}."
    steps = {key for s in structures for step in s["segment"]["steps"] for key in step}
    if any(isinstance(s.get("largest"), dict) for t in structures for s in t["segment"]["steps"]):
        steps.add("side")
    yield from (text for step, text in STEPS.items() if step in steps)


def _surfaces(recipe: dict[str, Any]) -> Iterator[str]:
    yield (
        "Surfaces are surface nets [@gibson1998], smoothed by a windowed sinc filter [@taubin1996] "
        f"with a pass band of {recipe['pass_band']:g} and given back the volume of their voxels; "
        "neighbours share their boundary."
    )
    fewer = [s for s in recipe["structures"] if s["triangles"]]
    if fewer:
        budgets = _listed(f"{s['name']} to {s['triangles']}" for s in fewer)
        yield f"Triangles were reduced by quadric error metrics [@garland1997]: {budgets}."


def _courses(structures: list[Structure]) -> Iterator[str]:
    names = [s["name"] for s in structures if s["centreline"]]
    if names:
        yield (
            f"Centrelines of {_listed(names)} are the cheapest ways through what is far from the wall "
            "[@antiga2008], moved to the middles of the sections across them; diameters were measured "
            "on these sections."
        )


def _distances(structures: list[Structure]) -> Iterator[str]:
    pairs = [f"{s['name']} to {other}" for s in structures for other in s["distances_to"]]
    if pairs:
        yield f"Distances between surfaces were measured: {_listed(pairs)}."


def _listed(names: Any) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
