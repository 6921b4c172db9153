# What the rules share: the checked settings, and functions from a case to inputs and parameters.
import hashlib
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(str(workflow.current_basedir)).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from scanmill import model_folder, plan_file, processor, recipe_simulation, recipe_text
from scanmill import settings, yaml_file
from scanmill.agreement.columns import REFERENCE
from scanmill.columns import COLUMNS, ON_REQUEST, STAGES, case_columns
from scanmill.lineage import LOCK, fingerprint
from scanmill.problem import SettingsError

CASE_FOLDER = "results/cases/{case}"

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
