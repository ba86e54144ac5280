"""Which relative paths our own tools accept in a workspace; text alone, nothing is looked up."""

from __future__ import annotations

import unicodedata

from workbench.model.errors import Refused

PATH_BYTES = 4096  # PATH_MAX on Linux
PATH_PARTS = 128  # deeper than any real tree; bounds the steps of one look-up
SHOWN = 200  # characters of a path in a message
# What HFS+ ignores in names, as in git's utf8.c; other invisible characters are dropped for good measure.
_IGNORED = frozenset(
    [
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
        0xFEFF,
        0x00AD,
        0x034F,
    ]
)


def split(path: str, *, empty: bool = False) -> tuple[str, ...]:
    """The components of a relative path. Raises Refused for what could lead out, or is no path."""
    if "\0" in path:
        raise Refused(f"{shown(path)}: a path has no NUL", hint="Give a path relative to the workspace.")
    try:
        size = len(path.encode())  # strict: what is no Unicode could not be recorded either
    except UnicodeEncodeError:
        raise Refused(
            f"{shown(path)}: no file name can be written so", hint="Give Unicode text; use `run` for other names."
        ) from None
    if path.startswith("/"):
        raise Refused(f"{shown(path)}: absolute paths lead out", hint="Give a path relative to the workspace.")
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if ".." in parts:
        raise Refused(f"{shown(path)}: `..` leads out", hint="Give a path relative to the workspace, without `..`.")
    if size > PATH_BYTES or len(parts) > PATH_PARTS:
        raise Refused(f"{shown(path)}: the path is too long", hint="Use fewer or shorter names.")
    if not parts and not empty:
        raise Refused("the path is empty", hint="Give a path relative to the workspace.")
    return parts


def writable(path: str) -> tuple[str, ...]:
    """The components of a path that may be written. Raises Refused for `.git` in any spelling."""
    parts = split(path)
    if any(is_git(part) for part in parts):
        raise Refused(f"{shown(path)}: `.git` is git's own", hint="Use git commands; tools never write there.")
    return parts


def is_git(name: str) -> bool:
    """Whether some file system or git takes `name` for `.git`: case, invisible characters, NTFS forms."""
    kept = "".join(c for c in unicodedata.normalize("NFKD", name) if ord(c) not in _IGNORED)
    plain = unicodedata.normalize("NFKC", kept.casefold()).split(":")[0].rstrip(" .")
    return plain.replace("\\", "/").split("/")[0].rstrip(" .") == ".git" or plain == "git~1"


def shown(path: str) -> str:
    """A path as it may stand in a message: escaped and not endless."""
    return ascii(path if len(path) <= SHOWN else path[:SHOWN] + "...")
