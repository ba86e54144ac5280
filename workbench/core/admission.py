"""Which evidence counts: what was made from other inputs, altered, or given twice is refused. It knows no policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from workbench.model.digests import digest_of
from workbench.model.evidence import Evidence, EvidenceState

BINDING = ("base", "head", "tree")  # inputs that every piece of evidence names
REFUSED: EvidenceState = "error"


class Bindings(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack, its evidence and a decision on it are bound to."""

    base: str
    head: str
    tree: str
    policy_digest: str = ""
    brief_digest: str = ""
    environment: str = ""


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """All evidence, in its order; what was refused has state `error`, and `refusals` says why, by position."""

    evidence: tuple[Evidence, ...]
    refusals: tuple[tuple[str, str], ...] = ()  # (evidence id, plain sentence)


def evidence_digest(evidence: Evidence) -> str:
    """The digest of every field but `id` and `digest` itself."""
    fields = msgspec.to_builtins(evidence)
    return digest_of({name: value for name, value in fields.items() if name not in ("id", "digest")})


def sealed(evidence: Evidence) -> Evidence:
    """The same evidence with its digest set."""
    return msgspec.structs.replace(evidence, digest=evidence_digest(evidence))


def admit(evidence: Sequence[Evidence], bindings: Bindings) -> Admitted:
    """Hold every piece against `bindings`. Nothing refused can satisfy anything; a failure is never refused away.

    What was admitted can be held against them again: the same pieces are refused, and no others.
    """
    ids = Counter(piece.id for piece in evidence)
    mismatches = [_mismatch(piece, bindings) for piece in evidence]
    acts = Counter(_act(piece) for piece, odd in zip(evidence, mismatches, strict=True) if not odd)
    kept: list[Evidence] = []
    refusals: list[tuple[str, str]] = []
    for piece, odd in zip(evidence, mismatches, strict=True):
        reason = odd or _repeated(piece, ids, acts)
        if reason:
            refusals.append((piece.id, reason))
        failed_here = reason == _TWICE and piece.state == "failed"
        kept.append(msgspec.structs.replace(piece, state=REFUSED) if reason and not failed_here else piece)
    return Admitted(evidence=tuple(kept), refusals=tuple(refusals))


_TWICE = "it was given more than once"


Act = tuple[str, ...]


def _act(piece: Evidence) -> Act:
    """What was checked, how and with which outcome; free of texts, so that no wording makes a replay look new."""
    return piece.kind, piece.grade, piece.state, "\0".join(piece.clauses), "\0".join(piece.command)


def _repeated(piece: Evidence, ids: Counter[str], acts: Counter[Act]) -> str:
    return _TWICE if ids[piece.id] > 1 or acts[_act(piece)] > 1 else ""


def _mismatch(piece: Evidence, bindings: Bindings) -> str:
    if not piece.digest:
        return "it carries no digest"
    if piece.digest != evidence_digest(piece):
        return "its digest does not match its content"
    for name in BINDING:
        if piece.inputs.get(name) != getattr(bindings, name):
            return f"it was made for another {name}"
    environments = {piece.environment, piece.inputs.get("environment", "")} - {""}
    if environments - {bindings.environment}:
        return "it was made in another environment"
    if piece.command and not environments and bindings.environment:
        return "it does not say in which environment it ran"
    return ""
