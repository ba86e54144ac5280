"""Where git keeps proofs: a chain of commits under one ref for each pack, and a note on each merge commit.

Refs move by compare-and-swap, so several processes may write at once. It must not know what a proof says.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

import msgspec

from workbench.model.errors import RepositoryProblem, UsageError, WorkbenchError
from workbench.model.ids import is_id
from workbench.repository import objects
from workbench.repository.git import is_commit_id
from workbench.repository.objects import WORKBENCH, Signature
from workbench.repository.repository import GitRepository

PACKS = "refs/workbench/packs"
NOTES = "refs/notes/workbench"
ATTESTATIONS = "attestations.jsonl"
EVIDENCE = "evidence"
README = "README.md"
BRIEF = "brief.md"
POLICY = "policy.yaml"
LARGEST_OUTPUT = 8 << 20  # bytes of one log or report; larger ones stay in the journal
MOST_FILES = 1_000  # of a proof that are looked at; a pack has some ten
ATTEMPTS = 20  # lost races for a ref
PAUSE_S = 0.01  # after the first of them; longer after each
FILE, TREE = "100644 blob", "040000 tree"


def ref_of(pack: str) -> str:
    """The ref of a pack's proof."""
    if not is_id(pack):
        raise UsageError(f"{pack!r} is no pack", hint="workbench mrp list shows all packs")
    return f"{PACKS}/{pack}"


def packs(repository: GitRepository) -> dict[str, str]:
    """Every pack that has a proof here, with its newest commit, oldest pack first."""
    flags = ("--sort=creatordate", "--format=%(objectname) %(refname)")
    lines = repository.git.text("for-each-ref", *flags, PACKS).splitlines()
    return {name.removeprefix(f"{PACKS}/"): commit for commit, name in (line.split(" ", 1) for line in lines)}


def tip(repository: GitRepository, ref: str) -> str:
    """The commit at a ref; empty when there is none."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    answer = repository.git.run(*words, ok=(0, 1, 128))
    found = answer.text.removeprefix("--end-of-options").strip()
    return found if answer.code == 0 and is_commit_id(found) else ""


def add(
    repository: GitRepository,
    ref: str,
    tree: Callable[[str], str],
    *,
    message: str,
    by: Signature = WORKBENCH,
    seal: Callable[[str], str] = str,
) -> str:
    """Put a commit of what `tree` makes of the tip (empty: none) on a ref; the commit. Raises RepositoryProblem.

    `seal` may make another commit of it, such as a signed one.
    """
    repository.require_writable()
    now = msgspec.structs.replace(by, seconds=int(time.time()))
    for attempt in range(ATTEMPTS):
        before = tip(repository, ref)
        parents = (before,) if before else ()
        made = objects.commit_tree(repository.git, tree(before), parents=parents, message=message, author=now)
        made = seal(made)
        words = ("update-ref", "-m", "workbench: proof", ref, made, before or "0" * len(made))
        if repository.git.run(*words, ok=(0, 1, 128)).code == 0:
            return made
        time.sleep(PAUSE_S * attempt)
    raise RepositoryProblem(f"{ref} cannot be moved", hint=f"see what stands in its way: git for-each-ref {ref}")


def blob(repository: GitRepository, data: bytes) -> str:
    """Keep bytes; their object id."""
    return repository.git.text("hash-object", "-w", "--stdin", "--no-filters", stdin=data)


def tree_of(repository: GitRepository, files: Mapping[str, bytes], evidence: Mapping[str, str]) -> str:
    """A tree of `files`, and of `evidence` (name to object id) in a directory of its own."""
    entries = [f"{FILE} {blob(repository, data)}\t{name}" for name, data in files.items()]
    if evidence:
        inner = _made(repository, [f"{FILE} {id}\t{name}" for name, id in evidence.items()])
        entries.append(f"{TREE} {inner}\t{EVIDENCE}")
    return _made(repository, entries)


def file_of(repository: GitRepository, commit: str, name: str) -> bytes | None:
    """A file of a proof; None when it is not there, or cannot be read."""
    try:
        return repository.read_file(commit, name)
    except WorkbenchError:
        return None


def evidence_of(repository: GitRepository, commit: str) -> dict[str, bytes | None]:
    """The logs and reports that a proof keeps, by name; None for one that is damaged, or larger than any may be."""
    entries = repository.git.run("ls-tree", "-z", "-l", "--full-tree", f"{commit}:{EVIDENCE}", ok=(0, 128)).fields
    found: dict[str, bytes | None] = {}
    for words, name in (entry.split("\t", 1) for entry in entries[:MOST_FILES]):
        *_, object_id, size = words.split()
        fits = words.startswith(FILE) and size.isdecimal() and int(size) <= LARGEST_OUTPUT
        answer = repository.git.run("cat-file", "blob", object_id, ok=(0, 1, 128)) if fits else None
        found[name] = answer.out if answer is not None and answer.code == 0 else None
    return found


def annotate(repository: GitRepository, commit: str, text: str, *, by: Signature) -> str:
    """Let the note on `commit` be `text`; the commit of the notes."""

    def noted(before: str) -> str:
        entries = repository.git.run("ls-tree", "-z", "--full-tree", before).fields if before else []
        others = [entry for entry in entries if entry.split("\t", 1)[1] != commit]
        return _made(repository, [*others, f"{FILE} {blob(repository, text.encode())}\t{commit}"])

    return add(repository, NOTES, noted, message=f"Note the proof of {commit[:12]}\n", by=by)


def note(repository: GitRepository, commit: str) -> str | None:
    """The note on `commit`, in whatever fan-out another git left it; None when there is none."""
    notes = tip(repository, NOTES)
    if not notes:
        return None
    fanned = (commit, f"{commit[:2]}/{commit[2:]}", f"{commit[:2]}/{commit[2:4]}/{commit[4:]}")
    found = (repository.read_file(notes, path) for path in fanned)
    raw = next((data for data in found if data is not None), None)
    return None if raw is None else raw.decode("utf-8", "replace")


def _made(repository: GitRepository, entries: list[str]) -> str:
    return repository.git.text("mktree", "-z", stdin=b"".join(os.fsencode(f"{entry}\0") for entry in entries))
