"""The results as a Workflow Run RO-Crate, for repositories and other programs.

Profiles: https://w3id.org/ro/wfrun/workflow/0.5, which extends process/0.5 and Workflow RO-Crate 1.0,
on https://w3id.org/ro/crate/1.1. Own code: a crate is a page of JSON; the library `rocrate` (Apache
2.0) brings a web client and a template engine with it, and stamps the time of writing into what it
writes. The same run gives the same bytes here, so no clock is in it, nor checksums of what tells of the
run itself.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from scanmill import __date__, __version__
from scanmill.sidecar import write_json

WORKFLOW = "workflow/Snakefile"
CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".md": "text/markdown",
    ".html": "text/html",
    ".bib": "application/x-bibtex",
    ".parquet": "application/vnd.apache.parquet",
    ".lock": "text/plain",
    ".smk": "text/plain",
}
# What stages read of the user's files, under which name.
PARTS = (
    ("ingest", "scan"),
    ("segment", "supplied"),
    ("segment", "seeds"),
    ("agreement", "reference"),
)
Entity = dict[str, Any]


def write_crate(path: Path, tables: list[Path], workflow: Path, provenance: dict[str, Any]) -> None:
    """Write the crate of a run. path: of its metadata, in the folder of results.

    tables: of the cohort. workflow: the folder with the copy of the workflow's definition.
    """
    results = path.parent
    cases = [case for case, row in provenance["sheet"].items() if row["role"] == "scan"]
    copied = sorted(path for path in workflow.rglob("*") if path.is_file())
    definition = [_file(path, results) for path in copied]
    made = [_file(path, results) for path in sorted(tables)]
    made += [_case(case) for case in cases]
    read = list(_inputs(provenance))
    software = _software(provenance["software"][0])
    graph = [
        {
            "@id": path.name,
            "@type": "CreativeWork",
            "conformsTo": _refer([CRATE, WORKFLOW_CRATE]),
            "about": {"@id": "./"},
        },
        _root(cases, [*definition, *made]),
        *map(_profile, PROFILES),
        _licence(),
        _run(read, made),
        *(
            _main(entity, software) if entity["@id"] == WORKFLOW else entity
            for entity in definition
        ),
        *made,
        *read,
        _language(),
        *software,
    ]
    write_json(path, {"@context": f"{CRATE}/context", "@graph": graph})


def _root(cases: list[str], parts: list[Entity]) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Results of ScanMill, {len(cases)} cases",
        "description": "Volumes, label maps, surfaces and measurements of medical scans. What each "
        "column means is in cohort/measurements.json, what all depends on in cohort/provenance.json.",
        # Of the software, for want of a clock: whoever publishes the results writes their own day.
        "datePublished": __date__,
        "license": {"@id": "#licence"},
        "conformsTo": _refer(PROFILES),
        "hasPart": _refer(part["@id"] for part in parts),
        "mainEntity": {"@id": WORKFLOW},
        "mentions": {"@id": "#run"},
    }


def _profile(url: str) -> Entity:
    name, number = PROFILES[url]
    return {"@id": url, "@type": "CreativeWork", "name": name, "version": number}


def _licence() -> Entity:
    return {
        "@id": "#licence",
        "@type": "CreativeWork",
        "name": "No licence stated",
        "description": "Whoever publishes these results says under which terms.",
    }


def _run(read: list[Entity], made: list[Entity]) -> Entity:
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "A run of ScanMill",
        "description": "Recipes, settings and checksums of the inputs: cohort/provenance.json.",
        "instrument": {"@id": WORKFLOW},
        "object": _refer(entity["@id"] for entity in read),
        "result": _refer(entity["@id"] for entity in made),
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }


def _main(entity: Entity, software: list[Entity]) -> Entity:
    return entity | {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "ScanMill",
        "version": __version__,
        "license": {"@id": "https://spdx.org/licenses/BSD-3-Clause"},
        "programmingLanguage": {"@id": "#snakemake"},
        "softwareRequirements": _refer(entity["@id"] for entity in software),
    }


def _language() -> Entity:
    return {
        "@id": "#snakemake",
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "identifier": {"@id": "https://doi.org/10.12688/f1000research.29032.2"},
        "url": {"@id": "https://snakemake.readthedocs.io"},
        "version": version("snakemake"),
    }


def _software(versions: dict[str, str]) -> list[Entity]:
    places = {name: f"https://pypi.org/project/{name}/" for name in versions if name != "scanmill"}
    return [
        {
            "@id": url,
            "@type": "SoftwareApplication",
            "name": name,
            "url": {"@id": url},
            "softwareVersion": versions[name],
        }
        for name, url in (places | {"python": "https://www.python.org"}).items()
    ]


def _file(path: Path, results: Path) -> Entity:
    return {
        "@id": path.relative_to(results).as_posix(),
        "@type": "File",
        "name": path.name,
        "encodingFormat": TYPES.get(path.suffix, "text/plain"),
    }


def _case(case: str) -> Entity:
    return {
        "@id": f"cases/{case}/",
        "@type": "Dataset",
        "name": case,
        "description": "Results of one case; the JSON beside each says what it is.",
    }


def _inputs(provenance: dict[str, Any]) -> list[Entity]:
    """What was read, each once, by its checksum alone: no path and no name of a file is told."""
    inputs = {}
    for case, stages in provenance["inputs"].items():
        for stage, part in PARTS:
            for entry in stages.get(stage, ()):
                if entry["name"] == part:
                    inputs.setdefault(entry["sha256"], f"{part} of {case}")
    return [
        {
            "@id": f"urn:sha256:{total}",
            "@type": "CreativeWork",
            "name": name,
            "identifier": f"sha256:{total}",
        }
        for total, name in inputs.items()
    ]


def _refer(names: Any) -> list[dict[str, str]]:
    return [{"@id": name} for name in names]
