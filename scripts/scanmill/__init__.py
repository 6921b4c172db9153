"""The library that ScanMill's scripts share: one domain a module.

Arrays are indexed [z, y, x] (x fastest, as in the files); every tuple of sizes, spacings and
coordinates is (x, y, z); physical space is DICOM's: LPS, millimetres.
"""

__version__ = "0.1.0"
# The day of this version.
__date__ = "2026-11-23"
