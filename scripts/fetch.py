"""Fetch: a series of a PACS, whole and in the transfer syntaxes that it is stored in.

In: what the sheet asks for; server and credentials from the site file. Out: a folder of DICOM files
that only its owner can read. An interrupted download goes on where it stopped.
"""

import logging
import sys
import warnings
from pathlib import Path

from scanmill import site
from scanmill.pacs.download import connect, download_series
from scanmill.pacs.patience import ServerError
from scanmill.pacs.query import parse
from scanmill.stage import Record, run_job


def fetch(record: Record, download: Path, query: str) -> None:
    """Download what a cell of the sheet names. query: the cell; it may name the patient."""
    asked = parse(query)
    partial = download.with_name(f".{download.name}.partial")
    try:
        instances = download_series(connect(site.load(), asked.server), asked, partial, download)
    except ServerError as error:
        print(f"{asked.server}: {error}", file=sys.stderr)
        raise
    record.details["source"] = {"server": asked.server, "instances": instances}


if __name__ == "__main__":
    # Libraries quote UIDs, addresses and header texts when they warn.
    warnings.simplefilter("ignore")
    logging.disable()
    run_job(snakemake, fetch)
