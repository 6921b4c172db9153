# What the rules share: the checked settings, and functions from a case to inputs and parameters.
import hashlib
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError
from snakemake.io import IOFile
from snakemake.logging import logger
from snakemake.settings.enums import Quietness

ROOT = Path(str(workflow.current_basedir)).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from scanmill import model_folder, plan_file, processor, recipe_simulation, recipe_text
from scanmill import settings, visits, yaml_file
from scanmill.agreement.columns import REFERENCE
from scanmill.checks import FEWEST
from scanmill.columns import COLUMNS, ON_REQUEST, STAGES, case_columns
from scanmill.lineage import LOCK, fingerprint
from scanmill.problem import SettingsError
from scanmill.progress.journal import JOURNAL, Journal

CASE_FOLDER = "results/cases/{case}"
FAILURE = "Some jobs failed; the other cases were done. The messages above name rule, case and log."

# A cohort is parallel over its cases; within one, what one core does is the same bytes every time, whatever
# the user's own environment says. Those of BLAS and OpenMP Snakemake sets to a job's threads.
for taker in ("ITK_GLOBAL_DEFAULT_NUMBER_OF", "OMP_NUM", "NUMBA_NUM", "VTK_SMP_MAX"):
    os.environ[f"{taker}_THREADS"] = "1"
os.environ.update(processor.settled())

# Provenance tells the command; as a parameter it would make a different one look like new work. What
# may be a path is left out: sheets and folders are named after patients.
os.environ.setdefault(
    "SCANMILL_COMMAND",
    " ".join(
        word if re.fullmatch(r"-[^=/]*|\d+|(formats|parquet)=.*", word) else "…"
        for word in ["--snakemake", *sys.argv[1:]]
    ).removeprefix("--"),
)

# A job on another machine does what was planned; see plan_file.
SETTINGS = plan_file.recall() if workflow.remote_exec else None
if SETTINGS is None:
    try:
        SETTINGS = settings.load(
            config,
            ROOT,
            Path.cwd(),
            configfiles=[Path(path) for path in workflow.configfiles],
            reserved=frozenset(COLUMNS | REFERENCE)
            | frozenset(case_columns((*STAGES, *ON_REQUEST))),
        )
    except SettingsError as error:
        raise WorkflowError(str(error)) from None
    plan_file.keep(SETTINGS, Path("sources"))

# The sheet's rows, and those of them that are to be measured; the others are atlases for these.
ROWS = SETTINGS.scans
CASES = {case: row for case, row in ROWS.items() if row.role == "scan"}
REFERRED = [case for case, row in CASES.items() if row.reference]


def recipe_names():
    """A name for each recipe that cases use, by its key: two files of one name are told apart."""
    names = {}
    for key in sorted({row.recipe for row in CASES.values()}):
        name = SETTINGS.recipes[key].name
        taken = sum(other.split("#")[0] == name for other in names.values())
        names[key] = f"{name}#{taken + 1}" if taken else name
    return names


RECIPE_NAMES = recipe_names()


wildcard_constraints:
    case="[A-Za-z0-9][A-Za-z0-9_-]*",
    phantom="[A-Za-z0-9][A-Za-z0-9_-]*",
    recipe="[^/]+",
    structure="[A-Za-z0-9][A-Za-z0-9_-]*",
    fold="[0-9]+",


def library(script):
    """Fingerprint of the modules behind a script and of the lock: a change in either reruns the rule.

    Jobs on other machines have it from their environment, as they have the settings.
    """
    name = re.sub(r"\W", "_", script)
    variable = f"SCANMILL_LIBRARY_{name}"
    if not workflow.remote_exec:
        os.environ[variable] = fingerprint(ROOT / "scripts" / f"{script}.py", LOCK)
    return os.environ.get(variable, "")


def is_atlas(case):
    return ROWS[case].role == "atlas"


def labelled_structures_of(wildcards):
    return [structure for structure, _ in ROWS[wildcards.case].labels]


def referred_structures_of(wildcards):
    return [structure for structure, _ in ROWS[wildcards.case].reference]


def recipe_of(wildcards):
    return SETTINGS.recipes[ROWS[wildcards.case].recipe]


def spacing_of(wildcards):
    return recipe_of(wildcards).spacing


def pass_band_of(wildcards):
    return recipe_of(wildcards).pass_band


def ledger_limit_of(wildcards):
    return recipe_of(wildcards).ledger_limit


def surface_dice_tolerance_of(wildcards):
    return recipe_of(wildcards).surface_dice_tolerance


def modality_of(wildcards):
    return recipe_of(wildcards).modality


def correct_of(wildcards):
    return recipe_of(wildcards).correct


def expect_of(wildcards):
    return recipe_of(wildcards).expect


def structures_of(*keys):
    """A function from a case to what a stage needs to know of its structures, and no more."""

    def chosen(wildcards):
        recipe = recipe_of(wildcards)
        structures = recipe.of_atlas() if is_atlas(wildcards.case) else recipe.structures
        return [{key: s[key] for key in keys} for s in structures]

    return chosen


def asked_centrelines(wildcards):
    """The courses of the case's vessels, where its recipe asks for any."""
    asked = not is_atlas(wildcards.case) and recipe_of(wildcards).has_centrelines()
    return expand(f"{CASE_FOLDER}/centrelines", case=wildcards.case) if asked else []


def asked_simulations(wildcards):
    """What is simulated of the case, where its recipe asks for any."""
    asked = not is_atlas(wildcards.case) and recipe_of(wildcards).has_simulations()
    return expand(f"{CASE_FOLDER}/simulation", case=wildcards.case) if asked else []


def pressures_of(wildcards):
    """What the case's vessels are put under, where the sheet says it."""
    structures = recipe_of(wildcards).structures
    return recipe_simulation.pressures(structures, ROWS[wildcards.case].extra)


def described_phantom(wildcards):
    return yaml_file.read(ROOT / "config" / "phantoms.yaml").content[wildcards.phantom]


def told_sheet():
    """What may be told of the rows that the run needs, atlases included, by case."""
    return {
        case: {"recipe": RECIPE_NAMES[row.recipe]} | row.told()
        for case, row in ROWS.items()
        if row.recipe in RECIPE_NAMES
    }


def described_recipes():
    """The recipes that cases use, as plain data; of their networks what the manifests say of them."""
    found = {name: SETTINGS.recipes[key] for key, name in RECIPE_NAMES.items()}
    return {
        name: recipe_text.told(
            recipe, [model_folder.read(folder).source for folder in recipe.models]
        )
        for name, recipe in found.items()
    }


def pseudonyms_state():
    """What tells one site key from another without telling the key: new pseudonyms are new objects.

    Without a key, de-identified objects cannot be made; that is found before any job starts.
    """
    if not SETTINGS.export or SETTINGS.export_identity != "de-identified":
        return ""
    from scanmill import site

    try:
        key = site.load().pseudonym_key
    except SettingsError as error:
        raise WorkflowError(str(error)) from None
    if key is None:
        raise WorkflowError(
            "config: 'export' of de-identified objects was found and no key for their pseudonyms; the "
            "output of 'openssl rand -hex 32' as pseudonym_key in the site file (or in the environment "
            "variable SCANMILL_PSEUDONYM_KEY), or 'export_identity: return-to-pacs', would be right"
        )
    return hashlib.sha256(b"ScanMill pseudonyms: %b" % key).hexdigest()


PSEUDONYMS_STATE = pseudonyms_state()


def exported_objects():
    """The sidecars of the folders of DICOM objects, where the config asks for any."""
    return expand(rules.export.output.sidecar, case=CASES) if SETTINGS.export else []


def case_pages():
    """The pages of the cases, unless the config does without them."""
    return expand(rules.report.output.report, case=CASES) if SETTINGS.report else []


def of_recipe(wildcards, pattern):
    """A file of each case of a recipe."""
    key = recipe_key(wildcards.recipe)
    return expand(pattern, case=[case for case, row in CASES.items() if row.recipe == key])


def labels_of_recipe(wildcards):
    """The labels of a recipe's structures, by name."""
    structures = SETTINGS.recipes[recipe_key(wildcards.recipe)].structures
    return {structure["name"]: structure["label"] for structure in structures}


def varying_shapes():
    """The reconstruction errors of each structure whose shapes are compared, of enough cases."""
    found = []
    for key, name in RECIPE_NAMES.items() if SETTINGS.check else ():
        if sum(row.recipe == key for row in CASES.values()) >= FEWEST:
            structures = SETTINGS.recipes[key].shape_checked()
            found += expand(rules.vary.output.reconstruction, recipe=name, structure=structures)
    return found


def check_tables():
    """What check writes: of shapes where a recipe asks for them."""
    flags = report(
        "results/cohort/flags.csv",
        caption="../report/flags.rst",
        category="Cohort",
        labels={"table": "flags"},
    )
    tables = {"flags": flags, "flags_dictionary": "results/cohort/flags.json"}
    for name in ("shapes", "reconstruction") if varying_shapes() else ():
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


def begin_journal():
    """Note from now on what the run does, for the terminal and for `make status`.

    Under `--quiet progress` Snakemake does not tell what has finished, and nothing is noted.
    """
    JOURNAL.unlink(missing_ok=True)
    if Quietness.PROGRESS in (workflow.output_settings.quiet or ()):
        return
    jobs = [
        {
            "id": job.jobid,
            "rule": job.rule.name,
            "case": job.wildcards_dict.get("case", ""),
            "log": str(job.log[0]) if job.log else "",
            "seconds": expected_seconds(job),
        }
        for job in workflow.dag.needrun_jobs()
    ]
    logger.addHandler(Journal(jobs, CASES))


def tell(text):
    """Print how the run ended, after the live line has gone, if there is one."""
    for handler in workflow.logger_manager.get_log_handlers():
        handler.flush()
    print(text)


def summary():
    """One line for the person who waits: how the cases ended, and where the table is."""
    path = Path("results/cohort/cases.tsv")
    if not path.exists():
        return "Done."
    states = [line.split("\t")[1] for line in path.read_text().splitlines()[1:]]
    parts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    return f"{len(states)} cases: {', '.join(parts)}. Table: results/cohort/measurements.csv"
