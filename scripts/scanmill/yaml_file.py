"""Read YAML that people write: no silent surprise, and every value knows its line.

The dialect is the core of YAML 1.2: `no`, `010` and `1:30` are texts, not false, 8 and 90.
Duplicate keys, aliases, tags and infinite numbers are problems. Own walk over libyaml's events,
since PyYAML's loaders drop positions and duplicates, speak YAML 1.1 and recurse without bound.
https://yaml.org/spec/1.2.2/#103-core-schema
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from scanmill.problem import Problem, SettingsError, known_names, read_text, shown

Keys = tuple[str | int, ...]
Position = tuple[int, int]

SCHEMAS = Path(__file__).parents[2] / "config" / "schemas"
DEEPEST = 20
# The place of a key itself, beside the names and the numbers of values.
KEY = -1
WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Fault:
    """What is wrong at a place in a document: at the key itself, or at its value."""

    keys: Keys
    text: str
    at_key: bool = False


@dataclass
class Document:
    """The content of a YAML file, and the line and column, from 1, of each key and value in it."""

    file: str
    content: Any = None
    key_positions: dict[Keys, Position] = field(default_factory=dict)
    value_positions: dict[Keys, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, fault: Fault) -> Problem:
        """The fault with its place in the file."""
        positions = self.key_positions if fault.at_key else self.value_positions
        return Problem(self.file, *positions[fault.keys], fault.text)

    def note(self, event: Any, text: str) -> None:
        """Add a problem at the place of a parser's event."""
        self.problems.append(Problem(self.file, *_position(event), text))


def read(path: Path) -> Document:
    """The content of a YAML file. Raises SettingsError with all that is wrong in it."""
    document = Document(str(path))
    events = yaml.parse(read_text(path), Loader=yaml.CSafeLoader)
    try:
        _fill(document, events)
    except yaml.MarkedYAMLError as error:
        text = f"this is not YAML: {error.problem}"
        mark = error.problem_mark
        document.problems.append(Problem(str(path), mark.line + 1, mark.column + 1, text))
    if document.problems:
        raise SettingsError(document.problems)
    return document


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of what users write: `config` or `recipe`."""
    return read(SCHEMAS / f"{name}.schema.yaml").content


def check(content: Any, name: str) -> list[Fault]:
    """Everything in which a content breaks the schema of that name.

    The `description` of each part of the schema completes the sentence "... would be right".
    """
    faults: list[Fault] = []
    for error in _validator(name).iter_errors(content):
        faults += _faults(error)
    return list(dict.fromkeys(faults))


def _fill(document: Document, events: Iterator[Any]) -> None:
    document.value_positions[()] = (1, 1)
    begun = False
    for event in events:
        if not isinstance(event, yaml.DocumentStartEvent):
            continue
        if begun:
            document.note(event, "a second YAML document was found; a single one would be right")
            return
        document.content = _value(document, next(events), events, ())
        begun = True


def _value(document: Document, event: Any, events: Iterator[Any], keys: Keys) -> Any:
    document.value_positions[keys] = _position(event)
    if len(keys) > DEEPEST:
        raise yaml.MarkedYAMLError(
            problem=f"more than {DEEPEST} levels", problem_mark=event.start_mark
        )
    if isinstance(event, yaml.AliasEvent):
        document.note(
            event, f"the alias '*{event.anchor}' was found; the value itself would be right"
        )
        return None
    if event.tag is not None:
        document.note(event, f"the tag '{event.tag}' was found; a plain value would be right")
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(document, events, keys)
    if isinstance(event, yaml.SequenceStartEvent):
        return _list(document, events, keys)
    return _scalar(document, event)


def _mapping(document: Document, events: Iterator[Any], keys: Keys) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for event in events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        name = _value(document, event, events, (*keys, KEY))
        if not isinstance(name, str):
            document.note(event, f"the key {shown(name)} was found; a name would be right")
            name = str(name)
        place = (*keys, name)
        if name in content:
            line = document.key_positions[place][0]
            document.note(event, f"'{name}' was found twice, first in line {line}; keep one")
        document.key_positions[place] = _position(event)
        content[name] = _value(document, next(events), events, place)
    return content


def _list(document: Document, events: Iterator[Any], keys: Keys) -> list[Any]:
    content: list[Any] = []
    for event in events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        content.append(_value(document, event, events, (*keys, len(content))))
    return content


def _scalar(document: Document, event: Any) -> Any:
    text = event.value
    if not event.implicit[0]:
        return text
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if not NUMBER.fullmatch(text):
        return text
    if math.isinf(float(text)):
        document.note(event, "a number beyond 1e308 was found; a smaller one would be right")
        return 0
    return int(text) if INTEGER.fullmatch(text) else float(text)


def _position(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


@cache
def _validator(name: str) -> Any:
    # JSON Schema takes 1.0 for an integer; a label of 1.0 is a mistake here.
    standard = jsonschema.Draft202012Validator
    whole = standard.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    return jsonschema.validators.extend(standard, type_checker=whole)(schema(name))


def _faults(error: jsonschema.ValidationError) -> list[Fault]:
    keys = tuple(error.absolute_path)
    right = error.schema.get("description", "")
    if error.validator == "additionalProperties":
        known = error.schema["properties"]
        return [
            Fault(
                (*keys, name),
                f"the key {shown(name)} is unknown; {known_names(str(name), known)} would be right",
                at_key=True,
            )
            for name in error.instance
            if name not in known
        ]
    if error.validator == "required":
        return [
            Fault(
                keys,
                f"the key '{name}' is missing; {_described(error.schema, name)} would be right",
            )
            for name in error.validator_value
            if name not in error.instance
        ]
    named = [key for key in keys if isinstance(key, str)]
    prefix = f"'{named[-1]}': " if named else ""
    return [Fault(keys, f"{prefix}{shown(error.instance)} was found; {right} would be right")]


def _described(part: dict[str, Any], name: str) -> str:
    described = part["properties"][name]
    return f"'{name}' with {described['description']}" if "description" in described else name
