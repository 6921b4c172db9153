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
from pathlib import Path
from typing import BinaryIO

from scanmill import disk
from scanmill.refusal import Refusal
from scanmill.source import ARCHIVES
from scanmill.source.inflate import DamagedError, Inflated

DIRECTORY, MACINTOSH = "DICOMDIR", "__MACOSX"
# Names that slices have: of a suffix of theirs, or of none and with a number at the end. A viewer's
# libraries on Linux have such names, too (libz.so.1).
SLICE_NAMES = re.compile(
    r"^(?!.*\.so\.).*(\.dcm|\.ima|\.dicom|\.\d+|^[^.]*\d)(\.gz)?$", re.IGNORECASE
)
SEPARATORS = re.compile(r"[/\\]")  # of names in archives; some programs write those of Windows
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

    Hidden files, what lies in hidden folders, and DICOMDIR are left out; links are followed. Raises
    Refusal where an archive is damaged, encrypted or larger than MOST_UNPACKED once unpacked, and
    PermissionError where a folder may not be listed.
    """
    if path.is_dir():
        return [File(_mapping(file), _claims(file.name)) for file in sorted(_below(path))]
    if not path.name.lower().endswith(ARCHIVES):
        return [File(_mapping(path), True)]
    try:
        return _members_of_zip(path) if zipfile.is_zipfile(path) else _members_of_tar(path)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, DamagedError, ValueError) as error:
        raise _damaged() from error


def _below(folder: Path) -> Iterator[Path]:
    for root, folders, names in disk.walk(folder, on_error=_raise):
        folders[:] = [name for name in folders if _counts(name)]
        files = (root / name for name in names if _counts(name))
        # Pipes and devices are no slices, and reading them may never end.
        yield from (file for file in files if file.is_file() or not file.exists())


def _raise(error: OSError) -> None:
    raise error


def _counts(name: str) -> bool:
    return not name.startswith(".") and name not in (DIRECTORY, MACINTOSH)


def _claims(name: str) -> bool:
    return SLICE_NAMES.search(name) is not None


def _mapping(path: Path) -> Callable[[], memoryview]:
    def read() -> memoryview:
        try:
            with open(path, "rb") as file:
                return _mapped(file)
        except OSError:
            if path.exists():
                raise
            raise Refusal(
                "source-missing", "a file of the scan is a link that leads nowhere; copy the files"
            ) from None

    return read


def _mapped(file: BinaryIO) -> memoryview:
    if os.fstat(file.fileno()).st_size == 0:
        return memoryview(b"")
    # Unmapped when its last view is gone.
    return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _members_of_zip(path: Path) -> list[File]:
    archive = zipfile.ZipFile(path)
    members = sorted(archive.infolist(), key=lambda member: member.filename)
    if any(member.flag_bits & 1 for member in members):
        raise Refusal("data-corrupt", "the archive is encrypted; unpack it")
    _check_room(sum(member.file_size for member in members))
    named = ((_name_within(member.filename), member) for member in members)
    return [File(_zipped(archive, member), _claims(name)) for name, member in named if name]


def _name_within(path: str) -> str:
    """The name of an archive's member; empty for folders and for what does not count."""
    parts = [part for part in SEPARATORS.split(path) if part not in (".", "..")]
    return parts[-1] if parts and all(map(_counts, parts)) else ""


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
        name, end = _name_within(member.name), member.offset_data + member.size
        if member.issparse() or end > len(whole):
            raise _damaged()
        if name:
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
