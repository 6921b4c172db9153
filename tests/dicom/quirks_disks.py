"""Disks, archives and folders as they come from hospitals, with all that lies on them."""

import gzip
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

from cases import LAST, TILTED, Case, Write
from instances import save, series
from quirks_folders import capture, directory
from stacks import Stack

GROUP, REFUSED = "disks and archives", "refused: disks and archives"


def disk(folder: Path) -> Path:
    """A patient's disk: DICOMDIR, a viewer with its libraries, deep folders, names of no suffix."""
    root = folder / "disk"
    images = root / "DICOM/PA000001/ST000001/SE000001"
    save(series(TILTED), images, [f"IM{k:06}" for k in range(LAST + 1)])
    save(capture(), root / "DICOM/PA000001/ST000001/SE000002", ["IM000001"])
    save(directory(), root, ["DICOMDIR"])
    junk = {
        "AUTORUN.INF": b"[autorun]\r\nopen=viewer.exe", "VIEWER/viewer.exe": b"MZ" + bytes(500),
        "VIEWER/libz.so.1": b"\x7fELF" + bytes(500), "VIEWER/libstdc++.so.6.0.32": b"\x7fELF",
        "VIEWER/data.bin": b"\x08\0" + b"\xff" * 60, "Thumbs.db": b"\xd0\xcf\x11\xe0",
        "__MACOSX/DICOM/IM000001": b"\0\5\x16\7", "DICOM/.AppleDouble/IM000001": b"\0\5\x16\7",
        "README": b"see DICOM", "VERSION": b"2",
    }  # fmt: skip
    for name, content in junk.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def disk_zipped(folder: Path) -> Path:
    root = disk(folder)
    with zipfile.ZipFile(folder / "disk.zip", "w") as archive:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(folder))
    return folder / "disk.zip"


def zipped_by_windows(folder: Path) -> Path:
    """Names with backslashes, as some programs write them; one zip inside of the other."""
    files = sorted(save(series(TILTED), folder / "files").iterdir())
    with zipfile.ZipFile(folder / "scan.zip", "w") as archive:
        for path in files:
            archive.writestr(f"study\\CT 1\\{path.name}", path.read_bytes())
            archive.writestr(f"__MACOSX\\study\\._{path.name}", b"\0\5\x16\7" + bytes(200))
    return folder / "scan.zip"


def zip_in_zip(folder: Path) -> Path:
    inner = zipped_by_windows(folder)
    with zipfile.ZipFile(folder / "outer.zip", "w") as archive:
        archive.write(inner, "study.zip")
    return folder / "outer.zip"


def gzipped(which: Sequence[int]) -> Write:
    """Some slices, each gzipped."""

    def write(folder: Path) -> Path:
        root = save(series(TILTED), folder / "scan")
        for k in which:
            path = root / f"{k:03}.dcm"
            (root / f"{k:03}.dcm.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
        return root

    return write


def linked(folder: Path) -> Path:
    """Half of the slices in a folder that a link leads to, and a link that leads round in a circle."""
    images = series(TILTED)
    root = save(images[:5], folder / "scan")
    save(images[5:], folder / "elsewhere", [f"{k}.dcm" for k in range(5, 9)])
    (root / "more").symlink_to(folder / "elsewhere", target_is_directory=True)
    (root / "again").symlink_to(root, target_is_directory=True)
    return root


def lost_link(folder: Path) -> Path:
    root = save(series(TILTED), folder / "scan")
    (root / "008.dcm").unlink()
    (root / "008.dcm").symlink_to(folder / "gone.dcm")
    return root


def with_pipe(folder: Path) -> Path:
    """A pipe beside the slices: who reads it waits for ever."""
    root = save(series(TILTED), folder / "scan")
    os.mkfifo(root / "009.dcm")
    return root


def damaged_name(name: str) -> Write:
    """The last slice has lost its beginning, and no suffix says that it is one."""

    def write(folder: Path) -> Path:
        names = [name.format(k) for k in range(LAST + 1)]
        root = save(series(TILTED), folder / "scan", names)
        path = root / names[LAST]
        path.write_bytes(bytes(512) + path.read_bytes()[512:])
        return root

    return write


def _read(name: str, what: str, write: Write, stack: Stack = TILTED) -> Case:
    return Case(GROUP, name, what, write, stack)


def _refused(name: str, what: str, write: Write, code: str) -> Case:
    return Case(REFUSED, name, what, write, codes=frozenset({code}))


CASES = [
    _read("disk", "a patient's disk with viewer and DICOMDIR", disk),
    _read("disk-zipped", "the same in a zip", disk_zipped),
    _read("windows-zip", "a zip with backslashes in its names", zipped_by_windows),
    _read("links", "slices behind a link, and links in a circle", linked),
    _read("pipe", "a pipe beside the slices", with_pipe),
    _refused("lost-link", "the last slice is a link that leads nowhere", lost_link,
             "source-missing"),
    _refused("zip-in-zip", "a zip in a zip", zip_in_zip, "dicom-empty"),
    _refused("last-gzipped", "the last slice is gzipped", gzipped([LAST]), "header-invalid"),
    *(_refused(f"damaged-{n}", "the last slice, of no suffix, has lost its beginning",
               damaged_name(name), "header-invalid")
      for n, name in enumerate(("IM_{:04}", "IM-0001-{:04}", "image{:03}", "CT.1.2.{}"))),
]  # fmt: skip
