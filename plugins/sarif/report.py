"""Reads SARIF 2.1.0 (OASIS), which any program may have written: bounded, and never raising for what is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

MOST_RESULTS = 20_000  # of one log
MAX_TEXT = 1_000  # characters of a message
LEVELS = ("none", "note", "warning", "error")  # mildest first


class Unreadable(Exception):
    """It is no SARIF."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One result: `path` is relative to the checkout, `line` counts from 1, 0 is the whole file."""

    tool: str
    rule: str
    level: str
    text: str
    path: str = ""
    line: int = 0


def results(data: bytes, *, root: str) -> list[Result]:
    """The results that a log reports as failing. `root` is where the checkout was. Raises Unreadable."""
    try:
        log = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise Unreadable(f"not JSON: {str(problem)[:100]}") from problem
    if not isinstance(log, dict) or not isinstance(log.get("runs"), list):
        raise Unreadable("no SARIF: it has no list `runs`")
    found: list[Result] = []
    for run in log["runs"]:
        for result in _of_run(_mapping(run), root):
            found.append(result)
            if len(found) > MOST_RESULTS:
                raise Unreadable(f"more than {MOST_RESULTS} results")
    return found


def _of_run(run: Mapping[str, Any], root: str) -> Iterator[Result]:
    driver = _mapping(_mapping(run.get("tool")).get("driver"))
    rules = [_mapping(rule) for rule in _items(driver.get("rules"))]
    by_id = {str(rule.get("id")): rule for rule in rules}
    for result in map(_mapping, _items(run.get("results"))):
        if result.get("kind", "fail") != "fail" or result.get("suppressions"):
            continue  # passed, not applicable, or accepted by somebody in the code
        rule = _rule(result, rules, by_id)
        path, line = _place(result, root)
        yield Result(
            tool=_text(driver.get("name")) or "the analyser",
            rule=_text(result.get("ruleId")) or _text(rule.get("id")) or "unnamed",
            level=_level(result, rule),
            text=_message(result, rule),
            path=path,
            line=line,
        )


def _rule(
    result: Mapping[str, Any], rules: list[Mapping[str, Any]], by_id: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    """What the tool says of the rule, by index or by id."""
    named = _mapping(result.get("rule"))
    index = result.get("ruleIndex", named.get("index"))
    if isinstance(index, int) and 0 <= index < len(rules):
        return rules[index]
    return by_id.get(str(result.get("ruleId", named.get("id"))), {})


def _level(result: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    """The result's own level, else its rule's, else `warning`, as the standard says."""
    default = _mapping(rule.get("defaultConfiguration")).get("level", "warning")
    level = result.get("level", default)
    return level if level in LEVELS else "warning"


def _message(result: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    message = _mapping(result.get("message"))
    if text := _text(message.get("text")):
        return text
    known = _mapping(_mapping(rule.get("messageStrings")).get(str(message.get("id"))))
    short = _mapping(rule.get("shortDescription"))
    return _text(known.get("text")) or _text(short.get("text")) or "no message"


def _place(result: Mapping[str, Any], root: str) -> tuple[str, int]:
    for location in map(_mapping, _items(result.get("locations"))[:1]):
        physical = _mapping(location.get("physicalLocation"))
        uri = _text(_mapping(physical.get("artifactLocation")).get("uri"))
        line = _mapping(physical.get("region")).get("startLine", 0)
        return _relative(uri, root), line if isinstance(line, int) and 0 < line < 1 << 31 else 0
    return "", 0


def _relative(uri: str, root: str) -> str:
    """The path below the checkout; of one that is elsewhere, what was written."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri
    path = unquote(parts.path) if parts.scheme in ("", "file") else uri
    inside = path.removeprefix(root.rstrip("/") + "/")
    return inside.removeprefix("./")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""
