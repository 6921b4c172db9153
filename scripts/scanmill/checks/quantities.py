"""What the cases of a recipe are compared by: sizes, forms, places, neighbours and intensities."""

from collections.abc import Iterator

import numpy as np

from scanmill.checks.cases import Cases, Table, Values, effects, logarithms, remainders
from scanmill.checks.pairs import pairs
from scanmill.checks.quantity import LINEAR, LOG, SHARE, Quantity
from scanmill.contacts import OUTSIDE

AXES = {"x": "the left", "y": "the back", "z": "the head"}
FORMS = {
    "morph_sphericity": "sphericity",
    "morph_pca_elongation": "second axis by first (morph_pca_elongation)",
    "morph_pca_flatness": "least axis by first (morph_pca_flatness)",
}
# Standard deviations of what says nothing of the patient: of logarithms, where 0.02 are 2 %.
OF_SIZES, OF_FORMS, OF_PIECES = 0.02, 0.02, 0.3
# Of the logarithm of what is left of a convex hull: 0.5 % of the volume, where that is a tenth.
OF_HOLLOWS = 0.05
# mm; HU; of the logarithm of a spread of intensities; % of a volume; of an arc sine, by which
# neighbours that usually do not touch may do so at a tenth of their boundary.
OF_PLACES, OF_HU, OF_SPREADS, OF_BOUNDARIES, OF_SHARES = 1.5, 5.0, 0.05, 1.0, 0.08


def quantities(cases: Cases) -> Iterator[Quantity]:
    """All that the cases are compared by, structure after structure of each kind."""
    yield from _sizes(cases)
    yield from _asymmetries(cases)
    yield from _forms(cases)
    yield from _places(cases)
    yield from _neighbours(cases)
    yield from _intensities(cases)


def _sizes(cases: Cases) -> Iterator[Quantity]:
    volumes = cases.column("mask_volume_mm3")
    for name, values in volumes.items():
        yield Quantity("volume", name, f"The volume of {name}", "mm3", LOG, OF_SIZES, values)
    sizes = logarithms(volumes)
    words = "The patient's size, the median over the structures of volume by usual volume,"
    yield Quantity("size", "", words, "%", LOG, OF_SIZES, _percent(effects(sizes)))
    for name, values in remainders(sizes).items():
        words = f"The volume of {name} by what the other structures of the case let expect"
        yield Quantity("part", name, words, "%", LOG, OF_SIZES, _percent(values))
    for axis, values in _proportions(cases).items():
        words = (
            f"The length of structures along {axis} by that along the other axes, of what is usual,"
        )
        yield Quantity("proportions", "", words, "%", LOG, OF_SIZES, _percent(values))


def _proportions(cases: Cases) -> dict[str, Values]:
    """How long the structures are along each LPS axis, by the others; logarithms, 0 is usual."""
    lengths = {axis: effects(_lengths(cases, axis)) for axis in AXES}
    return {
        axis: {
            case: value - sum(lengths[other][case] for other in AXES if other != axis) / 2
            for case, value in lengths[axis].items()
        }
        for axis in AXES
    }


def _lengths(cases: Cases, axis: str) -> Table:
    low, high = (cases.column(f"bbox_{end}_{axis}_mm") for end in ("min", "max"))
    return logarithms(
        {
            name: {c: high[name][c] - value for c, value in values.items()}
            for name, values in low.items()
        }
    )


def _asymmetries(cases: Cases) -> Iterator[Quantity]:
    volumes = cases.column("mask_volume_mm3")
    for left, right in pairs(cases.structures):
        both = volumes[left].keys() & volumes[right].keys()
        values = {c: 100 * v / volumes[right][c] for c, v in volumes[left].items() if c in both}
        words = f"The volume of {left} by that of {right}"
        yield Quantity("asymmetry", left, words, "%", LOG, OF_SIZES, values)


def _forms(cases: Cases) -> Iterator[Quantity]:
    for column, words in FORMS.items():
        for name, values in cases.column(column).items():
            some = {c: value for c, value in values.items() if value > 0}
            yield Quantity("form", name, f"The {words} of {name}", "", LOG, OF_FORMS, some)
    for name, values in cases.column("morph_vol_dens_conv_hull").items():
        hollow = {c: 100 * (1 - value) for c, value in values.items() if value < 1}
        words = f"What {name} leaves of its convex hull (1 - morph_vol_dens_conv_hull)"
        yield Quantity("form", name, words, "%", LOG, OF_HOLLOWS, hollow)
    for name, values in cases.column("components").items():
        words = f"The number of pieces of {name}"
        yield Quantity("pieces", name, words, "", LOG, OF_PIECES, values)


def _places(cases: Cases) -> Iterator[Quantity]:
    for axis, side in AXES.items():
        for name, values in remainders(cases.column(f"centroid_{axis}_mm")).items():
            words = (
                f"How far {name} lies towards {side} of its usual place among the other structures"
            )
            yield Quantity("place", name, words, "mm", LINEAR, OF_PLACES, values)


def _neighbours(cases: Cases) -> Iterator[Quantity]:
    for name in cases.names:
        shares = {c: cases.contacts[c].get(name, {}) for c in cases.whole(name)}
        beside = {other for found in shares.values() for other in found}
        for other in (o for o in cases.names if o in beside and o != OUTSIDE):
            values = {c: 100 * found.get(other, 0.0) for c, found in shares.items()}
            words = f"The part of the boundary of {name} at which {other} begins"
            yield Quantity("neighbours", name, words, "%", SHARE, OF_SHARES, values)


def _intensities(cases: Cases) -> Iterator[Quantity]:
    # Robust spreads: of a standard deviation, a few voxels of a neighbour decide.
    medians = cases.column("stat_median", whole=False)
    if cases.modality == "CT":
        for name, values in medians.items():
            words = f"The median intensity of {name}"
            yield Quantity("intensity", name, words, "[hnsf'U]", LINEAR, OF_HU, values)
        for name, values in cases.column("stat_rmad", whole=False).items():
            spreads = {c: value for c, value in values.items() if value > 0}
            words = f"The spread of the intensities of {name} (stat_rmad)"
            yield Quantity("spread", name, words, "[hnsf'U]", LOG, OF_SPREADS, spreads)
    else:
        for name, values in remainders(logarithms(medians)).items():
            words = f"The median intensity of {name} by what the other structures let expect"
            yield Quantity("intensity", name, words, "%", LOG, OF_SPREADS, _percent(values))
        for name, values in cases.column("stat_qcod", whole=False).items():
            spreads = {c: value for c, value in values.items() if value > 0}
            words = f"The spread of the intensities of {name}, of quartiles (stat_qcod)"
            yield Quantity("spread", name, words, "", LOG, OF_SPREADS, spreads)
    for name, values in cases.told_by_image("mask_vs_volume_percent").items():
        words = f"The mask of {name} against the volume that the image shows"
        yield Quantity("boundary", name, words, "%", LINEAR, OF_BOUNDARIES, values)


def _percent(compared: Values) -> Values:
    return {case: 100 * float(np.exp(value)) for case, value in compared.items()}
