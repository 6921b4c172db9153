"""A cohort that checks itself: which of its cases cannot be right, or are unlike all others."""

# Fewer cases do not tell what is usual.
FEWEST = 15
