# What the rules share: the checked settings, and functions from a case to inputs and parameters.
import hashlib
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(str(workflow.current_basedir)).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from scanmill import disk, settings, yaml_file
from scanmill.card import write_card
from scanmill.columns import COLUMNS, ON_REQUEST, STAGES, case_columns
from scanmill.lineage import fingerprint
from scanmill.problem import SettingsError

PHANTOM = "phantom:"
PACS = ("dicomweb:", "dimse:")
CASE_FOLDER = "results/cases/{case}"

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

CASES = {case: row for case, row in SETTINGS.scans.items() if row.role == "scan"}


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


def library(script):
    """Fingerprint of the modules behind a script and of the lock: a change in either reruns the rule."""
    return fingerprint(ROOT / "scripts" / f"{script}.py", ROOT / "envs" / "requirements.lock")


def state(paths):
    """Names, sizes and times of files, and of those in folders: a file that was replaced by an older
    one, or a slice that was overwritten in its folder, has not become newer in Snakemake's eyes."""
    seen = hashlib.sha256()
    for path in map(Path, paths):
        for file, entry in disk.files(path):
            seen.update(f"{file.name}\0{entry.st_size}\0{entry.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def scan_state(wildcards):
    return state(path for path in scan_of(wildcards) if path not in made_scan(wildcards))


def labels_state(wildcards):
    return state(path for path in labels_of(wildcards) if path not in made_labels(wildcards))


def located(source, case, part):
    """Where a source of the sheet lies, and whether a job of ours makes it: `part` (scan or labels) of
    a phantom, or fetched from a PACS."""
    if source.startswith(PHANTOM):
        return f"results/phantoms/{source.removeprefix(PHANTOM)}/{part}.nii.gz", True
    if source.startswith(PACS):
        return f"downloads/{case}/{part}", True
    return source, False


def detached(path):
    """The file of voxels that a header of its own (.mhd, .nhdr) names, if that is what the path is."""
    if not path.lower().endswith((".mhd", ".nhdr")):
        return []
    from scanmill.source import files_of

    return [str(file) for file in files_of(Path(path))[1:]]


def scan_of(wildcards):
    """The case's scan, and the file of its voxels where it has a detached header."""
    scan, _ = located(CASES[wildcards.case].scan, wildcards.case, "scan")
    return [scan, *detached(scan)]


def labels_of(wildcards):
    """The label files in the sheet's order, then the files of voxels of those with detached headers."""
    case = wildcards.case
    files = [located(source, case, "labels")[0] for _, source in CASES[case].labels]
    return files + [voxels for file in files for voxels in detached(file)]


def made(sources, case, part):
    """What rules make of the sources, and the cards by which a change of what is asked is seen."""
    found = [located(source, case, part) for source in sources]
    asked = [query_card(case, part)] if any(source.startswith(PACS) for source in sources) else []
    return [path for path, by_rule in found if by_rule] + asked


def made_scan(wildcards):
    return made([CASES[wildcards.case].scan], wildcards.case, "scan")


def made_labels(wildcards):
    return made([path for _, path in CASES[wildcards.case].labels], wildcards.case, "labels")


def scan_card(wildcards):
    """The card of the case's scan: its files, and which of what they hold the sheet wants."""
    case = CASES[wildcards.case]
    path = f"sources/{wildcards.case}/scan.card"
    write_card(Path(path), scan_of(wildcards), wanted_series=case.series, wanted_volume=case.volume)
    return path


def labels_card(wildcards):
    """The card of the case's label files, if it has any."""
    path = f"sources/{wildcards.case}/labels.card"
    files = labels_of(wildcards)
    if files:
        write_card(Path(path), files)
    return path if files else []


def query_card(case, part):
    """The card of what is asked of a PACS for a case's scan or labels."""
    row = CASES[case]
    path = f"sources/{case}/{part}-query.card"
    write_card(Path(path), [], query=row.scan if part == "scan" else row.labels[0][1])
    return path


def labelled_structures_of(wildcards):
    return [structure for structure, _ in CASES[wildcards.case].labels]


def recipe_of(wildcards):
    return SETTINGS.recipes[CASES[wildcards.case].recipe]


def spacing_of(wildcards):
    return recipe_of(wildcards).spacing


def pass_band_of(wildcards):
    return recipe_of(wildcards).pass_band


def modality_of(wildcards):
    return recipe_of(wildcards).modality


def correct_of(wildcards):
    return recipe_of(wildcards).correct


def structures_of(*keys):
    """A function from a case to what a stage needs to know of its structures, and no more."""

    def chosen(wildcards):
        return [{key: s[key] for key in keys} for s in recipe_of(wildcards).structures]

    return chosen


def described_phantom(wildcards):
    return yaml_file.read(ROOT / "config" / "phantoms.yaml").content[wildcards.phantom]


def scan_megabytes(wildcards):
    """Size of the case's scan as it lies on disk; a folder's is that of its files. What a PACS will send
    is not known yet: that of a large CT."""
    if CASES[wildcards.case].scan.startswith(PACS):
        return 300
    paths = [Path(path) for path in scan_of(wildcards)]
    return sum(entry.st_size for path in paths for _, entry in disk.files(path)) / 1e6


def memory(base, per_megabyte):
    """Memory in MB from the scan's size; each new attempt may use as much again."""

    def needed(wildcards, attempt):
        return int(attempt * (base + per_megabyte * scan_megabytes(wildcards)))

    return needed


def minutes(base, per_megabyte):
    """Run time in minutes from the scan's size; each new attempt may take as long again."""

    def needed(wildcards, attempt):
        return int(attempt * (base + per_megabyte * scan_megabytes(wildcards)) + 1)

    return needed


def described_recipes():
    """The recipes that cases use, as plain data."""
    found = {name: SETTINGS.recipes[key] for key, name in RECIPE_NAMES.items()}
    return {
        name: {
            "modality": recipe.modality,
            "spacing": recipe.spacing,
            "pass_band": recipe.pass_band,
            "uneven_slices": recipe.uneven_slices,
            "correct": recipe.correct,
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
