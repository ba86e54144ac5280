"""People's comments as Markdown, and what they suggest as a patch. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from workbench.core.comments import Placed, Reads
from workbench.core.decide.comment import place_of
from workbench.core.state import PackState

CONTEXT = 3  # lines around a suggestion in a patch


def markdown(pack: PackState, comments: Sequence[Placed]) -> str:
    """The comments as Markdown, by file and line; what quotes code is fenced so that it ends nowhere early."""
    parts = [f"# Comments on {pack.id}\n"]
    for one in sorted(comments, key=lambda each: (each.path, each.first, each.id)):
        place = place_of({**one.target, "first": one.first, "last": one.last}) or "the whole"
        gone = " (outdated: these lines are gone)" if one.place == "outdated" else ""
        parts.append(f"## {_in_line(place)}{gone}\n\n{_in_line(one.by)}, {one.at}, {one.state}, `{one.id}`\n")
        parts.append("\n".join(f"> {line}" for line in one.text.splitlines()) + "\n")
        if one.suggestion is not None:
            parts.append(fenced(one.suggestion, "suggestion"))
        if one.claim:
            parts.append(f"The agent says: {_in_line(one.claim)}\n")
        if one.settled:
            parts.append(f"Settled by {_in_line(one.settled_by)}: {_in_line(one.settled)}\n")
    return "\n".join(parts)


def patch(comments: Iterable[Placed], reads: Reads) -> tuple[str, list[str]]:
    """The suggestions as a patch that `git apply` takes, and the ids of those that it leaves out.

    Left out are suggestions whose lines are gone, or that overlap one that was made before.
    """
    wanted: dict[str, list[Placed]] = {}
    left_out: list[str] = []
    for one in comments:
        if one.suggestion is None or one.settled:
            continue
        taken = wanted.setdefault(one.path, [])
        apart = all(one.last < other.first or one.first > other.last for other in taken)
        if one.place == "here" and one.side == "new" and apart:
            taken.append(one)
        else:
            left_out.append(one.id)
    parts = [part for path in sorted(wanted) for part in _file_patch(path, wanted[path], reads(path, "new") or ())]
    return "".join(parts), left_out


def _file_patch(path: str, suggested: Sequence[Placed], lines: Sequence[str]) -> Iterator[str]:
    changed = list(lines)
    for one in sorted(suggested, key=lambda each: -each.first):
        changed[one.first - 1 : one.last] = (one.suggestion or "").splitlines()
    before, after = ([f"{line}\n" for line in text] for text in (lines, changed))
    yield from difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", n=CONTEXT)


def fenced(text: str, language: str) -> str:
    """Text as a block of code that ends nowhere early; where it is empty, so is the block."""
    ticks = "```"
    while ticks in text:
        ticks += "`"
    kept = text.rstrip("\n")
    return f"{ticks}{language}\n{kept}{chr(10) * bool(kept)}{ticks}\n"


def _in_line(text: str) -> str:
    return " ".join(text.split())
