"""What a run is done again from: inputs, found by their checksums, sheet, recipes and config."""

import json
from pathlib import Path

import pytest
from scanmill import recipe_text, settings
from scanmill.card import write_card
from scanmill.reproduction.folder import contents, write
from scanmill.reproduction.inputs import Search
from scanmill.sidecar import checksum

ROOT = Path(__file__).parents[2]
ROW = {
    "recipe": "torso",
    "role": "scan",
    "scan": "file",
    "labels": [],
    "seeds": False,
    "chosen": False,
    "extra": {},
}
HEADER = (
    "ObjectType = Image\nNDims = 3\nDimSize = 2 2 2\nElementSpacing = 1 1 1\nOffset = 0 0 0\n"
    "TransformMatrix = 1 0 0 0 1 0 0 0 1\nElementType = MET_UCHAR\nElementDataFile = v.raw\n"
)


@pytest.fixture
def places(tmp_path):
    """Where inputs lie now, and the folder of the run's cards."""
    (tmp_path / "now" / "deep" / "series").mkdir(parents=True)
    (tmp_path / "sources").mkdir()
    for n in range(3):
        (tmp_path / "now" / "deep" / "series" / f"{n}.dcm").write_bytes(bytes([n]))
    return tmp_path / "now", tmp_path / "sources"


def provenance(row, scans=(), segment=()):
    """Of a run of one case; scans: checksums; segment: names and checksums."""
    return {
        "sheet": {"a": ROW | row},
        "recipes": {},
        "settings": {"cohort_page": {}, "shape_models": {}},
        "inputs": {
            "a": {
                "ingest": [{"name": "scan", "sha256": total} for total in scans],
                "segment": [{"name": name, "sha256": total} for name, total in segment],
            }
        },
    }


def test_a_folder_of_slices_is_found_by_what_it_holds(places):
    now, sources = places
    series = now / "deep" / "series"
    known = provenance({}, [checksum(series)])
    search = Search(known, sources, now)
    assert search.row("a")["scan"] == str(series) and not search.missing
    # So it is where the user named the folder itself.
    assert Search(known, sources, series).row("a")["scan"] == str(series)
    (series / "3.dcm").touch()
    search = Search(provenance({}, ["0" * 64]), sources, now)
    assert search.row("a")["scan"] == "" and search.missing[0].startswith("scan of a was not found")


def test_of_equal_headers_the_one_is_taken_that_has_the_runs_voxels(places):
    now, sources = places
    for name in ("first", "second", "third"):
        folder = now / name
        folder.mkdir()
        (folder / "h.mhd").write_text(HEADER)
        (folder / "v.raw").write_bytes(name.encode().ljust(8))
    sums = [checksum(now / "second" / "h.mhd"), checksum(now / "second" / "v.raw")]
    search = Search(provenance({}, sums), sources, now)
    assert search.row("a")["scan"] == str(now / "second" / "h.mhd") and not search.missing


def test_masks_seeds_and_maps_are_found_each_by_its_own_checksum(places):
    now, sources = places
    for name in ("x.nii.gz", "y.nii.gz", "s.tsv"):
        (now / name).write_text(name)
    read = [("supplied", checksum(now / "y.nii.gz")), ("supplied", checksum(now / "x.nii.gz"))]
    read += [("isotropic", "1" * 64), ("seeds", checksum(now / "s.tsv"))]
    masks = [{"structure": name, "source": "file"} for name in ("liver", "spleen")]
    row = {"scan": "phantom:ct-straight", "labels": masks, "seeds": True}
    search = Search(provenance(row, ["2" * 64], read), sources, now)
    found = search.row("a")
    assert found["scan"] == "phantom:ct-straight" and not search.missing
    assert found["labels"] == f"liver={now / 'y.nii.gz'};spleen={now / 'x.nii.gz'}"
    assert found["seeds"] == str(now / "s.tsv")
    row = row | {"labels": [{"structure": None, "source": "file"}]}
    search = Search(provenance(row, ["2" * 64], read[:1]), sources, now)
    assert search.row("a")["labels"] == str(now / "y.nii.gz")
    assert len(search.missing) == 1 and search.missing[0].startswith(
        "seeds of a was not found: the run"
    )


def test_references_are_found_as_labels_are(places):
    now, sources = places
    for name in ("x.nii.gz", "y.nii.gz"):
        (now / name).write_text(name)
    known = provenance({"scan": "phantom:ct-straight"}, ["2" * 64])
    assert Search(known, sources, now).row("a")["reference"] == ""
    masks = [{"structure": name, "source": "file"} for name in ("liver", "spleen")]
    known["sheet"]["a"]["reference"] = masks
    known["inputs"]["a"]["agreement"] = [
        {"name": "labels", "sha256": "1" * 64},
        {"name": "reference", "sha256": checksum(now / "y.nii.gz")},
        {"name": "reference", "sha256": checksum(now / "x.nii.gz")},
    ]
    search = Search(known, sources, now)
    assert search.row("a")["reference"] == f"liver={now / 'y.nii.gz'};spleen={now / 'x.nii.gz'}"
    assert not search.missing
    search = Search(known, sources, None)
    search.row("a")
    assert [text.partition(" was")[0] for text in search.missing] == ["reference of a"] * 2


def test_which_series_was_meant_is_on_the_runs_card_alone(places):
    now, sources = places
    series = now / "deep" / "series"
    known = provenance({"chosen": True}, [checksum(series)])
    search = Search(known, sources, now)
    search.row("a")
    assert len(search.missing) == 1 and "which series or volume a is" in search.missing[0]
    write_card(sources / "a" / "scan.card", [str(series)], wanted_series="T1", wanted_volume="2")
    search = Search(known, sources, None)
    row = search.row("a")
    assert (row["scan"], row["series"], row["volume"]) == (str(series), "T1", "2")
    assert not search.missing


def test_a_pacs_is_asked_again_unless_the_series_is_here(places):
    now, sources = places
    series = now / "deep" / "series"
    known = provenance({"scan": "pacs"}, [checksum(series)])
    write_card(sources / "a" / "scan-query.card", [], query="dimse:1.2.3")
    assert Search(known, sources, None).row("a")["scan"] == "dimse:1.2.3"
    assert Search(known, sources, now).row("a")["scan"] == str(series)
    search = Search(known, sources.with_name("none"), None)
    assert search.row("a")["scan"] == "" and len(search.missing) == 1


def test_networks_are_found_wherever_they_lie(places):
    now, sources = places
    series = now / "deep" / "series"
    segment = {"method": "model", "model": 0, "classes": ["liver"]}
    liver = {"name": "liver", "segment": segment, "simulate": None}
    torso = {"models": ["from where it is"], "learn": {}, "structures": [liver]}
    row = {"scan": "phantom:ct-straight"}
    known = provenance(row, [], [("models", checksum(series))]) | {"recipes": {"torso": torso}}
    texts = contents(known, Search(known, sources, now))
    (found,) = json.loads(texts["recipes/001/torso.yaml"])["structures"]
    assert found["segment"] == {"method": "model", "folder": str(series), "class": ["liver"]}
    search = Search(known, sources, None)
    contents(known, search)
    assert len(search.missing) == 1 and "a network of recipe torso was not" in search.missing[0]
    # Where no case came as far as to read it, no checksum tells it.
    known = provenance(row) | {"recipes": {"torso": torso}}
    search = Search(known, sources, now)
    contents(known, search)
    assert len(search.missing) == 1 and "the run did not read it" in search.missing[0]


@pytest.fixture
def cohort(tmp_path):
    """The settings of two cases and an atlas, with recipes of one name in two folders."""
    text = (ROOT / "config" / "recipes" / "hippocampus.yaml").read_text()
    for name, written in {"b/r.yaml": text, "a/r.yaml": text.replace("1.0", "2.0")}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(written)
    for name in ("s.nrrd", "l.nrrd"):
        (tmp_path / name).write_text(name)
    lines = ["case\tscan\trecipe\tlabels\trole\tsite"]
    for folder in "ba":
        lines.append(f'{folder}-1\ts.nrrd\t{folder}/r.yaml\t\t\tGraz, "A"')
        lines.append(f"{folder}-2\ts.nrrd\t{folder}/r.yaml\tl.nrrd\tatlas\t")
    (tmp_path / "scans.tsv").write_text("\n".join(lines) + "\n")
    page = {"quantities": [{"column": "morph_diam", "title": "Ø"}], "sections": [{"show": "run"}]}
    (tmp_path / "page.yaml").write_text(json.dumps(page))
    config = {"scans": "scans.tsv", "formats": ["stl"], "report": False, "cohort_page": "page.yaml"}
    return settings.load(config, ROOT, tmp_path)


def told(loaded, names, folder):
    """Provenance as collect writes it. names: of the recipes, by key."""
    sheet = {c: {"recipe": names[row.recipe]} | row.told() for c, row in loaded.scans.items()}
    recipes = {name: recipe_text.told(loaded.recipes[key], []) for key, name in names.items()}
    read = {
        "ingest": [{"name": "scan", "sha256": checksum(folder / "s.nrrd")}],
        "segment": [{"name": "supplied", "sha256": checksum(folder / "l.nrrd")}],
    }
    config = {
        "formats": ["stl"],
        "parquet": False,
        "report": loaded.report,
        "cohort_page": loaded.cohort_page,
        "shape_models": {},
        "export": [],
        "export_identity": "de-identified",
    }
    return json.loads(
        json.dumps(
            {
                "sheet": sheet,
                "recipes": recipes,
                "settings": config,
                "inputs": dict.fromkeys(sheet, read),
            }
        )
    )


def test_the_written_folder_has_the_same_settings(cohort, tmp_path):
    keys = [str(tmp_path / "a" / "r.yaml"), str(tmp_path / "b" / "r.yaml")]
    known = told(cohort, dict(zip(keys, ("r", "r#2"), strict=True)), tmp_path)
    assert str(tmp_path) not in json.dumps(known)
    search = Search(known, tmp_path / "sources", tmp_path)
    texts = contents(known, search)
    assert not search.missing
    again = tmp_path / "again"
    write(again, texts, {})
    config = json.loads((again / "config.yaml").read_text())
    loaded = settings.load(config, ROOT, again)
    assert loaded.formats == ("stl",) and loaded.report is False
    assert loaded.cohort_page == cohort.cohort_page
    assert loaded.cohort_page["quantities"][0]["title"] == "Ø"
    assert list(loaded.scans) == list(cohort.scans)
    own = {row.recipe for row in loaded.scans.values()}
    # By order of their keys, recipes of one name are told apart as they were.
    for first, second in zip(sorted(keys), sorted(own), strict=True):
        assert loaded.recipes[second].structures == cohort.recipes[first].structures
        assert loaded.recipes[second].spacing == cohort.recipes[first].spacing
        assert loaded.recipes[second].name == "r"
    for case, row in cohort.scans.items():
        other = loaded.scans[case]
        assert (other.scan, other.labels, other.role) == (row.scan, row.labels, row.role)
        assert other.extra == row.extra == {"site": row.extra["site"]}
    assert all(path.stat().st_mode & 0o077 == 0 for path in again.rglob("*") if path.is_file())


def test_a_second_attempt_goes_on_and_another_run_is_not_overwritten(tmp_path):
    folder = tmp_path / "to"
    write(folder, {"scans.tsv": "one", "recipes/001/r.yaml": "two"}, {})
    (folder / "results").mkdir()
    write(folder, {"scans.tsv": "one", "recipes/001/r.yaml": "two"}, {})
    with pytest.raises(FileExistsError, match="holds another run"):
        write(folder, {"scans.tsv": "other", "recipes/001/r.yaml": "two"}, {})
    with pytest.raises(FileExistsError, match="not empty"):
        write(folder, {"scans.tsv": "one", "config.yaml": "two"}, {})
    assert (folder / "scans.tsv").read_text() == "one" and not (folder / "config.yaml").exists()
