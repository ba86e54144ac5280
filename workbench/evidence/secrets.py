"""Secrets in added lines, of the result and of each commit: well-known shapes of our own, and detect-secrets.

Nothing is sent anywhere; both run from our environment. Lock files, full of digests, and the readable runs of binary
files are searched for well-known shapes alone; that no more was done with binary files is evidence of its own.

A comment in the change that allows a secret is not obeyed. What is found is masked before it goes anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from workbench.core.redact import mask, secrets_in
from workbench.evidence.binary import is_binary, new_of, runs, wide_text
from workbench.evidence.sizes import kind_of
from workbench.evidence.static import MAX_LINE, MAX_TEXT_BYTES, added_lines, bound, text_of
from workbench.evidence.tampering.roles import is_test
from workbench.model.evidence import Finding, Severity
from workbench.ports import Change, Collected

MAX_LINES = 50_000  # added lines that are looked at; beyond it the rest is not checked
MAX_FINDINGS = 200
MAX_NAMED = 5  # binary files that the evidence names
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
        """Look at what the result adds, lock files last, then at what the history has beyond it."""
        findings: list[Finding] = []
        looked, left = 0, 0
        seen: set[Place] = set()
        for path, lines in _added(change):
            if looked >= MAX_LINES or lines is None:
                left += 1
                continue
            looked += len(lines)
            for number, text in lines:
                seen.add((path, text))
                findings += _of_line(path, number, text)
        past, unseen = _in_history(change, seen)
        opaque, hidden = _in_binaries(change)
        findings = list(dict.fromkeys([*findings, *opaque, *past]))[:MAX_FINDINGS]
        gaps = [f"{left} files were too large to look at"] if left else []
        evidence = _evidence(change, findings, looked, [*gaps, *unseen])
        return Collected(evidence=(evidence, *_of_binaries(change, hidden)), findings=tuple(findings))


Lines = list[tuple[int, str]]


def _added(change: Change) -> list[tuple[str, Lines | None]]:
    """Each changed text file with its added lines, None where it is too large; lock files come last."""
    numbers = change.added_lines()
    found: list[tuple[str, Lines | None]] = []
    for _, path in sorted(change.changed_paths(), key=lambda each: (_is_lock(each[1]), each[1])):
        data = change.result_file(path)
        if is_binary(data):
            wide = wide_text(data)
            if wide is not None:
                before = change.base_file(path)
                known = (wide_text(before) or text_of(before) or "").splitlines()
                found.append((path, [(n, line[:MAX_LINE]) for n, line in new_of(wide.splitlines(), known)]))
        elif path in numbers:
            lines = None if text_of(data) is None else list(added_lines(change, path, numbers[path]))
            found.append((path, lines))
    return found


def _is_lock(path: str) -> bool:
    return kind_of(path, None) == "lock"


def _in_binaries(change: Change) -> tuple[list[Finding], list[str]]:
    """Secrets of well-known shapes in new readable runs of binary files, and the paths of these files."""
    findings: list[Finding] = []
    paths = []
    for _, path in change.changed_paths():
        data = change.result_file(path)
        if not is_binary(data) or wide_text(data) is not None:
            continue
        large = len(data or b"") > MAX_TEXT_BYTES
        paths.append(f"{path} (too large for that)" if large else path)
        for _, text in new_of(runs(data), runs(change.base_file(path))):
            findings += _shaped(path, 0, text)
    return findings, sorted([*paths, *_came_and_went(change)])


def _came_and_went(change: Change) -> list[str]:
    """Files of single commits alone that no diff shows as lines."""
    shown: dict[str, int] = {}
    for files in change.history_added_lines().added.values():
        for path, lines in files.items():
            shown[path] = shown.get(path, 0) + len(lines)
    empty = (path for path, count in shown.items() if not count)
    return [
        f"{path} (of an earlier commit, not read)"
        for path in empty
        if change.base_file(path) is None and change.result_file(path) is None
    ]


def _of_binaries(change: Change, paths: list[str]) -> tuple[Any, ...]:
    if not paths:
        return ()
    more = f" and {len(paths) - MAX_NAMED} more" if len(paths) > MAX_NAMED else ""
    what = "binary file was" if len(paths) == 1 else "binary files were"
    named = ", ".join(paths[:MAX_NAMED])
    summary = f"{len(paths)} {what} searched for well-known shapes alone: {named}{more}"
    facts = {"files": len(paths)}
    kind = "secrets.binary"
    return (bound(change, kind, criterion="hygiene", state="not-checked", summary=summary, facts=facts),)


Place = tuple[str, str]  # a path and the text of a line


def _in_history(change: Change, seen: set[Place]) -> tuple[list[Finding], list[str]]:
    """Secrets of single commits, in lines and messages, that the result does not show; and what was not looked at."""
    history = change.history_added_lines()
    found: list[Finding] = []
    room, left = MAX_LINES, 0
    for commit, files in history.added.items():
        for path, lines in files.items():
            fresh = [(number, text[:MAX_LINE]) for number, text in lines if (path, text[:MAX_LINE]) not in seen]
            left += max(0, len(fresh) - room)
            for number, text in fresh[: max(0, room)]:
                seen.add((path, text))
                found += (_of_commit(finding, commit) for finding in _of_line(path, number, text))
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
        places = ", ".join(_where(each) for each in findings[:5])
        state, summary = "failed", f"{len(findings)} secrets in added lines: {places}"
    elif gaps:
        state, summary = "not-checked", "; ".join(gaps)
    else:
        state, summary = "passed", f"no secret in {looked} added lines, nor in the commits behind them"
    return bound(change, "secrets", criterion="hygiene", state=state, summary=summary, facts=facts)  # type: ignore[arg-type]  # one of three literals


def _of_line(path: str, line: int, text: str) -> Iterator[Finding]:
    return _shaped(path, line, text) if _is_lock(path) else _findings(path, line, text)


def _where(finding: Finding) -> str:
    return f"{finding.path}:{finding.line}" if finding.line else finding.path or "a message"


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
