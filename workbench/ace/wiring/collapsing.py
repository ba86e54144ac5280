"""Which changed files are shown in one line until somebody asks for them, and why. It reads and paints nothing."""

from __future__ import annotations

import re

from workbench.ace.wiring.differing import NO_POINTER, ChangedFile

COLLAPSED_BYTES = 2 << 20  # of both sides of a file
COLLAPSED_LINES = 1_000  # added and removed
DATA_LINES = 200  # the same of a file of data
_KINDS = {
    "lock": "a lock file, made by a tool",
    "generated": "generated",
    "vendored": "vendored: somebody else's code",
    "snapshot": "a snapshot, made by tests",
}
_DATA = re.compile(r".*\.(csv|tsv|jsonl?|ndjson|geojson|xml|svg|ya?ml|ipynb|dat|po)", re.IGNORECASE | re.DOTALL)
_MINIFIED = re.compile(r".*[.-]min\.(js|css)(\.map)?", re.IGNORECASE | re.DOTALL)


def why_collapsed(file: ChangedFile, kind: str = "") -> str:
    """Why a file of that kind is only shown when asked for; empty where it is shown at once."""
    if file.is_binary:
        return ""
    lines, size = (file.added or 0) + (file.removed or 0), file.old_size + file.new_size
    if file.lfs is not None:
        return "only its pointer is in git"
    if _MINIFIED.fullmatch(file.path):
        return "minified"
    if kind in _KINDS:
        return _KINDS[kind]
    if size > COLLAPSED_BYTES:
        return f"{size_of(size)}, more than {size_of(COLLAPSED_BYTES)}"
    if lines > COLLAPSED_LINES:
        return f"{lines:,} changed lines, more than {COLLAPSED_LINES:,}"
    return f"data: {lines:,} changed lines" if lines > DATA_LINES and _DATA.fullmatch(file.path) else ""


def lfs_words(file: ChangedFile) -> str:
    """What becomes of an object that is kept in LFS; empty for any other file."""
    if file.lfs is None:
        return ""
    before, after = file.lfs
    if before == NO_POINTER:
        was = "" if not file.old_mode else f", was {file.old_size:,} bytes in git"
        return f"LFS object, {after:,} bytes{was}"
    if after == NO_POINTER:
        return f"LFS object, {before:,} bytes: " + (
            f"now {file.new_size:,} bytes in git" if file.new_mode else "deleted"
        )
    return f"LFS object, {before:,} -> {after:,} bytes"


def size_of(size: int) -> str:
    """A number of bytes, for people."""
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1_000_000:,.2f} MB"
