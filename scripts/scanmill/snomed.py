"""SNOMED CT identifiers: a mistyped code must not name the wrong anatomy in a publication."""

import re

# Multiplication in the dihedral group D5 and Verhoeff's permutation (J. Verhoeff, Error detecting
# decimal codes, 1969), as SNOMED CT uses them:
# https://confluence.ihtsdotools.org/display/DOCRELFMT/5.5+Check-digit
PRODUCTS = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
PERMUTATION = str.maketrans("0123456789", "1576283094")

# What a structure is, for other programs: DICOM's context group 7150, by the names that recipes use.
CATEGORIES = {
    "anatomical": ("91723000", "Anatomical Structure"),
    "tissue": ("85756007", "Tissue"),
    "abnormal": ("49755003", "Morphologically Abnormal Structure"),
    "spatial": ("309825002", "Spatial and Relational Concept"),
    "substance": ("91720002", "Body Substance"),
    "object": ("260787004", "Physical object"),
}
# Context group 244.
LATERALITIES = {
    "left": ("7771000", "Left"),
    "right": ("24028007", "Right"),
    "both": ("51440002", "Bilateral"),
}


def is_identifier(text: str) -> bool:
    """True for 6 to 18 digits that end with their Verhoeff check digit."""
    if not re.fullmatch("[1-9][0-9]{5,17}", text):
        return False
    check = 0
    for position, digit in enumerate(reversed(text)):
        for _ in range(position % 8):
            digit = digit.translate(PERMUTATION)
        check = int(PRODUCTS[check][int(digit)])
    return check == 0
