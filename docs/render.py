"""Render a case's surfaces for the README, from the patient's front and left side.

python docs/render.py results/cases/CASE RECIPE.yaml picture.png [structure to leave out ...]
"""

import sys
from pathlib import Path

import pyvista as pv

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from scanmill import recipe

# From where the patient is seen, in LPS: the front, a little from the left; the left side.
VIEWS = ((0.3, -1.0, 0.2), (1.0, -0.15, 0.1))


def render(case: Path, recipe_file: Path, picture: Path, hidden: set[str]) -> None:
    """Write a PNG of the views. hidden: names of structures that are not drawn."""
    scene = pv.Plotter(
        shape=(1, len(VIEWS)), off_screen=True, window_size=(1200, 680), border=False
    )
    scene.set_background("white", all_renderers=True)
    for column, view in enumerate(VIEWS):
        scene.subplot(0, column)
        for structure in recipe.load(recipe_file).structures:
            surface = case / "surfaces" / f"{structure['name']}.ply"
            if surface.exists() and structure["name"] not in hidden:
                scene.add_mesh(
                    pv.read(surface), color=structure["colour"], smooth_shading=True, specular=0.2
                )
        scene.view_vector(view, viewup=(0, 0, 1))
        scene.camera.zoom(1.4)
    scene.screenshot(picture)


if __name__ == "__main__":
    render(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), set(sys.argv[4:]))
