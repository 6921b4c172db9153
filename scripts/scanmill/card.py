"""Cards: what the sheet says of a case's files, kept where no log, result or report repeats it.

Paths and the descriptions of series often name the patient, and Snakemake writes inputs and changed
parameters into its own log. So a rule's input is the case's card, which only its owner can read, and
the job finds the files on it.
"""

import json
from pathlib import Path
from typing import Any

from scanmill.atomic import replacing

SUFFIX = ".card"


def write_card(path: Path, files: list[str], **said: str) -> None:
    """Write a card, unless it is there already and says the same: then its time stays.

    files: paths. said: what else the sheet says of them.
    """
    text = json.dumps({"files": files, "said": said}, ensure_ascii=False) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(text, encoding="utf-8")


def read_card(path: Path) -> tuple[list[Path], dict[str, Any]]:
    """The files on a card, and what else is said of them."""
    card = json.loads(path.read_text(encoding="utf-8"))
    return [Path(file) for file in card["files"]], card["said"]
