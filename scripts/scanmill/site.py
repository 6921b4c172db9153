"""The site file: servers, credentials and keys of one place, outside the repository and the sheet.

Its path is in the environment variable SCANMILL_SITE, else ~/.config/scanmill/site.yaml. What is wrong
in it is reported by line and column and by what would be right; no value in it is ever shown.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scanmill import yaml_file
from scanmill.problem import Problem, SettingsError
from scanmill.yaml_file import Document, Fault

DEFAULT = Path("~/.config/scanmill/site.yaml")
KEY_VARIABLE = "SCANMILL_PSEUDONYM_KEY"
KEY = re.compile(r"([0-9a-fA-F]{2}){32,}")
PATHS = ("ca", "client_cert", "client_key", "cert", "key")
CALLING = "SCANMILL"


@dataclass(frozen=True)
class Dicomweb:
    """A DICOMweb server. ca: a bundle, None for the certificates that Python's requests trusts."""

    url: str
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None


@dataclass(frozen=True)
class Tls:
    """TLS of a DIMSE server. ca: None for the system's. cert, key: our own, where it asks for it."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Dimse:
    """A DIMSE server and the application entity titles of both sides."""

    host: str
    port: int
    called: str
    calling: str = CALLING
    tls: Tls | None = None


@dataclass(frozen=True)
class Site:
    """What a place has. pseudonym_key: at least 32 bytes, None where none is set."""

    pseudonym_key: bytes | None = field(default=None, repr=False)
    dicomweb: Dicomweb | None = None
    dimse: Dimse | None = None


def load(environment: Mapping[str, str] = os.environ) -> Site:
    """The site file that the environment names; an empty Site where there is no file.

    Raises SettingsError with everything that is wrong in it, and where SCANMILL_SITE names no file or
    others than its owner may read it.
    """
    named = environment.get("SCANMILL_SITE")
    path = Path(named or DEFAULT).expanduser()
    if not named and not path.exists():
        return Site(_key({}, environment))
    _check_owner_only(path)
    document = _read(path)
    content = document.content or {}
    faults = [*_schema_faults(content), *_conflicts(content, path.parent, environment)]
    if faults:
        raise SettingsError(document.problem(fault) for fault in faults)
    return Site(
        _key(content, environment),
        _dicomweb(content["dicomweb"], path.parent, environment) if "dicomweb" in content else None,
        _dimse(content["dimse"], path.parent) if "dimse" in content else None,
    )


def _check_owner_only(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        text = f"the site file cannot be read ({error.strerror}); a YAML file would be right"
        raise SettingsError([Problem(str(path), None, None, text)]) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        text = (
            f"the site file has mode {stat.S_IMODE(mode):04o}, so that others may read its secrets; "
            "0600 would be right (chmod 600)"
        )
        raise SettingsError([Problem(str(path), None, None, text)])


def _read(path: Path) -> Document:
    try:
        return yaml_file.read(path)
    except SettingsError as error:
        problems = error.problems
    # Raised outside of the handler: the first error quotes what it found, and would be its context.
    raise SettingsError(Problem(p.file, p.line, p.column, _discreet(p.text)) for p in problems)


def _schema_faults(content: Any) -> list[Fault]:
    return [Fault(f.keys, _discreet(f.text), f.at_key) for f in yaml_file.check(content, "site")]


def _discreet(text: str) -> str:
    """A problem without what was found, which may be secret: after the last `; ` is what is right."""
    return f"this is wrong (a site file's content is not shown); {text.rpartition('; ')[2]}"


def _conflicts(content: Any, folder: Path, environment: Mapping[str, str]) -> list[Fault]:
    """What the schema cannot say: two secrets, secrets and files that are not there, plain HTTP."""
    faults = []
    for server in ("dicomweb", "dimse"):
        described = content.get(server) if isinstance(content, dict) else None
        if isinstance(described, dict):
            faults += _missing_files((server,), described, folder)
    web = content.get("dicomweb") if isinstance(content, dict) else None
    if not isinstance(web, dict):
        return faults
    place = ("dicomweb",)
    for name in ("password", "token"):
        given = [key for key in (name, f"{name}_file", f"{name}_env") if key in web]
        if len(given) > 1:
            faults.append(Fault(place, f"{' and '.join(given)} were found; one would be right"))
        for key in given[:1]:
            if _secret(web, name, folder, environment) is None:
                right = "a file" if key.endswith("_file") else "a variable"
                text = f"'{key}' leads to no secret; {right} that holds it would be right"
                faults.append(Fault((*place, key), text))
    passwords = [key for key in web if key.startswith("password")]
    if any(key.startswith("token") for key in web) and ("user" in web or passwords):
        faults.append(Fault(place, "a token and a user were found; one of them would be right"))
    if bool(passwords) != ("user" in web):
        faults.append(Fault(place, "user and password belong together; both would be right"))
    secret = passwords or any(key.startswith("token") for key in web)
    if secret and _goes_open(str(web.get("url", ""))):
        text = "a secret would travel in the clear over http; https would be right"
        faults.append(Fault((*place, "url"), text))
    return faults


def _missing_files(place: yaml_file.Keys, described: dict[str, Any], folder: Path) -> list[Fault]:
    faults = []
    for key, value in described.items():
        if key == "tls" and isinstance(value, dict):
            faults += _missing_files((*place, key), value, folder)
        elif key in PATHS and isinstance(value, str) and not _path(value, folder).is_file():
            text = f"'{key}' names no file; the path of an existing file would be right"
            faults.append(Fault((*place, key), text))
    return faults


def _goes_open(url: str) -> bool:
    """Whether what is sent there can be read on a network."""
    parts = urlsplit(url)
    if parts.scheme != "http":
        return False
    host = parts.hostname or ""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _key(content: dict[str, Any], environment: Mapping[str, str]) -> bytes | None:
    text = content.get("pseudonym_key") or environment.get(KEY_VARIABLE)
    if text and not KEY.fullmatch(text):
        found = f"{KEY_VARIABLE} is set, and not to a key"
        text = f"{found}; at least 64 hexadecimal digits would be right"
        raise SettingsError([Problem("environment", None, None, text)])
    return bytes.fromhex(text) if text else None


def _secret(
    web: dict[str, Any], name: str, folder: Path, environment: Mapping[str, str]
) -> str | None:
    """A password or token: as it stands, from the file or from the variable that is named."""
    if f"{name}_file" in web:
        try:
            return _path(str(web[f"{name}_file"]), folder).read_text("utf-8").strip() or None
        except (OSError, ValueError):
            return None
    if f"{name}_env" in web:
        return environment.get(str(web[f"{name}_env"])) or None
    return web.get(name)


def _dicomweb(web: dict[str, Any], folder: Path, environment: Mapping[str, str]) -> Dicomweb:
    return Dicomweb(
        url=web["url"].rstrip("/"),
        user=web.get("user"),
        password=_secret(web, "password", folder, environment),
        token=_secret(web, "token", folder, environment),
        **_files(web, folder),
    )


def _dimse(described: dict[str, Any], folder: Path) -> Dimse:
    tls = Tls(**_files(described["tls"], folder)) if "tls" in described else None
    return Dimse(
        host=described["host"],
        port=described["port"],
        called=described["called"],
        calling=described.get("calling", CALLING),
        tls=tls,
    )


def _files(described: dict[str, Any], folder: Path) -> dict[str, Path]:
    return {key: _path(described[key], folder) for key in PATHS if key in described}


def _path(text: str, folder: Path) -> Path:
    """Relative paths start at the site file's folder."""
    return folder / Path(text).expanduser()
