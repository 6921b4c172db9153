"""How the shape of a structure varies among atlases: a statistical model, and its fit to a mask.

Own code, with numpy: no maintained package builds such models.
"""

# Fewer atlases show next to nothing of how a shape varies.
FEWEST = 5
