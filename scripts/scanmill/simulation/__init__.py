"""From a mask to stress: bodies of quadratic tetrahedra, and what pressure does to them.

body: the mesh, what it is made of, what presses on it and what holds it.
solution: how that moves and loads it.
skin: which faces bound it, and whose a face is.
supports: what holds it, node by node.
tetrahedra, quality, elements: their nodes; how good they are; shape functions and integrals.
masks, mesher: smooth surfaces of masks; MMG, which makes triangles and tetrahedra of one size.
open_surface, wall, vessel: from a surface to a vessel's wall.
crossings: whether that runs through itself.
filling: tetrahedra that fill surfaces. thrombus: those between blood and wall. solid: an organ's.
materials, bone: what bodies are made of.
response, faces, equilibrium: materials, pressure and springs, and solving. memory: what that takes.
summary, stress_map: what that means for a wall. solid_summary: for an organ.
deck: all that as the input of CalculiX and Abaqus.
calculix: solving with that program. solvers: which of the two.
fallbacks: what else is tried where that fails.
fields: what is written of a solution.
vtu_file, xdmf_file, gmsh_file, model_files: writing all this for other programs.
"""
