"""What a recipe says of the simulation of its structures."""

from collections.abc import Iterator, Mapping
from typing import Any

from scanmill.yaml_file import Fault

# Raghavan and Vorp's means over 69 specimens, N/mm2 (2000, doi:10.1016/S0021-9290(99)00201-8).
RAGHAVAN_VORP = {"alpha": 0.174, "beta": 1.881}
# mmHg.
PRESSURES = (1, 400)
MEMORY_MB = 6000
FORMATS = ["vtu"]
CONSTANTS = ({"young", "poisson"}, {"alpha", "beta"})
# Of the edges of triangles, in thicknesses of the wall, where a recipe does not say.
EDGE = 2.0


def filled(said: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is asked of a structure's simulation, defaults filled in; None where there is none."""
    if said is None:
        return None
    material = RAGHAVAN_VORP if said["material"] == "raghavan-vorp" else said["material"]
    return {
        "surface": said["surface"],
        "thickness": float(said["thickness"]),
        "edge": float(said.get("edge", EDGE * said["thickness"])),
        "material": {name: float(value) for name, value in material.items()},
        "pressure": said["pressure"],
        "ends": said.get("ends", "fixed"),
        "strength": said.get("strength"),
        "formats": said.get("formats", FORMATS),
        "memory_mb": said.get("memory_mb", MEMORY_MB),
    }


def columns(structures: list[dict[str, Any]]) -> list[str]:
    """The columns of the sheet that pressures are in, each once."""
    asked = [s["simulate"]["pressure"] for s in structures if s["simulate"]]
    return list(dict.fromkeys(name for name in asked if isinstance(name, str)))


def pressures(structures: list[dict[str, Any]], extra: Mapping[str, str]) -> dict[str, float]:
    """The pressures of a case by their columns, mmHg. extra: the further columns of its row."""
    return {name: float(extra[name]) for name in columns(structures)}


def faults(content: dict[str, Any]) -> Iterator[Fault]:
    """What no schema can see. content: of a recipe that breaks none."""
    for n, structure in enumerate(content["structures"]):
        said, keys = structure.get("simulate"), ("structures", n, "simulate")
        if said is None:
            continue
        if not structure.get("centreline"):
            text = "a wall is cut open across its centreline, which this structure has not"
            yield Fault(keys, f"{text}; 'centreline: true' beside it would be right")
        material = said["material"]
        if isinstance(material, dict) and set(material) not in CONSTANTS:
            found = " and ".join(sorted(material))
            right = "young and poisson, or alpha and beta,"
            yield Fault((*keys, "material"), f"{found} was found; {right} would be right")
