"""Read a tab-separated table that people write or spreadsheets export; every cell has its place.

Own reader beside the csv module: that one takes a stray quotation mark for the begin of a cell of
many lines, and does not say where in its line a cell stands.
"""

from dataclasses import dataclass, field
from pathlib import Path

from scanmill.problem import Problem, SettingsError, read_text

WRONG_DELIMITERS = {",": "commas", ";": "semicolons", "|": "bars", " ": "spaces"}
QUOTE = '"'


@dataclass(frozen=True, slots=True)
class Line:
    """One line with content. number: from 1. cells: stripped and unquoted."""

    number: int
    text: str
    cells: list[str]

    def column(self, cell: int) -> int:
        """Where a cell begins in its line, in characters from 1."""
        fields = self.text.split("\t")
        start = sum(len(text) + 1 for text in fields[:cell]) + 1
        return start + len(fields[cell]) - len(fields[cell].lstrip())


@dataclass
class Table:
    """The header and the well-formed lines of a table; `problems` tells of the others."""

    file: str
    header: Line
    lines: list[Line]
    problems: list[Problem] = field(default_factory=list)

    def problem(self, line: Line, cell: int, text: str) -> Problem:
        """A problem with its place."""
        return Problem(self.file, line.number, line.column(cell), text)


def read(path: Path) -> Table:
    """Read a table: UTF-8, a header, a line a record; blank lines and those with # are passed over.

    Raises SettingsError where there is no header of at least two columns.
    """
    texts = [
        (number, text)
        for number, text in enumerate(read_text(path).split("\n"), 1)
        if text.strip() and not text.lstrip(' "').startswith("#")
    ]
    if not texts:
        problem = Problem(str(path), 1, 1, "the table is empty; a header line would be right")
        raise SettingsError([problem])
    header = _line(texts[0][0], texts[0][1].rstrip())
    table = Table(str(path), header, [])
    if len(header.cells) == 1:
        raise SettingsError([table.problem(header, 0, _one_column(header))])
    _check_quotes(table, header)
    for number, text in texts[1:]:
        line = _line(number, text)
        if _has_width(table, line) and _check_quotes(table, line):
            table.lines.append(line)
    return table


def _line(number: int, text: str) -> Line:
    return Line(number, text, [_unquoted(part.strip()) for part in text.split("\t")])


def _unquoted(text: str) -> str:
    """The content of a cell; spreadsheets quote those with commas and double the quotes inside."""
    if len(text) >= 2 and text[0] == text[-1] == QUOTE:
        inner = text[1:-1]
        if QUOTE not in inner.replace(QUOTE * 2, ""):
            return inner.replace(QUOTE * 2, QUOTE).strip()
    return text


def _check_quotes(table: Table, line: Line) -> bool:
    faulty = [i for i, cell in enumerate(line.cells) if cell.startswith(QUOTE)]
    for i in faulty:
        text = "the cell begins with a quotation mark and has no partner at its end; none or both"
        table.problems.append(table.problem(line, i, f"{text} would be right"))
    return not faulty


def _has_width(table: Table, line: Line) -> bool:
    """True for as many cells as columns; more are what a spreadsheet leaves over, while empty."""
    wanted = len(table.header.cells)
    found = len(line.cells)
    if found < wanted:
        text = f"{found} of {wanted} cells were found"
        wrong = _delimiter(line.text) if found == 1 else None
        right = f"tabs in place of {wrong}" if wrong else "a tab before each cell, empty or not,"
        table.problems.append(table.problem(line, 0, f"{text}; {right} would be right"))
    elif any(line.cells[wanted:]):
        extra = next(i for i in range(wanted, found) if line.cells[i])
        text = f"{found} cells were found; {wanted}, as in the header, would be right"
        table.problems.append(table.problem(line, extra, text))
    return found >= wanted and not any(line.cells[wanted:])


def _one_column(header: Line) -> str:
    wrong = _delimiter(header.text)
    if wrong:
        return f"the header is separated by {wrong}; tabs would be right"
    return f"the header has one column, '{header.cells[0]}'; several, with tabs, would be right"


def _delimiter(text: str) -> str | None:
    return next((name for mark, name in WRONG_DELIMITERS.items() if mark in text.strip()), None)
