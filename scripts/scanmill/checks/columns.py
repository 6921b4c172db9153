"""What the columns of the cohort's checks mean."""

from scanmill.columns import Column

FLAGS = {
    "case": Column("The case, as in the sheet"),
    "structure": Column("The structure, as in the recipe; empty where it is the whole case"),
    "check": Column(
        "What was found. sides: left and right are swapped. labels-shared: another case has the same "
        "supplied labels. missing: nearly all others have the structure. The others: a quantity is "
        "unlike that of the cohort's other cases of the recipe: volume, size (of the whole case), part "
        "(volume by the other structures'), proportions, asymmetry, form, pieces, place, neighbours, "
        "intensity, spread (of intensities), boundary (mask against image), shape"
    ),
    "value": Column("The value; empty where the finding has none"),
    "low": Column(
        "The least that is usual: limits beyond which chance alone brings one case of 100"
    ),
    "high": Column("The largest that is usual"),
    "unit": Column("Unit of value, low and high, UCUM"),
    "message": Column("The finding, for people"),
}
