"""Sentences on what was simulated, as in `text`."""

from collections.abc import Iterator
from typing import Any

Asked = dict[str, Any]

SOLVERS = {
    "scanmill": "finite elements of displacement and pressure [@taylor1973]",
    "calculix": "CalculiX [@dhondt2004], by finite elements of displacement",
}
LAWS = {
    "young": "linear elastic (Young's modulus {young:g} N/mm2, Poisson's ratio {poisson:g})",
    "alpha": "hyperelastic [@raghavan2000] (alpha {alpha:g}, beta {beta:g} N/mm2)",
    "law": "linear elastic, with Young's modulus by the apparent density of bone ({law}) "
    "[@morgan2003], averaged over cells [@taddei2007], density by {slope:g} g/cm3 a HU and "
    "{intercept:g} g/cm3 at 0 HU, and Poisson's ratio {poisson:g}",
}


def sentences(structures: list[Asked]) -> Iterator[str]:
    """What was simulated of structures, as they are in provenance."""
    for name, asked in ((s["name"], s["simulate"]) for s in structures if s["simulate"]):
        if "wall" in asked:
            yield from _wall(name, asked["wall"])
        else:
            yield from _solid(name, asked["solid"])


def _wall(name: str, asked: Asked) -> Iterator[str]:
    pressure, thickness = asked["pressure"], asked["thickness"]
    amount = "its own pressure" if isinstance(pressure, str) else f"{pressure:g} mmHg"
    thick = (
        f"to the outer side of {thickness}"
        if isinstance(thickness, str)
        else f"by {thickness:g} mm"
    )
    yield (
        f"The surface of {name} was cut open across its centreline, remeshed with edges of "
        f"{asked['edge']:g} mm [@dapogny2014] and thickened {thick} from its "
        f"{asked['surface']} side into quadratic tetrahedra; the wall's stress under {amount} was "
        f"found by {SOLVERS[asked['solver']]}, {_law(asked)}, with "
        f"{asked['ends']} ends. Stress was averaged through the wall, and taken where what holds "
        "the ends has faded."
    )
    if thrombus := asked["thrombus"]:
        yield (
            f"{thrombus['structure']} was meshed between blood and wall and shares its nodes with the "
            f"wall; it was {_law(thrombus)}."
        )


def _solid(name: str, asked: Asked) -> Iterator[str]:
    parts = "".join(f" and {part}" for part in asked["parts"])
    yield (
        f"{name}{parts} {'were' if parts else 'was'} filled with quadratic tetrahedra of edges of "
        f"{asked['edge']:g} mm [@dapogny2014]."
    )
    if load := asked["load"]:
        laws = [f"{name} was {_law(asked)}"]
        laws += [f"{part} was {_law(own)}" for part, own in asked["parts"].items()]
        yield (
            f"With its {load['held']} side held, {load['force']:g} N were put on its {load['pressed']} "
            f"side (both {load['depth']:g} mm deep), and displacements and stress found by "
            f"{SOLVERS[asked['solver']]}; {'; '.join(laws)}."
        )


def _law(asked: Asked) -> str:
    material = asked["material"]
    (kind,) = LAWS.keys() & material.keys()
    return LAWS[kind].format(**material | material.get("density", {}))
