"""A PACS by DICOMweb: QIDO-RS to search, WADO-RS to retrieve, STOW-RS to store.

PS3.18: https://dicom.nema.org/medical/dicom/current/output/html/part18.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import pydicom
import requests
from dicomweb_client.web import DICOMwebClient
from pydicom import Dataset

from scanmill.pacs.download import Arrivals
from scanmill.pacs.patience import DeclinedError, ServerError
from scanmill.pacs.query import SERIES_KEYWORDS, STUDY_KEYWORDS, Instance, Series
from scanmill.refusal import Refusal
from scanmill.site import Dicomweb

# Any transfer syntax: as it is stored. Servers fail where they have to convert (Orthanc answers 500).
ACCEPT = 'multipart/related; type="application/dicom"; transfer-syntax=*'
# Compressed once more it would take longer than it saves: pixels are dense already.
RETRIEVED = {"Accept": ACCEPT, "Accept-Encoding": "identity"}
PAGE = 500
CHUNK = 1 << 20
BLANK_LINE = b"\r\n\r\n"
TIMEOUT = (10, 120)


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class DicomwebServer:
    """The server that a site file describes."""

    def __init__(self, site: Dicomweb) -> None:
        session = requests.Session()
        # Nothing but the site file says where to go and whom to trust: no .netrc, no proxies.
        session.trust_env = False
        session.verify = str(site.ca) if site.ca else True
        if site.user is not None:
            session.auth = (site.user.encode(), (site.password or "").encode())
        if site.token is not None:
            session.auth = _Bearer(site.token)
        if site.client_cert:
            key = str(site.client_key) if site.client_key else None
            session.cert = (str(site.client_cert), key) if key else str(site.client_cert)
        self.session = session
        self.client = DICOMwebClient(site.url, session=session, timeout=TIMEOUT)
        self.client.set_http_retry_params(retry=False)

    def studies(self, wanted: Mapping[str, str]) -> list[Dataset]:
        """The studies that have these attributes."""
        return _pages(
            "StudyInstanceUID",
            lambda page: self.client.search_for_studies(
                search_filters=dict(wanted), fields=STUDY_KEYWORDS, **page
            ),
        )

    def series(self, study: str | None, wanted: Mapping[str, str]) -> list[Dataset]:
        """The series (of a study, or of all) that have these attributes."""
        return _pages(
            "SeriesInstanceUID",
            lambda page: self.client.search_for_series(
                study,
                search_filters=dict(wanted),
                fields=("StudyInstanceUID", *SERIES_KEYWORDS, "NumberOfSeriesRelatedInstances"),
                **page,
            ),
        )

    def instances(self, series: Series) -> list[Instance]:
        """All instances of a series."""
        answers = _pages(
            "SOPInstanceUID",
            lambda page: self.client.search_for_instances(series.study, series.uid, **page),
        )
        return [Instance(str(a.SOPInstanceUID), str(a.get("SOPClassUID", ""))) for a in answers]

    def get(self, series: Series, instances: list[Instance], arrivals: Arrivals) -> None:
        """Stream each instance to its file."""
        for instance in instances:
            url = (
                f"{self.client.base_url}/studies/{series.study}/series/{series.uid}"
                f"/instances/{instance.uid}"
            )
            file = arrivals.folder / ".arriving.dcm"
            self._stream(url, file)
            arrivals.take(instance.uid, file)

    def store(self, paths: list[Path]) -> None:
        """Store files. Raises ServerError where the server does not say that it has each."""
        for path in paths:
            dataset = pydicom.dcmread(path)
            with _told():
                answer = self.client.store_instances([dataset])
            stored = [
                item.ReferencedSOPInstanceUID for item in answer.get("ReferencedSOPSequence", [])
            ]
            if answer.get("FailedSOPSequence") or stored != [dataset.SOPInstanceUID]:
                raise DeclinedError("the server does not confirm that it has stored the object")

    def _stream(self, url: str, file: Path) -> None:
        with (
            _told(),
            self.session.get(url, headers=RETRIEVED, stream=True, timeout=TIMEOUT) as response,
        ):
            if response.status_code in (404, 406, 410, 500):
                raise DeclinedError(f"HTTP status {response.status_code} for an instance")
            response.raise_for_status()
            with open(file, "wb") as stream:
                for chunk in _single_part(response):
                    stream.write(chunk)


def _pages(key: str, search: Callable[[dict[str, int]], list[dict[str, Any]]]) -> list[Dataset]:
    """All answers, page by page: servers cap them. Ends also where a server ignores the offset."""
    found: dict[str, Dataset] = {}
    while True:
        with _told():
            page = [
                Dataset.from_json(item) for item in search({"limit": PAGE, "offset": len(found)})
            ]
        new = {str(a.get(key)): a for a in page if str(a.get(key)) not in found}
        found |= new
        if not new:
            return list(found.values())


@contextmanager
def _told() -> Iterator[None]:
    """Trouble in our own words: the library's quote addresses, which hold UIDs."""
    try:
        yield
    except requests.HTTPError as error:
        status = error.response.status_code
        problem: Exception = ServerError(f"the server answers with HTTP status {status}")
        if status in (401, 403):
            problem = Refusal(
                "pacs-denied",
                f"the PACS refuses access (HTTP status {status}); user and rights of the site file "
                "that allow it would be right",
            )
    except requests.exceptions.SSLError:
        problem = ServerError("the server's certificate is not trusted, or it asks for one of ours")
    except requests.Timeout:
        problem = ServerError("the server does not answer in time")
    except requests.JSONDecodeError:
        problem = ServerError("the server answers a search with something else than JSON")
    except requests.RequestException:
        problem = ServerError("the connection could not be made, or was lost")
    else:
        return
    raise problem


def _single_part(response: requests.Response) -> Iterator[bytes]:
    """The content of the one part of a multipart response, or of the response that is no multipart.

    Raises ServerError where the end is missing: a connection that was cut ends like one that is done.
    """
    boundary = _boundary(response.headers.get("Content-Type", ""))
    chunks = response.iter_content(CHUNK)
    if boundary is None:
        yield from chunks
        return
    held = b""
    for chunk in chunks:
        held += chunk
        if BLANK_LINE in held:
            break
    held = held.partition(BLANK_LINE)[2]
    end = b"\r\n--" + boundary + b"--"
    # The end, with what may follow it, is held back until the last chunk is there.
    kept = len(end) + 1024
    for chunk in chunks:
        held += chunk
        yield held[:-kept]
        held = held[-kept:]
    content, found, _ = held.rpartition(end)
    if not found:
        raise ServerError("the connection was cut in the middle of an instance")
    yield content


def _boundary(content_type: str) -> bytes | None:
    message = Message()
    message["Content-Type"] = content_type
    if message.get_content_maintype() != "multipart":
        return None
    boundary = message.get_boundary()
    if not boundary or not re.fullmatch(r"[ -~]{1,70}", boundary):
        raise ServerError("the server's answer has parts and does not say how they are told apart")
    return boundary.encode()
