"""What a cell of the sheet asks a PACS for, and the one series that answers it.

`dicomweb:<SeriesInstanceUID>`, or `dicomweb:Keyword=value;Keyword=value`; the same with `dimse:`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from scanmill.refusal import Refusal

SERVERS = ("dicomweb", "dimse")
STARTS = tuple(f"{server}:" for server in SERVERS)
STUDY_KEYWORDS = ("StudyInstanceUID", "PatientID", "AccessionNumber", "StudyDate")
SERIES_KEYWORDS = ("SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality")
KEYWORDS = (*STUDY_KEYWORDS, *SERIES_KEYWORDS)
# Without one of these a cell would ask for everything that a hospital has.
IDENTIFYING = ("SeriesInstanceUID", "StudyInstanceUID", "AccessionNumber", "PatientID")
UID = re.compile(r"(?=.{1,64}$)(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
SHAPES = {
    "StudyInstanceUID": (UID, "a UID"),
    "SeriesInstanceUID": (UID, "a UID"),
    "StudyDate": (re.compile("[0-9]{8}"), "a day such as 20240131"),
    "SeriesNumber": (re.compile("-?[0-9]{1,9}"), "a whole number"),
    "PatientID": (re.compile(r"[^*?\\]{1,64}"), "an identifier without wildcards"),
    "AccessionNumber": (re.compile(r"[^*?\\]{1,16}"), "a number without wildcards"),
    "SeriesDescription": (re.compile(r"[^\\]{1,64}"), "a description of at most 64 characters"),
    "Modality": (re.compile("[A-Z0-9_]{1,16}"), "a modality such as CT"),
}
LISTED = 20


class QueryError(Exception):
    """A cell asks in no way that a PACS understands; each argument is a sentence that says why."""


@dataclass(frozen=True)
class Query:
    """What is wanted of a server: its attributes by DICOM keyword."""

    server: str
    study: Mapping[str, str] = field(repr=False)
    series: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Series:
    """A series as a PACS answers for it. stated: its number of instances, None where not said."""

    study: str
    uid: str
    number: int | None
    stated: int | None


@dataclass(frozen=True)
class Instance:
    """An instance of a series, and the class that it is of."""

    uid: str
    sop_class: str


class Server(Protocol):
    """A PACS that can be asked; answers are datasets, or mappings by DICOM keyword.

    Raises Refusal where access is refused, ServerError where the server does not do what it should.
    """

    def studies(self, wanted: Mapping[str, str]) -> list[Any]:
        """The studies that have these attributes."""
        ...

    def series(self, study: str | None, wanted: Mapping[str, str]) -> list[Any]:
        """The series (of a study, or of all) that have these attributes."""
        ...

    def instances(self, series: Series) -> list[Instance]:
        """All instances of a series."""
        ...


def parse(text: str) -> Query:
    """The query of a cell. Raises QueryError, free of what the cell says: that may be a patient's."""
    server, _, asked = text.partition(":")
    if "=" not in asked:
        asked = f"SeriesInstanceUID={asked}"
    faults: list[str] = []
    wanted: dict[str, str] = {}
    for part in filter(str.strip, asked.split(";")):
        keyword, _, value = (piece.strip() for piece in part.partition("="))
        fault = _fault(keyword, value, wanted)
        if fault:
            faults.append(fault)
        wanted[keyword] = value
    if not faults and not any(keyword in wanted for keyword in IDENTIFYING):
        faults.append(f"no {' or '.join(IDENTIFYING)} was found; one of them would be right")
    if faults:
        raise QueryError(*faults)
    return Query(
        server,
        {key: wanted[key] for key in STUDY_KEYWORDS if key in wanted},
        {key: wanted[key] for key in SERIES_KEYWORDS if key in wanted},
    )


def find(server: Server, query: Query) -> Series:
    """The one series that a query means. Raises Refusal where there is none, or more than one."""
    found = {series.uid: series for series in _matching(server, query)}
    if not found:
        raise Refusal(
            "pacs-none",
            "the PACS has no series that the sheet's cell describes; check the cell, and that the "
            "study has arrived",
        )
    if len(found) > 1:
        raise Refusal("pacs-several", _several(list(found.values())))
    return next(iter(found.values()))


def _fault(keyword: str, value: str, before: Mapping[str, str]) -> str | None:
    if keyword not in SHAPES:
        return f"a keyword that is not known was found; one of {', '.join(KEYWORDS)} would be right"
    if keyword in before:
        return f"{keyword} was found twice; once would be right"
    shape, right = SHAPES[keyword]
    if not shape.fullmatch(value):
        return f"{keyword} has a value that it cannot have; {right} would be right"
    return None


def _matching(server: Server, query: Query) -> Iterator[Series]:
    # A study's series are few. What tells them apart is compared here: servers differ in case,
    # wildcards and escapes, and what one does not support as a key it ignores and answers with all.
    asked = {key: value for key, value in query.series.items() if key == "SeriesInstanceUID"}
    for study in _studies(server, query):
        for answer in server.series(study, asked):
            if _agrees(answer, query.series):
                yield Series(
                    study or str(answer.get("StudyInstanceUID") or ""),
                    str(answer.get("SeriesInstanceUID") or ""),
                    _whole(answer.get("SeriesNumber")),
                    _whole(answer.get("NumberOfSeriesRelatedInstances")),
                )


def _studies(server: Server, query: Query) -> list[str | None]:
    if not query.study:
        return [None]
    if list(query.study) == ["StudyInstanceUID"]:
        return [query.study["StudyInstanceUID"]]
    answers = [answer for answer in server.studies(query.study) if _agrees(answer, query.study)]
    return list(dict.fromkeys(str(answer.get("StudyInstanceUID")) for answer in answers))


def _agrees(answer: Any, wanted: Mapping[str, str]) -> bool:
    return all(_is(answer.get(keyword), text) for keyword, text in wanted.items())


def _is(found: Any, wanted: str) -> bool:
    """Whether a value is the wanted one: without regard to case, and with DICOM's wildcards * and ?."""
    if found is None or str(found) == "":
        return False
    if _whole(found) is not None and _whole(found) == _whole(wanted):
        return True
    pattern = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, str(found).strip(), re.IGNORECASE | re.DOTALL) is not None


def _whole(value: Any) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _several(found: list[Series]) -> str:
    found = sorted(found, key=lambda series: (series.number is None, series.number or 0))
    studies = len({series.study for series in found})
    listed = [
        f"{'no number' if series.number is None else f'number {series.number}'} "
        f"({'?' if series.stated is None else series.stated} instances)"
        for series in found[:LISTED]
    ]
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return (
        f"{len(found)} series of {studies} {'study' if studies == 1 else 'studies'} match the sheet's "
        f"cell: {', '.join(listed)}{more}; name one by SeriesNumber or SeriesInstanceUID"
    )
