"""Coded concepts of structures: what a program reads where a person reads a name."""

from typing import Any

from pydicom import Dataset
from pydicom.sr.coding import Code

from scanmill.export.structures import Exported
from scanmill.snomed import CATEGORIES, LATERALITIES

SNOMED_CT = "SCT"
# The longest value that Code Value (SH) holds.
SHORT = 16


def category(structure: Exported) -> Code:
    """The category of a structure (context group 7150)."""
    value, meaning = CATEGORIES[structure.category]
    return Code(value, SNOMED_CT, meaning)


def concept(structure: Exported) -> Code:
    """What a structure is, as the recipe says."""
    code = structure.code
    return Code(code["value"], code["scheme"], code["meaning"])


def laterality(structure: Exported) -> Code | None:
    """The side of a structure (context group 244), if it has one."""
    if structure.laterality is None:
        return None
    value, meaning = LATERALITIES[structure.laterality]
    return Code(value, SNOMED_CT, meaning)


def property_type(structure: Exported) -> Dataset:
    """The item that says what a structure is, and on which side."""
    item = coded(concept(structure))
    side = laterality(structure)
    if side:
        item.SegmentedPropertyTypeModifierCodeSequence = [coded(side)]
    return item


def coded(code: Any) -> Dataset:
    """The item of a code sequence. code: with value, scheme_designator and meaning."""
    item = Dataset()
    keyword = "CodeValue" if len(code.value) <= SHORT else "LongCodeValue"
    setattr(item, keyword, code.value)
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item
