"""Test material: which paths decide what is tested and how, and how a tree gets base's back; it runs no test.

Material is more than tests: `conftest.py`, runner configuration, start-up hooks and snapshots can all turn a failing
suite green. In the result it is restored from base exactly: edited, deleted and added files alike.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import stat
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from workbench.artifacts.globs import matches
from workbench.evidence.testdata import is_source
from workbench.ports import Change

_DIRECTORIES = frozenset(
    {
        "test",
        "tests",
        "__tests__",
        "spec",
        "specs",
        "__snapshots__",
        "testdata",
        "e2e",
        "unit_tests",
        "integration_tests",
    }
)
_NAMES = frozenset(
    {
        "conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg", "tox.toml",
        ".coveragerc", "noxfile.py", "sitecustomize.py", "usercustomize.py", "Makefile", "makefile", "GNUmakefile",
        ".mocharc.json", ".mocharc.js", ".mocharc.cjs", ".mocharc.yml", ".mocharc.yaml", "nextest.toml", "runtests.py",
    }
)  # fmt: skip
_PATTERNS = re.compile(
    r"test_.*\.py|.*_tests?\.py|tests?\.py|.*\.pth|.*_test\.go|.*[._-](test|spec)\.[cm]?[jt]sx?"
    r"|(jest|vitest|karma|ava|playwright|cypress)\.config\..*|.*\.snap"
)
# Metadata of a distribution lets a plugin load itself; byte code runs in place of the source beside it.
_STARTING = re.compile(r"(.*/)?([^/]+\.(dist|egg)-info(/.*)?|__pycache__/.*|[^/]+\.py[co])")
# What tests expect or are fed, unless it is code.
_EXPECTED = re.compile(
    r"(.*/)?(fixtures|goldens?|snapshots|cassettes)/.*|.*(\.ambr|\.golden|\.snapshot|\.(approved|expected)(\.[^./]+)?)"
)
_SHARED = frozenset({"pyproject.toml", "package.json"})  # only a part of these is material
TEST_TOOLS = ("pytest",)  # tables below `tool` that are test material
_PACKAGE_KEYS = ("scripts", "jest", "mocha", "ava", "vitest", "tap", "c8", "nyc", "type")
_HEADER = re.compile(r"^[ \t]*\[{1,2}[ \t]*([^\[\]#]+?)[ \t]*\]{1,2}[ \t]*(?:#.*)?$", re.MULTILINE)


def is_material(path: str, globs: Sequence[str] = ()) -> bool:
    """Whether a file at `path` belongs to the tests as a whole; `pyproject.toml` and `package.json` do in part only.

    `globs` are those that a policy names, beside what is material everywhere.
    """
    pure = PurePosixPath(path)
    if matches(path, globs) or (_EXPECTED.fullmatch(path) and not is_source(path)):
        return True
    if any(part in _DIRECTORIES for part in pure.parts[:-1]):
        return True
    return _STARTING.fullmatch(path) is not None or pure.name in _NAMES or _PATTERNS.fullmatch(pure.name) is not None


def is_test_file(path: str) -> bool:
    """Whether the name of `path` is one under which runners look for tests."""
    name = PurePosixPath(path).name
    return bool(re.fullmatch(r"test_.*\.py|.*_test\.py|tests?\.py|.*_test\.go|.*[._-](test|spec)\.[cm]?[jt]sx?", name))


def is_shared(path: str) -> bool:
    """Whether only a part of the file at `path` is material."""
    return PurePosixPath(path).name in _SHARED and not is_material(path)


def changed_material(change: Change, globs: Sequence[str] = ()) -> tuple[str, ...]:
    """The changed paths whose tests or test configuration differ between base and result, sorted."""
    return tuple(sorted(path for _, path in change.changed_paths() if _differs(change, path, globs)))


def _differs(change: Change, path: str, globs: Sequence[str]) -> bool:
    if is_shared(path):
        return mixed(path, base=change.base_file(path), result=change.result_file(path)) != change.result_file(path)
    return is_material(path, globs)


def strip_bytecode(tree: Path) -> None:
    """Remove byte code from a checkout: the interpreter would run it in place of the source beside it."""
    for place, folders, names in os.walk(tree):
        for folder in [name for name in folders if name in ("__pycache__", ".git")]:
            folders.remove(folder)
            if folder == "__pycache__":
                _clear(tree, (Path(place) / folder).relative_to(tree).as_posix())
        for name in names:
            if name.endswith((".pyc", ".pyo")) or name == "__pycache__":
                (Path(place) / name).unlink()


def mixed(path: str, *, base: bytes | None, result: bytes | None, tools: Sequence[str] = TEST_TOOLS) -> bytes | None:
    """A shared file of the result with base's configuration of `tools`; all of base's where the two are inseparable."""
    if result is None:
        return base
    if not path.endswith(".toml"):
        return _package_mixed(b"{}" if base is None else base, result)
    return _toml_mixed(base or b"", result, tools)


def _toml_mixed(base: bytes, result: bytes, tools: Sequence[str]) -> bytes:
    before, after = _toml(base), _toml(result)
    if before is not None and after is not None and _of(before, tools) == _of(after, tools):
        return result
    text, kept = result.decode("utf-8", "replace"), base.decode("utf-8", "replace")
    merged = _tables(text, tools, wanted=False).rstrip("\n") + "\n\n" + _tables(kept, tools, wanted=True)
    parsed = _toml(merged.encode())
    ours = {} if before is None else _of(before, tools)
    if parsed is None or after is None or _of(parsed, tools) != ours:
        return base
    return merged.encode() if _others_of(parsed, tools) == _others_of(after, tools) else base


def _toml(data: bytes) -> dict[str, Any] | None:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return None


def _of(document: dict[str, Any], tools: Sequence[str]) -> dict[str, Any]:
    tool = document.get("tool")
    return {name: tool[name] for name in tools if name in tool} if isinstance(tool, dict) else {}


def _others_of(document: dict[str, Any], tools: Sequence[str]) -> dict[str, Any]:
    tool = document.get("tool")
    if not isinstance(tool, dict):
        return document
    others = {name: value for name, value in tool.items() if name not in tools}
    return {
        **{name: value for name, value in document.items() if name != "tool"},
        **({"tool": others} if others else {}),
    }


def _tables(text: str, tools: Sequence[str], *, wanted: bool) -> str:
    """The tables of a TOML text that configure `tools`, or all the others, as they are written."""
    starts = [(match.start(), match[1]) for match in _HEADER.finditer(text)]
    pieces = [] if wanted else [text[: starts[0][0]] if starts else text]
    for index, (start, name) in enumerate(starts):
        end = starts[index + 1][0] if index + 1 < len(starts) else len(text)
        plain = re.sub(r"[\s\"']", "", name)
        if any(plain == f"tool.{tool}" or plain.startswith(f"tool.{tool}.") for tool in tools) == wanted:
            pieces.append(text[start:end])
    return "".join(pieces)


def _package_mixed(base: bytes, result: bytes) -> bytes:
    before, after = _json(base), _json(result)
    if before is None or after is None:
        return base
    if all(before.get(key) == after.get(key) for key in _PACKAGE_KEYS):
        return result
    kept = {key: value for key, value in after.items() if key not in _PACKAGE_KEYS}
    kept |= {key: before[key] for key in _PACKAGE_KEYS if key in before}
    return json.dumps(kept, indent=2, ensure_ascii=False).encode() + b"\n"


def _json(data: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def has_section(data: bytes, section: str) -> bool:
    """Whether an ini file has `section`; a file that cannot be read has none."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(data.decode("utf-8", "replace"))
    except configparser.Error:
        return False
    return parser.has_section(section)


def restore(
    change: Change,
    paths: Iterable[str],
    *,
    base_tree: Path,
    result_tree: Path,
    tools: Sequence[str] = TEST_TOOLS,
) -> None:
    """Give `result_tree` what base has at `paths`, of shared files only what configures `tools`.

    Links in the result are replaced, never followed.
    """
    for path in paths:
        if is_shared(path):
            place = _clear(result_tree, path)
            content = mixed(path, base=change.base_file(path), result=change.result_file(path), tools=tools)
            if content is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
        else:
            carry((path,), source=base_tree, target=result_tree)


def carry(paths: Iterable[str], *, source: Path, target: Path) -> None:
    """Make `target` have at `paths` what `source` has there, or nothing."""
    for path in paths:
        _copy(source / path, _clear(target, path))


def _clear(root: Path, path: str) -> Path:
    """Make sure that nothing is at `path` and that its parents are real directories or nothing."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or parts[0] == ".git":
        raise ValueError(f"not a path inside a tree: {path!r}")
    place = root
    for part in parts[:-1]:
        place = place / part
        if _exists(place) and not stat.S_ISDIR(place.lstat().st_mode):
            place.unlink()
    place = place / parts[-1]
    if _exists(place):
        if stat.S_ISDIR(place.lstat().st_mode):
            shutil.rmtree(place)
        else:
            place.unlink()
    return place


def _exists(place: Path) -> bool:
    return os.path.lexists(place)


def _copy(source: Path, place: Path) -> None:
    if not _exists(source):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, place, follow_symlinks=False)
