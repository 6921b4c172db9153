"""Analytic patients: scans of bodies whose volume, area and centroid are known exactly.

body: shapes with closed-form measures. composition: unions and differences of bodies, proved
disjoint or nested. patient: structures with intensities. rendering: their scan on any grid, with
partial volume and noise. description: all of it from plain data, as config/phantoms.yaml has it.
"""
