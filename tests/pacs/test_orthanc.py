"""A real PACS: what is stored in Orthanc comes back the same, and trouble is told by its name."""

import os
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import orthanc
import pacs_series
import pytest
from orthanc import DIMSE, ROUTES, URL, WEB, server
from pydicom import dcmread
from scanmill.pacs import patience
from scanmill.pacs.dicomweb import DicomwebServer
from scanmill.pacs.dimse import DimseServer
from scanmill.pacs.download import Arrivals, download_series
from scanmill.pacs.patience import ServerError
from scanmill.pacs.query import parse
from scanmill.refusal import Refusal
from scanmill.site import Dicomweb, Dimse, Tls

LACKING = orthanc.lacking()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=f"no Orthanc: {LACKING}")
SAFE_URL = "https://localhost:8443"


@pytest.fixture(autouse=True)
def inside(network, monkeypatch):
    monkeypatch.setattr(patience, "PAUSES", (0, 0))
    with network.entered():
        yield


def fetch(route, cell, folder):
    return download_series(server(route), parse(cell), folder / ".scan.partial", folder / "scan")


def by_instance(folder):
    return {
        dcmread(file, stop_before_pixels=True).SOPInstanceUID: file for file in folder.iterdir()
    }


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", pacs_series.SYNTAXES)
def test_each_syntax_comes_back_byte_for_byte(made, tmp_path, route, name):
    assert fetch(route, f"{route}:{made[name].uid}", tmp_path) == pacs_series.SLICES
    got = by_instance(tmp_path / "scan")
    for file in made[name].files:
        same = got.pop(dcmread(file, stop_before_pixels=True).SOPInstanceUID)
        meta = dcmread(same, stop_before_pixels=True).file_meta
        assert meta.TransferSyntaxUID == pacs_series.SYNTAXES[name]
        assert pacs_series.data_set(same) == pacs_series.data_set(file)
    assert not got


@pytest.mark.parametrize("route", ROUTES)
def test_a_series_by_what_the_sheet_knows_of_it(tmp_path, route):
    study = f"StudyInstanceUID={pacs_series.STUDY}"
    for n, cell in enumerate(
        (
            f"{study};SeriesNumber=5",
            f"{study};SeriesDescription=secrettext 5",
            "PatientID=SECRETID;StudyDate=20200131;SeriesNumber=5;Modality=CT",
            f"AccessionNumber=SECRETACC;{study};SeriesDescription=*5",
        )
    ):
        folder = tmp_path / str(n)
        folder.mkdir()
        assert fetch(route, f"{route}:{cell}", folder) == pacs_series.SLICES
        assert {dcmread(p).SeriesNumber for p in (folder / "scan").iterdir()} == {5}


@pytest.mark.parametrize("route", ROUTES)
def test_no_series_and_several(made, tmp_path, route):
    several = "series of 1 study match"
    for cell, code, told in (
        ("1.2.3.4", "pacs-none", "no series"),
        ("PatientID=NOBODY", "pacs-none", "no series"),
        (f"StudyInstanceUID={pacs_series.STUDY};SeriesNumber=99", "pacs-none", "no series"),
        (f"StudyInstanceUID={pacs_series.STUDY}", "pacs-several", several),
        (f"StudyInstanceUID={pacs_series.STUDY}", "pacs-several", "number 3 (6 instances)"),
    ):
        with pytest.raises(Refusal, match=code) as caught:
            fetch(route, f"{route}:{cell}", tmp_path)
        reason = caught.value.reason
        assert told in reason and "SECRET" not in reason and pacs_series.STUDY not in reason


@pytest.mark.parametrize("route", ROUTES)
def test_another_instance_in_the_place_of_the_one_that_is_listed(made, tmp_path, route):
    with pytest.raises(Refusal) as caught:
        fetch(route, f"{route}:{made['broken'].uid}", tmp_path)
    assert caught.value.code == "pacs-incomplete"
    assert f"states {pacs_series.SLICES} instances and delivered" in caught.value.reason
    assert not (tmp_path / "scan").exists()


SLOW = """
import sys, time
sys.path[:0] = sys.argv[1:3]
import test_orthanc
from pathlib import Path
from scanmill.pacs.download import Arrivals
take = Arrivals.take
def slowly(self, uid, file):
    take(self, uid, file)
    time.sleep(0.05)
Arrivals.take = slowly
test_orthanc.fetch(sys.argv[3], sys.argv[4], Path(sys.argv[5]))
"""


@pytest.mark.parametrize("route", ROUTES)
def test_a_killed_download_goes_on_where_it_stopped(made, tmp_path, route, monkeypatch):
    here = Path(__file__).parent
    cell = f"{route}:{made['large'].uid}"
    words = [sys.executable, "-c", SLOW, here, here.parents[1] / "scripts", route, cell, tmp_path]
    partial = tmp_path / ".scan.partial"
    with subprocess.Popen(words) as child:
        until = time.monotonic() + 20
        while not partial.exists() or len(list(partial.glob("[0-9a-f]*.dcm"))) < 4:
            assert child.poll() is None and time.monotonic() < until
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
    there = len(list(partial.glob("[0-9a-f]*.dcm")))
    assert 4 <= there < 30 and not (tmp_path / "scan").exists()
    arrived = []
    take = Arrivals.take
    monkeypatch.setattr(
        Arrivals, "take", lambda self, uid, file: (arrived.append(uid), take(self, uid, file))[1]
    )
    assert fetch(route, cell, tmp_path) == 30
    assert len(set(arrived)) == len(arrived) == 30 - there
    assert len(by_instance(tmp_path / "scan")) == 30


def test_a_wrong_password_is_a_refusal_that_does_not_tell_it(made, tmp_path):
    for wrong in (
        Dicomweb(URL, orthanc.USER, "S3CRET-OTHER"),
        Dicomweb(URL),
        Dicomweb(URL, token="S3CRET-TOKEN"),
    ):
        with pytest.raises(Refusal, match="pacs-denied") as caught:
            download_series(
                DicomwebServer(wrong), parse("dicomweb:1.2.3"), tmp_path / ".p", tmp_path / "scan"
            )
        assert "S3CRET" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


def test_a_title_that_the_pacs_does_not_know_is_a_refusal(tmp_path):
    wrong = DimseServer(Dimse("127.0.0.1", orthanc.DICOM, "OTHER"))
    with pytest.raises(Refusal, match="pacs-denied"):
        download_series(wrong, parse("dimse:1.2.3"), tmp_path / ".p", tmp_path / "scan")


@pytest.mark.parametrize(
    "absent",
    [DicomwebServer(Dicomweb("http://127.0.0.1:9/dw")), DimseServer(Dimse("127.0.0.1", 9, "A"))],
)
def test_nobody_there_is_a_failure_and_not_a_refusal(tmp_path, absent):
    with pytest.raises(ServerError, match="could not be made") as caught:
        download_series(absent, parse("dimse:1.2.3"), tmp_path / ".p", tmp_path / "scan")
    assert "127" not in str(caught.value)


class Relay(socketserver.ThreadingTCPServer):
    """HTTPS before Orthanc, whose own (Debian 12) ends in a segmentation fault."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 8443), Relaying)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def get_request(self):
        request, address = super().get_request()
        return self.tls.wrap_socket(request, server_side=True), address


class Relaying(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection(("127.0.0.1", orthanc.HTTP)) as behind:
            back = threading.Thread(target=pour, args=(behind, self.request), daemon=True)
            back.start()
            pour(self.request, behind)


def pour(source, target):
    with suppress(OSError):
        while chunk := source.recv(1 << 16):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


def certify(folder):
    """A certificate authority of our own, a server's certificate and one of another authority."""

    def openssl(words):
        command = ["openssl", *words.split()]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    new = "req -newkey rsa:2048 -nodes"
    for name in ("ca", "other"):
        openssl(f"{new} -x509 -days 2 -subj /CN=test-ca -keyout {name}.key -out {name}.pem")
    openssl(f"{new} -subj /CN=localhost -keyout key.pem -out csr.pem")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    signed = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names"
    openssl(f"x509 -req -in csr.pem {signed} -out cert.pem")
    both = (folder / "cert.pem").read_text() + (folder / "key.pem").read_text()
    (folder / "both.pem").write_text(both)


@pytest.fixture
def certificates(tmp_path):
    certify(tmp_path)
    return tmp_path


def test_dicomweb_over_tls_only_with_a_trusted_certificate(made, certificates, monkeypatch):
    # What the environment trusts does not count.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    with Relay(certificates) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        for ca, trusted in (("ca.pem", True), ("other.pem", False), (None, False)):
            bundle = certificates / ca if ca else None
            site = replace(WEB, url=URL.replace("http://127.0.0.1:8042", SAFE_URL), ca=bundle)
            check_trust(DicomwebServer(site), made["rle"], trusted, certificates)
        relay.shutdown()


def test_dimse_over_tls_only_with_a_trusted_certificate(network, made, certificates):
    settings = {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(certificates / "cert.pem"),
        "DicomTlsPrivateKey": str(certificates / "key.pem"),
        "DicomTlsTrustedCertificates": str(certificates / "ca.pem"),
        "DicomTlsRemoteCertificateRequired": False,
    }
    with orthanc.orthanc(network, certificates / "tls", 8043, 2762, **settings):
        url = URL.replace("8042", "8043")
        DicomwebServer(replace(WEB, url=url)).store(made["rle"].files)
        for ca, trusted in (("ca.pem", True), ("other.pem", False), (None, False)):
            tls = Tls(ca=certificates / ca if ca else None)
            server = DimseServer(replace(DIMSE, port=2762, tls=tls))
            check_trust(server, made["rle"], trusted, certificates)


def check_trust(server, series, trusted, folder):
    query = parse(f"dimse:{series.uid}")
    if trusted:
        got = download_series(server, query, folder / ".p", folder / "scan")
        assert got == pacs_series.SLICES
    else:
        with pytest.raises(ServerError, match=r"certificate|could not be made"):
            server.series(None, query.series)
