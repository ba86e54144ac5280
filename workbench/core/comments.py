"""What became of the comments on a run's deliveries, as a later delivery shows them. Pure; it reads no file.

What an agent says about a comment is a claim; only a person settles one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.core.anchors import Anchor, located
from workbench.core.state import Comment, PackState

if TYPE_CHECKING:
    from workbench.code.entities import Found
    from workbench.code.model import EntityChange

Follows = Callable[
    [PackState, str, str, str], tuple[str, str] | None
]  # (of, side, path, name) -> where it is called what
Reads = Callable[[str, str], Sequence[str] | None]  # (path, side) -> lines of that file of the pack; None: no such file


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A comment as one pack shows it. `state`: open, sent, addressed (an agent's claim) or settled.

    `place`: here, outdated (what it was about is gone) or, for what is on no lines, empty.
    """

    id: str
    pack: str  # on which it was made
    by: str
    at: str
    state: str
    text: str
    target: Mapping[str, Any]
    suggestion: str | None = None
    place: str = ""
    path: str = ""
    side: str = "new"
    first: int = 0
    last: int = 0
    claim: str = ""  # what the agent says it did
    settled: str = ""
    settled_by: str = ""


def nowhere(_of: PackState, _side: str, _path: str, _name: str) -> None:
    """Follows nothing: what has its name no longer is gone."""


def placed(pack: PackState, others: Iterable[PackState], reads: Reads, follows: Follows = nowhere) -> list[Placed]:
    """All comments on this pack and on earlier revisions of its run, oldest first. `others` may be all packs.

    `follows` is asked what became of a function or class that its name does not find any more.
    """
    earlier = [one for one in others if one.run and one.run == pack.run and one.revision < pack.revision]
    line = sorted((*earlier, pack), key=lambda one: one.revision)
    claims = _claims(line)
    return [_placed(one, of, pack, claims, (reads, follows)) for of in line for one in of.comments]


def unspoken(packs: Iterable[PackState]) -> list[str]:
    """The comments that a run's agent was sent and that no delivery of it speaks of, oldest first."""
    line = sorted(packs, key=lambda one: one.revision)
    claims = _claims(line)
    return [one.id for pack in line for one in pack.comments if one.sent and not one.settled and one.id not in claims]


def anchor_of(target: Mapping[str, Any]) -> Anchor | None:
    """The anchor that a comment's target keeps; None where it is on no lines, or was written by something else."""
    try:
        return msgspec.convert(target.get("anchor"), Anchor) if target.get("kind") == "lines" else None
    except msgspec.ValidationError:
        return None


def is_open(comment: Placed) -> bool:
    """Whether nobody said that it is dealt with."""
    return not comment.settled


def _placed(
    comment: Comment, of: PackState, shown: PackState, claims: Mapping[str, str], finding: tuple[Reads, Follows]
) -> Placed:
    reads, follows = finding
    target = comment.target
    claim = claims.get(comment.id, "")
    found = Placed(
        id=comment.id,
        pack=of.id,
        by=comment.by,
        at=comment.at,
        state=_state(comment, claim),
        text=comment.text,
        target={name: value for name, value in target.items() if name != "anchor"},
        suggestion=comment.suggestion,
        claim=claim,
        settled=comment.settled,
        settled_by=comment.settled_by,
    )
    if target.get("kind") not in ("lines", "entity"):
        return found
    path, side = str(target.get("path", "")), str(target.get("side", "new"))
    first, last = int(target.get("first", 0)), int(target.get("last", 0))
    found = msgspec.structs.replace(found, path=path, side=side, first=first, last=last, place="here")
    if of.id == shown.id:
        return found
    lines = reads(path, side)
    where = _where(target, path, lines) if lines is not None else None
    if (
        where is None
        and target.get("kind") == "entity"
        and (new := follows(of, side, path, str(target.get("name", ""))))
    ):
        path, name = new
        lines = reads(path, side)
        where = entity_lines(path, lines, name) if lines is not None else None
        found = msgspec.structs.replace(found, path=path, target={**found.target, "path": path, "name": name})
    if where is None:
        return msgspec.structs.replace(found, place="outdated")
    return msgspec.structs.replace(found, first=where[0], last=where[1])


def _where(target: Mapping[str, Any], path: str, lines: Sequence[str]) -> tuple[int, int] | None:
    """Where a comment's lines, or its entity, stand in these; None where that cannot be said."""
    if target.get("kind") == "entity":
        return entity_lines(path, lines, str(target.get("name", "")))
    kept = anchor_of(target)
    return located(kept, lines) if kept is not None else None


def entity_lines(path: str, lines: Sequence[str], name: str) -> tuple[int, int] | None:
    """The first and last line, from 1, of the only function, method, class or constant of that name in a file."""
    entities = _entities(path, lines)
    found = [(each.first + 1, each.end) for each in entities if each.name == name and each.kind != "import"]
    return found[0] if len(found) == 1 else None


def renamed_to(changes: Iterable[EntityChange], path: str, name: str) -> tuple[str, str] | None:
    """Where an entity is, and what it is called there, by what was renamed and moved: itself, or what it stands in."""
    new = {
        (change.old_path or change.path, change.old_name or change.name): (change.path, change.name)
        for change in changes
        if change.change in ("renamed", "moved")
    }
    inner = ""
    while name:
        if (path, name) in new:
            return new[path, name][0], new[path, name][1] + inner
        name, dot, last = name.rpartition(".")
        inner = f"{dot}{last}{inner}"
    return None


def entity_at(path: str, lines: Sequence[str], number: int) -> tuple[str, int, int] | None:
    """The innermost function, method, class or constant around a line, from 1, that its name finds: with its lines."""
    around = [each for each in _entities(path, lines) if each.first < number <= each.end and each.kind != "import"]
    for each in sorted(around, key=lambda one: one.end - one.first):
        if entity_lines(path, lines, each.name) == (each.first + 1, each.end):
            return each.name, each.first + 1, each.end
    return None


def _entities(path: str, lines: Sequence[str]) -> list[Found]:
    from workbench.code.entities import outline
    from workbench.code.languages import language_of
    from workbench.code.parsing import parse

    language = language_of(path)
    return outline(parse("\n".join([*lines, ""]).encode(), language)).entities if language else []


def _state(comment: Comment, claim: str) -> str:
    if comment.settled:
        return "settled"
    if claim:
        return "addressed"
    return "sent" if comment.sent else "open"


def _claims(packs: Sequence[PackState]) -> dict[str, str]:
    """What the run's deliveries say they did about each comment; a later one counts."""
    found: dict[str, str] = {}
    for pack in packs:
        addressed = pack.rationale.get("addressed", ())
        for entry in addressed if isinstance(addressed, list | tuple) else ():
            if isinstance(entry, dict) and isinstance(entry.get("comment"), str):
                found[entry["comment"]] = str(entry.get("how", ""))[:2000] or "addressed"
    return found
