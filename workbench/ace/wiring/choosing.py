"""A person takes one version, or puts a new one together from parts of several: one resolution, one reason.

The ones left behind are closed; their commits and packs stay. It prints nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Container, Mapping, Sequence
from typing import Any

import msgspec

from workbench.ace.wiring import comparing, engine, things, weighing
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.gating import DRIVER
from workbench.ace.wiring.hunking import HUNK, HUNK_OF, named_hunk
from workbench.ace.wiring.starting import caller_environment, is_taken, limits_of
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.code.githunks import GitHunk, hunks_of
from workbench.code.unified import FileDiff
from workbench.core.decide import choosing
from workbench.core.decide.choosing import By, Version
from workbench.core.decide.decision import Decision
from workbench.core.state import MissionState, PackState, RunState
from workbench.model import events as e
from workbench.model.errors import Refused, UsageError
from workbench.model.ids import branch_of, run_id
from workbench.model.text import one_line
from workbench.repository.locate import STORE
from workbench.repository.merging import RESOLUTIONS
from workbench.repository.objects import Signature
from workbench.repository.store import BASES, Store

ENTITY = "::"  # between a path and the name of what is taken from it


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What is taken of one pack. No paths: all of it. A path may name a directory, `path::entity`, or `path#hunk`."""

    pack: PackState
    paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        return one_line(f"{self.pack.id}:{','.join(self.paths)}") if self.paths else self.pack.id


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """The new version: its run, whose evidence is being made, its commit, and the resolution it rests on."""

    run: str
    head: str
    resolution: dict[str, Any]


def pick(place: Workplace, mission: str, wanted: str, *, why: str) -> PackState:
    """Approve the pack `wanted`, and leave the mission's other versions behind.

    Raises Refused where it is not one of them or not ready, and AlreadyResolved for the person who came second.
    """

    def deciding(states: Ledger) -> Decision:
        versions = _versions(states, comparing.mission_of(states, mission))
        pack = things.pack(states, things.reviewed(states, wanted))
        taken = next((one for one in versions if one.pack is not None and one.pack.id == pack.id), None)
        if taken is None:
            raise Refused(
                f"{pack.id} is no newest pack of a version of {mission}.", hint=f"workbench compare {mission}"
            )
        if pack.state == "submitted" and weighing.verdict(place, states, pack) == "not-ready":
            raise Refused(
                f"{pack.id} is not ready: {pack.headline or 'see its reasons'}.",
                hint=f"workbench approve {pack.id} --override --why TEXT takes it in spite of that, and is recorded; "
                "its merge leaves the others behind.",
            )
        return choosing.pick(taken, [one for one in versions if one is not taken], _by(place, why))

    with place.writing() as journal:
        decide(journal, deciding)
        return things.pack(journal, things.reviewed(journal, wanted))


def compose(place: Workplace, mission: str, specs: Sequence[str], *, why: str) -> Composed:
    """Put a new version of a mission together from `PACK` or `PACK:path[,path]` each; its evidence waits for an AEE.

    Raises UsageError for parts that do not fit together, and Refused where they cannot be taken.
    """
    made: list[Composed] = []
    with place.writing() as journal, Store.of(place.repository, place.journal_directory / STORE) as store:

        def deciding(states: Ledger) -> Decision:
            whole = comparing.mission_of(states, mission)
            versions = _versions(states, whole)
            parts = _parts(states, store, versions, specs)
            queued = _queued(place, states, whole, parts[0].pack)
            by = _by(place, why)
            document = choosing.composition(queued, [str(part) for part in parts], versions, by)
            head = _commit(place, store, parts, document)
            made[:] = [Composed(run=queued.run, head=head, resolution=document)]
            return choosing.compose(queued, head=head, document=document, mission=whole, others=versions, by=by)

        decide(journal, deciding)
    return made[0]


def serve(place: Workplace) -> None:
    """See to it that somebody makes the new version's evidence."""
    if place.presence().state == "stopped":
        engine.start(place, "--exit-when-idle")


def _by(place: Workplace, why: str) -> By:
    return By(rationale=why, decided_by=place.person, actor=place.actor, at=place.clock.now())


def _versions(states: Ledger, mission: MissionState) -> list[Version]:
    runs = states.runs(mission=mission.id)
    comparing.require_several(mission.id, runs)
    return [_version(states, run) for run in runs]


def _version(states: Ledger, run: RunState) -> Version:
    questions = tuple(states.consultations(run=run.id, is_open=True))
    return Version(run=run, pack=states.pack(run.pack) if run.pack else None, questions=questions)


# --- what is taken of which -------------------------------------------------------------------------------------------


def _parts(states: Ledger, store: Store, versions: Sequence[Version], specs: Sequence[str]) -> list[Part]:
    """The parts as they are named, one without paths first. Raises UsageError."""
    known = {one.pack.id for one in versions if one.pack is not None}
    parts = [_part(states, store, spec) for spec in specs]
    for part in parts:
        if part.pack.id not in known:
            raise UsageError(f"{part.pack.id} is no newest pack of a version here.", hint=f"One of {', '.join(known)}.")
        if not part.pack.tree:
            raise Refused(f"{part.pack.id} has no result: {part.pack.headline}", hint="Take from another version.")
    if sum(not part.paths for part in parts) > 1:
        raise UsageError("Only one version can be taken whole.", hint="Name paths of the others: PACK:path[,path]")
    comparing.require_one_base([part.pack for part in parts])
    return sorted(parts, key=lambda part: bool(part.paths))


def _part(states: Ledger, store: Store, spec: str) -> Part:
    name, colon, listed = spec.partition(":")
    paths = tuple(dict.fromkeys(path.strip() for path in listed.split(",") if path.strip()))
    if colon and not paths:
        raise UsageError(f"{one_line(spec)} names no path.", hint="PACK takes all of it, PACK:path[,path] a part.")
    pack = things.pack(states, name)
    if len(paths) > 1 and pack.tree and listed in store.changed_entries(pack.base_commit, pack.tree):
        paths = (listed,)  # a comma is a part of its name
    return Part(pack=pack, paths=paths)


def _commit(place: Workplace, store: Store, parts: Sequence[Part], document: Mapping[str, Any]) -> str:
    """The parts on their base, as a commit of the person's that the store keeps."""
    from workbench.artifacts import resolution

    base = parts[0].pack.base_commit
    store.pin(base)
    changed = {part.pack.id: store.changed_entries(base, part.pack.tree) for part in parts}
    entries = _entries(parts, changed)
    by = msgspec.structs.replace(place.repository.identity(), seconds=int(time.time()))
    message = f"Compose {', '.join(document['selected'])}\n\n{document['rationale']}\n"
    entries |= _spliced(store, parts, changed, _made(store, base, entries, message, by))
    entries |= _grafted(store, parts, changed, base=base, ground=_made(store, base, entries, message, by))
    _require_new(store, base, parts, _made(store, base, entries, message, by))
    files = {}
    if place.settings()[0].resolutions.store == "branch":
        rendered = resolution.render(resolution.of_document(document))
        files = {f"{RESOLUTIONS}{document['id']}.md": rendered.encode()}
    head = store.with_entries(base, [*entries.values()], files, message=message, author=by)
    store.keep(f"{BASES}/{head}", head)
    return head


def _made(store: Store, base: str, entries: Mapping[str, bytes], message: str, by: Signature) -> str:
    return store.with_entries(base, [*entries.values()], {}, message=message, author=by)


def _entries(parts: Sequence[Part], changed: Mapping[str, Mapping[str, bytes]]) -> dict[str, bytes]:
    """What is taken of whole files. Raises UsageError for a path of two, or of none."""
    entries: dict[str, bytes] = {}
    owners: dict[str, str] = {}
    for part in parts:
        theirs = changed[part.pack.id]
        if not part.paths:
            entries |= theirs
        for wanted in (path for path in part.paths if not entity_of(path, theirs) and hunk_of(path, theirs) is None):
            under = f"{wanted.rstrip('/')}/"
            here = {path for path in (*theirs, *entries) if path == wanted or path.startswith(under)}
            if not here:
                raise UsageError(
                    f"{part.pack.id} does not change {one_line(wanted)!r}.", hint=_changes(part.pack.id, theirs)
                )
            for path in here:
                if owners.setdefault(path, part.pack.id) != part.pack.id:
                    raise UsageError(
                        f"{one_line(path)} is taken of {owners[path]} and of {part.pack.id}.",
                        hint=f"Take one thing of it by name: {part.pack.id}:{path}{ENTITY}NAME, or {path}{HUNK}HUNK",
                    )
                if path in theirs:
                    entries[path] = theirs[path]
                else:
                    entries.pop(path)  # as the base has it, like that version does
    return entries


def _changes(pack: str, theirs: Mapping[str, bytes]) -> str:
    named = ", ".join(map(one_line, sorted(theirs)[:10]))
    return f"{pack} changes {named}{' ...' if len(theirs) > 10 else ''}"


def _spliced(
    store: Store, parts: Sequence[Part], changed: Mapping[str, Mapping[str, bytes]], ground: str
) -> dict[str, bytes]:
    """What is taken of single functions, classes and the like, put into the files as `ground` has them."""
    from workbench.code.splicing import Unspliceable, spliced

    files: dict[str, bytes] = {}
    for part in parts:
        for wanted in (path for path in part.paths if entity_of(path, changed[part.pack.id])):
            path, _, name = wanted.partition(ENTITY)
            before = files.get(path, store.read_file(ground, path))
            theirs = store.read_file(part.pack.tree, path)
            if before is None or theirs is None:
                raise UsageError(
                    f"There is no {one_line(path)} on both sides.", hint=f"Take the whole file: {part.pack.id}:{path}"
                )
            try:
                files[path] = spliced(before, theirs, path=path, name=name)
            except Unspliceable as problem:
                raise UsageError(f"{problem}.", hint=f"Take the whole file: {part.pack.id}:{path}") from None
    return {path: store.replaced_entry(ground, path, data) for path, data in files.items()}


def entity_of(wanted: str, theirs: Container[str]) -> bool:
    """Whether somebody names a thing in a file, and not a file that is called so."""
    return ENTITY in wanted and wanted not in theirs


def hunk_of(wanted: str, theirs: Container[str]) -> tuple[str, str] | None:
    """The path and the hunk that somebody names; None where it is a file's own name, or something else."""
    found = None if wanted in theirs or entity_of(wanted, theirs) else HUNK_OF.fullmatch(wanted)
    return (found["path"], found["name"]) if found else None


def _grafted(
    store: Store, parts: Sequence[Part], changed: Mapping[str, Mapping[str, bytes]], *, base: str, ground: str
) -> dict[str, bytes]:
    """What is taken of single hunks, put among what `ground` changes in the same files. Raises UsageError."""
    from workbench.code.grafting import Ungraftable, grafted

    wanted: dict[str, list[tuple[FileDiff, GitHunk]]] = {}
    for part in parts:
        theirs = changed[part.pack.id]
        for path, name in filter(None, (hunk_of(path, theirs) for path in part.paths)):
            wanted.setdefault(path, []).append(_hunk(store, part.pack, theirs, path, name))
    files, entries = {}, store.changed_entries(base, ground) if wanted else {}
    for path, hunks in wanted.items():
        before, now = store.read_file(base, path), store.read_file(ground, path)
        here = FileDiff(store.diff(base, ground, paths=(path,)))
        if before is None or now is None or not entries.get(path, b"100").startswith(b"100"):
            raise UsageError(
                f"{one_line(path)} is gone from the new version, or no file there.", hint="Take the whole file of one."
            )
        if before != now and not here.hunks:
            raise UsageError(f"{one_line(path)} is no text in the new version.", hint="Take the whole file of one.")
        try:
            files[path] = grafted(before, here, hunks)
        except Ungraftable as problem:
            raise UsageError(
                f"The hunks of {one_line(path)} do not come together: {problem}.",
                hint=f"Take one of them, or a whole thing by name: PACK:{one_line(path)}{ENTITY}NAME",
            ) from None
    return {path: store.replaced_entry(ground, path, data) for path, data in files.items()}


def _hunk(store: Store, pack: PackState, theirs: Mapping[str, bytes], path: str, name: str) -> tuple[FileDiff, GitHunk]:
    whole = f"Take the whole file: {pack.id}:{path}"
    if path not in theirs:
        raise UsageError(f"{pack.id} does not change {one_line(path)!r}.", hint=_changes(pack.id, theirs))
    diff = FileDiff(store.diff(pack.base_commit, pack.tree, paths=(path,)))
    if not theirs[path].startswith(b"100") or len(diff.files) != 1 or store.read_file(pack.base_commit, path) is None:
        raise UsageError(f"{one_line(path)} is new, gone or no text in {pack.id}: it has no hunks.", hint=f"{whole}")
    hunks = hunks_of(diff)
    return diff, hunks[named_hunk(pack.id, path, hunks, name, remedy=f"{whole}, or a thing in it: {path}{ENTITY}NAME")]


def _require_new(store: Store, base: str, parts: Sequence[Part], commit: str) -> None:
    """Raise Refused where nothing came together that was not there before."""
    tree = store.tree(commit)
    if tree == store.tree(base):
        raise Refused("This changes nothing.", hint="Name what is to be taken: PACK, or PACK:path[,path]")
    same = next((part.pack.id for part in parts if part.pack.tree == tree), "")
    if same:
        raise Refused(f"This is {same} as it is.", hint=f"--pick {same} takes it.")


def _queued(place: Workplace, states: Ledger, mission: MissionState, ground: PackState) -> e.RunQueued:
    """The run that carries the new version; it begins delivered, so no agent takes part."""
    number = len(states.runs(mission=mission.id)) + 1
    while is_taken(states, run_id(mission.id, number)):
        number += 1
    run = run_id(mission.id, number)
    return e.RunQueued(
        run=run,
        mission=mission.id,
        agent="",
        driver=DRIVER,
        branch=branch_of(mission.id, run),
        base_commit=ground.base_commit,
        priority=mission.priority,
        sandbox=mission.sandbox,
        limits=limits_of(place.settings()[0]),
        title=mission.title,
        base_ref=mission.base_ref,
        into=mission.into,
        brief=mission.brief,
        environment=caller_environment(os.environ),
        on=mission.on,
        authority=mission.authority,
    )
