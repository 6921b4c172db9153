"""A PACS by DIMSE: C-FIND to search, C-GET to retrieve, C-STORE to store, in the study root.

PS3.4 annex C: https://dicom.nema.org/medical/dicom/current/output/html/part04.html
"""

import socket
import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom import Dataset, uid
from pynetdicom import AE, _config, build_context, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
)

from scanmill.pacs.download import Arrivals
from scanmill.pacs.patience import DeclinedError, ServerError
from scanmill.pacs.query import SERIES_KEYWORDS, STUDY_KEYWORDS, Instance, Series
from scanmill.refusal import Refusal
from scanmill.site import Dimse, Tls

SYNTAXES = (
    uid.ExplicitVRLittleEndian,
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.RLELossless,
    uid.JPEGBaseline8Bit,
    uid.JPEGExtended12Bit,
    uid.JPEGLossless,
    uid.JPEGLosslessSV1,
    uid.JPEGLSLossless,
    uid.JPEGLSNearLossless,
    uid.JPEG2000Lossless,
    uid.JPEG2000,
    uid.HTJ2KLossless,
    uid.HTJ2KLosslessRPCL,
    uid.HTJ2K,
)
# An association has at most 128 contexts; each class needs one a syntax, and retrieval itself one.
CLASSES = 127 // len(SYNTAXES)
BATCH = 64
SECONDS_TO_CONNECT = 10
SECONDS_TO_ANSWER = 120
PENDING = (0xFF00, 0xFF01)
CANNOT_UNDERSTAND = 0xC000
PERMANENT = 1


class DimseServer:
    """The server that a site file describes."""

    def __init__(self, site: Dimse) -> None:
        self.site = site

    def studies(self, wanted: Mapping[str, str]) -> list[Dataset]:
        """The studies that have these attributes."""
        return self._find("STUDY", dict.fromkeys(STUDY_KEYWORDS, "") | dict(wanted))

    def series(self, study: str | None, wanted: Mapping[str, str]) -> list[Dataset]:
        """The series (of a study, or of all) that have these attributes."""
        asked = dict.fromkeys(SERIES_KEYWORDS, "") | dict(wanted)
        asked |= {"StudyInstanceUID": study or "", "NumberOfSeriesRelatedInstances": ""}
        return self._find("SERIES", asked)

    def instances(self, series: Series) -> list[Instance]:
        """All instances of a series."""
        asked = {"StudyInstanceUID": series.study, "SeriesInstanceUID": series.uid}
        found = self._find("IMAGE", asked | {"SOPInstanceUID": "", "SOPClassUID": ""})
        classes = {str(a.SOPInstanceUID): str(a.get("SOPClassUID", "")) for a in found}
        if not all(classes.values()):
            raise ServerError("the server does not tell the SOP classes of a series (C-FIND)")
        return [Instance(*listed) for listed in classes.items()]

    def get(self, series: Series, instances: list[Instance], arrivals: Arrivals) -> None:
        """Retrieve instances; each is streamed to its file."""
        classes = list(dict.fromkeys(instance.sop_class for instance in instances))
        for some in _portions(classes, CLASSES):
            wanted = [instance.uid for instance in instances if instance.sop_class in some]
            with self._retrieving(some, arrivals) as association:
                for uids in _portions(wanted, BATCH):
                    _get(association, series, uids)

    def store(self, paths: list[Path]) -> None:
        """Store files as they are. Raises ServerError where the server does not take one unchanged."""
        for path in paths:
            dataset = pydicom.dcmread(path)
            context = build_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
            with self._association([context]) as association:
                if not association.accepted_contexts:
                    raise DeclinedError("the server takes no objects of this class and syntax")
                status = association.send_c_store(dataset).get("Status")
            if status != 0:
                raise DeclinedError(f"C-STORE ended with {_shown(status)}")

    def _find(self, level: str, asked: Mapping[str, str]) -> list[Dataset]:
        identifier = _identifier(level, asked)
        model = StudyRootQueryRetrieveInformationModelFind
        found = []
        with self._association([build_context(model)]) as association:
            _check_accepted(association, model)
            for status, answer in association.send_c_find(identifier, model):
                if status.get("Status") in PENDING and answer is not None:
                    found.append(answer)
            if status.get("Status") != 0:
                raise ServerError(f"C-FIND ended with {_shown(status.get('Status'))}")
        return found

    @contextmanager
    def _retrieving(self, classes: list[str], arrivals: Arrivals) -> Iterator[Association]:
        model = StudyRootQueryRetrieveInformationModelGet
        # One context a syntax: of several in one context the server's side chooses a single one, and
        # loses, or converts, what is stored in another.
        contexts = [build_context(model)]
        contexts += [build_context(each, syntax) for each in classes for syntax in SYNTAXES]
        handlers = [(evt.EVT_C_STORE, _taken, [arrivals])]
        with (
            _receiving_in(arrivals.folder),
            self._association(contexts, classes, handlers) as association,
        ):
            _check_accepted(association, model)
            yield association

    @contextmanager
    def _association(
        self,
        contexts: list[PresentationContext],
        receives: Sequence[str] = (),
        handlers: list[evt.EventHandlerType] | None = None,
    ) -> Iterator[Association]:
        """An association that is released at the end. receives: classes that the server will send."""
        entity = AE(ae_title=self.site.calling)
        entity.connection_timeout = entity.acse_timeout = SECONDS_TO_CONNECT
        entity.dimse_timeout = entity.network_timeout = SECONDS_TO_ANSWER
        entity.maximum_pdu_size = 1 << 17
        association = entity.associate(
            self.site.host,
            self.site.port,
            contexts=contexts,
            ae_title=self.site.called,
            ext_neg=[build_role(each, scp_role=True) for each in receives],
            evt_handlers=[(evt.EVT_DATA_SENT, _acknowledge_at_once), *(handlers or [])],
            tls_args=_tls(self.site.tls, self.site.host),
        )
        if association.is_rejected and association.acceptor.primitive.result == PERMANENT:
            raise Refusal(
                "pacs-denied",
                "the PACS rejects the association; application entity titles that it knows (called, "
                "and calling in the site file) would be right",
            )
        if not association.is_established:
            raise ServerError("the association could not be made")
        try:
            yield association
        finally:
            association.release()


def _get(association: Association, series: Series, uids: list[str]) -> None:
    identifier = _identifier(
        "IMAGE", {"StudyInstanceUID": series.study, "SeriesInstanceUID": series.uid}
    )
    identifier.SOPInstanceUID = uids
    model = StudyRootQueryRetrieveInformationModelGet
    *_, (status, _) = association.send_c_get(identifier, model)
    code = status.get("Status")
    if code is None:
        raise ServerError("the association was lost during C-GET")
    failed = status.get("NumberOfFailedSuboperations") or 0
    warned = status.get("NumberOfWarningSuboperations") or 0
    if code != 0 or failed or warned:
        text = (
            f"C-GET ended with {_shown(code)}, {failed} instances failed, {warned} with a warning"
        )
        raise DeclinedError(text)


def _acknowledge_at_once(event: evt.Event) -> None:
    """Servers that write a message in two parts wait for the first one's receipt: 40 ms an instance."""
    connection = event.assoc.dul.socket.socket
    if connection and hasattr(socket, "TCP_QUICKACK"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _taken(event: evt.Event, arrivals: Arrivals) -> int:
    """Take an instance that has arrived; the status that the server is answered."""
    try:
        arrivals.take(event.request.AffectedSOPInstanceUID, event.dataset_path)
    except ServerError:
        return CANNOT_UNDERSTAND
    return 0


@contextmanager
def _receiving_in(folder: Path) -> Iterator[None]:
    """Have arriving instances streamed to temporary files where no one else can read."""
    before = tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET
    tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET = str(folder), True
    try:
        yield
    finally:
        tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET = before


def _identifier(level: str, asked: Mapping[str, str]) -> Dataset:
    identifier = Dataset()
    if not all(value.isascii() for value in asked.values()):
        identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = level
    for keyword, value in asked.items():
        setattr(identifier, keyword, value)
    return identifier


def _check_accepted(association: Association, model: str) -> None:
    if not any(context.abstract_syntax == model for context in association.accepted_contexts):
        raise Refusal(
            "pacs-denied",
            "the PACS does not accept the query and retrieval in the study root that ScanMill needs; "
            "these services (C-FIND, C-GET), allowed for the calling title, would be right",
        )


def _tls(tls: Tls | None, host: str) -> tuple[ssl.SSLContext, str] | None:
    if tls is None:
        return None
    context = ssl.create_default_context(cafile=str(tls.ca) if tls.ca else None)
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    return context, host


def _portions(items: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _shown(status: int | None) -> str:
    return "no answer" if status is None else f"status 0x{status:04X}"
