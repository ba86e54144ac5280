"""Says of a value that may be one of a few words which they are, where a check only says that it is none of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_PLACE = re.compile(r"at `\$(?P<path>[^`]*)`\Z")
_STEP = re.compile(r"\.(?P<field>\w+)|\[[^\]]*\]")
MOST_WORDS = 20  # listed


def with_allowed(problem: Exception, kind: Any) -> str:
    """The message of a conversion to `kind` that failed, with the words that are allowed at the place it names."""
    told = str(problem)
    found = _PLACE.search(told)
    if found is None:
        return told
    from msgspec import inspect

    types: list[inspect.Type] = [inspect.type_info(kind)]
    for step in _STEP.finditer(found["path"]):
        types = [inner for each in types for inner in _inside(each, step["field"])]
    words = [str(value) for each in types if isinstance(each, inspect.LiteralType) for value in each.values]
    return f"{told}; one of: {', '.join(words)}" if 0 < len(words) <= MOST_WORDS else told


def _inside(kind: Any, field: str | None) -> list[Any]:
    """The types that a step into a type may lead to; what it cannot lead into has none."""
    if field is not None:
        found = (each.type for each in getattr(kind, "fields", ()) if each.encode_name == field)
    else:
        found = (getattr(kind, name) for name in ("item_type", "value_type") if hasattr(kind, name))
    return list(_each(found))


def _each(kinds: Iterable[Any]) -> Iterable[Any]:
    """The types themselves: each of a union, and what a remark stands on."""
    for kind in kinds:
        if hasattr(kind, "types"):
            yield from _each(kind.types)
        elif type(kind).__name__ == "Metadata":
            yield from _each([kind.type])
        else:
            yield kind
