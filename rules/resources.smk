# What jobs ask a cluster for: by the work that they have and what such work takes (config/costs.yaml), and
# more at each attempt. What plans the work has read one header of each scan.
from functools import cache

from scanmill import scan_size, work
from scanmill.costs import TIME


def group_of(wildcards):
    """On a cluster, all of a case is one job. An atlas is one of its own: cases wait for it."""
    return "atlas" if is_atlas(wildcards.case) else "case"


@cache
def work_on_case(case):
    return work.of_case(SETTINGS, case, ATLASES)


@cache
def work_on_recipe(name):
    return work.of_recipe(SETTINGS, recipe_key(name), ATLASES)


@cache
def work_on_shapes(name):
    return work.of_shapes(SETTINGS, recipe_key(name))


WORK_ON_COHORT = work.of_cohort(SETTINGS)


def work_of(wildcards):
    """What a job has to do: for a phantom, a case, a recipe's atlases or the cohort."""
    if "phantom" in wildcards.keys():
        return WORK_ON_COHORT | work.of_scan(scan_size.of_phantom(described_phantom(wildcards)))
    if "case" in wildcards.keys():
        return WORK_ON_COHORT | work_on_case(wildcards.case)
    if "structure" in wildcards.keys():
        return WORK_ON_COHORT | work_on_shapes(wildcards.recipe)
    if "recipe" in wildcards.keys():
        return WORK_ON_COHORT | work_on_recipe(wildcards.recipe)
    return WORK_ON_COHORT


def memory(rule):
    """Memory in MB for a rule's job; each new attempt may use as much again."""
    return lambda wildcards, attempt: attempt * SETTINGS.costs.memory_mb(rule, work_of(wildcards))


def minutes(rule):
    """Run time in minutes for a rule's job; each new attempt may take as long again."""
    return lambda wildcards, attempt: attempt * SETTINGS.costs.minutes(rule, work_of(wildcards))


def attempt_number(wildcards, attempt):
    """For the script: a crash is not tried again (`attempts`)."""
    return attempt


def expected_seconds(job):
    """What a job is expected to take; 0 for a moment's work."""
    known = job.rule.name in SETTINGS.costs.rules
    return SETTINGS.costs.expected(job.rule.name, TIME, work_of(job.wildcards)) if known else 0
