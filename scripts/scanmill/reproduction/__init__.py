"""A finished run, done once more elsewhere from its provenance, and compared file by file."""
