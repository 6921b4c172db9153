"""How well each of the seven challenges is met: one module each, with its rows and its tables.

Each has `rows(seeds)`, one `Row` per method, and `tables(seeds)`, lines of Markdown. What they measure
goes through the functions that the stages call (`mill`); exact truth is that of analytic phantoms.
"""
