"""The crate of a run has what its profiles require, and describes what is there."""

import json

import pytest
from scanmill.ro_crate import write_crate

TABLES = ("measurements.csv", "provenance.json", "methods.md", "references.bib")
SUM = "ab" * 32
PROVENANCE = {
    "sheet": {
        "one": {"role": "scan"},
        "two": {"role": "scan"},
        "teacher": {"role": "atlas"},
    },
    "software": [{"scanmill": "0.1.0", "python": "3.12.1", "numpy": "2.4.6"}],
    "inputs": {
        "one": {
            "ingest": [{"name": "scan", "sha256": SUM}],
            "segment": [
                {"name": "isotropic", "sha256": "c" * 64},
                {"name": "seeds", "sha256": "d" * 64},
            ],
        },
        "two": {"ingest": [{"name": "scan", "sha256": SUM}], "segment": []},
        "teacher": {"ingest": [{"name": "scan", "sha256": "e" * 64}], "segment": []},
    },
}


@pytest.fixture
def crate(tmp_path):
    """The entities by identifier, and the folder."""
    for name in (
        *(f"cohort/{table}" for table in TABLES),
        "workflow/Snakefile",
        "workflow/rules/a.smk",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for case in ("one", "two"):
        (tmp_path / "cases" / case).mkdir(parents=True)
    path = tmp_path / "ro-crate-metadata.json"
    tables = [tmp_path / "cohort" / table for table in TABLES]
    write_crate(path, tables, tmp_path / "workflow", PROVENANCE)
    content = json.loads(path.read_text())
    assert content["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in content["@graph"]}
    assert len(entities) == len(content["@graph"])
    return entities, tmp_path


def referred(value):
    """The identifiers in a property."""
    return [entry["@id"] for entry in (value if isinstance(value, list) else [value])]


def test_the_descriptor_and_the_root_have_what_ro_crate_requires(crate):
    entities, _ = crate
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["@type"] == "CreativeWork" and descriptor["about"] == {"@id": "./"}
    assert "https://w3id.org/ro/crate/1.1" in referred(descriptor["conformsTo"])
    assert root["@type"] == "Dataset" and root["datePublished"].count("-") == 2
    assert root["name"] == "Results of ScanMill, 2 cases" and root["description"]
    assert entities[root["license"]["@id"]]["name"]


def test_the_run_is_an_action_of_the_main_workflow(crate):
    entities, _ = crate
    root = entities["./"]
    profiles = [entities[url] for url in referred(root["conformsTo"])]
    assert {profile["name"] for profile in profiles} == {
        "Process Run Crate",
        "Workflow Run Crate",
        "Workflow RO-Crate",
    }
    main = entities[root["mainEntity"]["@id"]]
    assert main["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    assert entities[main["programmingLanguage"]["@id"]]["@type"] == "ComputerLanguage"
    run = entities[root["mentions"]["@id"]]
    assert run["@type"] == "CreateAction" and run["instrument"]["@id"] == main["@id"]
    assert {"cohort/measurements.csv", "cases/one/"} < set(referred(run["result"]))


def test_all_that_is_described_is_there_and_a_part_of_it(crate):
    entities, folder = crate
    parts = referred(entities["./"]["hasPart"])
    kinds = {key: entity["@type"] for key, entity in entities.items()}
    data = [key for key, kind in kinds.items() if "File" in kind or kind == "Dataset"]
    assert sorted(parts) == sorted(set(data) - {"./"}) and len(parts) == 8
    for name in parts:
        assert (folder / name).exists(), name
    for entity in entities.values():
        for value in entity.values():
            for reference in value if isinstance(value, list) else [value]:
                if isinstance(reference, dict) and not reference["@id"].startswith("http"):
                    assert reference["@id"] in entities


def test_inputs_are_told_by_their_checksums_each_once(crate):
    entities, _ = crate
    read = referred(entities["#run"]["object"])
    assert read == [f"urn:sha256:{total}" for total in (SUM, "d" * 64, "e" * 64)]
    assert entities[read[0]]["name"] == "scan of one"


def test_the_same_run_gives_the_same_bytes(crate, tmp_path):
    path = tmp_path / "ro-crate-metadata.json"
    before = path.read_bytes()
    tables = [tmp_path / "cohort" / table for table in reversed(TABLES)]
    write_crate(path, tables, tmp_path / "workflow", PROVENANCE)
    assert path.read_bytes() == before
