"""People's comments on packs: where one stands, what it becomes, and all of them as a later revision shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from workbench.ace.wiring import things
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.differing import apart, changed_files, sides_of, store_path
from workbench.ace.wiring.hunking import cut
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.code.model import EntityChange
from workbench.core.anchors import anchor
from workbench.core.comments import Follows, Placed, Reads, entity_at, entity_lines, placed, renamed_to
from workbench.core.decide import comment as comments
from workbench.core.decide.decision import run_stream
from workbench.core.forges import Shown
from workbench.core.state import PackState
from workbench.core.views.timeline import Timeline
from workbench.model.errors import UsageError
from workbench.model.text import one_line
from workbench.repository.store import Store

FOLLOWED = 3 << 20  # bytes of all files between two revisions up to which renamed functions are looked for
LONGEST_TITLE = 120  # characters of a step's title that go with a comment
_LINES = re.compile(r"(?P<path>.+?):(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?")
_CLAUSE = re.compile(r"[A-Z]{2,5}-\d{1,6}")
_ENTITY = re.compile(r"(?P<path>[^:]+)::(?P<name>.+)")
_STEP = re.compile(r"step:(?P<number>\d{1,9})")
_HINT = (
    "PATH:LINE, PATH:FIRST-LAST, PATH::NAME of a function or class, a clause (DOD-1), an id of evidence, step:N of "
    "`workbench log RUN`, or nothing for the whole pack"
)


def add(
    place: Workplace,
    name: str,
    where: str,
    text: str,
    *,
    old: bool = False,
    suggestion: str | None = None,
    also: str = "",
) -> Placed:
    """Make a comment on the pack of that id, and on another version as well. Raises UsageError for no such place."""
    with place.reading() as ledger:
        pack = things.pack(ledger, name)
        target = target_of(place, ledger, pack, where, old=old)
        other = things.pack(ledger, also).id if also else ""
    return (
        make_on_both(place, (pack.id, other), target, text)
        if other
        else make(place, pack.id, target, text, suggestion=suggestion)
    )


def make_on_both(place: Workplace, names: tuple[str, str], target: Mapping[str, Any], text: str) -> Placed:
    """Make a comment on two versions: on its place in the first, and on the whole of the second."""
    with place.writing() as journal:
        decide(
            journal,
            lambda states: comments.make_on_both(
                things.pack(states, names[0]),
                things.pack(states, names[1]),
                target=target,
                text=text,
                by=place.person,
                actor=place.actor,
            ),
        )
        return placed(things.pack(journal, names[0]), (), lambda _path, _side: None)[-1]


def make(place: Workplace, name: str, target: Mapping[str, Any], text: str, *, suggestion: str | None = None) -> Placed:
    """Make a comment on what `target` names."""
    with place.writing() as journal:
        decide(
            journal,
            lambda states: comments.make(
                things.pack(states, name),
                target=target,
                text=text,
                suggestion=suggestion,
                by=place.person,
                actor=place.actor,
            ),
        )
        pack = things.pack(journal, name)
        return placed(pack, (), lambda _path, _side: None)[-1]


def settle(place: Workplace, comment: str, how: str) -> Placed:
    """Say that a comment is dealt with, or take it back."""
    name, dot, number = comment.rpartition(".c")
    if not dot or not number.isdigit():
        raise UsageError(f"{comment!r} is no comment's id.", hint="workbench comment list MRP shows them.")
    with place.writing() as journal:
        decide(
            journal,
            lambda states: comments.settle(
                things.pack(states, name), comment, how=how, by=place.person, actor=place.actor
            ),
        )
        found = placed(things.pack(journal, name), (), lambda _path, _side: None)
        return next(one for one in found if one.id == comment)


def shown(place: Workplace, name: str) -> tuple[PackState, list[Placed]]:
    """The pack of that id, and the comments on it and on its earlier revisions, where they stand in it."""
    with place.reading() as ledger:
        pack = things.pack(ledger, name)
        others = [one for one in ledger.packs() if one.run == pack.run]
    if not any(one.comments for one in (*others, pack)):
        return pack, []
    with _store(place) as store:
        return pack, placed(pack, others, reading(store, pack), following(place, pack))


def entity_target_at(place: Workplace, pack: PackState, path: str, number: int, *, side: str) -> dict[str, Any] | None:
    """The target of a comment on the function or class around a line; None where none can be told.

    One around a line that is gone is commented on in the result, if that has it, under whatever name.
    """
    with _store(place) as store:
        reads = reading(store, pack)
        lines = reads(path, side)
        found = entity_at(path, lines, number) if lines is not None else None
        if found is None:
            return None
        if side == "old":
            same = renamed_to(_entity_changes(place, pack.base_commit, pack.tree), path, found[0]) or (path, found[0])
            now = reads(same[0], "new")
            if now is not None and entity_lines(same[0], now, same[1]) is not None:
                return entity_target(reads, *same, side="new")
    return {"kind": "entity", "path": path, "name": found[0], "side": side, "first": found[1], "last": found[2]}


def following(place: Workplace, pack: PackState) -> Follows:
    """What became of functions and classes between earlier packs and this one, as the structure of the code tells."""
    known: dict[tuple[str, str], tuple[EntityChange, ...]] = {}

    def follow(of: PackState, side: str, path: str, name: str) -> tuple[str, str] | None:
        at = (of.base_commit, pack.base_commit) if side == "old" else (of.tree or of.head, pack.tree or pack.head)
        if at not in known:
            known[at] = tuple(_entity_changes(place, *at))
        return renamed_to(known[at], path, name)

    return follow


def _entity_changes(place: Workplace, before: str, after: str) -> Iterator[EntityChange]:
    from workbench.code.compare import structural_diff  # grammars take a moment to load

    files = [file for file in changed_files(place, before, after) if not file.is_binary]
    if sum(file.old_size + file.new_size for file in files) > FOLLOWED:
        return
    sides = sides_of(place, before, after, files)
    parts = [part for file, side in zip(files, sides, strict=True) for part in apart(file, side)]
    for change in structural_diff(parts).files:
        yield from change.entities


def patch(place: Workplace, pack: PackState, found: Sequence[Placed]) -> tuple[str, list[str]]:
    """The suggestions among these comments as a patch on the pack's result, and the ids of those it leaves out."""
    from workbench.core import suggestions

    with _store(place) as store:
        return suggestions.patch(found, reading(store, pack))


def on_forge(place: Workplace, pack: PackState, found: Sequence[Placed]) -> dict[str, Shown]:
    """The changed files that somebody commented on, by their old and new paths, as a forge shows them."""
    wanted = {one.path for one in found}
    shown: dict[str, Shown] = {}
    for file in changed_files(place, pack.base_commit, pack.tree):
        if wanted & {file.path, file.old_path}:
            made = Shown(path=file.path, old_path=file.old_path or file.path, hunks=cut(place, pack, file).hunks)
            shown |= {made.old_path: made} | {made.path: made}
    return shown


def reading(store: Store, pack: PackState) -> Reads:
    """How the pack's files are read, before and after its change; each once."""
    known: dict[tuple[str, str], Sequence[str] | None] = {}

    def lines(path: str, side: str) -> Sequence[str] | None:
        at = (path, side)
        if at not in known:
            found = store.reader.file(pack.base_commit if side == "old" else pack.tree or pack.head, path)
            known[at] = None if found is None else text_lines(found)
        return known[at]

    return lines


def text_lines(data: bytes) -> tuple[str, ...]:
    """The lines of a file as git counts them."""
    lines = data.decode("utf-8", "replace").split("\n")
    return tuple(lines[:-1] if lines[-1] == "" else lines)


def lines_target(reads: Reads, path: str, first: int, last: int, *, side: str) -> dict[str, Any]:
    """The target of a comment on lines, with what finds them again. Raises UsageError where they are not there."""
    lines = reads(path, side)
    if lines is None:
        raise UsageError(f"The pack has no file {path!r}.", hint=f"git's own names, from the root. {_HINT}.")
    try:
        kept = anchor(lines, first, last)
    except ValueError:
        raise UsageError(f"{path} has {len(lines)} lines, no line {first} to {last}.", hint=_HINT) from None
    anchored = msgspec.to_builtins(kept)
    return {"kind": "lines", "path": path, "side": side, "first": first, "last": last, "anchor": anchored}


def entity_target(reads: Reads, path: str, name: str, *, side: str) -> dict[str, Any]:
    """The target of a comment on a function, class or constant. Raises UsageError where it is not there."""
    lines = reads(path, side)
    where = None if lines is None else entity_lines(path, lines, name)
    if where is None:
        raise UsageError(
            f"{path!r} defines no {name!r} that could be told.", hint=f"as the review names it: Class.method. {_HINT}."
        )
    return {"kind": "entity", "path": path, "name": name, "side": side, "first": where[0], "last": where[1]}


def target_of(place: Workplace, ledger: Ledger, pack: PackState, where: str, *, old: bool) -> dict[str, Any]:
    """What a person's words for a place name."""
    if not where:
        return {"kind": "whole"}
    if found := _ENTITY.fullmatch(where):
        with _store(place) as store:
            return entity_target(reading(store, pack), found["path"], found["name"], side="old" if old else "new")
    if found := _STEP.fullmatch(where):
        return step_target(ledger, pack, int(found["number"]))
    if found := _LINES.fullmatch(where):
        first = int(found["first"])
        with _store(place) as store:
            last = int(found["last"] or first)
            return lines_target(reading(store, pack), found["path"], first, last, side="old" if old else "new")
    if _CLAUSE.fullmatch(where):
        return {"kind": "clause", "id": where}
    if where in _evidence(ledger, pack):
        return {"kind": "evidence", "id": where}
    raise UsageError(f"{pack.id} has nothing that is called {where!r}.", hint=f"{_HINT}.")


def step_target(ledger: Ledger, pack: PackState, number: int) -> dict[str, Any]:
    """The target of a comment on a step of the run, by the number of its event. Raises UsageError."""
    events = ledger.read(run_stream(pack.run), after=number - 1, limit=1) if pack.run and number else []
    if not events:
        raise UsageError(f"The run of {pack.id} has no step {number}.", hint=f"workbench log {pack.run or 'RUN'}")
    timeline = Timeline()
    timeline.extend(events)
    title = timeline.acts[0].title if timeline.acts else events[0].kind
    return {"kind": "step", "id": str(number), "title": one_line(title)[:LONGEST_TITLE]}


def _evidence(ledger: Ledger, pack: PackState) -> set[str]:
    return {one.id for one in things.document(ledger, pack).evidence} if pack.blob else set()


def _store(place: Workplace) -> Store:
    return Store.of(place.repository, store_path(place))
