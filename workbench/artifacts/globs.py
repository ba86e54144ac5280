"""Path patterns: `*` and `?` stay within a name, `**` spans folders; it touches no file system."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from functools import lru_cache

ANY_FOLDERS = "**"


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether the repository path `path` fits one of `patterns`. A pattern without `/` fits a name in any folder."""
    return any(_fits(path, pattern) for pattern in patterns)


def _fits(path: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./")
    if "/" not in pattern.rstrip("/"):
        pattern = f"{ANY_FOLDERS}/{pattern}"
    if pattern.endswith("/"):
        pattern += ANY_FOLDERS
    return _names_fit(path.split("/"), [part for part in pattern.split("/") if part])


def _names_fit(names: list[str], parts: list[str]) -> bool:
    """Row by row over the parts: `ends` holds how many names the parts so far can have taken."""
    ends = {0}
    for number, part in enumerate(parts):
        if part == ANY_FOLDERS:
            last = number == len(parts) - 1
            ends = set(range(min(ends) + last, len(names) + 1)) if ends else ends
        else:
            ends = {end + 1 for end in ends if end < len(names) and _name(part).match(names[end])}
    return len(names) in ends


@lru_cache(maxsize=1024)
def _name(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part))
