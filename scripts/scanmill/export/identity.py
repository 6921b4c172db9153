"""Whose an exported object says it is: pseudonyms that only the site's key explains, or the original.

Both are allow-lists. What is not named here is not in the objects, whatever the source's headers hold.
Attributes: DICOM PS3.3 C.7.1.1 (patient), C.7.2.1 (study); UIDs of the root 2.25: PS3.5 B.2.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from pydicom import DataElement, Dataset

# Ten years: dates cannot be guessed from the shift's range, and stay in the era of the modality.
LONGEST_SHIFT_DAYS = 3650
METHOD = "ScanMill: allow-list; UIDs and dates by keyed HMAC-SHA256"
DATE = re.compile(r"\d{8}")
TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")
# What may be missing from no object, empty where unknown (type 2).
EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip
ORIGINAL = (
    *EMPTY, "IssuerOfPatientID", "PatientBirthTime", "PatientAge", "PatientSize", "PatientWeight",
    "StudyDescription", "IssuerOfAccessionNumberSequence", "PatientIdentityRemoved",
    "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
)  # fmt: skip
NAMESPACE = b"ScanMill"


class Identity(Protocol):
    """What an object may say of patient, study, UIDs and dates."""

    def uid(self, original: str) -> str:
        """What stands for a UID of the source."""

    def derived(self, *parts: str) -> str:
        """A UID of our own, the same for the same parts."""

    def subject(self, header: Dataset) -> Dataset:
        """The attributes of patient and study, StudyInstanceUID apart."""

    def date(self, header: Dataset, date: str) -> str:
        """What stands for a date (DA) of the source; empty where it is none."""

    def time(self, time: str) -> str:
        """What stands for a time (TM) of the source; empty where it is none."""


@dataclass(frozen=True)
class Pseudonyms:
    """The case's id for the patient, UIDs by keyed hash, dates shifted: nothing of the source is told.

    key: the site's secret; with the same key the same case has the same pseudonyms in every run, and
    the intervals between the dates of one patient stay. case: as in the sheet; no two have a UID in
    common, since a study belongs to one patient, which in these objects is the case.
    """

    key: bytes
    case: str

    def uid(self, original: str) -> str:
        """The pseudonym of a UID."""
        return _uid(self.key, "uid", self.case, original)

    def derived(self, *parts: str) -> str:
        """A UID of our own, the same for the same parts and key."""
        return _uid(self.key, "derived", *parts)

    def subject(self, header: Dataset) -> Dataset:
        """The case's id, what says that identity was removed, and the shifted study date."""
        subject = Dataset()
        for keyword in EMPTY:
            setattr(subject, keyword, "")
        subject.PatientName = subject.PatientID = self.case
        subject.PatientIdentityRemoved = "YES"
        subject.DeidentificationMethod = METHOD
        subject.LongitudinalTemporalInformationModified = "MODIFIED"
        subject.StudyDate = self.date(header, str(header.get("StudyDate") or ""))
        subject.StudyTime = self.time(str(header.get("StudyTime") or ""))
        return subject

    def date(self, header: Dataset, date: str) -> str:
        """A date moved back by the patient's number of whole days."""
        return _date(date, self._shift(header))

    def time(self, time: str) -> str:
        """A time in whole minutes: to the microsecond it would be the study's finger print."""
        return _time(time)[:4].ljust(6, "0") if _time(time) else ""

    def _shift(self, header: Dataset) -> timedelta:
        # Without a patient's id, intervals can only be kept within the study.
        whose = header.get("PatientID") or header.get("StudyInstanceUID") or ""
        digest = _digest(self.key, "dates", str(whose).strip())
        return timedelta(days=1 + int.from_bytes(digest[:8]) % LONGEST_SHIFT_DAYS)


@dataclass(frozen=True)
class Original:
    """The source's own patient, study, UIDs and dates, for an object that goes back to its archive."""

    def uid(self, original: str) -> str:
        """The UID itself."""
        return original

    def derived(self, *parts: str) -> str:
        """A UID of our own, the same for the same parts."""
        return _uid(NAMESPACE, "derived", *parts)

    def subject(self, header: Dataset) -> Dataset:
        """The source's patient and study, as text."""
        subject = Dataset()
        for keyword in EMPTY:
            setattr(subject, keyword, "")
        subject.update(_as_text(header, ORIGINAL))
        return subject

    def date(self, header: Dataset, date: str) -> str:
        """The date itself; empty where it is none."""
        return _date(date, timedelta(0))

    def time(self, time: str) -> str:
        """The time itself; empty where it is none."""
        return _time(time)


def _as_text(header: Dataset, keywords: Iterable[str]) -> Dataset:
    """Those attributes that a header has. As text: a name keeps the bytes of its character set else."""
    told = Dataset()
    for keyword in keywords:
        if keyword in header:
            setattr(told, keyword, _text(header[keyword]))
    return told


def _text(element: DataElement) -> str | list[Any]:
    if element.VR == "SQ":
        return [_as_text(item, item.dir()) for item in element.value]
    if element.VM > 1:
        return [str(value) for value in element.value]
    return str(element.value or "")


def _time(time: str) -> str:
    time = time.strip()
    return time if TIME.fullmatch(time) else ""


def _date(date: str, earlier: timedelta) -> str:
    date = date.strip()
    # strptime also takes dates of fewer digits, and guesses what they mean.
    if not DATE.fullmatch(date):
        return ""
    try:
        moved = datetime.strptime(date, "%Y%m%d") - earlier
    except (ValueError, OverflowError):
        return ""
    return moved.strftime("%Y%m%d").zfill(8)


def _digest(key: bytes, *parts: str) -> bytes:
    # Lengths go before the parts, so that no two lists of parts are one message.
    message = b"".join(b"%d:%s" % (len(p.encode()), p.encode()) for p in parts)
    return hmac.digest(key, message, hashlib.sha256)


def _uid(key: bytes, *parts: str) -> str:
    # The bits of a random UUID, as PS3.5 B.2 wants it; 122 bits of the digest stay.
    return f"2.25.{UUID(bytes=_digest(key, *parts)[:16], version=4).int}"
