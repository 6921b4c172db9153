# What the rules share: the checked settings, and functions from a case to inputs and parameters.
import hashlib
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(str(workflow.current_basedir)).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from scanmill import model_folder, recipe_learning, settings, yaml_file
from scanmill.columns import COLUMNS, ON_REQUEST, STAGES, case_columns
from scanmill.lineage import fingerprint
from scanmill.problem import SettingsError

CASE_FOLDER = "results/cases/{case}"
MODEL_FOLDER = "results/cohort/models/{recipe}"
SHAPE_FOLDER = "results/cohort/shapes/{recipe}"

# A cohort is parallel over its cases; within one, what one core does is the same bytes every time.
for variable in ("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Provenance tells the command; as a parameter it would make a different one look like new work. What
# may be a path is left out: sheets and folders are named after patients.
os.environ.setdefault(
    "SCANMILL_COMMAND",
    " ".join(
        word if re.fullmatch(r"-[^=/]*|\d+|(formats|parquet)=.*", word) else "…"
        for word in ["--snakemake", *sys.argv[1:]]
    ).removeprefix("--"),
)

try:
    SETTINGS = settings.load(
        config,
        ROOT,
        Path.cwd(),
        configfiles=[Path(path) for path in workflow.configfiles],
        reserved=frozenset(COLUMNS) | frozenset(case_columns((*STAGES, *ON_REQUEST))),
    )
except SettingsError as error:
    raise WorkflowError(str(error)) from None

# The sheet's rows, and those of them that are to be measured; the others are atlases for these.
ROWS = SETTINGS.scans
CASES = {case: row for case, row in ROWS.items() if row.role == "scan"}


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
    fold="[0-9]+",


def library(script):
    """Fingerprint of the modules behind a script and of the lock: a change in either reruns the rule."""
    return fingerprint(ROOT / "scripts" / f"{script}.py", ROOT / "envs" / "requirements.lock")


def is_atlas(case):
    return ROWS[case].role == "atlas"


ATLASES = {}
for case in filter(is_atlas, ROWS):
    ATLASES.setdefault(ROWS[case].recipe, []).append(case)


def group_of(wildcards):
    """On a cluster, all of a case is one job. An atlas is one of its own: cases wait for it."""
    return "atlas" if is_atlas(wildcards.case) else "case"


def atlases_of(wildcards):
    """The atlases that a case is segmented by: all of its recipe; an atlas has its own labels."""
    taught = not is_atlas(wildcards.case) and recipe_of(wildcards).has_method("atlas")
    return ATLASES[ROWS[wildcards.case].recipe] if taught else []


def labelled_structures_of(wildcards):
    return [structure for structure, _ in ROWS[wildcards.case].labels]


def recipe_of(wildcards):
    return SETTINGS.recipes[ROWS[wildcards.case].recipe]


def models_of(wildcards):
    """The folders of the recipe's trained networks."""
    return [str(folder) for folder in recipe_of(wildcards).models]


def learned_of(wildcards):
    """The folder of the network that is trained for the recipe, if one is."""
    if is_atlas(wildcards.case) or not recipe_of(wildcards).learned():
        return []
    return expand(f"{MODEL_FOLDER}/network", recipe=RECIPE_NAMES[ROWS[wildcards.case].recipe])


def shapes_of(wildcards):
    """The shape models of the recipe, if it has any."""
    if is_atlas(wildcards.case) or not recipe_of(wildcards).modelled():
        return []
    name = RECIPE_NAMES[ROWS[wildcards.case].recipe]
    return expand(f"{SHAPE_FOLDER}/shapes.npz", recipe=name)


def artefacts_of(wildcards):
    """The marks of a scan, where shape models are told what they hide."""
    case = wildcards.case
    return expand(f"{CASE_FOLDER}/artefacts.nii.gz", case=case) if shapes_of(wildcards) else []


def shapes_wanted(wildcards):
    """The structures of a recipe that models are made of, and the labels of all that atlases have."""
    recipe = SETTINGS.recipes[recipe_key(wildcards)]
    return {"of": recipe.modelled(), "labels": {s["name"]: s["label"] for s in recipe.of_atlas()}}


def recipe_key(wildcards):
    """The key of the recipe of that name."""
    return next(key for key, name in RECIPE_NAMES.items() if name == wildcards.recipe)


def exemplars_of(wildcards, file):
    """A file of each labelled scan that a network of the recipe learns from."""
    return expand(f"{CASE_FOLDER}/{file}", case=ATLASES[recipe_key(wildcards)])


def course_of(wildcards):
    """How the networks of a recipe are trained."""
    key = recipe_key(wildcards)
    return recipe_learning.course(SETTINGS.recipes[key].learn, len(ATLASES[key]))


def folds_of(wildcards, pattern):
    """A file of each fold."""
    folds = range(1, course_of(wildcards)["folds"] + 1)
    return expand(pattern, recipe=wildcards.recipe, fold=folds)


def learning_of(*keys):
    """Parameters of a network's training, by name, as functions of its recipe."""

    def one(key):
        def value(wildcards):
            recipe = SETTINGS.recipes[recipe_key(wildcards)]
            known = {"modality": recipe.modality, "structures": recipe.learned()}
            return (known | course_of(wildcards))[key]

        return value

    return {key: one(key) for key in keys}


def spacing_of(wildcards):
    return recipe_of(wildcards).spacing


def pass_band_of(wildcards):
    return recipe_of(wildcards).pass_band


def ledger_limit_of(wildcards):
    return recipe_of(wildcards).ledger_limit


def modality_of(wildcards):
    return recipe_of(wildcards).modality


def correct_of(wildcards):
    return recipe_of(wildcards).correct


def structures_of(*keys):
    """A function from a case to what a stage needs to know of its structures, and no more."""

    def chosen(wildcards):
        recipe = recipe_of(wildcards)
        structures = recipe.of_atlas() if is_atlas(wildcards.case) else recipe.structures
        return [{key: s[key] for key in keys} for s in structures]

    return chosen


def described_phantom(wildcards):
    return yaml_file.read(ROOT / "config" / "phantoms.yaml").content[wildcards.phantom]


def memory(base, per_megabyte):
    """Memory in MB from the scan's size; each new attempt may use as much again."""

    def needed(wildcards, attempt):
        return int(attempt * (base + per_megabyte * scan_megabytes(wildcards)))

    return needed


# MB for each MB of a scan's file, by what is done about its intensities. Of a CT of 210 MB in a file of
# 92 MB, resample was seen to need 550 MB without corrections, 1070 with diffusion and 1220 with n4, in
# all: half of what is asked for, since files shrink differently. One follows another: the most counts.
CORRECTING = {"off": 7, "mark": 9, "inpaint": 11, "diffusion": 14, "n4": 16}


def memory_to_correct(base):
    """As `memory`, by the corrections that the recipe asks for."""

    def needed(wildcards, attempt):
        largest = max(CORRECTING[way] for way in correct_of(wildcards).values())
        return memory(base, largest)(wildcards, attempt)

    return needed


def memory_to_segment(wildcards, attempt):
    """As `memory`, and what the largest of the recipe's networks, or its atlases, need."""
    known = [model_folder.read(Path(m)).memory_mb for m in models_of(wildcards)]
    largest = max([*known, *(model_folder.MEMORY_MB for _ in learned_of(wildcards))], default=0)
    with_atlases = memory(1200, 30 * (1 + len(atlases_of(wildcards))))
    return attempt * largest + with_atlases(wildcards, attempt)


def memory_to_learn(wildcards, attempt):
    """Memory in MB from the sizes of the labelled scans, all of which a network learns from."""
    atlases = ATLASES[recipe_key(wildcards)]
    return int(attempt * (3000 + 20 * sum(scan_megabytes_of(case) for case in atlases)))


def minutes_to_learn(wildcards, attempt):
    """Run time in minutes: on a slow core a window takes three seconds."""
    course = course_of(wildcards)
    return attempt * (30 + course["iterations"] * course["batch"] // 20)


def minutes(base, per_megabyte):
    """Run time in minutes from the scan's size; each new attempt may take as long again."""

    def needed(wildcards, attempt):
        return int(attempt * (base + per_megabyte * scan_megabytes(wildcards)) + 1)

    return needed


def attempt_number(wildcards, attempt):
    """For the script: a crash is not tried again (`attempts`)."""
    return attempt


def described_recipes():
    """The recipes that cases use, as plain data."""
    found = {name: SETTINGS.recipes[key] for key, name in RECIPE_NAMES.items()}
    return {
        name: {
            "modality": recipe.modality,
            "spacing": recipe.spacing,
            "pass_band": recipe.pass_band,
            "ledger_limit": recipe.ledger_limit,
            "uneven_slices": recipe.uneven_slices,
            "correct": recipe.correct,
            "learn": recipe.learn,
            "structures": recipe.structures,
        }
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


def finished_stages():
    """The sidecar of each stage of each case. What failed while it was done again left none: by these, and
    not by the tables that an earlier run left, Snakemake sees that it is still to be done."""
    stages = (rules.ingest, rules.resample, rules.segment, rules.mesh, rules.measure)
    return [expand(stage.output.sidecar, case=CASES) for stage in stages]


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


def summary():
    """One line for the person who waits: how the cases ended, and where the table is."""
    path = Path("results/cohort/cases.tsv")
    if not path.exists():
        return "Done."
    states = [line.split("\t")[1] for line in path.read_text().splitlines()[1:]]
    parts = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    return f"{len(states)} cases: {', '.join(parts)}. Table: results/cohort/measurements.csv"
