"""A cohort that grows and shrinks: what is finished stays, and the tables say what they are of."""

import planted
import pytest
from mill import copied, mill, planned, rows

pytestmark = pytest.mark.slow

STAGES = ("ingest", "resample", "segment", "mesh", "measure", "report")
FIRST = [f"c{n}" for n in range(5)]
TWO = ["new-1", "new-2"]
OF_OTHER = ["c0", "c1"]
TABLES = {"collect": 1, "check": 1, "describe": 1, "overview": 1, "all": 1}


def after(stage: str, cases: int) -> dict[str, int]:
    """The jobs of so many cases from a stage on."""
    return dict.fromkeys(STAGES[STAGES.index(stage) :], cases) | TABLES


def write_sheet(folder, cases):
    lines = [
        f"{case}\tone.nrrd\t{'other' if case in OF_OTHER else 'recipe'}.yaml" for case in cases
    ]
    (folder / "scans.tsv").write_text("\n".join(["case\tscan\trecipe", *lines]) + "\n")


def seen(folder, cases):
    """Bytes and times of all files of cases."""
    files = [
        p for case in cases for p in (folder / "results/cases" / case).rglob("*") if p.is_file()
    ]
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A copy of the workflow, a folder in which it ran on five cases and then on two more; what was
    planned for these, and the files of the five before and after."""
    folder = tmp_path_factory.mktemp("grown")
    copy = copied(tmp_path_factory.mktemp("workflow") / "copy")
    planted.write_itk(folder / "one.nrrd", planted.scan()[0])
    for name in ("recipe", "other"):
        (folder / f"{name}.yaml").write_text(planted.recipe(spacing=2.5))
    (folder / "config.yaml").write_text("scans: scans.tsv\n")
    write_sheet(folder, FIRST)
    mill(folder, "--configfile", "config.yaml", root=copy)
    before = seen(folder, FIRST)
    write_sheet(folder, [*FIRST[:2], *TWO, *FIRST[2:]])
    plan = planned(folder, "--configfile", "config.yaml", root=copy)
    mill(folder, "--configfile", "config.yaml", root=copy)
    return copy, folder, plan, before, seen(folder, FIRST)


def replan(grown) -> dict[str, int]:
    return planned(grown[1], "--configfile", "config.yaml", root=grown[0])


def test_two_more_cases_run_two_cases_and_the_tables(grown):
    _, folder, plan, before, then = grown
    assert plan == after("ingest", 2)
    assert before == then and len(before) > 90
    table = rows(folder / "results/cohort/measurements.csv")
    assert [row["case"] for row in table][::2] == [*FIRST[:2], *TWO, *FIRST[2:]]
    assert replan(grown) == {}


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("other.yaml", "[170, null]", "[171, null]", after("segment", 2)),
        ("recipe.yaml", "[170, null]", "[171, null]", after("segment", 5)),
        ("other.yaml", "spacing: 2.5", "spacing: 3", after("resample", 2)),
    ],
)
def test_a_changed_recipe_reruns_its_cases_from_the_stage_that_it_concerns(
    grown, name, old, new, expected
):
    path = grown[1] / name
    text = path.read_text()
    path.write_text(text.replace(old, new))
    assert text != path.read_text() and replan(grown) == expected
    path.write_text(text)


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("pytest", {}),
        ("snakemake", {}),
        ("pynetdicom", {}),
        ("pyfqmr", after("mesh", 7)),
        ("onnxruntime", after("segment", 7)),
        ("numpy", after("ingest", 7)),
    ],
)
def test_an_upgraded_dependency_reruns_what_depends_on_it(grown, package, expected):
    lock = grown[0] / "envs" / "requirements.lock"
    text = lock.read_text()
    lock.write_text(text.replace(f"\n{package}==", f"\n{package}==99."))
    assert text != lock.read_text() and replan(grown) == expected
    lock.write_text(text)


def test_a_case_that_left_the_sheet_leaves_the_tables_and_is_said_to_be_stale(grown):
    copy, folder, *_ = grown
    before = seen(folder, FIRST)
    write_sheet(folder, [*FIRST[:3], *FIRST[4:], *TWO])
    assert replan(grown) == TABLES
    mill(folder, "--configfile", "config.yaml", root=copy)
    table = rows(folder / "results/cohort/measurements.csv")
    assert "c3" not in {row["case"] for row in table} and len(table) == 12
    told = {row["case"]: row for row in rows(folder / "results/cohort/cases.tsv")}
    assert {case for case, row in told.items() if row["status"] == "stale"} == {"c3"}
    assert told["c3"]["code"] == "not-in-sheet" and "no longer" in told["c3"]["reason"]
    # It is back, with its results as they were.
    write_sheet(folder, [*FIRST, *TWO])
    assert replan(grown) == TABLES
    assert seen(folder, FIRST) == before
    mill(folder, "--configfile", "config.yaml", root=copy)
    states = {row["status"] for row in rows(folder / "results/cohort/cases.tsv")}
    assert states == {"ok"}


# Both reduce surfaces, by the package whose version is another.
REDUCING = "mesh: code or lock; report: code or lock"


def test_what_a_limited_run_left_as_it_was_is_said_to_be_stale_and_why(grown):
    copy, folder, *_ = grown
    recipe, lock = folder / "other.yaml", copy / "envs" / "requirements.lock"
    texts = recipe.read_text(), lock.read_text()
    recipe.write_text(texts[0].replace("[170, null]", "[171, null]"))
    lock.write_text(texts[1].replace("\npyfqmr==", "\npyfqmr==99."))
    limited = ("--configfile", "config.yaml", "--rerun-triggers", "mtime")
    mill(folder, *limited, "--forcerun", "collect", root=copy)
    told = {row["case"]: row["stale"] for row in rows(folder / "results/cohort/cases.tsv")}
    assert {case: why for case, why in told.items() if case in OF_OTHER} == dict.fromkeys(
        OF_OTHER, f"segment: recipe or config; {REDUCING}"
    )
    assert {why for case, why in told.items() if case not in OF_OTHER} == {REDUCING}
    recipe.write_text(texts[0])
    lock.write_text(texts[1])
    mill(folder, "--configfile", "config.yaml", root=copy)
    assert {row["stale"] for row in rows(folder / "results/cohort/cases.tsv")} == {""}
