"""What a person needs beside a question: the code that it cites, the clauses at stake, and what was decided before.

Code is read from git's objects alone, never from a directory in which an agent works. It knows no screen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from workbench.ace.wiring.tips import tip
from workbench.ace.wiring.workplace import Workplace
from workbench.core import recall, staleness
from workbench.core.state import ConsultationState, MissionState
from workbench.model.errors import WorkbenchError
from workbench.repository.locate import STORE

if TYPE_CHECKING:
    from workbench.ace.wiring.unwritten import Ledger
    from workbench.artifacts.brief import Brief
    from workbench.artifacts.terms import Clause, Command
    from workbench.repository.reader import ObjectReader

MOST_REFS = 20  # that are looked up; a question with more says so
AROUND = 12  # lines shown on each side of what is cited
MOST_LINES = 400  # of one citation
MOST_EARLIER = 20  # earlier resolutions, newest first
_REF = re.compile(r"(?P<path>[^@\n]+?)(?::(?P<start>\d{1,7})(?:-(?P<end>\d{1,7}))?)?(?:@(?P<blob>[0-9a-f]{7,64}))?")
_BINARY_LOOK = 8_000  # bytes in which a zero byte means that a file is no text, as git has it


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a file around those that are cited (`start` to `end`, counted from 1); `first` is the first shown.

    `where` says from which version they are, `doubt` what a person should know about that.
    """

    ref: str
    path: str = ""
    start: int = 0
    end: int = 0
    first: int = 1
    lines: tuple[str, ...] = ()
    where: str = ""
    doubt: str = ""


class Stake(msgspec.Struct, frozen=True, kw_only=True):
    """A clause of the brief that the mission is pinned to; `cited`: the question names it."""

    id: str
    text: str
    cited: bool
    command: str = ""


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier resolution that matches, and how it stands: standing, stale, superseded or expired."""

    id: str
    question: str
    answer: str
    rationale: str
    who: str
    at: str
    applies_to: str
    standing: str
    changed: tuple[str, ...] = ()  # citations that no longer hold


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `unread` counts citations that were not looked up."""

    excerpts: tuple[Excerpt, ...] = ()
    stakes: tuple[Stake, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    brief: str = ""  # its title and version
    unread: int = 0


def case_of(
    place: Workplace, ledger: Ledger, question: ConsultationState, questions: Sequence[ConsultationState]
) -> Case:
    """What to consider before an answer. What cannot be read is said in it; it raises nothing for that."""
    mission = ledger.mission(question.mission)
    brief = _brief(ledger, mission)
    stakes = _stakes(brief, question)
    known = {stake.id for stake in stakes}
    refs = [ref for ref in _texts(question.document.get("refs")) if ref.partition("@")[0] not in known]
    with ExitStack() as stack:
        sources = _Sources(place, ledger, question, mission, stack)
        return Case(
            excerpts=tuple(sources.excerpt(ref) for ref in refs[:MOST_REFS]),
            stakes=stakes,
            earlier=tuple(_earlier(sources, ledger, question, questions, now=place.clock.now())),
            brief=f"{brief.title} v{brief.version}" if brief is not None else "",
            unread=max(0, len(refs) - MOST_REFS),
        )


def _brief(ledger: Ledger, mission: MissionState | None) -> Brief | None:
    """The brief as it was pinned."""
    from workbench.artifacts import brief

    if mission is None or not mission.brief.blob:
        return None
    try:
        return brief.parse(ledger.blobs.get(mission.brief.blob))
    except WorkbenchError:
        return None


def _stakes(found: Brief | None, question: ConsultationState) -> tuple[Stake, ...]:
    """The clauses, those that the question cites first."""
    from workbench.artifacts.brief import clauses

    if found is None:
        return ()
    cited = {ref.partition("@")[0] for ref in _texts(question.document.get("refs"))}
    listed = [
        Stake(
            id=clause.id,
            text=clause.text,
            cited=clause.id in cited,
            command=_executed(clause),
        )
        for clause in clauses(found)
    ]
    return tuple(sorted(listed, key=lambda stake: not stake.cited))


def _executed(clause: Clause) -> str:
    if clause.check is not None:
        return _command(clause.check.command)
    return clause.property.holds if clause.property is not None else ""


def _command(command: Command) -> str:
    return command if isinstance(command, str) else " ".join(command)


class _Sources:
    """Where files are read: the person's repository, and the store with what agents delivered."""

    def __init__(
        self,
        place: Workplace,
        ledger: Ledger,
        question: ConsultationState,
        mission: MissionState | None,
        stack: ExitStack,
    ) -> None:
        self._place, self._mission = place, mission
        self._readers = [stack.enter_context(reader) for reader in _readers(place)]
        run = ledger.run(question.run)
        head = str(question.document.get("head", "")) or (run.head if run is not None else "")
        base = run.base_commit if run is not None else (mission.base_commit if mission is not None else "")
        self._versions = [(commit, word) for commit, word in ((head, "the run's work"), (base, "its base")) if commit]
        self._kept: dict[tuple[str, str], bytes | None] = {}

    def excerpt(self, ref: str) -> Excerpt:
        """The lines that a citation names, with some around them."""
        found = _REF.fullmatch(ref)
        if found is None:
            return Excerpt(ref=ref, doubt="this names no file and no clause of the brief")
        start = int(found["start"] or 0)
        end = max(start, int(found["end"] or start))
        bare = Excerpt(ref=ref, path=found["path"], start=start, end=end)
        try:
            data, where, doubt = self._content(found["path"], found["blob"] or "")
        except WorkbenchError as problem:
            return msgspec.structs.replace(bare, doubt=problem.message)
        if data is None:
            return msgspec.structs.replace(bare, doubt=doubt)
        return _cut(msgspec.structs.replace(bare, where=where, doubt=doubt), data)

    def _content(self, path: str, blob: str) -> tuple[bytes | None, str, str]:
        """(content, from where, doubt)."""
        here = [(self.file(commit, path), commit, word) for commit, word in self._versions]
        if not blob:
            for data, commit, word in here:
                if data is not None:
                    return data, f"{word} {commit[:12]}", ""
            return None, "", "no such file in the run's work or its base"
        cited = self._blob(blob)
        if cited is None:
            return None, "", f"its version {blob[:12]} is not in the repository"
        for data, commit, word in here:
            if data == cited:
                return cited, f"{word} {commit[:12]}", ""
        return cited, f"version {blob[:12]}", "neither the run's work nor its base has this text under that name"

    def file(self, commit: str, path: str) -> bytes | None:
        """A file in a commit, wherever that is known."""
        if (commit, path) not in self._kept:
            self._kept[commit, path] = next((data for data in self._files(commit, path) if data is not None), None)
        return self._kept[commit, path]

    def _files(self, commit: str, path: str) -> Iterator[bytes | None]:
        from workbench.repository.git import is_commit_id

        for reader in self._readers if is_commit_id(commit) else ():
            try:
                yield reader.file(commit, path)
            except WorkbenchError:  # no such commit here
                continue

    def _blob(self, name: str) -> bytes | None:
        for reader in self._readers:
            kind, data = reader.read(name)
            if kind == "blob":
                return data
        return None

    def current(self, paths: Iterable[str]) -> dict[str, str]:
        """Blob ids of files as they stand on the mission's branch today."""
        mission = self._mission
        if mission is None:
            return {}
        commit = tip(self._place.located, mission.into or mission.base_ref) or mission.base_commit
        algorithm = "sha256" if len(commit) == 64 else "sha1"
        found = {path: self.file(commit, path) for path in set(paths)}
        return {path: _blob_id(data, algorithm) for path, data in found.items() if data is not None}

    def bound(self, cite: str, ledger: Ledger, asked: ConsultationState | None) -> str:
        """A citation of a file without a version, with the version that its question was asked about."""
        found = _REF.fullmatch(cite)
        if found is None or found["blob"] or asked is None or (run := ledger.run(asked.run)) is None:
            return cite
        commit = str(asked.document.get("head", "")) or run.base_commit
        data = self.file(commit, found["path"])
        return cite if data is None else f"{cite}@{_blob_id(data, 'sha256' if len(commit) == 64 else 'sha1')}"


def _readers(place: Workplace) -> Iterator[ObjectReader]:
    from workbench.repository.git import Git
    from workbench.repository.reader import ObjectReader

    stores: list[Path] = [place.located.git_dir, place.journal_directory / STORE]
    yield from (ObjectReader(Git(path)) for path in stores if (path / "HEAD").exists())


def _blob_id(data: bytes, algorithm: str) -> str:
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _cut(excerpt: Excerpt, data: bytes) -> Excerpt:
    """The cited lines with those around them; the head of the file where no lines are cited."""
    if b"\0" in data[:_BINARY_LOOK]:
        return msgspec.structs.replace(excerpt, doubt=f"no text: {len(data)} bytes")
    lines = data.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if excerpt.start > len(lines):
        doubt = f"it has only {len(lines)} lines"
        return msgspec.structs.replace(excerpt, doubt=doubt)
    first = max(1, excerpt.start - AROUND)
    last = min(excerpt.end + AROUND, first + MOST_LINES)
    return msgspec.structs.replace(excerpt, first=first, lines=tuple(lines[first - 1 : last]))


def _earlier(
    sources: _Sources,
    ledger: Ledger,
    question: ConsultationState,
    questions: Sequence[ConsultationState],
    *,
    now: str,
) -> Iterator[Earlier]:
    """What recall finds for an agent that asks this, newest first, each with how it stands on the branch today."""
    from workbench.artifacts import resolution

    query = f"{question.title}\n{question.document.get('details', '')}"
    others = [one for one in questions if one.id != question.id]
    documents = recall.standing(others, query, mission=question.mission, now=now)[:MOST_EARLIER]
    replaced = {str(one.answer.get("supersedes", "")) for one in questions}
    cites = [cite for document in documents for cite in _texts(document.get("cites"))]
    blobs = sources.current(path for cite in cites if (path := _path(cite)))
    for document in documents:
        plain = {name: value for name, value in document.items() if name != "question"}
        try:
            parsed = resolution.of_document(plain)
        except WorkbenchError:
            continue
        asked = next((one for one in others if one.id == parsed.target.id), None)
        clauses = _clause_ids(ledger, asked)
        bound = tuple(sources.bound(cite, ledger, asked) for cite in parsed.cites)
        parsed = msgspec.structs.replace(parsed, cites=bound)
        current = staleness.CitedNow(blobs=blobs, clauses=clauses, entities={name: name for name in clauses})
        yield Earlier(
            id=parsed.id,
            question=str(document.get("question", "")),
            answer=parsed.alternative or parsed.option,
            rationale=parsed.rationale,
            who=parsed.decided_by.who,
            at=parsed.at,
            applies_to=parsed.applies_to,
            standing=staleness.standing(parsed, current, at=now, superseded=replaced),
            changed=staleness.stale_cites(parsed, current),
        )


def _clause_ids(ledger: Ledger, asked: ConsultationState | None) -> dict[str, str]:
    """The clauses of the brief under which an earlier question was asked, with its version."""
    found = _brief(ledger, ledger.mission(asked.mission)) if asked is not None else None
    return {stake.id: found.version for stake in _stakes(found, asked)} if found is not None and asked else {}


def _path(cite: str) -> str:
    found = _REF.fullmatch(cite)
    return found["path"] if found is not None else ""


def _texts(items: Any) -> list[str]:
    return [item for item in items if isinstance(item, str)] if isinstance(items, list | tuple) else []
