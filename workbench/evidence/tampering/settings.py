"""Compares the options of test runner, coverage, linter and type checker, as each tool would read them."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbench.evidence.tampering.kinds import found
from workbench.model.evidence import Finding

Read = Callable[[str], bytes | None]
Options = dict[str, str]
MAX_CONFIG_BYTES = 500_000

_DESELECTING = re.compile(
    r"^(-k|-m|--deselect|--ignore(-glob)?|--co|--collect-only|--lf|--sw|--noconftest|--last-failed)(=|$)|^-[km]."
)
_RETRYING = re.compile(r"^(--reruns|--retries|--force-flaky|--max-runs|--flaky)")
_UPDATING = re.compile(
    r"^--(snapshot-update|update-snapshots?|force-regen|regen-all|inline-snapshot=.*(fix|update|create))"
)
_PLUGIN = re.compile(r"^(-p$|-p.|--import-mode|--confcutdir|--rootdir|-c$|--override-ini|-o$)")
_OFF = frozenset({"", "false", "0", "no", "off"})


class Broken(Exception):
    """A configuration file cannot be read."""


def settings_findings(base: Read, result: Read) -> Iterator[Finding]:
    """What the result's options lost against the base's."""
    try:
        yield from _pytest(base, result)
        yield from _coverage(base, result)
        yield from _lint(base, result)
        yield from _types(base, result)
    except Broken as problem:
        yield found("config-unreadable", str(problem.args[0]), detail=str(problem))


# --- reading --------------------------------------------------------------------------------------------


def _toml(read: Read, path: str) -> dict[str, Any]:
    data = read(path)
    if data is None:
        return {}
    try:
        return tomllib.loads(data[:MAX_CONFIG_BYTES].decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Broken(path) from problem


def _ini(read: Read, path: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    data = read(path)
    if data is None:
        return parser
    try:
        parser.read_string(data[:MAX_CONFIG_BYTES].decode())
    except (configparser.Error, UnicodeDecodeError) as problem:
        raise Broken(path) from problem
    return parser


def _section(read: Read, path: str, section: str) -> Options | None:
    parser = _ini(read, path)
    return dict(parser[section]) if parser.has_section(section) else None


def _table(document: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    found_table: Any = document
    for key in keys:
        found_table = found_table.get(key, {}) if isinstance(found_table, Mapping) else {}
    return dict(found_table) if isinstance(found_table, Mapping) else {}


def _text(value: Any) -> str:
    return "\n".join(_text(item) for item in value) if isinstance(value, list) else str(value)


def _items(value: str) -> set[str]:
    return {item.strip() for item in re.split(r"[\n,]|\s{1,}", value) if item.strip()}


def _new_items(before: Options, after: Options, key: str) -> set[str]:
    return _items(after.get(key, "")) - _items(before.get(key, ""))


def _is_on(value: str) -> bool:
    return value.strip().lower() not in _OFF


# --- pytest ---------------------------------------------------------------------------------------------


def pytest_options(read: Read) -> tuple[str, Options]:
    """The file that pytest obeys at the root, and its options; the order of precedence is pytest's own."""
    for path in ("pytest.ini", ".pytest.ini"):
        if read(path) is not None:
            return path, _section(read, path, "pytest") or {}
    table = _table(_toml(read, "pyproject.toml"), "tool", "pytest", "ini_options")
    if table:
        return "pyproject.toml", {key: _text(value) for key, value in table.items()}
    for path, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        options = _section(read, path, section)
        if options is not None:
            return path, options
    return "", {}


def _pytest(base: Read, result: Read) -> Iterator[Finding]:
    old_path, before = pytest_options(base)
    path, after = pytest_options(result)
    path = path or old_path
    if before == after:
        return
    yield from _addopts(before, after, path)
    yield from _search(before, after, path)
    if _is_on(before.get("xfail_strict", "")) and not _is_on(after.get("xfail_strict", "")):
        yield found("xfail-strict-off", path)
    yield from _warnings(before, after, path)
    if (_number(after.get("timeout", "")) or 0) > (_number(before.get("timeout", "")) or float("inf")):
        yield found("timeout-widened", path, detail=after["timeout"])


def _words(options: Options) -> list[str]:
    try:
        return shlex.split(options.get("addopts", ""))
    except ValueError:
        return options.get("addopts", "").split()


def _addopts(before: Options, after: Options, path: str) -> Iterator[Finding]:
    old, new = _words(before), _words(after)
    for index, word in enumerate(new):
        argument = new[index + 1] if index + 1 < len(new) else ""
        same = any(old[i] == word and old[i + 1 : i + 2] == [argument] for i in range(len(old)))
        if same or ("=" in word and word in old):
            continue
        if word not in old and _UPDATING.match(word):
            yield found("snapshots-updating", path, detail=word)
        elif _DESELECTING.match(word) and (word not in old or word in ("-k", "-m", "--deselect", "--ignore")):
            yield found("ini-deselected", path, detail=f"{word} {argument}")
        elif word not in old and _RETRYING.match(word):
            yield found("retry-added", path, detail=f"{word} {argument}")
        elif word not in old and _PLUGIN.match(word):
            yield found("plugin-added", path, detail=f"{word} {argument}")
        elif word == "--assert=plain" and word not in old:
            yield found("script-changed", path, detail=word)
    for word in old:
        kind = next((kind for prefix, kind in _GUARDING.items() if word.startswith(prefix)), "")
        if kind and word not in new:
            yield found(kind, path, detail=f"lost {word}")


_GUARDING = {
    "--strict": "warnings-loosened",
    "-W": "warnings-loosened",
    "--cov-fail-under": "fail-under-lowered",
    "--doctest": "ini-deselected",
}


def _search(before: Options, after: Options, path: str) -> Iterator[Finding]:
    old, new = _items(before.get("testpaths", "")), _items(after.get("testpaths", ""))
    if new and (not old or old - new):
        lost = ", ".join(sorted(old - new)) or "everything else"
        yield found("ini-testpaths", path, detail=f"{', '.join(sorted(new))} without {lost}")
    for key in ("python_files", "python_classes", "python_functions"):
        old_names = _items(before.get(key, _PATTERN_DEFAULTS[key]))
        new_names = _items(after.get(key, _PATTERN_DEFAULTS[key]))
        if old_names - new_names:
            gone = ", ".join(sorted(old_names - new_names))
            yield found("ini-patterns", path, detail=f"{key} lost {gone}")
    for key in ("norecursedirs", "collect_ignore"):
        for item in sorted(_new_items(before, after, key)):
            yield found("ini-norecursedirs", path, detail=item)


_PATTERN_DEFAULTS = {"python_files": "test_*.py *_test.py", "python_classes": "Test", "python_functions": "test"}


def _warnings(before: Options, after: Options, path: str) -> Iterator[Finding]:
    old = {line.strip() for line in before.get("filterwarnings", "").splitlines() if line.strip()}
    new = {line.strip() for line in after.get("filterwarnings", "").splitlines() if line.strip()}
    if any(line.startswith("error") for line in old - new) and not any(line.startswith("error") for line in new - old):
        yield found("warnings-error-off", path)
    for line in sorted(new - old):
        if line.startswith(("ignore", "default", "once")):
            yield found("warnings-loosened", path, detail=line)


def search_places(read: Read) -> tuple[str, ...]:
    """The directories in which the options let tests be searched; empty: everywhere."""
    try:
        return tuple(sorted(_items(pytest_options(read)[1].get("testpaths", ""))))
    except Broken:
        return ()


def deselected_marks(read: Read) -> frozenset[str]:
    """The marks whose tests the options leave out: those after `not` in an expression of marks."""
    try:
        words = _words(pytest_options(read)[1])
    except Broken:
        return frozenset()
    chosen = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "-m"]
    chosen += [word[2:].lstrip("=") for word in words if word.startswith("-m") and len(word) > 2]
    return frozenset(mark for text in chosen for mark in re.findall(r"\bnot\s+(\w+)", text[:1000]))


# --- coverage, lint, types ------------------------------------------------------------------------------


def _number(text: str) -> float | None:
    match = re.fullmatch(r"\s*(\d+(\.\d+)?)\s*", text)
    return float(match[1]) if match else None


def _coverage_options(read: Read) -> tuple[str, Options]:
    document = _table(_toml(read, "pyproject.toml"), "tool", "coverage")
    merged = {key: _text(value) for part in ("run", "report") for key, value in _table(document, part).items()}
    path = "pyproject.toml" if merged else ""
    for file, prefix in ((".coveragerc", ""), ("setup.cfg", "coverage:"), ("tox.ini", "coverage:")):
        for part in ("run", "report"):
            options = _section(read, file, f"{prefix}{part}")
            if options:
                merged, path = {**merged, **options}, file
    return path, merged


def _coverage(base: Read, result: Read) -> Iterator[Finding]:
    _, before = _coverage_options(base)
    path, after = _coverage_options(result)
    lowered = (_number(after.get("fail_under", "")) or 0.0) < (_number(before.get("fail_under", "")) or 0.0)
    if lowered:
        yield found("fail-under-lowered", path, detail=f"{before['fail_under']} to {after.get('fail_under', 'none')}")
    for key in ("omit", "exclude_lines", "exclude_also"):
        for item in sorted(_new_items(before, after, key)):
            yield found("coverage-loosened", path, detail=f"{key} {item}")
    if _is_on(before.get("branch", "")) and not _is_on(after.get("branch", "")):
        yield found("coverage-loosened", path, detail="branch coverage off")


def _ruff(read: Read) -> dict[str, Any]:
    shared = _table(_toml(read, "pyproject.toml"), "tool", "ruff")
    table = _toml(read, ".ruff.toml") or _toml(read, "ruff.toml") or shared
    return {**table, **_table(table, "lint")}


def _lint(base: Read, result: Read) -> Iterator[Finding]:
    before, after = _ruff(base), _ruff(result)
    path = next((p for p in (".ruff.toml", "ruff.toml") if result(p) is not None), "pyproject.toml")
    for key in ("ignore", "extend-ignore", "exclude", "extend-exclude", "per-file-ignores", "extend-per-file-ignores"):
        added = _flat(after.get(key)) - _flat(before.get(key))
        if added:
            yield found("lint-loosened", path, detail=f"{key} {', '.join(sorted(added))}")
    lost = _flat(before.get("select")) - _flat(after.get("select"))
    if lost and "ALL" not in _flat(after.get("select")):
        yield found("lint-loosened", path, detail=f"select lost {', '.join(sorted(lost))}")
    for file, section in ((".flake8", "flake8"), ("setup.cfg", "flake8"), ("tox.ini", "flake8")):
        old, new = _section(base, file, section) or {}, _section(result, file, section) or {}
        for key in ("ignore", "extend-ignore", "exclude", "per-file-ignores"):
            if _new_items(old, new, key):
                yield found("lint-loosened", file, detail=f"{key} {', '.join(sorted(_new_items(old, new, key)))}")


def _flat(value: Any) -> set[str]:
    if isinstance(value, Mapping):
        return {f"{key}: {item}" for key, items in value.items() for item in _flat(items)}
    return {str(item) for item in value} if isinstance(value, list) else set() if value is None else {str(value)}


_LOOSE_TYPES = {"ignore_errors": True, "ignore_missing_imports": True, "follow_imports": "skip"}
_STRICT_TYPES = ("strict", "disallow_untyped_defs", "check_untyped_defs", "warn_return_any", "no_implicit_optional")


def _mypy(read: Read) -> dict[str, str]:
    table = _table(_toml(read, "pyproject.toml"), "tool", "mypy")
    flat = {f"mypy.{key}": _text(value) for key, value in table.items() if key != "overrides"}
    overrides = table.get("overrides", [])
    for override in overrides if isinstance(overrides, list) else []:
        if isinstance(override, Mapping):
            module = _text(override.get("module", ""))
            flat |= {f"{module}.{key}": _text(value) for key, value in override.items() if key != "module"}
    for file in ("mypy.ini", ".mypy.ini", "setup.cfg"):
        parser = _ini(read, file)
        for section in parser.sections():
            if section.startswith("mypy"):
                flat |= {f"{section}.{key}": value for key, value in parser[section].items()}
    return flat


def _types(base: Read, result: Read) -> Iterator[Finding]:
    before, after = _mypy(base), _mypy(result)
    path = next((p for p in ("mypy.ini", ".mypy.ini") if result(p) is not None), "pyproject.toml")
    for key, value in sorted(after.items()):
        name = key.rpartition(".")[2]
        if before.get(key) == value:
            continue
        if (name in _LOOSE_TYPES and value.lower() == str(_LOOSE_TYPES[name]).lower()) or name in (
            "disable_error_code",
            "exclude",
        ):
            yield found("types-loosened", path, detail=f"{key} = {value}")
    for key, value in sorted(before.items()):
        if key.rpartition(".")[2] in _STRICT_TYPES and _is_on(value) and not _is_on(after.get(key, "")):
            yield found("types-loosened", path, detail=f"{key} off")
