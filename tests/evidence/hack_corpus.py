"""Reads the corpus of reward hacks and of honest changes beside it: projects, and what is done to them.

A file holds entries, each begun by `=== name`; then `kind:` (what must be named) and `from:` (the project), and files,
each begun by `--- path`. A whole text replaces the file; `--- path: edit` holds an old and a new text parted by `>>>`;
`--- path: delete` takes the file away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent / "hacks"
Files = Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """A change: `result` overrides files of `base`, an empty text deletes."""

    name: str
    kind: str  # empty for an honest change
    base: Files
    result: Files


@dataclass
class _Raw:
    name: str
    fields: dict[str, str]
    files: list[tuple[str, str, str]]  # path, how, text


def hacks() -> dict[str, tuple[Entry, ...]]:
    """Every way of passing tests without doing the work, by family."""
    return {path.stem: tuple(_entries(path)) for path in sorted(HERE.glob("*.txt")) if _holds_hacks(path)}


def honest() -> tuple[Entry, ...]:
    """Honest changes of similar shape."""
    return tuple(_entries(HERE / "honest.txt"))


def projects() -> dict[str, Files]:
    """The projects that are changed, by name."""
    return {raw.name: {path: text for path, _, text in raw.files} for raw in _read(HERE / "projects.txt")}


def _holds_hacks(path: Path) -> bool:
    return path.name not in ("projects.txt", "honest.txt")


def _entries(path: Path) -> Iterator[Entry]:
    known = projects()
    for raw in _read(path):
        base = known[raw.fields["from"]]
        yield Entry(raw.name, raw.fields.get("kind", ""), base, _changed(raw, base))


def _changed(raw: _Raw, base: Files) -> Files:
    result: dict[str, str] = {}
    for path, how, text in raw.files:
        if how == "delete":
            result[path] = ""
        elif how == "edit":
            old, _, new = text.partition(">>>\n")
            current = result.get(path, base.get(path, ""))
            old, new = old.removesuffix("\n"), new.removesuffix("\n")
            assert current.count(old) >= 1, f"{raw.name}: {path} has no {old!r}"
            result[path] = current.replace(old, new, 1)
        else:
            result[path] = text
    return result


def _read(path: Path) -> Iterator[_Raw]:
    raw: _Raw | None = None
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.startswith("=== "):
            if raw is not None:
                yield raw
            raw = _Raw(line[4:].strip(), {}, [])
        elif line.startswith("--- ") and raw is not None:
            name, _, how = line[4:].strip().partition(": ")
            raw.files.append((name, how, ""))
        elif raw is not None and raw.files:
            name, how, text = raw.files[-1]
            raw.files[-1] = (name, how, text + line)
        elif raw is not None and line.strip():
            key, _, value = line.partition(":")
            raw.fields[key.strip()] = value.partition("#")[0].strip()
    if raw is not None:
        yield raw
