"""All quirky series."""

import quirks_damaged
import quirks_disks
import quirks_enhanced
import quirks_folders
import quirks_geometry
import quirks_hospital
import quirks_pixels
import quirks_refused
import quirks_volumes
from cases import Case

CASES: list[Case] = [
    *quirks_folders.CASES,
    *quirks_pixels.CASES,
    *quirks_geometry.CASES,
    *quirks_enhanced.CASES,
    *quirks_refused.CASES,
    *quirks_damaged.CASES,
    *quirks_disks.CASES,
    *quirks_hospital.CASES,
    *quirks_volumes.CASES,
]
