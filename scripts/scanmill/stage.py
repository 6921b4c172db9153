"""The frame around every stage of a case: its log, its refusals and its sidecars.

A stage's script computes. This module passes on what was refused upstream, turns a refusal into empty
outputs with a sidecar that says why, and gives each finished output its sidecar. Any other exception
is a crash: it reaches the log with its traceback and fails the job.
"""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scanmill import attempts, used
from scanmill.atomic import SupersededError, replacing, replacing_folder, sole_writer
from scanmill.card import SUFFIX as CARD
from scanmill.card import read_card
from scanmill.grid import Grid
from scanmill.refusal import Refusal
from scanmill.sidecar import (
    checksum,
    read_sidecar,
    remove_damaged,
    sidecar_path,
    software,
    write_sidecar,
)

# Parameters and inputs that are only there to make Snakemake run a rule again, or later than another:
# when the modules that it imports change, when a scan or label file is another one than before, and
# files on a card that a rule makes.
TRIGGERS = ("library", "state", "made")
# Where the rule fetch puts what it downloads.
DOWNLOADS = "downloads"

VANISHED = (
    "a file of the case was there when the run began and is not any more; once it is back, the same "
    "command again goes on"
)

Paths = Mapping[str, Path | list[Path]]


@dataclass
class Record:
    """What a stage says about its outputs; the script fills it while it works."""

    grid: Grid | None = None
    warnings: list[dict[str, str]] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def warn(self, code: str, message: str, structure: str | None = None) -> None:
        """Note what the user should know and what does not stop the case. Free of paths and names."""
        entry = {"code": code, "message": message}
        self.warnings.append(entry | ({"structure": structure} if structure else {}))


def run_stage(
    name: str,
    body: Callable[..., None],
    inputs: Paths,
    outputs: Paths,
    parameters: Mapping[str, Any],
    private: Mapping[str, Any] | None = None,
    library: str = "",
    refused: Callable[..., None] | None = None,
) -> None:
    """Run one stage of one case: `body(record, **inputs, **outputs, **parameters, **private)`.

    inputs, outputs: name to path; an output without suffix is a folder, and all lie in one folder. An
    input that lies there too, or was downloaded, is a result of an earlier stage: it must be what that
    stage wrote, and its refusal is passed on. private: parameters that may name the patient; the
    sidecars do not tell them. library: fingerprint of the code (`lineage`). refused: writes the
    outputs of a refused case, `refused(said, **outputs, **parameters)` with what the sidecar says;
    without it they are left empty. Raises Damaged (`remove_damaged`), and whatever the body does.
    """
    (folder,) = {path.parent for path in outputs.values()}
    with sole_writer(folder, name):
        said = _said(name, body, inputs, outputs, parameters, private or {}, refused)
        said["library"] = library
        for path in outputs.values():
            write_sidecar(path, said)


def _said(
    name: str,
    body: Callable[..., None],
    inputs: Paths,
    outputs: Paths,
    parameters: Mapping[str, Any],
    private: Mapping[str, Any],
    refused: Callable[..., None] | None,
) -> dict[str, Any]:
    """Do what the stage does, and return what its outputs' sidecars say."""
    record = Record()
    sums = {path: checksum(path) for _, path in _each(inputs) if path.exists()}
    said: dict[str, Any] = {"status": "ok", "stage": name, "code": None, "reason": None}
    try:
        record.warnings = _upstream_warnings(inputs, outputs, sums)
        body(record, **inputs, **outputs, **parameters, **private)
    except Refusal as refusal:
        _check_there(sums)
        said |= {"status": "refused", "code": refusal.code, "reason": refusal.reason}
        said["stage"] = refusal.stage or name
        if refused:
            refused(said, **outputs, **parameters)
        else:
            _leave_empty(outputs.values())
    return said | {
        "warnings": record.warnings,
        "frame": "LPS",
        "spacing_mm": list(record.grid.spacing) if record.grid else None,
        "parameters": dict(parameters),
        "inputs": [{"name": key, "sha256": sums[p]} for key, p in _each(inputs) if p in sums],
        "software": software(),
        **record.details,
    }


def run_job(
    job: Any, body: Callable[..., None], refused: Callable[..., None] | None = None
) -> None:
    """Run a stage as a Snakemake job: `job` is the `snakemake` object that a script is given.

    refused: as for `run_stage`. The last line of its log says what it used.
    """
    note = Path(job.log[0]).with_name("crashed")
    print_to(job.log[0])
    attempts.begin(job.resources.attempt, note)
    cards = {
        k: read_card(Path(v))
        for k, v in job.input.items()
        if k not in TRIGGERS and str(v).endswith(CARD)
    }
    private = {key: value for _, said in cards.values() for key, value in said.items()}
    inputs: dict[str, Path | list[Path]] = {k: files for k, (files, _) in cards.items() if files}
    inputs |= {k: _as_paths(v) for k, v in job.input.items() if k not in (*TRIGGERS, *cards)}
    outputs = {key: Path(value) for key, value in job.output.items()}
    sidecars = {sidecar_path(path) for _, path in _each(inputs | outputs)}
    inputs = {
        key: path for key, path in inputs.items() if isinstance(path, list) or path not in sidecars
    }
    outputs = {key: path for key, path in outputs.items() if path not in sidecars}
    parameters = {key: value for key, value in job.params.items() if key not in TRIGGERS}
    # Not the rule's name: that is another one where a workflow uses these rules as its module.
    try:
        _check_there(path for files, _ in cards.values() for path in files)
        library = job.params.get("library", "")
        run_stage(body.__name__, body, inputs, outputs, parameters, private, library, refused)
    except SupersededError:
        attempts.give_way()
    except Exception as error:
        said = _crash(error) if cards else traceback.format_exc()
        attempts.crashed(error, said, note)
        sys.exit(said)
    used.tell()


def _check_there(paths: Iterable[Path]) -> None:
    """What vanished is no property of the scan, to be refused, but may come back: raise an OSError."""
    if not all(path.exists() for path in paths):
        raise FileNotFoundError(errno.ENOENT, VANISHED)


def _crash(error: BaseException) -> str:
    """The traceback of a crash without its messages: they may quote a header or a file's name."""
    lines = []
    cause: BaseException | None = error
    while cause:
        lines += traceback.format_tb(cause.__traceback__)
        told = f": {cause.strerror}" if isinstance(cause, OSError) and cause.strerror else ""
        lines.append(f"{type(cause).__qualname__}{told}\n")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "".join(lines)


def print_to(log: str) -> None:
    """Send all that this process prints from now on, libraries and tracebacks included, to a file."""
    with open(log, "w", encoding="utf-8") as stream:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)


def _as_paths(value: Any) -> Path | list[Path]:
    return Path(value) if isinstance(value, str) else [Path(item) for item in value]


def _each(paths: Paths) -> list[tuple[str, Path]]:
    flat = []
    for key, value in paths.items():
        flat += [(key, path) for path in (value if isinstance(value, list) else [value])]
    return flat


def _upstream_warnings(
    inputs: Paths, outputs: Paths, sums: dict[Path, str]
) -> list[dict[str, str]]:
    """What to know about the results that this stage works on. sums: checksums of those that exist.

    Raises Refusal where one was refused, Damaged where one is not what was written.
    """
    folders = {path.parent for _, path in _each(outputs)}
    warnings: list[dict[str, str]] = []
    for _, path in _each(inputs):
        if path.parent in folders or path.parts[0] == DOWNLOADS:
            said = read_sidecar(path)
            remove_damaged(path, sums[path])
            if said["status"] == "refused":
                raise Refusal(said["code"], said["reason"], said["stage"])
            warnings += [warning for warning in said["warnings"] if warning not in warnings]
    return warnings


def _leave_empty(outputs: Iterable[Path]) -> None:
    for path in outputs:
        if path.suffix:
            with replacing(path) as temporary:
                temporary.touch()
        else:
            with replacing_folder(path):
                pass
