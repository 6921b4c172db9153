"""Differences of groups by a linear model, with errors that unequal variances do not spoil.

Ordinary least squares of a quantity on group and covariates. Standard errors are HC2 (MacKinnon and
White 1985), which of two groups alone are Welch's; intervals and tests by Student's t with the degrees
of freedom of Bell and McCaffrey, as Imbens and Kolesár advise (2016, doi:10.1162/REST_a_00552): HC3
with the residual ones holds the truth too rarely where one group is small. Effect sizes are adjusted
differences over the standard deviation within groups, with Hedges' correction for small samples (1981,
doi:10.3102/10769986006002107; Borenstein et al. 2009, doi:10.1002/9780470743386, chapter 4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln
from scipy.stats import t as student

# Fewer cases in a group do not tell its variance.
FEWEST = 5
# Least degrees of freedom of what the model leaves.
LEAST_FREEDOM = 5
CONFIDENCE = 0.95
# A case whose value is fitted exactly, whatever it is.
ALONE = 1 - 1e-6


class UnfitError(Exception):
    """A model cannot be had of a sample. code: for programs; the text is for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True)
class Categories:
    """A covariate of categories: the level of each case, and the level the others are set against."""

    cells: Sequence[str]
    reference: str


Covariate = np.ndarray | Categories


def compare(
    values: np.ndarray,
    groups: Sequence[str],
    reference: str,
    covariates: Mapping[str, Covariate],
) -> dict[str, dict[str, float]]:
    """How each group but the reference differs from it, by the columns of `columns.GROUPS`.

    values: (n,), of one quantity. groups: of each case. covariates: by name, numbers (n,) or
    Categories. Raises UnfitError where no such model can be had.
    """
    groups = np.asarray(groups)
    counts = {str(level): int((groups == level).sum()) for level in dict.fromkeys(groups)}
    others = [level for level in counts if level != reference]
    _check_counts(counts, reference)
    columns = {level: (groups == level).astype(float) for level in others}
    for name, covariate in covariates.items():
        columns |= _columns(name, covariate)
    design = _design(columns, len(values))
    within = _within(values, groups)
    if within == 0:
        raise UnfitError("no-spread", "all cases of each group have the same value")
    fitted = _fit(values, design)
    freedom_within = len(values) - len(counts)
    of_reference = _described(values[groups == reference], "reference")
    found = {}
    for n, level in enumerate(others, start=1):
        difference, error = float(fitted.params[n]), float(fitted.bse[n])
        freedom = freedom_of(design, n)
        reach = student.ppf((1 + CONFIDENCE) / 2, freedom)
        found[level] = {
            "n": len(values),
            "adjusted_mean_reference": float(fitted.params[0]),
            "adjusted_mean_group": float(fitted.params[0]) + difference,
            "difference": difference,
            "standard_error": error,
            "freedom": freedom,
            "t": difference / error,
            "p": float(2 * student.sf(abs(difference / error), freedom)),
            **_ends("difference", difference - reach * error, difference + reach * error),
            **_described(values[groups == level], "group"),
            **of_reference,
            **_effect(difference, error, within, freedom_within, reach),
        }
    return found


def _check_counts(counts: Mapping[str, int], reference: str) -> None:
    if counts.get(reference, 0) < FEWEST:
        raise UnfitError(
            "reference-too-small",
            f"fewer than {FEWEST} cases of the reference {reference!r} have all values",
        )
    if len(counts) < 2:
        raise UnfitError("groups-too-small", f"no other group has {FEWEST} cases with all values")


def _columns(name: str, covariate: Covariate) -> dict[str, np.ndarray]:
    """A covariate's columns of the design, each of mean 0; numbers in standard deviations."""
    if isinstance(covariate, Categories):
        cells = np.asarray(covariate.cells)
        found = [str(level) for level in dict.fromkeys(cells)]
        rest = [level for level in found if level != covariate.reference]
        if len(found) < 2:
            raise UnfitError("covariate-constant", f"all cases have the same {name}")
        if covariate.reference not in found:
            raise UnfitError(
                "covariate-reference", f"no case of {name} {covariate.reference!r} is among them"
            )
        flags = {f"{name} {level}": (cells == level).astype(float) for level in rest}
        return {key: flag - flag.mean() for key, flag in flags.items()}
    spread = covariate.std()
    if not spread > 1e-12 * np.abs(covariate).max():
        raise UnfitError("covariate-constant", f"all cases have the same {name}")
    return {name: (covariate - covariate.mean()) / spread}


def _design(columns: Mapping[str, np.ndarray], n: int) -> np.ndarray:
    """The matrix of the model, (n, p): ones, groups, covariates."""
    if n - 1 - len(columns) < LEAST_FREEDOM:
        raise UnfitError(
            "cases-too-few",
            f"{n} cases have all values; for {1 + len(columns)} coefficients at least "
            f"{1 + len(columns) + LEAST_FREEDOM} would be right",
        )
    design = np.ones((n, 1))
    for name, column in columns.items():
        design = np.column_stack([design, column])
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise UnfitError(
                "covariates-collinear", f"{name} follows from the groups and covariates before it"
            )
    orthonormal, _ = np.linalg.qr(design)
    if (orthonormal**2).sum(axis=1).max() > ALONE:
        raise UnfitError(
            "case-alone",
            "one case alone decides a coefficient, as the only one of its category does",
        )
    return design


def _fit(values: np.ndarray, design: np.ndarray):  # noqa: ANN202 - a type of statsmodels' own
    # Imported where it is used: it takes longer to load than most fits.
    from statsmodels.regression.linear_model import OLS

    return OLS(values, design).fit(cov_type="HC2")


def freedom_of(design: np.ndarray, coefficient: int) -> float:
    """Degrees of freedom of the HC2 variance of a coefficient (Bell and McCaffrey 2002).

    Those of the chi square with the mean and variance that it has where all cases vary alike. design:
    (n, p) of full rank.
    """
    orthonormal, upper = np.linalg.qr(design)
    leverage = (orthonormal**2).sum(axis=1)
    ends = np.zeros(design.shape[1])
    ends[coefficient] = 1
    weights = (orthonormal @ np.linalg.solve(upper.T, ends)) ** 2 / (1 - leverage)
    shared = (orthonormal.T * weights) @ orthonormal
    variance = (weights**2 * (1 - 2 * leverage)).sum() + (shared**2).sum()
    return float((weights * (1 - leverage)).sum() ** 2 / variance)


def _within(values: np.ndarray, groups: np.ndarray) -> float:
    """The standard deviation within groups, pooled."""
    left = np.concatenate([values[groups == g] - values[groups == g].mean() for g in set(groups)])
    scale = np.abs(values).max()
    spread = np.sqrt((left**2).sum() / (len(values) - len(set(groups))))
    return float(spread) if spread > 1e-12 * scale else 0.0


def _effect(
    difference: float, error: float, within: float, freedom_within: int, reach: float
) -> dict[str, float]:
    """Hedges' g; its variance is that of the difference, and of the deviation that divides it.

    reach: half the interval, in standard errors.
    """
    half = freedom_within / 2
    correction = np.exp(gammaln(half) - gammaln(half - 0.5)) / np.sqrt(half)
    raw = difference / within
    g = float(correction * raw)
    deviation = correction * np.sqrt((error / within) ** 2 + raw**2 / (2 * freedom_within))
    return {"hedges_g": g} | _ends("hedges_g", g - reach * deviation, g + reach * deviation)


def _described(values: np.ndarray, which: str) -> dict[str, float]:
    return {
        f"n_{which}": len(values),
        f"mean_{which}": float(values.mean()),
        f"sd_{which}": float(values.std(ddof=1)),
    }


def _ends(name: str, low: float, high: float) -> dict[str, float]:
    return {f"{name}_ci_low": float(low), f"{name}_ci_high": float(high)}
