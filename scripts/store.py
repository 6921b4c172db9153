"""Store: what the rule export wrote for return to the PACS goes there, by STOW-RS or C-STORE.

In: folders results/cases/<case>/dicom. Nothing is stored of a folder that was refused, or whose objects
are de-identified: in a PACS those would be a patient who does not exist.

    python scripts/store.py dicomweb results/cases/*/dicom
"""

import logging
import sys
import warnings
from argparse import ArgumentParser
from pathlib import Path

from scanmill import site
from scanmill.pacs.download import connect
from scanmill.pacs.patience import ServerError, patiently
from scanmill.pacs.query import SERVERS
from scanmill.problem import SettingsError
from scanmill.refusal import Refusal
from scanmill.sidecar import read_sidecar


def store(server: str, folders: list[Path]) -> list[str]:
    """Store the objects of folders; returns what could not be done, one line a folder.

    server: `dicomweb` or `dimse`, as in the site file.
    """
    faults = []
    for folder in folders:
        fault = _reason_against(folder)
        try:
            files = sorted(folder.glob("*.dcm"))
            if not fault:
                patiently(lambda files=files: connect(site.load(), server).store(files))
                print(f"{folder}: {len(files)} objects stored")
        except (ServerError, Refusal) as error:
            fault = str(error)
        if fault:
            faults.append(f"{folder}: {fault}")
    return faults


def _reason_against(folder: Path) -> str | None:
    try:
        said = read_sidecar(folder)
    except FileNotFoundError:
        return "no sidecar lies beside it; a folder that the rule export wrote would be right"
    if said["status"] != "ok":
        return f"it was refused ({said['code']}); there is nothing to store"
    if said["parameters"].get("identity") != "return-to-pacs":
        return "its objects are de-identified; 'export_identity: return-to-pacs' would be right"
    return None


if __name__ == "__main__":
    parser = ArgumentParser(description="Store the DICOM objects of cases in the PACS.")
    parser.add_argument("server", choices=SERVERS, help="which server of the site file")
    parser.add_argument("folders", nargs="+", type=Path, help="results/cases/<case>/dicom")
    given = parser.parse_args()
    # Libraries quote UIDs, addresses and header texts when they warn.
    warnings.simplefilter("ignore")
    logging.disable()
    try:
        problems = store(given.server, given.folders)
    except SettingsError as error:
        problems = [str(error)]
    sys.exit("\n".join(problems) or None)
