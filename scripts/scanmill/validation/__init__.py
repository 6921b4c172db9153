"""How far a cohort's numbers are off, by digital twins of its own scans whose truth is exact.

coverage: which part of each voxel closed surfaces fill. tissue: what a scan shows within each
structure, and around them; air: what of it structures hold. scanner: grids, blur and noise like a
scan's own. challenges: what is made worse. twin: a scan made of all of that. truth: its true measures
and ideal labels. cases, twin_files: which cases get twins, and twins on disk. comparison: measurements
of twins against the truth. summary, page, plot: what a person reads.
"""
