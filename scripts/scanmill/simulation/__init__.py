"""From a mask to stress: bodies of quadratic tetrahedra, and what pressure does to them.

body: the mesh, what it is made of, what presses on it and what holds it.
solution: how that moves and loads it.
skin: which faces bound it, and whose a face is.
supports: what holds it, node by node.
tetrahedra, elements: their nodes and quality; shape functions and integrals.
open_surface, remesh, wall, vessel: from a mask's surface to a vessel's wall.
response, faces, equilibrium: materials, pressure and springs, and solving.
summary, stress_map: what that means for the wall.
deck: all that as the input of CalculiX and Abaqus.
calculix: solving with that program.
fields: what is written of a solution.
vtu_file, xdmf_file, gmsh_file, model_files: writing all this for other programs.
"""
