"""Which paths a unified diff may name: rather one too many than one too few, since they are only copied."""

from __future__ import annotations

import re

from workbench.model.errors import Refused

_NAMED = (b"--- ", b"+++ ", b"rename from ", b"rename to ", b"copy from ", b"copy to ")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def named_paths(patch: bytes, *, limit: int) -> list[str]:
    """The paths in the headers of `patch`, with and without their first component; names that are no Unicode left out.

    Raises Refused when there are more than `limit`.
    """
    found: dict[str, None] = {}
    for line in patch.split(b"\n"):
        for name in _names(line.removesuffix(b"\r")):
            for variant in (name, name.partition(b"/")[2]):
                if variant and variant != b"/dev/null":
                    _note(found, variant)
        if len(found) > limit * 2:
            raise Refused(f"the patch names more than {limit} files", hint="Split it, or use `run` with git.")
    return list(found)


def _note(found: dict[str, None], name: bytes) -> None:
    try:
        found[name.decode()] = None
    except UnicodeDecodeError:
        return


def _names(line: bytes) -> list[bytes]:
    for start in _NAMED:
        if line.startswith(start):
            return [_unquoted(line.removeprefix(start))]
    return _both(line.removeprefix(b"diff --git ")) if line.startswith(b"diff --git ") else []


def _both(names: bytes) -> list[bytes]:
    """The name in `a/name b/name`, which alone tells it where a file is only made, emptied or given another mode."""
    if names.startswith(b'"'):
        return [_unquoted(names)]
    left, right = names[: len(names) // 2], names[len(names) // 2 + 1 :]
    return [left] if left.partition(b"/")[2] == right.partition(b"/")[2] else []


def _unquoted(name: bytes) -> bytes:
    """A name without the quotes of C that git puts around an odd one, and without a time stamp behind it."""
    if not name.startswith(b'"'):
        return name.partition(b"\t")[0]
    inner = re.match(rb'"((?:[^"\\]|\\.)*)"', name)
    if inner is None:
        return name
    return _ESCAPE.sub(_character, inner[1])


def _character(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if len(code) == 3:
        return bytes([int(code, 8) & 0xFF])
    return _LETTERS.get(code, code)
