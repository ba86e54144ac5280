"""Checkpoints of the journal in the person's repository: a chain of commits under one ref, each holding where it stood.

They outlive the journal's directory, so that a journal that was cut, rewritten or replaced can be told. It decides
nothing about merges.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from workbench.ace.wiring.signing import Signed, sign_commit, signer_of
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.store import SqliteJournal
from workbench.journal.verify import Checkpoint, checkpoint
from workbench.model.digests import canonical, digest_bytes
from workbench.proof import keeping
from workbench.proof.filing import SIGNERS
from workbench.proof.ssh import Signer
from workbench.repository.repository import GitRepository

REF = "refs/workbench/checkpoints"
FILE = "checkpoint.json"
MOST = 200  # newest checkpoints that are read; each vouches for what lies before it
MOST_CHECKED = 20  # of these, newest first, until one signer is trusted: a signature covers all commits before it


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a checkpoint commit holds. `journal` is the hash of the first event, `place` digests where it is kept."""

    journal: str
    place: str
    seq: int
    heads: dict[str, str]
    pack: str = ""
    merged: str = ""
    proof: str = ""  # the commit that proves the merge
    kind: str = "checkpoint"
    schema: int = 1


class Written(NamedTuple):
    """A checkpoint that was made; `note` says why it is unsigned."""

    commit: str
    note: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The checkpoints of this journal, oldest first, and what is to be said about them."""

    checkpoints: tuple[Checkpoint, ...] = ()
    newest: str = ""  # the commit
    signer: Signer = "unsigned"  # of the newest one whose signer is trusted, else of the newest
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def write(place: Workplace, journal: SqliteJournal, *, pack: str, merged: str, proof: str = "") -> Written:
    """Add a checkpoint of the journal as it stands, signed if that needs nobody. Raises RepositoryProblem."""
    repository, now = place.repository, checkpoint(journal)
    kept = Kept(
        journal=_first(journal),
        place=_place(place),
        seq=now.seq,
        heads=now.heads,
        pack=pack,
        merged=merged,
        proof=proof,
    )
    signed: list[Signed] = []

    def seal(commit: str) -> str:
        signed.append(sign_commit(repository, commit))
        return signed[-1].commit

    made = keeping.add(
        repository,
        REF,
        lambda _: keeping.tree_of(repository, {FILE: canonical(kept)}, {}),
        message=f"Checkpoint of the journal at seq {kept.seq}\n\nWorkbench-Pack: {pack}\n",
        by=repository.identity(),
        seal=seal,
    )
    return Written(made, signed[-1].problem)


def of_pack(repository: GitRepository, pack: str) -> list[Kept]:
    """The checkpoints that merges of a pack left, newest first."""
    tip = keeping.tip(repository, REF)
    commits = repository.git.text("rev-list", "--first-parent", f"--max-count={MOST}", tip).split() if tip else []
    kept = (_kept(repository, commit, []) for commit in commits)
    return [item for item in kept if item is not None and item.pack == pack]


def read(place: Workplace, journal: SqliteJournal) -> Found:
    """The checkpoints of this journal, and what does not hold of them."""
    repository, tip = place.repository, keeping.tip(place.repository, REF)
    if not tip:
        return Found()
    commits = repository.git.text("rev-list", "--first-parent", f"--max-count={MOST}", tip).split()
    problems: list[str] = []
    kept = [item for commit in reversed(commits) if (item := _kept(repository, commit, problems)) is not None]
    mine = [item for item in kept if item.journal == _first(journal)]
    problems += _replaced(kept, mine, _place(place))
    problems += _backwards(mine)
    signer, altered = _signer(repository, commits)
    notes = [f"{len(kept) - len(mine)} checkpoints in {REF} are of another journal"] if len(kept) > len(mine) else []
    return Found(
        checkpoints=tuple(Checkpoint(seq=item.seq, heads=item.heads) for item in mine),
        newest=tip,
        signer=signer,
        problems=(*problems, *altered),
        notes=tuple(notes),
    )


def _signer(repository: GitRepository, commits: list[str]) -> tuple[Signer, list[str]]:
    """Who vouches, newest first: signatures cover all that lies before them."""
    signers = repository.read_file("HEAD", SIGNERS)
    seen: list[Signer] = []
    altered = []
    for commit in commits[:MOST_CHECKED]:
        signer = signer_of(repository.git.run("cat-file", "commit", commit).out, signers)
        seen.append(signer)
        if signer == "altered":
            altered.append(f"altered: the signature of checkpoint {commit[:12]} does not match it")
        if signer == "trusted signer":
            return signer, altered
    return seen[0], altered


def _replaced(kept: list[Kept], mine: list[Kept], place: str) -> Iterator[str]:
    """A journal that lies where another one lay, and does not begin as it did."""
    strangers = [item for item in kept if item not in mine and item.place == place]
    if strangers:
        yield f"a checkpoint at seq {strangers[-1].seq} knows a journal in this place that began with another event"


def _backwards(mine: list[Kept]) -> Iterator[str]:
    for earlier, later in itertools.pairwise(mine):
        if later.seq < earlier.seq:
            yield f"a checkpoint at seq {earlier.seq} was followed by one at seq {later.seq}: the journal was cut"


def _kept(repository: GitRepository, commit: str, problems: list[str]) -> Kept | None:
    raw = repository.read_file(commit, FILE)
    try:
        return msgspec.json.decode(raw or b"", type=Kept)
    except msgspec.DecodeError:
        problems.append(f"altered: checkpoint {commit[:12]} cannot be read")
        return None


def _first(journal: SqliteJournal) -> str:
    """What a journal keeps for as long as it is the same: the hash of its first event."""
    return next((event.hash for event in journal.read_all(limit=1)), "")


def _place(place: Workplace) -> str:
    return digest_bytes(str(place.journal_directory.absolute()).encode())
