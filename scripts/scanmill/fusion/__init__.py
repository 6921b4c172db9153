"""Label maps of several atlases, each brought onto the target, made into one with its doubt."""
