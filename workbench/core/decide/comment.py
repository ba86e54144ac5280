"""Comments on packs: made, settled, and how a batch of them reads to the agent that gets it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from workbench.core.decide.decision import Decision, on_pack, pack_stream, required_reason
from workbench.core.state import Comment, PackState
from workbench.model import events as e
from workbench.model.errors import NotFound, Refused

MOST = 500  # of one pack
LONGEST = 20_000  # characters of a comment, and of a suggestion
_TOLD = re.compile(r"\[([^\s\]]+\.c\d+)\]")
TARGETS = ("lines", "entity", "clause", "evidence", "step", "whole")


def make(
    pack: PackState, *, target: Mapping[str, Any], text: str, suggestion: str | None = None, by: str, actor: str
) -> Decision:
    """A remark on a pack. Raises Refused for one without words, too long, or one too many."""
    words = required_reason(text, what="A comment") if suggestion is None else text.strip()
    if max(len(words), len(suggestion or "")) > LONGEST:
        raise Refused(f"a comment may have {LONGEST:,} characters", hint="put the rest into a file, and name it")
    if len(pack.comments) >= MOST:
        raise Refused(f"{pack.id} has {MOST} comments already", hint="settle some, or say it in the reason")
    if target.get("kind") not in TARGETS:
        raise Refused(f"no comment is on {target.get('kind')!r}", hint=f"one of {', '.join(TARGETS)}")
    made = e.CommentMade(
        pack=pack.id,
        comment=f"{pack.id}.c{len(pack.comments) + 1}",
        by=by,
        target=dict(target),
        text=words,
        suggestion=suggestion,
    )
    event = on_pack(pack.id, made, actor=actor)
    return Decision(events=(event,), expect={pack_stream(pack.id): pack.version})


def make_on_both(
    pack: PackState, other: PackState, *, target: Mapping[str, Any], text: str, by: str, actor: str
) -> Decision:
    """One remark on two versions at once: on its place in the first, and on the whole of the other, each naming both.

    Raises Refused as `make` does, and for a pack with itself.
    """
    if pack.id == other.id:
        raise Refused(f"{pack.id} is one version", hint="name another one: workbench compare shows them")
    there = f"{other.id}"
    here = f"{place_of(target)} of {pack.id}".removeprefix(" of ").strip()
    first = make(pack, target={**target, "beside": there}, text=text, by=by, actor=actor)
    second = make(other, target={"kind": "whole", "beside": here}, text=text, by=by, actor=actor)
    return Decision(events=(*first.events, *second.events), expect={**first.expect, **second.expect})


def settle(pack: PackState, comment: str, *, how: str, by: str, actor: str) -> Decision:
    """Say that a comment is dealt with. Raises NotFound, and Refused where somebody said so before."""
    known = next((one for one in pack.comments if one.id == comment), None)
    if known is None:
        raise NotFound(f"{pack.id} has no comment {comment}", hint=f"workbench comment list {pack.id}")
    if known.settled:
        raise Refused(f"{comment} was settled by {known.settled_by}: {known.settled}")
    settled = e.CommentSettled(pack=pack.id, comment=comment, by=by, how=required_reason(how, what="Settling"))
    event = on_pack(pack.id, settled, actor=actor)
    return Decision(events=(event,), expect={pack_stream(pack.id): pack.version})


def batch(comments: Iterable[Comment]) -> tuple[str, ...]:
    """What the agent is told of comments that it did not get yet, one text each."""
    return tuple(_told(one) for one in comments if not one.sent and not one.settled)


def told(changes: Iterable[str]) -> list[str]:
    """The ids of the comments among the changes that an agent was asked for."""
    return [found[1] for change in changes if (found := _TOLD.match(change))]


def place_of(target: Mapping[str, Any]) -> str:
    """What a comment is on, in one line: `shop.py:3-5`, `DOD-1`; empty for the whole of one version."""
    place, beside = _place(target), target.get("beside")
    return f"{place}{' ' * bool(place)}together with {beside}" if beside else place


def _place(target: Mapping[str, Any]) -> str:
    if target.get("kind") == "entity":
        return f"{target.get('path')}::{target.get('name')}"
    if target.get("kind") == "step":
        return f"step {target.get('id')} ({target.get('title')})"
    if target.get("kind") != "lines":
        return str(target.get("id", ""))
    first, last = int(target.get("first", 0)), int(target.get("last", 0))
    before = " (before the change)" if target.get("side") == "old" else ""
    return f"{target.get('path')}:{first}{f'-{last}' if last > first else ''}{before}"


def _told(comment: Comment) -> str:
    place = place_of(comment.target)
    suggested = ""
    if comment.suggestion is not None:
        suggested = f"\n  Suggested in place of these lines:\n{comment.suggestion}"
    return f"[{comment.id}]{f' {place}' if place else ''}: {comment.text}{suggested}"
