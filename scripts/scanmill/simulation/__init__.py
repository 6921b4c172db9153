"""From a mask to stress: bodies of quadratic tetrahedra, and what pressure does to them.

body: the mesh, what it is made of, what presses on it and what holds it.
solution: how that moves and loads it.
skin: which faces bound it, and whose a face is.
"""
