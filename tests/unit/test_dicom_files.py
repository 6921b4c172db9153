"""A scan's files are found in folders and archives, and no archive reaches beyond itself."""

import io
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from scanmill.refusal import Refusal
from scanmill.source import read_source
from scanmill.source.dicom import files
from scanmill.source.dicom.files import files_in
from source_samples import assert_same_body, tilted, write_series

MAPPED = Path("/proc/self/maps")


def packed(tmp_path, name: str):
    folder = write_series(tmp_path / "series", tilted())
    path = tmp_path / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, f"study/{file.name}")
    else:
        with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as archive:
            archive.add(folder, "study")
    return path


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz"])
def test_archives_are_read(tmp_path, name):
    assert_same_body(read_source(packed(tmp_path, name))[0], tilted())


@pytest.mark.skipif(not MAPPED.exists(), reason="only Linux tells what is mapped")
def test_what_is_unpacked_lies_where_temporary_files_do(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    views = [file.read() for file in files_in(packed(tmp_path, "a.tgz"))]
    assert f" {scratch}/" in MAPPED.read_text()
    del views
    assert f" {scratch}/" not in MAPPED.read_text()
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_a_cut_archive_is_refused(tmp_path, name):
    path = packed(tmp_path, name)
    raw = path.read_bytes()
    for part in (0.3, 0.7):
        path.write_bytes(raw[: int(len(raw) * part)])
        with pytest.raises(Refusal) as caught:
            read_source(path)
        assert caught.value.code in ("data-corrupt", "data-truncated", "dicom-irregular")


def test_what_is_no_archive_is_refused(tmp_path):
    for name in ("a.zip", "a.tar", "a.tgz"):
        (tmp_path / name).write_bytes(b"not an archive" * 100)
        with pytest.raises(Refusal) as caught:
            read_source(tmp_path / name)
        assert caught.value.code == "data-corrupt"


def test_members_that_lead_elsewhere_touch_nothing(tmp_path):
    inner = tmp_path / "here"
    inner.mkdir()
    with tarfile.open(inner / "a.tar", "w") as archive:
        member = tarfile.TarInfo("../../escaped")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("linked.dcm")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    (file,) = files_in(inner / "a.tar")
    assert bytes(file.read()) == b"abc"
    assert [path.name for path in tmp_path.rglob("*")] == ["here", "a.tar"]


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_UNPACKED", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(2 << 20))
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        member = tarfile.TarInfo("a.dcm")
        member.size = 8 << 20
        archive.addfile(member, io.BytesIO(bytes(8 << 20)))
    for name in ("a.zip", "a.tgz"):
        with pytest.raises(Refusal) as caught:
            files_in(tmp_path / name)
        assert caught.value.code == "data-oversized"


def test_only_names_that_slices_have_must_be_slices(tmp_path):
    slices = ("1.dcm", "IM0001", "IM-0001-0002", "MR.1.2.840", "x.IMA", "x.dcm.gz", "image 3")
    others = ("LICENSE", "notes.txt", ".DS_Store", "libz.so.1", "libc.so.6.2", "a.exe", "a1.pdf")
    for name in (*slices, *others):
        (tmp_path / name).write_bytes(name.encode())
    claims = {bytes(file.read()).decode(): file.claims for file in files_in(tmp_path)}
    assert claims == dict.fromkeys(slices, True) | dict.fromkeys(set(others) - {".DS_Store"}, False)


@pytest.mark.parametrize("denied", ["folder", "file"])
def test_what_may_not_be_read_is_refused_and_not_left_out(tmp_path, monkeypatch, denied):
    folder = write_series(tmp_path / "series", tilted())
    last = sorted(folder.iterdir())[-1]
    (folder / "more").mkdir()
    last = last.rename(folder / "more" / last.name)
    refused_path = str(last.parent if denied == "folder" else last)

    def guarded(before):
        def act(path, *args, **kwargs):
            if str(path) == refused_path:
                raise PermissionError(13, "Permission denied", refused_path)
            return before(path, *args, **kwargs)

        return act

    # As root, who runs tests in CI, may read everything.
    monkeypatch.setattr("os.scandir", guarded(os.scandir))
    monkeypatch.setattr("builtins.open", guarded(open))
    with pytest.raises(Refusal) as caught:
        read_source(folder)
    assert caught.value.code == "source-denied" and "series" not in caught.value.reason


def test_other_files_by_the_thousand_are_counted(tmp_path):
    folder = write_series(tmp_path / "series", tilted())
    for n in range(20_000):
        (folder / f"note {n}.txt").symlink_to(__file__)
    read, notes = read_source(folder)
    assert_same_body(read, tilted())
    assert "20000" in dict(notes)["files-ignored"]
