"""A real Orthanc in a network of its own: a namespace that reaches nothing but itself."""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from scanmill.pacs.dicomweb import DicomwebServer
from scanmill.pacs.dimse import DimseServer
from scanmill.site import Dicomweb, Dimse

HTTP, DICOM = 8042, 4242
USER, PASSWORD = "scanmill", "S3CRET-PASSWORD"
TITLE = "ORTHANC"
PLUGINS = (
    "/usr/share/orthanc/plugins/libOrthancDicomWeb.so",
    "/usr/share/orthanc/plugins",
)
URL = f"http://127.0.0.1:{HTTP}/dicom-web"
WEB = Dicomweb(URL, USER, PASSWORD)
DIMSE = Dimse("127.0.0.1", DICOM, TITLE)
ROUTES = ("dicomweb", "dimse")
NETWORK = 0x40000000
SECONDS_TO_START = 20
LIBC = ctypes.CDLL(None, use_errno=True)


def lacking() -> str | None:
    """Why no Orthanc can run here, if so."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "a network namespace needs root"
    missing = [name for name in ("Orthanc", "unshare", "ip") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} not installed"
    if not any(Path(plugin).exists() for plugin in PLUGINS):
        return "orthanc-dicomweb not installed"
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        return "network namespaces are not allowed"
    return None


def server(route):
    return DicomwebServer(WEB) if route == "dicomweb" else DimseServer(DIMSE)


@dataclass
class Network:
    """A network namespace, held by a process that does nothing."""

    holder: int

    def command(self, *words: str) -> list[str]:
        """A command that runs inside."""
        return ["nsenter", f"--net=/proc/{self.holder}/ns/net", *words]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Have this thread, and the threads and processes that it starts, inside."""
        with open("/proc/thread-self/ns/net") as before:
            _set_network(f"/proc/{self.holder}/ns/net")
            try:
                yield
            finally:
                if LIBC.setns(before.fileno(), NETWORK) != 0:
                    raise OSError(ctypes.get_errno(), "the thread is caught in the namespace")


def _set_network(path: str) -> None:
    with open(path) as target:
        if LIBC.setns(target.fileno(), NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "no way into the namespace")


@contextmanager
def network() -> Iterator[Network]:
    """A namespace with a loopback and nothing else."""
    words = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "up\n"
            yield Network(holder.pid)
        finally:
            holder.kill()


@contextmanager
def orthanc(network: Network, folder: Path, http=HTTP, dicom=DICOM, **settings) -> Iterator[None]:
    """An Orthanc that answers on these ports of the namespace."""
    folder.mkdir()
    config = {
        "Name": "test",
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "Plugins": [next(plugin for plugin in PLUGINS if Path(plugin).exists())],
        "HttpPort": http,
        "DicomPort": dicom,
        "DicomAet": TITLE,
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowGet": True,
        "UnknownSopClassAccepted": True,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "StableAge": 1,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(config | settings))
    words = network.command("Orthanc", str(folder / "orthanc.json"))
    with (
        open(folder / "orthanc.log", "wb") as log,
        subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT) as server,
    ):
        try:
            with network.entered():
                _wait_for(http, dicom, server)
            yield
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(10)
            server.kill()


def _wait_for(http: int, dicom: int, server: subprocess.Popen) -> None:
    until = time.monotonic() + SECONDS_TO_START
    for port in (http, dicom):
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert server.poll() is None, "Orthanc ended"
            assert time.monotonic() < until, "Orthanc did not start"
            time.sleep(0.1)
