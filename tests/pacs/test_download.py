"""Downloads from servers that misbehave: all of a series, or a refusal; nothing in between."""

import stat
import struct
import tracemalloc
import zlib
from itertools import pairwise
from types import SimpleNamespace

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pacs_series import SLICES, write
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian
from scanmill.pacs import dicomweb, patience
from scanmill.pacs.dicomweb import _pages, _single_part
from scanmill.pacs.download import _identifiers, connect, download_series
from scanmill.pacs.patience import DeclinedError, ServerError
from scanmill.pacs.query import Instance, parse
from scanmill.refusal import Refusal
from scanmill.site import Site


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(patience, "PAUSES", (0, 0))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write(tmp_path_factory.mktemp("series") / "one", 1, ExplicitVRLittleEndian)


class Pacs:
    """A server with one series on disk; `asked` is what it was asked to send, in order."""

    def __init__(self, made, stated=SLICES):
        self.made, self.stated, self.asked = made, stated, []
        self.files = {str(dcmread(file).SOPInstanceUID): file for file in made.files}

    def studies(self, wanted):
        raise AssertionError("a UID alone needs no study")

    def series(self, study, wanted):
        study = self.made.uid.rpartition(".")[0]
        described = {"StudyInstanceUID": study, "SeriesInstanceUID": self.made.uid}
        return [described | {"NumberOfSeriesRelatedInstances": self.stated}]

    def instances(self, series):
        return [Instance(uid, "1.2") for uid in self.files]

    def get(self, series, instances, arrivals):
        for instance in instances:
            self.asked.append(instance.uid)
            self.send(instance.uid, arrivals)

    def send(self, uid, arrivals):
        arriving = arrivals.folder / "arriving"
        arriving.write_bytes(self.files[uid].read_bytes())
        arrivals.take(uid, arriving)


def fetch(pacs, folder):
    query = parse(f"dimse:{pacs.made.uid}")
    return download_series(pacs, query, folder / ".scan.partial", folder / "scan")


def refused(pacs, folder, code):
    with pytest.raises(Refusal) as caught:
        fetch(pacs, folder)
    assert caught.value.code == code and not (folder / "scan").exists()
    assert "1.2" not in caught.value.reason and "SECRET" not in caught.value.reason
    return caught.value.reason


def test_a_series_comes_whole_and_is_its_owners_alone(made, tmp_path):
    assert fetch(Pacs(made), tmp_path) == SLICES
    got = sorted(file.read_bytes() for file in (tmp_path / "scan").iterdir())
    assert got == sorted(file.read_bytes() for file in made.files)
    assert stat.S_IMODE((tmp_path / "scan").stat().st_mode) == 0o700
    names = " ".join(file.name for file in (tmp_path / "scan").iterdir())
    assert made.uid not in names and not (tmp_path / ".scan.partial").exists()


def test_fewer_listed_than_stated_is_refused(made, tmp_path):
    reason = refused(Pacs(made, stated=SLICES + 2), tmp_path, "pacs-incomplete")
    assert f"states {SLICES + 2} instances and lists {SLICES}" in reason


def test_a_server_that_states_no_number_is_held_to_its_list(made, tmp_path):
    assert fetch(Pacs(made, stated=None), tmp_path) == SLICES


def test_an_instance_that_never_comes_is_refused(made, tmp_path):
    class Forgetful(Pacs):
        def send(self, uid, arrivals):
            if uid != list(self.files)[2]:
                super().send(uid, arrivals)

    reason = refused(Forgetful(made), tmp_path, "pacs-incomplete")
    assert f"states {SLICES} instances and delivered {SLICES - 1}" in reason


def test_another_instance_under_the_asked_name_is_refused(made, tmp_path):
    class Confused(Pacs):
        def send(self, uid, arrivals):
            (arrivals.folder / "x").write_bytes(self.made.files[0].read_bytes())
            arrivals.take(uid, arrivals.folder / "x")

    assert "delivered 1 (" in refused(Confused(made), tmp_path, "pacs-incomplete")


@pytest.mark.parametrize("content", [b"", b"<html>", b"\0" * 128 + b"DICM\2\0\0"])
def test_what_is_no_dicom_is_no_instance(made, tmp_path, content):
    class Broken(Pacs):
        def send(self, uid, arrivals):
            (arrivals.folder / "x").write_bytes(content)
            arrivals.take(uid, arrivals.folder / "x")

    refused(Broken(made), tmp_path, "pacs-incomplete")


def test_a_deflated_instance_is_not_inflated_whole(made, tmp_path):
    bomb = tmp_path / "bomb"
    header = dcmread(made.files[0], stop_before_pixels=True)
    header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    header.save_as(bomb, implicit_vr=False, little_endian=True, enforce_file_format=True)
    room = 132 + 12 + dcmread(bomb).file_meta.FileMetaInformationGroupLength
    content = bomb.read_bytes()
    plain = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[room:])
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 1 << 28)
    packed = [deflate.compress(plain + head)]
    packed += [deflate.compress(bytes(1 << 20)) for _ in range(256)]
    bomb.write_bytes(content[:room] + b"".join(packed) + deflate.flush())
    tracemalloc.start()
    meta, found = _identifiers(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.SOPInstanceUID == meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID
    assert peak < 20 << 20


class Cut(Pacs):
    """Loses the connection in the middle of every instance number `at` that it sends, then is gone."""

    at = 4

    def send(self, uid, arrivals):
        if len(self.asked) >= self.at:
            (arrivals.folder / "half").write_bytes(self.files[uid].read_bytes()[:900])
            raise ServerError("lost")
        super().send(uid, arrivals)


def test_a_cut_download_goes_on_where_it_stopped(made, tmp_path):
    with pytest.raises(ServerError):
        fetch(Cut(made), tmp_path)
    assert not (tmp_path / "scan").exists()
    again = Pacs(made)
    assert fetch(again, tmp_path) == SLICES
    assert len(again.asked) == SLICES - 3
    got = sorted(file.read_bytes() for file in (tmp_path / "scan").iterdir())
    assert got == sorted(file.read_bytes() for file in made.files)


def test_retries_are_bounded_and_ask_only_for_what_is_missing(made, tmp_path):
    pacs = Cut(made)
    with pytest.raises(ServerError):
        fetch(pacs, tmp_path)
    assert len(pacs.asked) == 4 + len(patience.PAUSES)


def test_what_another_series_left_does_not_come_along(made, tmp_path):
    (tmp_path / ".scan.partial").mkdir()
    (tmp_path / ".scan.partial" / "0123.dcm").write_bytes(b"of another series")
    assert fetch(Pacs(made), tmp_path) == len(list((tmp_path / "scan").iterdir()))


def test_a_server_that_the_site_file_lacks(made):
    with pytest.raises(ServerError, match="describes no dimse server"):
        connect(Site(), "dimse")


def response(body, chunks, content_type='multipart/related; boundary="b o"'):
    cuts = [0, *sorted(chunks), len(body)]
    parts = [body[a:b] for a, b in pairwise(cuts)]
    headers = {"Content-Type": content_type}
    return SimpleNamespace(headers=headers, iter_content=lambda size: iter(parts))


@given(
    st.one_of(st.binary(max_size=3000), st.just(b"\r\n--b o" * 300)),
    st.lists(st.integers(0, 3100), max_size=8),
    st.sampled_from([b"", b"\r\n", b"\r\nepilogue"]),
)
def test_the_one_part_is_taken_out_wherever_the_chunks_end(content, chunks, epilogue):
    head = b"--b o\r\nContent-Type: application/dicom\r\n\r\n"
    body = head + content + b"\r\n--b o--" + epilogue
    whole = response(body, [min(c, len(body)) for c in chunks])
    assert b"".join(_single_part(whole)) == content


@given(st.integers(0, 250))
def test_a_part_without_its_end_is_a_cut(kept):
    body = b"--b o\r\nContent-Type: application/dicom\r\n\r\n" + b"x" * 200 + b"\r\n--b o--"
    with pytest.raises(ServerError):
        b"".join(_single_part(response(body[: min(kept, len(body) - 1)], [])))


def test_a_single_part_may_come_bare_and_must_not_come_unmarked():
    assert b"".join(_single_part(response(b"abc", [1], "application/dicom"))) == b"abc"
    with pytest.raises(ServerError, match="told apart"):
        list(_single_part(response(b"abc", [1], "multipart/related")))


def items(*numbers):
    return [{"00080018": {"vr": "UI", "Value": [f"1.2.{n}"]}} for n in numbers]


def test_pages_are_read_to_the_end_also_where_a_server_ignores_the_offset():
    def capped(page):
        return items(*range(10))[page["offset"] : page["offset"] + 4]

    assert len(_pages("SOPInstanceUID", capped)) == 10
    assert len(_pages("SOPInstanceUID", lambda page: items(1, 2, 3))) == 3


TROUBLE = {
    requests.ConnectionError("http://SECRET/1.2.3"): (ServerError, "could not be made"),
    requests.exceptions.SSLError("SECRET"): (ServerError, "certificate"),
    requests.Timeout("SECRET"): (ServerError, "in time"),
    requests.JSONDecodeError("SECRET", "SECRET", 0): (ServerError, "JSON"),
    requests.exceptions.ChunkedEncodingError("SECRET"): (ServerError, "lost"),
}
for status, kind in {401: Refusal, 403: Refusal, 503: ServerError, 404: ServerError}.items():
    answer = requests.Response()
    answer.status_code = status
    TROUBLE[requests.HTTPError("http://SECRET/1.2.3", response=answer)] = (kind, str(status))


@pytest.mark.parametrize("error, told", TROUBLE.items(), ids=lambda v: type(v).__name__)
def test_trouble_is_told_without_addresses(error, told):
    with pytest.raises(told[0], match=told[1]) as caught, dicomweb._told():
        raise error
    assert "SECRET" not in str(caught.value) and not isinstance(caught.value, DeclinedError)
