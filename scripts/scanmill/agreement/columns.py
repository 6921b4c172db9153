"""What columns mean: those that a reference adds to the cohort table, and of the cohort's agreement."""

from scanmill.columns import Column

RELOADED = "Metrics Reloaded, doi:10.1038/s41592-023-02151-z"
SURFACES = "areas of surface elements as in surface-distance, doi:10.2196/26151"
ON_GRID = "of the structure's mask and the reference, on the reference's grid"
NEEDS_BOTH = "empty where either mask has no voxel"

# Reference_status but where a reference could not be used, of which it is the code.
COMPARED, MISSED, REFERENCE_EMPTY, BOTH_EMPTY = "ok", "missed", "reference-empty", "both-empty"

REFERENCE = {
    "reference_status": Column(
        "ok: compared. missed: the reference has the structure, and it was not found. reference-empty: "
        "it was found, and the reference has no voxel of it. both-empty: neither has. Else the code of "
        "why it could not be compared; empty without reference"
    ),
    "reference_volume_mm3": Column("Voxel-count volume of the reference on its own grid", "mm3"),
    "volume_error_mm3": Column("volume_mm3 less reference_volume_mm3", "mm3"),
    "volume_error_percent": Column("That, of reference_volume_mm3", "%"),
    "dice": Column(f"Dice {ON_GRID}; {NEEDS_BOTH}", source=RELOADED),
    "jaccard": Column(f"Intersection over union {ON_GRID}; {NEEDS_BOTH}", source=RELOADED),
    "surface_dice": Column(
        "Normalised surface Dice: the part of both surfaces that lies within "
        f"surface_dice_tolerance_mm of the other, {ON_GRID}; {NEEDS_BOTH}",
        source=f"{RELOADED}; {SURFACES}",
    ),
    "surface_dice_tolerance_mm": Column("Tolerance of surface_dice, of the recipe", "mm"),
    "hausdorff_95_mm": Column(
        "Distance that 95 % of a surface do not exceed from the other, the larger of both ways, "
        f"{ON_GRID}; {NEEDS_BOTH}",
        "mm",
        source=f"{RELOADED}; {SURFACES}",
    ),
    "hausdorff_mm": Column(
        f"Largest distance of a surface from the other, {ON_GRID}; {NEEDS_BOTH}",
        "mm",
        source=RELOADED,
    ),
    "average_surface_distance_mm": Column(
        f"Mean distance of both surfaces from each other, by area, {ON_GRID}; {NEEDS_BOTH}",
        "mm",
        source=f"{RELOADED}; {SURFACES}",
    ),
}

BLAND_ALTMAN = "Bland and Altman 1999, doi:10.1177/096228029900800204"
MCGRAW_WONG = "McGraw and Wong 1996, doi:10.1037/1082-989X.1.1.30"


def _with_interval(name: str, meaning: str, unit: str, source: str) -> dict[str, Column]:
    stem, end = name.removesuffix(f"_{unit}"), f"_{unit}" if unit else ""
    return {
        name: Column(meaning, unit, source=source),
        f"{stem}_ci_low{end}": Column("Lower end of its 95 % interval", unit, source=source),
        f"{stem}_ci_high{end}": Column("Upper end of its 95 % interval", unit, source=source),
    }


AGREEMENT = {
    "recipe": Column("The recipe of the cases"),
    "structure": Column("The structure, as in the recipe"),
    "quantity": Column("The column that is compared with reference_volume_mm3"),
    "n": Column("Cases that have both. Each counts alike, several of one subject too"),
    "compared": Column("Cases whose masks were compared: reference_status is ok"),
    "missed": Column("Cases where the reference has the structure, and it was not found"),
    "reference_empty": Column("Cases where it was found, and the reference has no voxel of it"),
    "not_compared": Column("Cases with a reference that could not be compared"),
    **_with_interval(
        "bias_mm3", "Mean of the differences, measured less reference", "mm3", BLAND_ALTMAN
    ),
    "sd_mm3": Column("Standard deviation of the differences", "mm3", source=BLAND_ALTMAN),
    **_with_interval(
        "limit_low_mm3", "Lower limit of agreement: bias - 1.96 sd", "mm3", BLAND_ALTMAN
    ),
    **_with_interval(
        "limit_high_mm3", "Upper limit of agreement: bias + 1.96 sd", "mm3", BLAND_ALTMAN
    ),
    **_with_interval(
        "icc",
        "Intraclass correlation ICC(2,1): absolute agreement of single measurements; empty where it "
        "is not defined, its interval also where all agree to the last digit",
        "",
        MCGRAW_WONG,
    ),
    "interval_holds_percent": Column(
        "Cases whose 95 % interval of volume_mm3 holds the reference volume, of n; the interval knows "
        "the scan and the method, and not how else a person would draw",
        "%",
    ),
    "dice_median": Column("Median of dice over the compared cases", source=RELOADED),
    "dice_min": Column("The least of them", source=RELOADED),
    "dice_max": Column("The largest of them", source=RELOADED),
}
