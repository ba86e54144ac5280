"""How large a change is: lines in and out of each file, and which files nobody wrote by hand. It sets no limits."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from workbench.artifacts.mergepack import Change as FileChange
from workbench.evidence.static import text_of
from workbench.evidence.tampering.roles import is_ci, is_config, is_script, is_snapshot, is_test
from workbench.ports import Change

MADE = frozenset({"generated", "lock", "binary", "vendored", "snapshot"})  # kinds that count for no limit
_LOCKS = frozenset(
    {
        "package-lock.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "uv.lock",
        "poetry.lock",
        "Cargo.lock",
        "go.sum",
        "Gemfile.lock",
    }
    | {"composer.lock", "Pipfile.lock", "npm-shrinkwrap.json", "flake.lock", "bun.lockb", "pdm.lock", "pixi.lock"}
)
_VENDORED = frozenset({"vendor", "vendored", "third_party", "node_modules", "_vendor", "external"})
_GENERATED_NAME = re.compile(r".*(\.min\.(js|css)|_pb2(_grpc)?\.pyi?|\.pb\.go|\.g\.dart|\.generated\.\w+|\.map)$")
_GENERATED_MARK = re.compile(r"@generated|code generated .{0,80}do not edit|do not edit.{0,80}generated", re.IGNORECASE)
_SOURCE = re.compile(r".*\.(py|pyi|[cm]?[jt]sx?|go|rs|rb|java|kt|cs|swift|c|cc|cpp|h|hpp|php|scala|sh|sql|css|html)$")
_PROSE = re.compile(r".*\.(md|rst|txt|adoc)$")


def change_summary(change: Change) -> tuple[FileChange, ...]:
    """Every changed file with its kind and its lines added and removed, by path."""
    added = change.added_lines()
    return tuple(_file(change, status, path, len(added.get(path, ()))) for status, path in change.changed_paths())


def _file(change: Change, status: str, path: str, added: int) -> FileChange:
    before, after = change.base_file(path), change.result_file(path)
    grown = _count(after) - _count(before)
    kind = kind_of(path, after if after is not None else before)
    return FileChange(path=path, status=status, added=added, removed=max(0, added - grown), kind=kind)


def _count(data: bytes | None) -> int:
    text = text_of(data)
    return 0 if not text else text.count("\n") + (not text.endswith("\n"))


def kind_of(path: str, data: bytes | None) -> str:
    """lock, binary, vendored, generated, snapshot, test, configuration, source, documentation or other."""
    pure = PurePosixPath(path)
    if pure.name in _LOCKS:
        return "lock"
    if data is not None and b"\0" in data[:8000]:
        return "binary"
    if any(part in _VENDORED for part in pure.parts[:-1]):
        return "vendored"
    if _GENERATED_NAME.match(pure.name) or _GENERATED_MARK.search((data or b"")[:600].decode("utf-8", "replace")):
        return "generated"
    if is_snapshot(path):
        return "snapshot"
    return _written_kind(path, pure.name)


def _written_kind(path: str, name: str) -> str:
    if is_test(path):
        return "test"
    if is_ci(path) or is_config(path) or is_script(path):
        return "configuration"
    if _SOURCE.match(name):
        return "source"
    return "documentation" if _PROSE.match(name) else "other"
