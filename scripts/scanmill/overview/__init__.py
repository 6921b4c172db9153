"""The page of a cohort: all its cases at a glance, and which of them to look at first.

`specification` is what the user asked to see; `cohort` reads the tables, `outliers` finds what is far
from the rest, `shapes` draws how shapes vary, `sections` says what each part of the page shows, and
`page` puts it together.
"""
