"""A series downloaded from a PACS: whole, in its original transfer syntax, and resumed after a cut."""

import hashlib
import io
import shutil
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

from pydicom import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset, read_preamble

from scanmill.pacs.patience import DeclinedError, ServerError, patiently
from scanmill.pacs.query import Instance, Query, Series, Server, find
from scanmill.refusal import Refusal
from scanmill.site import Site

META, SERIES = 0x0002, 0x0020000E
BEGINNING = 1 << 22


class Source(Server, Protocol):
    """A PACS that hands out instances."""

    def get(self, series: Series, instances: list[Instance], arrivals: "Arrivals") -> None:
        """Hand the instances over as they arrive. Raises ServerError where one does not."""
        ...


class Arrivals:
    """The folder that instances of one series arrive in, each complete under its name or not there.

    Names are hashes, so that no folder listing tells a UID. The folder is its owner's alone.
    """

    def __init__(self, folder: Path, series: Series, instances: Iterable[Instance]) -> None:
        self.folder = folder
        self.series = series
        self.names = {
            i.uid: f"{hashlib.sha256(i.uid.encode()).hexdigest()[:24]}.dcm" for i in instances
        }
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._drop_strays()

    def missing(self) -> list[str]:
        """UIDs of the instances that are not there yet."""
        return [uid for uid, name in self.names.items() if not (self.folder / name).exists()]

    def take(self, uid: str, file: Path) -> None:
        """Put a file of the folder in its place. Raises DeclinedError if it is not that instance."""
        if uid not in self.names or not _is_instance(file, uid, self.series.uid):
            file.unlink()
            raise DeclinedError("the server sent another instance than was asked for")
        file.replace(self.folder / self.names[uid])

    def hand_over(self, folder: Path) -> None:
        """Put the whole series in the place of `folder`."""
        self._drop_strays()
        shutil.rmtree(folder, ignore_errors=True)
        self.folder.replace(folder)

    def _drop_strays(self) -> None:
        """Remove what a cut left, and what another series did that the sheet named before."""
        expected = set(self.names.values())
        for stray in self.folder.iterdir():
            if stray.name not in expected:
                stray.unlink()


def connect(site: Site, server: str) -> Source:
    """The server of that kind, `dicomweb` or `dimse`, that the site file describes."""
    if server == "dicomweb" and site.dicomweb:
        from scanmill.pacs.dicomweb import DicomwebServer

        return DicomwebServer(site.dicomweb)
    if server == "dimse" and site.dimse:
        from scanmill.pacs.dimse import DimseServer

        return DimseServer(site.dimse)
    raise ServerError(f"the site file on this machine describes no {server} server")


def download_series(source: Source, query: Query, partial: Path, folder: Path) -> int:
    """Download the series that a query means into a new `folder`; returns its number of instances.

    partial: a folder beside it, where complete instances wait; they are not asked for again. Raises
    Refusal where there is not one such series, where access is refused, or where the PACS delivers
    less than it states; ServerError where the connection is lost again and again.
    """
    series = patiently(lambda: find(source, query))
    instances = patiently(lambda: source.instances(series))
    if not instances or series.stated not in (None, len(instances)):
        raise _incomplete(series.stated, f"lists {len(instances)}")
    arrivals = Arrivals(partial, series, instances)
    try:
        patiently(lambda: _get_missing(source, instances, arrivals))
    except DeclinedError as error:
        there = len(instances) - len(arrivals.missing())
        raise _incomplete(len(instances), f"delivered {there} ({error})") from None
    if arrivals.missing():
        there = len(instances) - len(arrivals.missing())
        raise _incomplete(len(instances), f"delivered {there}")
    arrivals.hand_over(folder)
    return len(instances)


def _get_missing(source: Source, instances: list[Instance], arrivals: Arrivals) -> None:
    missing = set(arrivals.missing())
    if missing:
        source.get(arrivals.series, [i for i in instances if i.uid in missing], arrivals)


def _incomplete(stated: int | None, then: str) -> Refusal:
    return Refusal(
        "pacs-incomplete",
        f"the PACS states {stated or 'no number of'} instances and {then}; a whole series would be "
        "right: check it there, then run the rule fetch again",
    )


def _is_instance(file: Path, uid: str, series: str) -> bool:
    """Whether a file can be read as that instance of that series, with its transfer syntax told."""
    try:
        meta, header = _identifiers(file)
        return meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID == uid and (
            header.SeriesInstanceUID == series
        )
    except (InvalidDicomError, AttributeError, OSError, ValueError, EOFError, zlib.error):
        return False


def _identifiers(file: Path) -> tuple[Dataset, Dataset]:
    """The file meta, and the header up to the series; of a deflated file only the beginning."""
    with open(file, "rb") as stream:
        read_preamble(stream, force=False)
        meta = read_dataset(stream, False, True, stop_when=lambda tag, *_: tag.group != META)
        syntax = meta.TransferSyntaxUID
        content: BinaryIO = stream
        if syntax.is_deflated:
            beginning = zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream.read(), BEGINNING)
            content = io.BytesIO(beginning)
        header = read_dataset(
            content,
            syntax.is_implicit_VR,
            syntax.is_little_endian,
            stop_when=lambda tag, *_: tag > SERIES,
        )
    return meta, header
