"""Ids of calls: `~2`, `~3` ... mark that an interrupted call is done again."""

from __future__ import annotations

import re

_REPEAT = re.compile(r"~([0-9]{1,9})\Z")


def is_repeat(call: str) -> bool:
    """Whether `call` repeats one whose outcome nobody recorded."""
    return _REPEAT.search(call) is not None


def first_of(call: str) -> str:
    """The id under which the call was made first."""
    return _REPEAT.sub("", call)


def repeat_of(call: str) -> str:
    """The id for doing `call` once more."""
    found = _REPEAT.search(call)
    return f"{first_of(call)}~{int(found[1]) + 1 if found else 2}"
