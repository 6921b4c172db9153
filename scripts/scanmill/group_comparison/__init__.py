"""How groups of a cohort differ in what was measured: linear models, effect sizes, many tests."""
