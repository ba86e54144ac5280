"""Secrets in added lines, of the result and of each commit: well-known shapes of our own, and detect-secrets.

Nothing is sent anywhere; both run from our environment.

A comment in the change that allows a secret is not obeyed. What is found is masked before it goes anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from workbench.core.redact import mask, secrets_in
from workbench.evidence.sizes import kind_of
from workbench.evidence.static import MAX_LINE, added_lines, bound, text_of
from workbench.evidence.tampering.roles import is_test
from workbench.model.evidence import Finding, Severity
from workbench.ports import Change, Collected

MAX_LINES = 50_000  # added lines that are looked at; beyond it the rest is not checked
MAX_FINDINGS = 200
_UNSURE = frozenset({"KeywordDetector", "BasicAuthDetector"})  # these go by names and places, not by shape
_NOISY = frozenset({"Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector"})
_PLACEHOLDER = re.compile(
    r"example|placeholder|change.?me|dummy|sample|your[-_ ]|xxx|\*\*\*|\.\.\.|redacted"
    r"|^(none|null|true|false|test|password|secret)$",
    re.IGNORECASE,
)


class Secrets:
    """Port Collector: passed when no added line holds a secret, in the result or in a commit that a merge brings in."""

    name = "secrets"

    def collect(self, change: Change) -> Collected:
        """Look at added lines of changed text files, made files apart, then at what the history has beyond them."""
        findings: list[Finding] = []
        looked, left = 0, 0
        seen: set[Place] = set()
        for path, numbers in sorted(change.added_lines().items()):
            if kind_of(path, change.result_file(path)) in ("lock", "binary"):
                continue
            if looked >= MAX_LINES or text_of(change.result_file(path)) is None:
                left += 1
                continue
            looked += len(numbers)
            for number, text in added_lines(change, path, numbers):
                seen.add((path, text))
                findings += _findings(path, number, text)
        past, unseen = _in_history(change, seen)
        findings = list(dict.fromkeys([*findings, *past]))[:MAX_FINDINGS]
        gaps = [f"{left} files were too large to look at"] if left else []
        evidence = _evidence(change, findings, looked, [*gaps, *unseen])
        return Collected(evidence=(evidence,), findings=tuple(findings))


Place = tuple[str, str]  # a path and the text of a line


def _in_history(change: Change, seen: set[Place]) -> tuple[list[Finding], list[str]]:
    """Secrets of single commits, in lines and messages, that the result does not show; and what was not looked at."""
    history = change.history_added_lines()
    found: list[Finding] = []
    room, left = MAX_LINES, 0
    for commit, files in history.added.items():
        for path, lines in files.items():
            fresh = [(number, text[:MAX_LINE]) for number, text in lines if (path, text[:MAX_LINE]) not in seen]
            if kind_of(path, None) == "lock":
                continue
            left += max(0, len(fresh) - room)
            for number, text in fresh[: max(0, room)]:
                seen.add((path, text))
                found += (_of_commit(finding, commit) for finding in _findings(path, number, text))
            room -= len(fresh)
    for commit_ in change.commits():
        for line in commit_.message.split("\n"):
            found += (_of_commit(finding, commit_.id) for finding in _shaped("", 0, line[:MAX_LINE]))
    gaps = [f"{left} added lines of earlier commits", *history.left_out] if left else list(history.left_out)
    return found, [f"the history was not looked at in full: {gap}" for gap in gaps]


def _of_commit(finding: Finding, commit: str) -> Finding:
    where = f"commit {commit[:12]}" if finding.path else f"the message of commit {commit[:12]}"
    text = f"{finding.text}, in {where}: a merge brings its history along"
    return msgspec.structs.replace(finding, text=text)


def _evidence(change: Change, findings: list[Finding], looked: int, gaps: list[str]) -> Any:
    facts = {"lines": looked, "left_out": gaps, "found": len(findings)}
    if findings:
        places = ", ".join(f"{each.path}:{each.line}" if each.path else "a message" for each in findings[:5])
        state, summary = "failed", f"{len(findings)} secrets in added lines: {places}"
    elif gaps:
        state, summary = "not-checked", "; ".join(gaps)
    else:
        state, summary = "passed", f"no secret in {looked} added lines, nor in the commits behind them"
    return bound(change, "secrets", criterion="hygiene", state=state, summary=summary, facts=facts)  # type: ignore[arg-type]  # one of three literals


def _findings(path: str, line: int, text: str) -> Iterator[Finding]:
    known = list(_shaped(path, line, text))
    yield from known
    if known:
        return
    for name, kind, value in _detected(text):
        unsure = name in _UNSURE
        if unsure and (is_test(path) or _unlikely(value, text)):
            continue
        yield _finding(kind, path, line, value, severity="medium" if unsure else "high")


def _shaped(path: str, line: int, text: str) -> Iterator[Finding]:
    """Secrets of a well-known shape."""
    for secret in secrets_in(text):
        yield _finding(secret.kind, path, line, text[secret.start : secret.end], severity="critical")


def _finding(kind: str, path: str, line: int, value: str, *, severity: Severity) -> Finding:
    words = kind.replace("-", " ")
    return Finding(
        kind=f"secrets.{kind}", severity=severity, text=f"A secret ({words}): {mask(value)}", path=path, line=line
    )


def _detected(text: str) -> Iterator[tuple[str, str, str]]:
    for detector in _detectors():
        for value in detector.analyze_string(text):
            if value:
                kind = re.sub(r"[^a-z0-9]+", "-", detector.secret_type.lower()).strip("-")
                yield type(detector).__name__, kind, str(value)


@lru_cache(maxsize=1)
def _detectors() -> tuple[Any, ...]:
    """The detectors that go by shape or by name; their `analyze_string` is pure, none of them is let near a network."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    classes: list[Any] = list(get_mapping_from_secret_type_to_class().values())
    return tuple(kind() for kind in sorted(classes, key=lambda kind: kind.__name__) if kind.__name__ not in _NOISY)


def _unlikely(value: str, line: str) -> bool:
    from detect_secrets.filters import heuristic

    checks = (
        heuristic.is_sequential_string,
        heuristic.is_potential_uuid,
        heuristic.is_templated_secret,
        heuristic.is_prefixed_with_dollar_sign,
        heuristic.is_not_alphanumeric_string,
    )
    likely_name = " " in value or (re.search(r"[0-9\W_]", value) is None and len(value) < 12)
    return (
        likely_name
        or _PLACEHOLDER.search(value) is not None
        or any(check(value) for check in checks)
        or bool(heuristic.is_indirect_reference(line))
    )
