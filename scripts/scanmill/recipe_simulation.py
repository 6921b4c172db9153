"""What a recipe says of the simulation of its structures: the wall of a vessel, or a solid organ."""

import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from scanmill.yaml_file import Fault

Said = dict[str, Any]

# Raghavan and Vorp's means over 69 specimens, N/mm2 (2000, doi:10.1016/S0021-9290(99)00201-8).
RAGHAVAN_VORP = {"alpha": 0.174, "beta": 1.881}
# mmHg.
PRESSURES = (1, 400)
MEMORY_MB = 6000
FORMATS = ["vtu"]
# What solves, where a recipe does not say; and CalculiX's program.
SOLVER, CALCULIX = "scanmill", "ccx"
# Those of a mesh that is not solved.
MESHES = ["msh", "stl"]
CONSTANTS = (("young", "poisson"), ("alpha", "beta"), ("law", "density", "poisson"))
# Of the edges of triangles, in thicknesses of the wall, where a recipe does not say.
EDGE = 2.0
# The least Young's modulus of bone, N/mm2: what has none is not a body.
LEAST = 1.0


def filled(said: Said | None) -> Said | None:
    """What is asked of a structure's simulation, `wall` or `solid`, defaults filled in."""
    if said is None:
        return None
    ((kind, own),) = said.items()
    return {kind: (_wall if kind == "wall" else _solid)(own)}


def _wall(said: Said) -> Said:
    thickness = said["thickness"]
    thrombus = said.get("thrombus")
    return {
        "surface": said["surface"],
        "thickness": thickness if isinstance(thickness, str) else float(thickness),
        "edge": float(said["edge"] if "edge" in said else EDGE * thickness),
        "material": _material(said["material"]),
        "thrombus": thrombus and thrombus | {"material": _material(thrombus["material"])},
        "pressure": said["pressure"],
        "ends": said.get("ends", "fixed"),
        "strength": said.get("strength"),
        "solver": said.get("solver", SOLVER),
        "formats": said.get("formats", FORMATS),
        "memory_mb": said.get("memory_mb", MEMORY_MB),
    }


def _solid(said: Said) -> Said:
    load, edge = said.get("load"), float(said["edge"])
    parts = said.get("parts", {})
    return {
        "edge": edge,
        "material": _material(said.get("material")),
        "parts": {
            name: {"material": _material(own.get("material"))} for name, own in parts.items()
        },
        "load": load
        and {
            "held": load["held"],
            "pressed": load["pressed"],
            "force": float(load["force"]),
            "depth": float(load.get("depth", edge)),
        },
        "solver": said.get("solver", SOLVER),
        "formats": said.get("formats", FORMATS if load else MESHES[:1]),
        "memory_mb": said.get("memory_mb", MEMORY_MB),
    }


def _material(said: Said | str | None) -> Said | None:
    if said is None:
        return None
    if said == "raghavan-vorp":
        return RAGHAVAN_VORP
    if "law" in said:
        calibrated = {key: float(value) for key, value in said["density"].items()}
        least = float(said.get("least", LEAST))
        poisson = float(said["poisson"])
        return {"law": said["law"], "density": calibrated, "poisson": poisson, "least": least}
    return {name: float(value) for name, value in said.items()}


def columns(structures: list[Said]) -> list[str]:
    """The columns of the sheet that pressures are in, each once."""
    walls = [s["simulate"]["wall"] for s in structures if "wall" in (s["simulate"] or {})]
    return list(dict.fromkeys(w["pressure"] for w in walls if isinstance(w["pressure"], str)))


def pressures(structures: list[Said], extra: Mapping[str, str]) -> dict[str, float]:
    """The pressures of a case by their columns, mmHg. extra: the further columns of its row."""
    return {name: float(extra[name]) for name in columns(structures)}


def faults(content: Said) -> Iterator[Fault]:
    """What no schema can see. content: of a recipe that breaks none."""
    names = [structure["name"] for structure in content["structures"]]
    for n, structure in enumerate(content["structures"]):
        keys = ("structures", n, "simulate")
        said = structure.get("simulate", {})
        others = [name for name in names if name != structure["name"]]
        if "wall" in said:
            if not structure.get("centreline"):
                text = "a wall is cut open across its centreline, which this structure has not"
                yield Fault(keys, f"{text}; 'centreline: true' beside it would be right")
            yield from _of_solver(said["wall"], (*keys, "wall"))
            yield from _of_wall(said["wall"], others, (*keys, "wall"))
        if "solid" in said:
            yield from _of_solver(said["solid"], (*keys, "solid"))
            yield from _of_solid(said["solid"], others, content["modality"], (*keys, "solid"))


def _of_solver(said: Said, keys: tuple) -> Iterator[Fault]:
    if said.get("solver") == "calculix" and shutil.which(CALCULIX) is None:
        text = f"calculix was found, whose program {CALCULIX} is not installed"
        yield Fault(
            (*keys, "solver"), f"{text}; 'solver: {SOLVER}', or that program, would be right"
        )


def _of_wall(said: Said, others: list[str], keys: tuple) -> Iterator[Fault]:
    yield from _of_material(said["material"], CONSTANTS[:2], (*keys, "material"))
    thrombus, thickness = said.get("thrombus"), said["thickness"]
    if isinstance(thickness, str):
        yield from _unknown(thickness, others, (*keys, "thickness"))
        if said["surface"] == "outer" or "edge" not in said:
            text = "a thickness that a structure gives goes with 'surface: inner' and 'edge'"
            yield Fault((*keys, "thickness"), f"{text}; both beside it would be right")
    if thrombus:
        yield from _unknown(thrombus["structure"], others, (*keys, "thrombus", "structure"))
        yield from _of_material(
            thrombus["material"], CONSTANTS[:2], (*keys, "thrombus", "material")
        )
        if said["surface"] == "outer":
            text = "thrombus lies within the wall, so that masks end at its inner side"
            yield Fault((*keys, "surface"), f"{text}; 'surface: inner' would be right")


def _of_solid(said: Said, others: list[str], modality: str, keys: tuple) -> Iterator[Fault]:
    for name, part in said.get("parts", {}).items():
        yield from _unknown(name, others, (*keys, "parts", name))
        if "material" in part:
            own = (*keys, "parts", name, "material")
            yield from _of_material(part["material"], CONSTANTS[::2], own)
    if "material" in said:
        yield from _of_material(said["material"], CONSTANTS[::2], (*keys, "material"))
    materials = [said, *said.get("parts", {}).values()]
    given = ["material" in own for own in materials]
    if any(given) != ("load" in said) or (any(given) and not all(given)):
        text = "a load needs the material of the structure and of each part, and these a load"
        yield Fault(keys, f"{text}; all of them, or none for a mesh alone, would be right")
    if "load" not in said and (wrong := set(said.get("formats", [])) - set(MESHES)):
        found = " and ".join(sorted(wrong))
        text = f"{found} was found, and without a load there is a mesh alone"
        yield Fault((*keys, "formats"), f"{text}; msh or stl would be right")
    if "load" in said and said["load"]["held"] == said["load"]["pressed"]:
        text = "the same side is held and pressed; two sides would be right"
        yield Fault((*keys, "load", "pressed"), text)
    if modality != "CT" and any("law" in own.get("material", {}) for own in materials):
        text = "the density of bone is taken from Hounsfield units; 'modality: CT' would be right"
        yield Fault(keys, text)


def _of_material(
    said: Said | str, allowed: tuple[tuple[str, ...], ...], keys: tuple
) -> Iterator[Fault]:
    names = ("alpha", "beta") if said == "raghavan-vorp" else said
    own = set(names) - ({"least"} if "law" in names else set())
    if own not in map(set, allowed):
        found = said if isinstance(said, str) else " and ".join(sorted(said))
        right = ", or ".join(map(_listed, allowed))
        yield Fault(keys, f"{found} was found; {right}, would be right")


def _listed(names: tuple[str, ...]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"


def _unknown(name: str, others: list[str], keys: tuple) -> Iterator[Fault]:
    if name not in others:
        yield Fault(keys, f"{name!r} was found; the name of another structure would be right")
