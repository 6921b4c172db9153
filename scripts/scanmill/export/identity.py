"""Whose an exported object says it is: pseudonyms that only the site's key explains, or the original.

Both are allow-lists. What is not named here is not in the objects, whatever the source's headers hold.
Attributes: DICOM PS3.3 C.7.1.1 (patient), C.7.2.1 (study); UIDs of the root 2.25: PS3.5 B.2.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from pydicom import Dataset

# Ten years: dates cannot be guessed from the shift's range, and stay in the era of the modality.
LONGEST_SHIFT_DAYS = 3650
METHOD = "ScanMill: allow-list; UIDs and dates by keyed HMAC-SHA256"
DATE = "%Y%m%d"
TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")
# What may be missing from no object, empty where unknown (type 2).
EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime",
    "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip
ORIGINAL = (
    *EMPTY, "IssuerOfPatientID", "StudyDescription", "PatientIdentityRemoved",
    "DeidentificationMethod", "LongitudinalTemporalInformationModified",
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


@dataclass(frozen=True)
class Pseudonyms:
    """The case's id for the patient, UIDs by keyed hash, dates shifted: nothing of the source is told.

    key: the site's secret; with the same key the same source has the same pseudonyms in every run,
    and the intervals between the dates of one patient stay. case: as in the sheet.
    """

    key: bytes
    case: str

    def uid(self, original: str) -> str:
        """The pseudonym of a UID."""
        return _uid(self.key, "uid", original)

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
        subject.StudyTime = time_of(header, "StudyTime")
        return subject

    def date(self, header: Dataset, date: str) -> str:
        """A date moved back by the patient's number of whole days."""
        return _date(date, self._shift(header))

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
        for keyword in ORIGINAL:
            if keyword in header:
                # As text: a name keeps the bytes of its own character set otherwise.
                setattr(subject, keyword, str(header.get(keyword) or ""))
        return subject

    def date(self, header: Dataset, date: str) -> str:
        """The date itself; empty where it is none."""
        return _date(date, timedelta(0))


def time_of(header: Dataset, keyword: str) -> str:
    """A time (TM) of a header as it is; empty where there is none."""
    time = str(header.get(keyword) or "").strip()
    return time if TIME.fullmatch(time) else ""


def _date(date: str, earlier: timedelta) -> str:
    try:
        return (datetime.strptime(date.strip(), DATE) - earlier).strftime(DATE).zfill(8)
    except (ValueError, OverflowError):
        return ""


def _digest(key: bytes, *parts: str) -> bytes:
    # Lengths go before the parts, so that no two lists of parts are one message.
    message = b"".join(b"%d:%s" % (len(p.encode()), p.encode()) for p in parts)
    return hmac.digest(key, message, hashlib.sha256)


def _uid(key: bytes, *parts: str) -> str:
    # The bits of a random UUID, as PS3.5 B.2 wants it; 122 bits of the digest stay.
    return f"2.25.{UUID(bytes=_digest(key, *parts)[:16], version=4).int}"
