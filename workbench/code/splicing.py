"""One entity of a file put in place of another version of itself, as whole lines; it judges nothing."""

from __future__ import annotations

from workbench.code.entities import Found, outline
from workbench.code.languages import language_of
from workbench.code.parsing import Parsed, parse


class Unspliceable(ValueError):
    """The entity cannot be taken by itself; the message says why."""


def spliced(ground: bytes, source: bytes, *, path: str, name: str) -> bytes:
    """`ground` with the entity `name` as `source` has it: replaced, or taken out where `source` has none.

    Raises Unspliceable where it is not there once, unharmed and with lines of its own. What it needs
    besides, such as imports, is not taken along.
    """
    mine, theirs = (parse(data, language_of(path)) for data in (ground, source))
    old, new = _one(mine, path, name), _one(theirs, path, name)
    if old is None:
        raise Unspliceable(f"{path} has no {name} there; take the whole file" if new else f"{path} has no {name}")
    lines = [*mine.lines]
    lines[old.first : old.end] = theirs.lines[new.first : new.end] if new is not None else []
    return b"".join(lines)


def _one(parsed: Parsed, path: str, name: str) -> Found | None:
    if parsed.tree is None:
        raise Unspliceable(f"{path} is only lines here ({parsed.why})")
    found = [each for each in outline(parsed).entities if each.name == name]
    if len(found) > 1:
        raise Unspliceable(f"{path} has {name} {len(found)} times")
    if found and (found[0].is_damaged or not found[0].owns_lines):
        raise Unspliceable(f"{name} in {path} does not stand by itself")
    return found[0] if found else None
