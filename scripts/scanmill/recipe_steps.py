"""What no schema can see in the steps of a recipe's structures."""

from collections.abc import Iterator
from typing import Any

from scanmill.problem import known_names, shown
from scanmill.yaml_file import Fault, Keys

REFERENCES = ("inside", "outside", "touching")


def step_faults(
    step: dict[str, Any], keys: Keys, name: str, earlier: list[str], names: list[str]
) -> Iterator[Fault]:
    """What is wrong in a step of the structure `name`. earlier: names before it; names: all."""
    ((kind, value),) = step.items()
    place = (*keys, kind)
    if kind == "window":
        low, high = value
        if low is None and high is None:
            yield Fault(place, "'window' without a limit was found; one number would be right")
        elif None not in value and low >= high:
            text = f"'window' from {low} to {high} was found; the lower limit first would be right"
            yield Fault(place, text)
    if kind == "margin" and isinstance(value, dict) and not any(value.values()):
        text = "'margin' of 0 mm in all directions was found; one above 0 would be right"
        yield Fault(place, text)
    for at, other in _references(kind, value):
        if other not in earlier:
            yield Fault((*place, *at), not_earlier(kind, other, name, earlier, names))


def _references(kind: str, value: Any) -> list[tuple[Keys, str]]:
    """The structures that a step names, each with the keys in the step that lead to it."""
    if kind == "apart":
        return [(("from",), value["from"])]
    if kind not in REFERENCES:
        return []
    return (
        [((i,), name) for i, name in enumerate(value)] if isinstance(value, list) else [((), value)]
    )


def not_earlier(kind: str, other: str, name: str, earlier: list[str], names: list[str]) -> str:
    """What to say where a key of the structure `name` names another that does not come before it."""
    found = f"'{kind}' names {shown(other)}"
    if other == name:
        return f"{found}, the structure itself; an earlier structure would be right"
    if other in names:
        return f"{found}, which comes later; '{other}' before '{name}' would be right"
    if not earlier:
        return f"{found}, but no structure comes before '{name}'; another step would be right"
    known = known_names(other, [e for e in earlier if isinstance(e, str)])
    return f"{found}, which is no structure; {known} would be right"
