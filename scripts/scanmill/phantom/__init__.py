"""Analytic patients: scans of bodies whose volume, area and centroid are known exactly.

body: shapes with closed-form measures. tubes: vessels that taper, branch and bulge. composition:
unions and differences of bodies, proved disjoint or nested. warp: maps of space that keep volumes.
patient: structures with intensities and textures. point_spread: what a voxel averages over.
rendering: patients on any grid. fields, noise, projection, metal, artefacts: what a scanner adds.
description: all of it from plain data, as config/phantoms.yaml has it. scanning: the scan of a
description. cohort, specimen: descriptions by chance, of whole patients and of single structures.
"""
