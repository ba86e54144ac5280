"""Names of things: which shapes they have and how one follows from another; it draws no random numbers."""

from __future__ import annotations

import hashlib
import re
import unicodedata

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
SLUG_LENGTH = 40  # characters; leaves room for the suffixes of runs, questions and packs in a ref name
BRANCH_ROOT = "workbench"


def is_id(text: str) -> bool:
    """Whether `text` may name a thing: it is safe as a file name, a ref component and a command-line word."""
    return ID_PATTERN.fullmatch(text) is not None and ".." not in text and not text.endswith((".lock", "."))


def slug(text: str) -> str:
    """A short lower-case id made of the words of `text`; `mission` when nothing is left of them."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return words[:SLUG_LENGTH].strip("-") or "mission"


def derived_id(*parts: str | int) -> str:
    """An event id that follows from `parts` alone (32 hex digits), so that a repeated act is recognised."""
    joined = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def run_id(mission: str, number: int) -> str:
    """The id of a mission's n-th run, counted from 1."""
    return f"{mission}.{number}"


def consultation_id(run: str, number: int) -> str:
    """The id of a run's n-th question, counted from 1."""
    return f"CRP-{run}-{number}"


def pack_id(run: str, revision: int) -> str:
    """The id of a run's n-th merge-readiness pack, counted from 1."""
    return f"MRP-{run}-{revision}"


def message_id(run: str, number: int) -> str:
    """The id of the n-th message to a run's agent, counted from 1."""
    return f"MSG-{run}-{number}"


def resolution_id(target: str, number: int = 1) -> str:
    """The id of the n-th resolution of a question or pack, counted from 1."""
    return f"VCR-{target}" if number == 1 else f"VCR-{target}-{number}"


def branch_of(mission: str, run: str) -> str:
    """The branch on which a run works, without `refs/heads/`."""
    return f"{BRANCH_ROOT}/{mission}/{run}"
