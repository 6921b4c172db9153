"""What was done to a scan, in words, from what its sidecar tells."""

from collections.abc import Iterator
from typing import Any

Said = dict[str, Any]
# By mark of artefacts.nii.gz: what was found in a CT, and what became of it.
FOUND = {
    "table": "the patient's table, set to air",
    "padding": "padding around the field of view, set to air",
    "truncation": "beside a body that the field of view cuts, marked",
    "ring": "rings, marked",
    "streak": "streaks of metal, {streaks}",
    "metal": "metal, marked",
}
STREAKS = {"mark": "marked, values left as they were", "inpaint": "in-painted"}


def treatment(said: Said) -> list[tuple[str, str]]:
    """What was done, by what it was done about. said: the sidecar of isotropic.nii.gz."""
    asked = said["parameters"]["correct"]
    told = [("Resolution", _resolution(said)), ("Artefacts", _artefacts(said["artefacts"], asked))]
    told.append(("Bias field", _bias(said["corrections"], asked)))
    told.append(("Noise", _noise(said["corrections"], asked)))
    return told


def smoothed(said: Said) -> bool:
    """Whether structures were found in a smoother image than intensities were measured in."""
    return bool(said["corrections"].get("noise", {}).get("applied"))


def _resolution(said: Said) -> str:
    spacing = " x ".join(f"{step:.3g}" for step in said["native_spacing_mm"])
    size = " x ".join(map(str, said["native_size"]))
    acquired = f"{size} voxels of {spacing} mm as acquired"
    if said["parameters"]["spacing"] == "native":
        return f"{acquired}, left as they are."
    return f"{acquired}, resampled to cubic voxels of {said['spacing_mm'][0]:g} mm."


def _artefacts(found: Said, asked: Said) -> str:
    told = "; ".join(_marked(found, asked))
    return f"{told}." if told else "None was found."


def _marked(found: Said, asked: Said) -> Iterator[str]:
    for kind, text in FOUND.items():
        percent = found.get(f"{kind}_percent", 0)
        if percent:
            what = text.format(streaks=STREAKS.get(asked["metal"], "marked"))
            yield f"{percent:.2g} % of the voxels: {what}"
    if "ghosting_percent" in found:
        yield f"ghosts of motion have {found['ghosting_percent']:.2g} % of the signal"


def _bias(done: Said, asked: Said) -> str:
    if asked["bias"] == "off":
        return "Not corrected: the recipe does not ask for it."
    if not done["bias"]["applied"]:
        return "Estimated by N4 and not taken off."
    percent = 100 * done["bias"]["field_log_sd"]
    return (
        f"Taken off by N4: the gain varied by {percent:.2g} % (standard deviation) over the body."
    )


def _noise(done: Said, asked: Said) -> str:
    if asked["noise"] == "off":
        return "Not smoothed: the recipe does not ask for it."
    if not done["noise"]["applied"]:
        return "None was found."
    before, after = done["noise"]["sd_before"], done["noise"]["sd_after"]
    return (
        f"Smoothed by anisotropic diffusion for structures to be found: standard deviation "
        f"{before:.3g} before, {after:.3g} after. Intensities are measured without it."
    )
