"""What is wrong in a sheet, config or recipe: all of it at once, where it stands, before any job."""

import re

import planted
from mill import snakemake

SHEET = """case\tscan\trecipe\tlabels
fine\tone.nrrd\tgood.yaml\t
fine\tone.nrrd\tgood.yaml\t
two words\tone.nrrd\tgood.yaml\t
gone\tmissing.nrrd\tgood.yaml\t
unknown\tone.nrrd\tct-bodi\t
wrong\tone.nrrd\twrong.yaml\t
"""


def refused(folder, *arguments) -> list[str]:
    """The problems that a run reports; no job and no traceback."""
    done = snakemake(folder, *arguments)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert "Job stats" not in done.stdout and not (folder / "results").exists()
    return [line.strip() for line in done.stdout.splitlines() if re.search(r":\d+:\d+: ", line)]


def test_all_that_is_wrong_is_reported_at_once_with_its_place(tmp_path):
    (tmp_path / "one.nrrd").write_bytes(b"NRRD0004\n")
    (tmp_path / "good.yaml").write_text(planted.recipe())
    wrong = planted.recipe().replace("label: 2", "label: 1").replace("largest: 1", "largst: 1")
    (tmp_path / "wrong.yaml").write_text(wrong)
    (tmp_path / "scans.tsv").write_text(SHEET)
    (tmp_path / "config.yaml").write_text("scans: scans.tsv\nformats: [ply, gltf]\nspcing: 1\n")
    found = refused(tmp_path, "--configfile", "config.yaml")
    places = [
        (r"scans\.tsv:3:1: .*'fine'.*line 2", 1),
        (r"scans\.tsv:4:1: .*two words", 1),
        (r"scans\.tsv:5:6: .*missing\.nrrd", 1),
        (r"scans\.tsv:6:18: .*'ct-body'", 1),
        (r"wrong\.yaml:\d+:\d+: .*largst", 1),
        (r"wrong\.yaml:\d+:\d+: .*label", 1),
        (r"config\.yaml:2:\d+: .*gltf", 1),
        (r"config\.yaml:3:1: .*spcing", 1),
    ]
    for pattern, number in places:
        assert sum(bool(re.search(pattern, line)) for line in found) == number, (pattern, found)


def test_a_sheet_with_commas_and_one_that_is_missing_are_errors(tmp_path):
    (tmp_path / "scans.csv").write_text("case,scan\none,one.nrrd\n")
    (found,) = refused(tmp_path, "--config", "scans=scans.csv")
    assert "scans.csv:1:1:" in found and "tab" in found
    done = snakemake(tmp_path, "--config", "scans=nowhere.tsv")
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert "nowhere.tsv" in done.stdout and "the file of a sheet would be right" in done.stdout
