"""The merge-readiness pack (MRP): the evidence that a change may be merged, bound to what it was made from.

It is a value to keep and to show; which verdict follows from the evidence is not decided here.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.files import ArtifactFile
from workbench.artifacts.pack_parts import (
    VERDICTS,
    Audit,
    Because,
    Change,
    Comment,
    CriterionResult,
    CriterionState,
    MergePack,
    Message,
    PlanItem,
    Rationale,
    ReadingItem,
    RequirementResult,
    RequirementState,
    SplitPart,
    Verdict,
    WouldBe,
)
from workbench.artifacts.pack_report import report
from workbench.artifacts.problem_list import has_errors, quoted
from workbench.artifacts.source import MAX_BYTES as MAX_CHECKED_BYTES
from workbench.model.digests import canonical, digest_of
from workbench.model.errors import ArtifactInvalid
from workbench.model.problems import Problem

MAX_BYTES = 64 << 20  # of a pack; logs and reports are blobs beside it

FILE = ArtifactFile(MergePack, partial(f.table, MergePack), name="merge-readiness pack")


def parse(text: str | bytes, path: str = "pack.json") -> MergePack:
    """The pack in a JSON text. Raises ArtifactInvalid with all problems."""
    try:
        return _decoded(text)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        problems = check(text, path)
        first = problems[0] if problems else path
        raise ArtifactInvalid(f"{first}", problems, hint="build the pack again: workbench mrp build") from None


def check(text: str | bytes, path: str = "pack.json") -> list[Problem]:
    """All problems of a pack's text; never raises."""
    try:
        _decoded(text)
    except (ValueError, RecursionError) as error:
        found = _checked(text, path)
        if has_errors(found):
            return found
        words = quoted(str(error))
        return [Problem(path=path, line=0, column=0, text=f"not a pack: {words}", remedy="build it again")]
    return []


def render(pack: MergePack) -> str:
    """The pack as Markdown for people: the verdict, then what was not checked, then why, then the evidence."""
    return report(pack)


def digest(pack: MergePack) -> str:
    """The digest of the whole pack."""
    return digest_of(pack)


def to_json(pack: MergePack) -> bytes:
    """The pack as canonical JSON, as it is kept and digested."""
    return canonical(pack)


def document(pack: MergePack) -> dict[str, Any]:
    """The pack as plain data."""
    data: dict[str, Any] = msgspec.to_builtins(pack)
    return data


def _decoded(text: str | bytes) -> MergePack:
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    return msgspec.json.decode(data, type=MergePack)


def _checked(text: str | bytes, path: str) -> list[Problem]:
    """Problems with lines where the pack was written over many lines, else with the names of the fields only."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if len(data) <= MAX_CHECKED_BYTES and data.strip().count(b"\n"):
        return FILE.check(text, path)
    try:
        return FILE.read_data(msgspec.json.decode(data), path).problems
    except (ValueError, RecursionError):  # msgspec's errors, and bytes that are no UTF-8
        return []


__all__ = [
    "FILE",
    "MAX_BYTES",
    "VERDICTS",
    "Audit",
    "Because",
    "Change",
    "Comment",
    "CriterionResult",
    "CriterionState",
    "MergePack",
    "Message",
    "PlanItem",
    "Rationale",
    "ReadingItem",
    "RequirementResult",
    "RequirementState",
    "SplitPart",
    "Verdict",
    "WouldBe",
    "check",
    "digest",
    "document",
    "parse",
    "render",
    "to_json",
]
