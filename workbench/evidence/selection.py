"""Single tests of a suite, chosen by their ids; it runs none of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from workbench.evidence.conventions import SuitePlan

MAX_BYTES = 60_000  # of the ids in one command


def chosen(plan: SuitePlan, tests: Sequence[str], root: Path) -> SuitePlan | None:
    """The plan for these tests alone; None where its runner, or its own arguments, do not let us choose.

    Paths among the plan's arguments (as they lie in `root`) give way to the ids; options stay.
    """
    if not tests or sum(len(test.encode()) + 1 for test in tests) > MAX_BYTES:
        return None
    if any(test.startswith("-") or "\0" in test or "\n" in test for test in tests):
        return None
    if plan.kind == "pytest":
        options = tuple(word for word in plan.argv if not _is_place(word, root))
        alone = all((word.startswith("-") and "=" in word) or word in _FLAGS for word in options)
        return msgspec.structs.replace(plan, argv=(*options, *tests)) if alone else None
    if plan.kind == "unittest":
        return msgspec.structs.replace(plan, argv=tuple(tests))
    return None


_FLAGS = frozenset({"-q", "-qq", "-v", "-vv", "-s", "-x", "-ra", "-l", "--verbose", "--quiet", "--strict-markers"})


def _is_place(word: str, root: Path) -> bool:
    return not word.startswith("-") and (root / word.partition("::")[0]).exists()
