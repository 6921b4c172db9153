"""What the columns of the cohort's checks mean."""

from scanmill.columns import Column

FLAGS = {
    "case": Column("The case, as in the sheet"),
    "structure": Column("The structure, as in the recipe; empty where it is the whole case"),
    "check": Column(
        "What was found. sides: left and right are swapped. labels-shared: another case has the same "
        "supplied labels. missing: nearly all others have the structure. scan, expected: a scan or a "
        "structure is not as the recipe expects it. The others: a quantity is unlike that of the "
        "cohort's other cases of the recipe: volume, size (of the whole case), part (volume by the "
        "other structures'), proportions, asymmetry, form, pieces, place, neighbours, intensity, "
        "spread (of intensities), boundary (mask against image), shape"
    ),
    "value": Column("The value; empty where the finding has none"),
    "low": Column(
        "The least that is usual: limits beyond which chance alone brings one case of 100"
    ),
    "high": Column("The largest that is usual"),
    "unit": Column("Unit of value, low and high, UCUM"),
    "message": Column("The finding, for people"),
}

STYNER = "Styner et al. 2003, doi:10.1007/978-3-540-45087-0_6"
HELD = "the modes that hold 98 % of the variance"

SHAPES = {
    "recipe": Column("The recipe of the cases"),
    "structure": Column("The structure, as in the recipe"),
    "status": Column("ok: there is a model. refused: code says why not"),
    "code": Column("Why there is none, for programs"),
    "source": Column(
        "cohort: the model is of this cohort's cases, each of which is held against that of the "
        "others. loaded: of another cohort's, as `shape_models` of the config says"
    ),
    "cases": Column("Cases that the model is of: those with the whole structure"),
    "modes": Column(f"Number of {HELD}"),
    "compactness": Column(
        f"Variance that {HELD} hold, mean over the points; less is more compact",
        "mm2",
        source=STYNER,
    ),
    "first_mode_percent": Column("Of that, what the first mode holds", "%"),
    "generalisation_mm": Column(
        "Mean of reconstruction_mm: how far a case is from what the others tell; less is better",
        "mm",
        source=STYNER,
    ),
    "specificity_mm": Column(
        "Mean distance of 500 shapes by chance, normally distributed in the modes, from the nearest "
        "case; less is better",
        "mm",
        source=STYNER,
    ),
}

OTHERS = f"the nearest shape that {HELD} of the other cases make"

RECONSTRUCTION = {
    "case": Column("The case, as in the sheet"),
    "structure": Column("The structure, as in the recipe"),
    "status": Column("ok: compared. refused: code says why not"),
    "code": Column(
        "shape-cut: the structure is not there, or the edge of the scan cuts it. registration-failed: "
        "it is too unlike the others for its points to correspond"
    ),
    "reconstruction_mm": Column(
        f"Distance of the structure's surface from {OTHERS}, mean over corresponding points", "mm"
    ),
    "reconstruction_p95_mm": Column("The 95th percentile of these distances", "mm"),
}
