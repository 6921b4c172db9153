# What runs that were interrupted left: what is lacking, and what nobody has noted.
import os
import re
from types import SimpleNamespace

from snakemake.io import IOFile


def interrupted_stages(wildcards):
    """The sidecars that a case lacks though it has others: a stage failed while it was done again.

    The tables that an earlier run left are all there, so that Snakemake would not see it by them.
    """
    stages = [rules.ingest, rules.resample, rules.segment, rules.mesh, rules.measure]
    stages += [rules.export] if SETTINGS.export else []
    stages += [rules.report] if SETTINGS.report else []
    lacking, there = [], []
    for case, row in ROWS.items():
        recipe = SETTINGS.recipes[row.recipe]
        asked = [rules.centreline] * recipe.has_centrelines()
        asked += [rules.simulate] * recipe.has_simulations()
        asked += [rules.agreement] * bool(row.reference)
        sidecars = [str(s.output.sidecar).format(case=case) for s in (*stages, *asked)]
        found = [path for path in sidecars if os.path.exists(path)]
        there += found
        if found and case in CASES:
            lacking += [path for path in sidecars if path not in found]
    doubt_unnoted(there + of_cohort())
    return lacking


def of_cohort():
    """One file that is there of each result of the cohort's own rules."""
    patterns = [
        rules.learn.output.sidecar,
        rules.cross_validate.output.sidecar,
        rules.shape.output.sidecar,
        rules.collect.output.dictionary,
        *rules.compare.output,
        rules.vary.output.sidecar,
        rules.check.output.flags_dictionary,
        *rules.groups.output,
    ]
    return [str(path) for p in patterns for path in Path().glob(re.sub(r"{\w+}", "*", p))]


def doubt_unnoted(results):
    """Have Snakemake make anew what it has no notes of, as it does with what is incomplete.

    Jobs of a run that was killed or interrupted may end after it, and nobody notes by which recipe and
    code. Were either changed now, their results would pass for what is asked for.
    """
    notes = workflow.persistence
    files = [IOFile(path) for path in results]
    notes.started(SimpleNamespace(output=[file for file in files if not notes.metadata(file)]))
