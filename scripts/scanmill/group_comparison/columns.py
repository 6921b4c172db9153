"""The dictionary of the comparison of groups."""

from scanmill.columns import Column

OLS = "ordinary least squares with HC2 errors, Imbens and Kolesár 2016, doi:10.1162/REST_a_00552"
HEDGES = "Hedges 1981, doi:10.3102/10769986006002107; Borenstein et al. 2009, chapter 4"
HOLM = "Holm 1979, https://www.jstor.org/stable/4615733"
BENJAMINI_HOCHBERG = "Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x"
OF_QUANTITY = "the quantity's own, in the column unit"

GROUPS = {
    "recipe": Column("The recipe of the cases"),
    "structure": Column("The structure, as in the recipe"),
    "quantity": Column("The column of measurements.csv that is compared"),
    "unit": Column("Its unit"),
    "group_column": Column("The column of the sheet that has the groups"),
    "group": Column("The group that is compared with the reference"),
    "reference": Column("The group that it is compared with"),
    "covariates": Column("What the difference is adjusted for, with the levels of reference"),
    "status": Column("ok: compared. refused: not compared; code and reason say why"),
    "code": Column("Why it was not compared, for programs"),
    "reason": Column("Why it was not compared, for people"),
    "n": Column("Cases in the model, those of further groups too"),
    "n_group": Column("Of them, those of the group"),
    "n_reference": Column("Of them, those of the reference"),
    "left_out": Column(
        "Cases of the recipe that are not in the model; groups_left_out.csv says why"
    ),
    "touching_border": Column("Cases in the model whose structure the edge of the scan may cut"),
    "mean_group": Column("Mean of the group, not adjusted", OF_QUANTITY),
    "sd_group": Column("Standard deviation of the group, not adjusted", OF_QUANTITY),
    "mean_reference": Column("Mean of the reference, not adjusted", OF_QUANTITY),
    "sd_reference": Column("Standard deviation of the reference, not adjusted", OF_QUANTITY),
    "adjusted_mean_group": Column(
        "What the model expects of the group at the covariates' means over all its cases",
        OF_QUANTITY,
        source=OLS,
    ),
    "adjusted_mean_reference": Column("That of the reference", OF_QUANTITY, source=OLS),
    "difference": Column(
        "Adjusted mean of the group, less that of the reference; covariates are taken to act alike in "
        "all groups",
        OF_QUANTITY,
        source=OLS,
    ),
    "difference_ci_low": Column("Lower end of its 95 % interval", OF_QUANTITY, source=OLS),
    "difference_ci_high": Column("Upper end of its 95 % interval", OF_QUANTITY, source=OLS),
    "standard_error": Column("Standard error of the difference, HC2", OF_QUANTITY, source=OLS),
    "freedom": Column(
        "Degrees of freedom of the standard error, by Bell and McCaffrey", source=OLS
    ),
    "t": Column("Difference over its standard error", source=OLS),
    "p": Column("Two-sided p of no difference, not corrected", source=OLS),
    "p_corrected": Column(
        "p, corrected for all comparisons of the table, as the column correction says",
        source=f"{HOLM}; {BENJAMINI_HOCHBERG}",
    ),
    "correction": Column(
        "holm: of any false finding among all. benjamini-hochberg: of the rate of false findings"
    ),
    "tests": Column("How many comparisons the correction counts: all of the table that were made"),
    "hedges_g": Column(
        "Hedges' g: the difference over the standard deviation within groups (pooled, not adjusted, of "
        "all groups in the model), corrected for small samples",
        source=HEDGES,
    ),
    "hedges_g_ci_low": Column("Lower end of its 95 % interval", source=HEDGES),
    "hedges_g_ci_high": Column("Upper end of its 95 % interval", source=HEDGES),
}

LEFT_OUT = {
    "recipe": Column("The recipe of the case"),
    "structure": Column("The structure that was compared"),
    "quantity": Column("The quantity that was compared"),
    "case": Column("The case, as in the sheet"),
    "code": Column(
        "Why it is not in the model: the code of measurements.csv; value-missing, group-missing or "
        "covariate-missing; group-too-small"
    ),
    "what": Column("What it lacks, or its group"),
}
