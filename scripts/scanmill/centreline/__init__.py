"""The centreline of a vessel, its branches, and what lies across it.

tree: from voxels, where branches end and the way to each. sections: what planes cut out of the
surface. course: a branch as a smooth curve through the middles of its sections.
"""
