"""Finds what weakens checks from the files around them: variables, matrices, triggers, ignored files, services."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from workbench.evidence.tampering import roles
from workbench.evidence.tampering.commands import MAX_LINE, RUNS_CHECKS
from workbench.evidence.tampering.kinds import found
from workbench.model.evidence import Finding

Read = Callable[[str], bytes | None]
Added = Sequence[tuple[int, str]]
_STEERING = re.compile(r"\b(PYTEST_ADDOPTS|PYTEST_PLUGINS|PYTHONSTARTUP|COVERAGE_PROCESS_START)\s*[:=](?!=)")
_UPDATING = re.compile(
    r"--(snapshot-update|update-snapshots?|updateSnapshot|force-regen|regen-all)\b"
    r"|--inline-snapshot[= ]\S*(fix|update)\b"
    r"|\b(UPDATE_(SNAPSHOTS?|GOLDENS?|EXPECT)|INSTA_UPDATE|REGENERATE_\w+)\s*[:=]|\bjest\b.*\s-u\b"
)
_DESELECTING = re.compile(
    r"\s(-k|-m|--deselect|--ignore(-glob)?|--lf|--last-failed|--co|--collect-only|-t|--testNamePattern"
    r"|--testPathIgnorePatterns|--grep|-g|-run|-skip|--skip|--exclude)(?=[\s=\"'])"
)
_MODULE = re.compile(r"\bpython[0-9.]*\s+(-\w+\s+)*?-m\s+\w+")
_IGNORED = re.compile(r"^/?(tests?|spec|__tests__)/?$|(^|/)(test_[\w*?\[\]-]*|[\w*-]*_test)\.\w+$|(^|/)conftest\.py$")
_TRIGGER = re.compile(r"^[ \t]*-?[ \t]*(push|pull_request|merge_group|merge_request_event)\b", re.MULTILINE)
_TRIGGERS = re.compile(r"\bon:\s*\[([^\]\n]*)\]")
_FILTER = re.compile(
    r"^[ \t]*(paths|paths-ignore):[ \t]*(?:\[([^\]\n]*)\]|((?:\n[ \t]+-[^\n]*){1,50}))", re.MULTILINE
)  # of the files on whose change a workflow runs
_CODE = re.compile(r"\.(py|js|ts|tsx|jsx|go|rs)\b|^\**/?\**$|^(\*\*/)?(src|lib|tests?)\b")
_LISTS = re.compile(r"^[ \t]*([\w-]{2,30})[ \t]*[:=][ \t]*\[?([^\[\]\n#]{1,500})\]?[ \t]*$", re.MULTILINE)
_SETTINGS = frozenset({"pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg"})
_CODECOV = re.compile(r"(^|/)\.?codecov\.ya?ml$")
_DATA = re.compile(r".*\.(json|ya?ml|csv|tsv|txt|toml|xml|html|md|dat|ini|jsonl)$")
_CASES = (".json", ".jsonl", ".csv", ".tsv")
_NO_DATA = re.compile(r"(^|/)(requirements|readme|license|changelog|package(-lock)?)[^/]*$", re.IGNORECASE)
_ESLINT = re.compile(r"(^|/)(\.eslintrc(\.\w+)?|eslint\.config\.\w+|\.eslintignore|biome\.json)$")
_RULE_OFF = re.compile(r":\s*(\[\s*)?([\"']off[\"']|0)\s*[,\]}]?\s*$|^[^\s{}#]+$")
MAX_JSON = 500_000


def line_findings(path: str, added: Added) -> Iterator[Finding]:
    """Added lines of any file that is neither prose nor Python."""
    if path.endswith((".md", ".rst", ".py")):
        return
    for line, text in ((number, text[:MAX_LINE]) for number, text in added):
        if text.lstrip().startswith(("#", "//")):
            continue
        if _STEERING.search(text):
            yield found("runner-environment", path, line, detail=text)
        elif _UPDATING.search(text) and _runs_things(path):
            yield found("snapshots-updating", path, line, detail=text)
        elif "pytest11" in text and roles.is_config(path):
            yield found("plugin-added", path, line, detail=text)
        elif _CODECOV.search(path) and re.search(
            r"informational:\s*true|^\s*target:\s*0?%?\s*$|threshold:\s*\d{2,}", text
        ):
            yield found("coverage-loosened", path, line, detail=text)
        elif _ESLINT.search(path) and _RULE_OFF.search(text):
            yield found("lint-loosened", path, line, detail=text)


def _runs_things(path: str) -> bool:
    return roles.is_ci(path) or roles.is_script(path) or roles.is_config(path)


def packaging_findings(path: str, added: Added) -> Iterator[Finding]:
    """A plugin of the test runner that a set-up script declares."""
    if PurePosixPath(path).name == "setup.py":
        for line, text in added:
            if "pytest11" in text:
                yield found("plugin-added", path, line, detail=text)


def path_findings(status: str, path: str, read_base: Read, result: bytes | None) -> Iterator[Finding]:
    """What a new file does by its place: settings nearer to the tests, a module among them in the program's stead."""
    pure = PurePosixPath(path)
    inside = any(part in roles.TEST_DIRECTORIES for part in pure.parts[:-1])
    if status != "A" or not inside:
        return
    if pure.name in _SETTINGS:
        yield found("nested-settings", path)
    defines = re.search(rb"^(def|class|async def|from|import) ", result or b"", re.MULTILINE)
    if pure.suffix != ".py" or defines is None:
        return
    name = pure.parent.name if pure.stem == "__init__" else pure.stem
    places = [f"{root}{name}{end}" for root in ("", "src/", "lib/") for end in (".py", "/__init__.py")]
    if name not in roles.TEST_DIRECTORIES and any(read_base(place) is not None for place in places):
        yield found("shadowing-module", path, detail=f"{name} of the program")


def ignored_files(path: str, added: Added) -> Iterator[Finding]:
    """Patterns by which git does not see tests."""
    if PurePosixPath(path).name == ".gitignore":
        for line, text in added:
            if _IGNORED.search(text.strip()):
                yield found("ignored-tests", path, line, detail=text.strip())


# --- workflows and scripts ------------------------------------------------------------------------------


def command_findings(path: str, before: str, after: str) -> Iterator[Finding]:
    """Fewer environments, lost triggers, and options by which a command leaves tests out."""
    for key, (old, new) in _narrowed(before, after).items():
        yield found("matrix-narrowed", path, detail=f"{key}: {', '.join(old)} became {', '.join(new)}")
    if roles.is_ci(path) and after:
        lost = _triggers(before) - _triggers(after)
        lost |= _code_left_out(after) - _code_left_out(before)
        if lost:
            yield found("ci-trigger-removed", path, detail=", ".join(sorted(lost)))
    known = sum(map(_deselects, before.splitlines()))
    chosen = [(number, text) for number, text in enumerate(after.splitlines(), 1) if _deselects(text)]
    old_lines = set(before.splitlines())
    fresh = [(number, text) for number, text in chosen if text not in old_lines]
    if sum(_deselects(text) for _, text in chosen) > known and fresh:
        yield found("ini-deselected", path, fresh[0][0], detail=fresh[0][1])


def _deselects(text: str) -> int:
    """How many options of a command that runs tests leave some out."""
    text = text[:MAX_LINE]
    return len(_DESELECTING.findall(_MODULE.sub("pytest", text))) if RUNS_CHECKS.search(text) else 0


def _triggers(text: str) -> set[str]:
    listed = {name.strip() for match in _TRIGGERS.finditer(text) for name in match[1].split(",")}
    return {match[1] for match in _TRIGGER.finditer(text)} | listed & {"push", "pull_request", "merge_group"}


def _code_left_out(text: str) -> set[str]:
    """Filters by which a workflow does not run when code changes."""
    left_out: set[str] = set()
    for match in _FILTER.finditer(text):
        parts = match[2].split(",") if match[2] else (match[3] or "").replace("-", "", 1).split("\n")
        patterns = [part.strip().lstrip("- ").strip("\"' ") for part in parts if part.strip()]
        code = [pattern for pattern in patterns if _CODE.search(pattern)]
        if match[1] == "paths-ignore" and code:
            left_out.add(f"not for {', '.join(code)}")
        elif match[1] == "paths" and patterns and not code:
            left_out.add(f"only for {', '.join(patterns)}")
    return left_out


def _narrowed(before: str, after: str) -> dict[str, tuple[list[str], list[str]]]:
    old, new = _listed(before), _listed(after)
    return {
        key: (values, new[key])
        for key, values in old.items()
        if len(values) > 1 and key in new and set(new[key]) < set(values)
    }


_MATRIX_KEYS = re.compile(
    r"env_?list|python(-?version)?s?|os|node(-?version)?s?|version|toolchain|go(-?version)?|rust|include"
)


def _listed(text: str) -> dict[str, list[str]]:
    found_lists: dict[str, list[str]] = {}
    for match in _LISTS.finditer(text[:MAX_JSON]):
        if _MATRIX_KEYS.fullmatch(match[1]):
            items = [item.strip().strip("\"'") for item in match[2].split(",") if item.strip()]
            found_lists.setdefault(match[1], []).extend(items)
    return found_lists


# --- jest and data --------------------------------------------------------------------------------------


def package_findings(path: str, before: str, after: str) -> Iterator[Finding]:
    """The table of jest in package.json: files that it ignores, names that it looks for, coverage that it asks for."""
    if PurePosixPath(path).name != "package.json":
        return
    old, new = _jest(before), _jest(after)
    for key in ("testPathIgnorePatterns", "modulePathIgnorePatterns"):
        added = _texts(new.get(key)) - _texts(old.get(key))
        if added:
            yield found("ini-deselected", path, detail=f"{key} {', '.join(sorted(added))}")
    for key in ("testMatch", "testRegex", "roots"):
        if old.get(key) and _texts(old.get(key)) - _texts(new.get(key)):
            yield found("ini-patterns", path, detail=key)
    if _least(new.get("coverageThreshold")) < _least(old.get("coverageThreshold")):
        yield found("fail-under-lowered", path, detail="coverageThreshold")


def _jest(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text[:MAX_JSON] or "{}")
    except (ValueError, RecursionError):
        return {}
    table = document.get("jest", {}) if isinstance(document, dict) else {}
    return table if isinstance(table, dict) else {}


def _texts(value: Any) -> set[str]:
    return {str(item) for item in value} if isinstance(value, list) else {value} if isinstance(value, str) else set()


def _least(value: Any) -> float:
    """The sum of all numbers in a table: lower where one of them was lowered or taken away."""
    if isinstance(value, dict):
        return sum(_least(item) for item in value.values())
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def data_findings(path: str, before: str, after: str) -> Iterator[Finding]:
    """Changed data among the tests: fewer cases than there were, or other ones."""
    inside = any(part in roles.TEST_DIRECTORIES for part in PurePosixPath(path).parts[:-1])
    if not inside or not _DATA.match(path) or _NO_DATA.search(path):
        return
    if roles.is_snapshot(path) or PurePosixPath(path).name in _SETTINGS:
        return
    old, new = _rows(before), _rows(after)
    kept = set(new)
    lost = [row for row in old if row not in kept]
    if not lost:
        return
    if len(new) < len(old) and path.endswith(_CASES):
        yield found("case-removed", path, detail="; ".join(lost))
    else:
        yield found("test-data-changed", path, detail="; ".join(lost))


def _rows(text: str) -> list[str]:
    """What may be cases: the entries of a list or table in JSON, else lines."""
    try:
        document = json.loads(text[:MAX_JSON])
    except (ValueError, RecursionError):
        return [line.strip() for line in text.splitlines() if line.strip()]
    if isinstance(document, dict):
        return [f"{key}: {json.dumps(value, sort_keys=True)}" for key, value in document.items()]
    return [json.dumps(item, sort_keys=True) for item in document] if isinstance(document, list) else [text.strip()]
