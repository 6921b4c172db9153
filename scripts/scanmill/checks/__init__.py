"""A cohort that checks itself: which of its cases cannot be right, or are unlike all others."""
