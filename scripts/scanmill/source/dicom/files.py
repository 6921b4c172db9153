"""The files of a scan: in a folder, in an archive, or one alone; their bytes, never their names.

Nothing is extracted: files are mapped, and members of archives are read in memory, or mapped from one
nameless file where the whole archive is compressed. So no name in an archive ever becomes a path.
"""

import lzma
import mmap
import os
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from scanmill.refusal import Refusal
from scanmill.source import ARCHIVES
from scanmill.source.inflate import DamagedError, Inflated

DIRECTORY = "DICOMDIR"
# Names that slices have: of a suffix of theirs, or of none but a number.
SLICE_NAMES = re.compile(r"(\.dcm|\.ima|\.dicom|\.\d+|^[a-z]{0,4}\d+)$", re.IGNORECASE)
MOST_INFLATED = 1 << 30  # bytes of one inflated member: a multi-frame image of 512 MVoxels
MOST_UNPACKED = 1 << 34  # bytes of an unpacked archive
CHUNK = 1 << 22


@dataclass(frozen=True)
class File:
    """A file of the scan.

    read: gives its bytes, mapped where possible; raises Refusal where they cannot be decoded.
    claims: whether its name is one that slices have, so that it must not be passed over.
    """

    read: Callable[[], memoryview]
    claims: bool


def files_in(path: Path) -> list[File]:
    """The files of a folder and its subfolders, or of an archive, in order of their names; or `path`.

    Hidden files and DICOMDIR are left out. Raises Refusal where an archive is damaged, encrypted or
    larger than MOST_UNPACKED once unpacked.
    """
    if path.is_dir():
        found = (Path(root) / name for root, _, names in os.walk(path) for name in names)
        return [
            File(_mapping(file), _claims(file.name)) for file in sorted(found) if _counts(file.name)
        ]
    if not path.name.lower().endswith(ARCHIVES):
        return [File(_mapping(path), True)]
    try:
        return _members_of_zip(path) if zipfile.is_zipfile(path) else _members_of_tar(path)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, DamagedError, ValueError) as error:
        raise _damaged() from error


def _counts(name: str) -> bool:
    return not name.startswith(".") and name != DIRECTORY


def _claims(name: str) -> bool:
    return SLICE_NAMES.search(name) is not None


def _mapping(path: Path) -> Callable[[], memoryview]:
    def read() -> memoryview:
        with open(path, "rb") as file:
            return _mapped(file)

    return read


def _mapped(file: BinaryIO) -> memoryview:
    if os.fstat(file.fileno()).st_size == 0:
        return memoryview(b"")
    # Unmapped when its last view is gone.
    return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _members_of_zip(path: Path) -> list[File]:
    archive = zipfile.ZipFile(path)
    members = [
        (PurePosixPath(member.filename).name, member)
        for member in archive.infolist()
        if not member.is_dir()
    ]
    if any(member.flag_bits & 1 for _, member in members):
        raise Refusal("data-corrupt", "the archive is encrypted; unpack it")
    _check_room(sum(member.file_size for _, member in members))
    members.sort(key=lambda named: named[1].filename)
    return [
        File(_zipped(archive, member), _claims(name)) for name, member in members if _counts(name)
    ]


def _zipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], memoryview]:
    def read() -> memoryview:
        if member.file_size > MOST_INFLATED:
            raise too_large()
        try:
            # zipfile stops at the size that it has declared, and compares the checksum.
            return memoryview(archive.read(member))
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError) as error:
            raise _damaged() from error
        except NotImplementedError as error:
            raise Refusal(
                "format-unknown", "the archive is compressed in a way that is not read; unpack it"
            ) from error

    return read


def _members_of_tar(path: Path) -> list[File]:
    with open(path, "rb") as raw, tempfile.TemporaryFile() as unpacked:
        if raw.read(2) == b"\x1f\x8b":
            raw.seek(0)
            for chunk in _inflating(raw):
                _check_room(unpacked.tell() + len(chunk))
                unpacked.write(chunk)
            unpacked.flush()
            tar, whole = unpacked, _mapped(unpacked)
        else:
            tar, whole = raw, _mapped(raw)
        tar.seek(0)
        with tarfile.open(fileobj=tar, mode="r:") as archive:
            members = sorted(
                (member for member in archive if member.isreg()), key=lambda member: member.name
            )
    files = []
    for member in members:
        name, end = PurePosixPath(member.name).name, member.offset_data + member.size
        if member.issparse() or end > len(whole):
            raise _damaged()
        if _counts(name):
            files.append(File(_part(whole, member.offset_data, end), _claims(name)))
    return files


def _inflating(raw: BinaryIO) -> Iterator[bytes]:
    stream = Inflated(raw)
    while chunk := stream.read(CHUNK):
        yield chunk


def _part(whole: memoryview, start: int, end: int) -> Callable[[], memoryview]:
    return lambda: whole[start:end]


def _check_room(size: int) -> None:
    if size > MOST_UNPACKED:
        raise too_large()


def too_large() -> Refusal:
    """What is said of compressed data that would not stay within bounds."""
    return Refusal(
        "data-oversized", "what is compressed is larger than ScanMill accepts; give it unpacked"
    )


def _damaged() -> Refusal:
    return Refusal(
        "data-corrupt",
        "the archive is damaged or of another kind than its name says; pack it again",
    )
