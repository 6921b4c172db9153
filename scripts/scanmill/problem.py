"""What is wrong in a file that the user wrote: where, what was found, and what would be right."""

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What YAML calls printable; nothing else belongs into a sheet either.
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
LISTED = 500
SHOWN = 60


@dataclass(frozen=True)
class Problem:
    """One sentence about one place. line, column: from 1, in characters; None outside a file."""

    file: str
    line: int | None
    column: int | None
    text: str

    def __str__(self) -> str:
        if self.line is None:
            return f"{self.file}: {self.text}"
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


class SettingsError(Exception):
    """The config, the sheet or a recipe cannot be used; `problems` says what is wrong."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:LISTED]]
        if len(self.problems) > LISTED:
            first = self.problems[LISTED]
            more = len(self.problems) - LISTED
            text = f"from here on, {more} more problems were found"
            lines.append(str(Problem(first.file, first.line, first.column, text)))
        return "\n".join(lines)


@contextmanager
def collected(problems: list[Problem]) -> Iterator[None]:
    """Add the problems of a SettingsError to a list instead of raising it."""
    try:
        yield
    except SettingsError as error:
        problems += error.problems


def shown(value: Any) -> str:
    """A value as the user may have written it, on one line and not too long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def known_names(name: str, known: Iterable[str]) -> str:
    """What a name could have been: the nearest of the known ones, else all of them."""
    known = list(known)
    if not known:
        return "a known name (there is none yet)"
    near = difflib.get_close_matches(name, known, n=1)
    return f"'{near[0]}'" if near else f"one of {', '.join(known)}"


def read_text(path: Path) -> str:
    r"""The text of a UTF-8 file, with or without byte order mark, its line ends made \n.

    Raises SettingsError with the line and column of the first byte that is not such text.
    """
    try:
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is impossible"
        text = f"the file cannot be read ({reason}); a text file would be right"
        raise SettingsError([Problem(str(path), 1, 1, text)]) from None
    if raw.startswith(UTF16_MARKS):
        text = "the file is in UTF-16; save it as UTF-8 (in Excel: copy it to a UTF-8 text file)"
        raise SettingsError([Problem(str(path), 1, 1, text)])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = _with_newlines(raw[: error.start].decode("utf-8-sig"))
        what = f"the byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise SettingsError([_at(path, before, what)]) from None
    text = _with_newlines(text)
    found = UNPRINTABLE.search(text)
    if found:
        what = f"the control character U+{ord(found[0]):04X} was found; plain text would be right"
        raise SettingsError([_at(path, text[: found.start()], what)])
    return text


def _with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _at(path: Path, before: str, text: str) -> Problem:
    line_start = before.rfind("\n") + 1
    return Problem(str(path), before.count("\n") + 1, len(before) - line_start + 1, text)
