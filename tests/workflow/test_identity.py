"""No name leaves the sources: not through results, logs, crashes, reports or what libraries keep."""

import base64
import gzip
import re
import zlib

import pytest
from export_samples import KEY
from mill import copied, rows, snakemake
from planted import NAME
from planted_dicom import SECRETS, write_all

pytestmark = pytest.mark.slow

CRASHES = {
    "ingest": ("    read, notes = read_source(", 'f"{scan} {wanted_series}"', "str(volume)"),
    "segment": ("    grid = read_grid(isotropic)", "str(supplied)", "str(labels)"),
    "export": ('        names = {s["name"]', "str(found.header())", "str(dicom)"),
    "fetch": ("    asked = parse(query)", "query", "str(download)"),
}
GOOD = ("zip-rtstruct", "folder-seg")
CONFIG = f"scans: '{NAME}.tsv'\nexport: [seg, labelmap, rtstruct, sr, stl]\n"
ENCODED = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Every place that a program may keep something in lies in one folder."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in {"HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "cache"}.items():
            (folder / name).mkdir()
            patch.setenv(variable, str(folder / name))
        patch.setenv("SCANMILL_PSEUDONYM_KEY", KEY.hex())
        patch.setenv("SCANMILL_SITE", str(folder / "site.yaml"))
        (folder / "site.yaml").touch(0o600)
        (folder / "site.yaml").write_text("dimse: {host: localhost, port: 9, called: NOBODY}\n")
        yield folder


def sheet(folder, sources, crashes):
    """The good cases, and one for each crash."""
    ct, rt = f"{sources}/{NAME} CT", f"{sources}/{NAME} RTSTRUCT.dcm"
    lines = ["case\tscan\tseries\tvolume\trecipe\tlabels"]
    for case in (*GOOD, *(f"crash-{name}" for name in crashes)):
        scan = f"dimse:PatientID={NAME};SeriesDescription={NAME}" if case == "crash-fetch" else ct
        scan = f"{ct}.zip" if case == "zip-rtstruct" else scan
        labels = f"{sources}/{NAME} SEG.zip" if case == "folder-seg" else rt
        lines.append(f"{case}\t{scan}\t{NAME}\t\t{sources}/recipe.yaml\t{labels}")
    (folder / f"{NAME}.tsv").write_text("\n".join(lines) + "\n")
    (folder / "config.yaml").write_text(CONFIG)


@pytest.fixture(scope="module")
def run(environment, tmp_path_factory):
    """A run in which four jobs crash with the name in what they say, a second one, and its report."""
    copy = copied(tmp_path_factory.mktemp("workflow") / "copy")
    sources = write_all(tmp_path_factory.mktemp("sources"))
    sheet(environment, sources, CRASHES)
    sound = {name: (copy / f"scripts/{name}.py").read_text() for name in CRASHES}
    for name, (line, said, where) in CRASHES.items():
        assert sound[name].count(line) == 1
        indent = " " * (len(line) - len(line.lstrip()))
        crash = f"{indent}if 'crash-{name}' in {where}:\n{indent}    raise ValueError({said})\n"
        (copy / f"scripts/{name}.py").write_text(sound[name].replace(line, crash + line))
    words = "--configfile", "config.yaml"
    crashed = snakemake(environment, *words, "--retries", "0", "--keep-going", root=copy)
    assert crashed.returncode != 0
    for name, text in sound.items():
        (copy / f"scripts/{name}.py").write_text(text)
    sheet(environment, sources, [name for name in CRASHES if name != "fetch"])
    done = snakemake(environment, *words, root=copy)
    assert done.returncode == 0, done.stdout
    told = snakemake(environment, *words, "--report", "report.html", root=copy)
    assert told.returncode == 0, told.stdout
    (environment / "printed.txt").write_text(crashed.stdout + done.stdout + told.stdout)
    return environment


def test_every_case_is_measured_and_exported(run):
    cases = {row["case"]: row for row in rows(run / "results/cohort/cases.tsv")}
    assert len(cases) == 5
    assert {(row["status"], row["export_status"]) for row in cases.values()} == {("ok", "ok")}
    table = rows(run / "results/cohort/measurements.csv")
    assert {row["status"] for row in table} == {"ok"} and len(table) == 10


def test_each_crash_was_logged_with_its_place(run):
    printed = (run / "printed.txt").read_text()
    for name in CRASHES:
        assert re.search(rf'\.{name}\.py", line \d+, in {name}\n', printed), name
    assert printed.count("ValueError\n") >= len(CRASHES)


def readings(content: bytes):
    """What may be read in a file: itself, inflated, in two bytes a letter, and in base 64."""
    yield content
    yield content.replace(b"\0", b"")
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    for found in ENCODED.finditer(content):
        raw = base64.b64decode(found[0][: len(found[0]) // 4 * 4])
        yield raw
        if raw[:2] == b"\x1f\x8b":
            yield zlib.decompress(raw, 47)


def naming(run) -> dict[str, bytes]:
    """The files that name someone, and what was found in each."""
    told = {}
    for path in (p for p in run.rglob("*") if p.is_file()):
        name = path.relative_to(run).as_posix()
        for secret in SECRETS:
            if secret in name.encode() or any(secret in r for r in readings(path.read_bytes())):
                told[name] = secret
    return told


def test_only_the_sheet_and_the_cards_name_the_patient(run):
    told = naming(run)
    assert f"{NAME}.tsv" in told and "sources/folder-seg/scan.card" in told
    left = {name for name in told if not name.startswith("sources/")} - {f"{NAME}.tsv"}
    assert left == {"config.yaml"}, {name: told[name] for name in left}
    assert list((run / "tmp").iterdir()) == []
    for card in (run / "sources").rglob("*.card"):
        assert card.stat().st_mode & 0o077 == 0 and card.parent.stat().st_mode & 0o077 == 0


def test_the_planted_name_is_where_it_was_planted(run, tmp_path):
    """Else the test above could not fail."""
    folder = write_all(tmp_path)
    for path in (p for p in folder.rglob("*") if p.is_file()):
        if path.name != "recipe.yaml":  # a method's name is told
            assert NAME.encode() in path.read_bytes() and NAME in path.name, path.name
    first = next((folder / f"{NAME} CT").iterdir()).read_bytes()
    assert first.startswith(NAME.encode()) and b"\xff\xfe\x00\x14" + NAME.encode() in first
    hidden = base64.b64encode(gzip.compress(NAME.encode()))
    assert any(NAME.encode() in reading for reading in readings(b"<p>" + hidden + b"</p>"))
