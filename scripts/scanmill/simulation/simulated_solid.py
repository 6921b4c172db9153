"""From the mask of an organ to its mesh, and to its stress where it is loaded."""

from pathlib import Path
from typing import Any

from scanmill.hounsfield import doubt
from scanmill.refusal import Refusal
from scanmill.simulation import solid_summary
from scanmill.simulation.masks import Masks
from scanmill.simulation.materials import of_part
from scanmill.simulation.quality import quality, require_sound
from scanmill.simulation.solid import pressed, solid
from scanmill.simulation.solving import solved, write_meshes
from scanmill.simulation.stress_map import write_skin_map
from scanmill.simulation.summary import Measures
from scanmill.volume_file import Volume, read_volume


def simulated_solid(
    masks: Masks, asked: dict[str, Any], name: str, isotropic: Path, folder: Path
) -> dict[str, Measures]:
    """Mesh and write an organ, and solve it where it is loaded; columns of it and of its parts.

    asked: of the recipe, as `recipe_simulation.filled`. isotropic: the scan. folder: for the files.
    Raises Refusal.
    """
    parts = masks.smallest_first(asked["parts"])
    inner = {part: masks.surface(part) for part in parts}
    body = solid(masks.surface(name), inner, name, asked["edge"])
    require_sound(body)
    volumes = {part: masks.volume(part, parts[:n]) for n, part in enumerate(parts)}
    found = solid_summary.of_parts(body, name, volumes | {name: masks.volume(name, [])})
    solid_summary.require_filled(found[name])
    found[name] |= quality(body)
    load = asked["load"]
    if not load:
        write_meshes(body, asked, folder / name)
        return found
    said = {name: asked["material"]}
    said |= {part: own["material"] for part, own in asked["parts"].items()}
    image = _hounsfield(isotropic) if any("law" in said[part] for part in body.parts) else None
    materials = {part: of_part(said[part], body, part, image) for part in body.parts}
    to_solve = pressed(body, materials, load)
    solid_summary.require_away(to_solve)
    solution, solver = solved(to_solve, asked, folder / name)
    write_skin_map(folder / f"{name}-stress.vtp", to_solve.body, solution)
    found[name] |= {"simulation_solver": solver}
    found[name] |= solid_summary.of_answer(to_solve, solution, load)
    return found


def _hounsfield(isotropic: Path) -> Volume:
    """The scan in HU, or a refusal where it cannot be in HU."""
    image = read_volume(isotropic)
    if reason := doubt(image.array, image.grid):
        raise Refusal("not-hounsfield", reason)
    return image
