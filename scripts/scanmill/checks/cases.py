"""What the cohort's tables say of the cases of one recipe, as numbers by case and structure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Row = Mapping[str, str]
# Of the cohort's table, what cases are compared by; the rest is not kept.
COLUMNS = (
    "status",
    "code",
    "touches_border",
    "mask_volume_mm3",
    "volume_method",
    "mask_vs_volume_percent",
    *(f"{place}_{axis}_mm" for place in ("centroid", "bbox_min", "bbox_max") for axis in "xyz"),
    "morph_sphericity",
    "morph_pca_elongation",
    "morph_pca_flatness",
    "morph_vol_dens_conv_hull",
    "components",
    "stat_mean",
    "stat_median",
    "stat_rmad",
    "stat_qcod",
)
# By case.
Values = dict[str, float]
# By structure, then case.
Table = dict[str, Values]


@dataclass(frozen=True)
class Cases:
    """The cases of one recipe.

    modality: CT, MR or any. structures: of the recipe. rows: of the cohort's table, by case and
    structure. contacts, warnings: by case, as `contacts` and sidecars tell them.
    """

    modality: str
    structures: list[dict]
    rows: dict[str, dict[str, Row]]
    contacts: dict[str, dict[str, dict[str, float]]]
    warnings: dict[str, list[dict[str, str]]]

    @property
    def names(self) -> list[str]:
        """Of the structures, in the recipe's order."""
        return [structure["name"] for structure in self.structures]

    def found(self, structure: str) -> list[str]:
        """The cases that have a structure."""
        return [c for c, rows in self.rows.items() if rows[structure]["status"] == "ok"]

    def whole(self, structure: str) -> list[str]:
        """The cases that have it, not cut by the edge of the scan."""
        found = self.found(structure)
        return [c for c in found if self.rows[c][structure]["touches_border"] != "true"]

    def told_by_image(self, name: str) -> Table:
        """A column's numbers for whole structures whose volume the image shows."""
        return {
            structure: {
                case: value
                for case, value in values.items()
                if self.rows[case][structure]["volume_method"] != "count"
            }
            for structure, values in self.column(name).items()
        }

    def column(self, name: str, whole: bool = True) -> Table:
        """A column's numbers where there are any; whole: of structures that the scan does not cut."""
        cases = self.whole if whole else self.found
        return {
            structure: {
                case: float(cell)
                for case in cases(structure)
                if (cell := self.rows[case][structure][name])
            }
            for structure in self.names
        }


def effects(table: Table) -> Values:
    """What the structures of a case have in common: the median of how far each is from its own median.

    Of cases with two structures or more.
    """
    apart = _apart(table)
    cases = dict.fromkeys(case for values in apart.values() for case in values)
    of_case = {c: [values[c] for values in apart.values() if c in values] for c in cases}
    return {c: float(np.median(found)) for c, found in of_case.items() if len(found) > 1}


def remainders(table: Table) -> Table:
    """How much farther each value is from its structure's median than the case's others in the median.

    Of cases with two structures or more.
    """
    apart = _apart(table)
    return {
        structure: {
            case: value - float(np.median(others))
            for case, value in values.items()
            if (others := [v[case] for name, v in apart.items() if name != structure and case in v])
        }
        for structure, values in apart.items()
    }


def _apart(table: Table) -> Table:
    return {
        structure: {c: v - float(np.median(list(values.values()))) for c, v in values.items()}
        for structure, values in table.items()
        if values
    }


def logarithms(table: Table) -> Table:
    """Of a table's positive values."""
    return {
        s: {c: float(np.log(v)) for c, v in values.items() if v > 0} for s, values in table.items()
    }
