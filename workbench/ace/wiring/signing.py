"""Commits signed with the person's key, and whose such a signature is.

A commit is signed as git does it (gpg.format=ssh, namespace `git`), so `git verify-commit` understands it, too.
"""

from __future__ import annotations

from typing import NamedTuple

from workbench.proof import keys, ssh
from workbench.proof.ssh import Signer
from workbench.repository.repository import GitRepository

NAMESPACE = "git"


class Signed(NamedTuple):
    """A commit, and why it could not be signed (empty: it is)."""

    commit: str
    problem: str = ""


def sign_commit(repository: GitRepository, commit: str) -> Signed:
    """The same commit with a signature; itself, with the reason, where it cannot be had unasked."""
    raw = repository.git.run("cat-file", "commit", commit).out
    made = keys.key_of(repository).sign(raw, namespace=NAMESPACE)
    if made.problem:
        return Signed(commit, made.problem)
    header = "gpgsig-sha256" if repository.object_format == "sha256" else "gpgsig"
    folded = made.signature.strip().replace("\n", "\n ")
    head, _, message = raw.partition(b"\n\n")
    whole = head + f"\n{header} {folded}\n\n".encode() + message
    return Signed(repository.git.text("hash-object", "-t", "commit", "-w", "--stdin", stdin=whole))


def signer_of(raw: bytes, signers: bytes | None) -> Signer:
    """Who signed a raw commit, by the SSH allowed-signers file `signers` (ssh-keygen(1)); None: there is none."""
    payload, signature = _parted(raw)
    if not signature:
        return "unsigned"
    return ssh.check(payload, signature, signers, namespace=NAMESPACE, at=_committed_at(payload)).signer


def _parted(raw: bytes) -> tuple[bytes, str]:
    """What of a raw commit was signed, and the signature."""
    head, _, message = raw.partition(b"\n\n")
    kept, signature, inside = [], [], False
    for line in head.split(b"\n"):
        inside = line.startswith((b"gpgsig ", b"gpgsig-sha256 ")) or (inside and line.startswith(b" "))
        if inside:
            signature.append(line.partition(b" ")[2])
        else:
            kept.append(line)
    return b"\n".join(kept) + b"\n\n" + message, b"\n".join(signature).decode("utf-8", "replace")


def _committed_at(payload: bytes) -> int:
    """When a commit says it was made, in seconds since 1970."""
    head = payload.partition(b"\n\n")[0]
    line = next((line for line in head.split(b"\n") if line.startswith(b"committer ")), b"")
    words = line.split()
    return int(words[-2]) if len(words) > 2 and words[-2].isdigit() else 0
