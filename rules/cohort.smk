# What the cohort's own rules read and write, which the config, the recipes and the sheet decide.
from collections import Counter

from scanmill import visits
from scanmill.checks import FEWEST
from scanmill.shape_model import loading
from scanmill.sidecar import checksum


def exported_objects():
    """The sidecars of the folders of DICOM objects, where the config asks for any."""
    return expand(rules.export.output.sidecar, case=CASES) if SETTINGS.export else []


def case_pages():
    """The pages of the cases, unless the config does without them."""
    return expand(rules.report.output.report, case=CASES) if SETTINGS.report else []


def cases_of_recipe(wildcards):
    key = recipe_key(wildcards.recipe)
    return [case for case, row in CASES.items() if row.recipe == key]


def labels_of_recipe(wildcards):
    """The labels of a recipe's structures, by name."""
    structures = SETTINGS.recipes[recipe_key(wildcards.recipe)].structures
    return {structure["name"]: structure["label"] for structure in structures}


def known_shape(recipe, structure):
    """The shape of a structure that another cohort showed, where the config names one."""
    folder = SETTINGS.shape_models
    path = loading.path_of(folder, recipe, structure) if folder else None
    return [str(path)] if path and path.exists() else []


def known_shape_of(wildcards):
    return known_shape(wildcards.recipe, wildcards.structure)


def known_shapes():
    """SHA-256 of the shapes of other cohorts that cases are held against, by recipe and structure."""
    return {
        f"{recipe}/{structure}": checksum(path)
        for recipe, structure in compared_shapes()
        for path in map(Path, known_shape(recipe, structure))
    }


def compared_shapes():
    """Names of recipe and structure of the shapes that are compared: of enough cases, or with a known one."""
    counts = Counter(row.recipe for row in CASES.values())
    return [
        (name, structure)
        for key, name in (RECIPE_NAMES.items() if SETTINGS.check else ())
        for structure in SETTINGS.recipes[key].shape_checked()
        if counts[key] >= FEWEST or known_shape(name, structure)
    ]


def varying_shapes(file):
    """A file that vary writes of each structure whose shapes are compared."""
    return [
        path
        for recipe, structure in compared_shapes()
        for path in expand(rules.vary.output[file], recipe=recipe, structure=structure)
    ]


def check_tables():
    """What check writes: of shapes where a recipe asks for them."""
    flags = report(
        "results/cohort/flags.csv",
        caption="../report/flags.rst",
        category="Cohort",
        labels={"table": "flags"},
    )
    tables = {"flags": flags, "flags_dictionary": "results/cohort/flags.json"}
    for name in ("shapes", "reconstruction") if compared_shapes() else ():
        tables[name] = f"results/cohort/{name}.csv"
        tables[f"{name}_dictionary"] = f"results/cohort/{name}.json"
    return tables


def cohort_checks():
    """What check writes, unless the config does without."""
    return [*rules.check.output] if SETTINGS.check else []


def cohort_results():
    """What the cohort's own rules write, its page unless the config does without pages."""
    page = rules.overview.output if SETTINGS.report else []
    return [
        *rules.collect.output,
        *rules.compare.output,
        *cohort_checks(),
        *rules.groups.output,
        *rules.describe.output,
        *page,
    ]


def cohort_tables():
    """What collect writes; the tables also go into Snakemake's own report."""
    tables = {
        "measurements": report(
            "results/cohort/measurements.csv",
            caption="../report/measurements.rst",
            category="Cohort",
            labels={"table": "measurements"},
        ),
        "dictionary": "results/cohort/measurements.json",
        "cases": report(
            "results/cohort/cases.tsv",
            caption="../report/cases.rst",
            category="Cohort",
            labels={"table": "cases"},
        ),
        "provenance": "results/cohort/provenance.json",
    }
    if SETTINGS.parquet:
        tables["parquet"] = "results/cohort/measurements.parquet"
    return tables


def comparisons():
    """What compare writes: where cases have references, and where subjects were scanned repeatedly."""
    asked = {"agreement": REFERRED, "changes": list(visits.pairs(told_sheet()))}
    tables = {}
    for name in (name for name, found in asked.items() if found):
        tables[name] = report(
            f"results/cohort/{name}.csv",
            caption=f"../report/{name}.rst",
            category="Cohort",
            labels={"table": name},
        )
        tables[f"{name}_dictionary"] = f"results/cohort/{name}.json"
    return tables


def group_tables():
    """What groups writes: where the config asks for it."""
    if SETTINGS.statistics is None:
        return {}
    return {
        "groups": report(
            "results/cohort/groups.csv",
            caption="../report/groups.rst",
            category="Cohort",
            labels={"table": "groups"},
        ),
        "dictionary": "results/cohort/groups.json",
        "left_out": "results/cohort/groups_left_out.csv",
        "page": "results/cohort/groups.html",
    }
