"""Compares scripts and workflows line by line: whether they still run the checks and still mind their failure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from workbench.evidence.tampering.kinds import found
from workbench.model.evidence import Finding

MAX_LINE = 2_000  # characters of a line that patterns look at
RUNS_CHECKS = re.compile(
    r"\b(pytest|py\.test|unittest|tox|nox|npm\s+(run\s+)?(t|test|ci-test)|npx\s+(jest|vitest|mocha)|yarn\s+(run\s+)?test|pnpm\s+(run\s+)?test"
    r"|jest|vitest|mocha|go\s+test|go\s+vet|cargo\s+(test|clippy|nextest)|make\s+(test|check)|ctest|rspec|phpunit|mvn\s+\S*\s*(test|verify)"
    r"|gradlew?\s+\S*(test|check)|ruff|flake8|mypy|pyright|eslint|tsc|bandit|coverage\s+(run|report)|node\s+--test|hatch\s+(run\s+)?test|lint-imports)\b"
)
_NEUTRAL = re.compile(
    r"\|\|\s*(true|:|exit\s+0|echo\b)|;\s*(true|exit\s+0)\s*$|^\s*(-?@?)(exit\s+0|set\s+\+e)\b|--passWithNoTests|--exit-zero"
    r"|\|\|\s*/bin/true|--no-error-on-unmatched|--suppress-tests-failed-exit-code|suppress.*no.*test.*exit|-failfast=never|\|\s*tee\b.*\|\|"
)
# What counts is how the last of them ends; of a command in the background nothing does.
_PIPED = re.compile(r"[^|]\|\s*(tee|cat|grep|head|tail|less|sort|xargs|sed|awk)\b|[^&>]&\s*$")
_FOLLOWED = re.compile(r";\s*[^\s;#]")
_CI_IGNORES = re.compile(
    r"continue-on-error:\s*(true|\$)|allow_failure:\s*true|allow-failure|^\s*(?:-\s*)?if:\s*(\$\{\{\s*)?(false|always\(\)\s*&&\s*false)"
    r"|soft_fail:\s*true|fail-fast:\s*never|catchError|ignoreErrors:\s*true"
)
_NO_ASSERTS = re.compile(r"PYTHONOPTIMIZE\s*[=:]\s*[\"']?[12]|\bpython[0-9.]*\s+(-\w+\s+)*-O{1,2}\b|NDEBUG")
_TOX = re.compile(r"^\s*(commands\w*\s*=\s*)?-\s*\S|^\s*ignore_(outcome|errors)\s*=\s*(true|1|yes)\b", re.IGNORECASE)
_NOX = re.compile(r"success_codes\s*=")
_COMMENT = re.compile(r"^\s*(#|//|;)")


def script_findings(path: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Finding]:
    """A Makefile, shell script or other file that says how checks are run by hand."""
    if path.endswith("package.json"):
        yield from _package(path, "\n".join(before), "\n".join(after))
        return
    yield from _lines(path, _cut(before), _cut(after), ignored="script-neutralised", removed="script-test-removed")


def ci_findings(path: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Finding]:
    """A workflow of continuous integration."""
    before, after = _cut(before), _cut(after)
    named = list(_lines(path, before, after, ignored="ci-failure-ignored", removed="ci-test-removed"))
    for line, text in _new_lines(before, after):
        if _CI_IGNORES.search(text):
            named.append(found("ci-failure-ignored", path, line, detail=text))
    if not named and list(before) != list(after):
        named.append(found("ci-changed", path))
    yield from named


def _cut(lines: Sequence[str]) -> list[str]:
    return [text[:MAX_LINE] for text in lines]


def asserts_disabled(path: str, added: Sequence[tuple[int, str]]) -> Iterator[Finding]:
    """Added lines of scripts, workflows and settings that switch assertions off."""
    for line, text in ((number, text[:MAX_LINE]) for number, text in added):
        if _NO_ASSERTS.search(text) and not _COMMENT.match(text):
            yield found("asserts-disabled", path, line, detail=text)


def _lines(path: str, before: Sequence[str], after: Sequence[str], *, ignored: str, removed: str) -> Iterator[Finding]:
    old, new = _checking(before), _checking(after)
    if len(new) < len(old):
        gone = [text for text in old if text not in new]
        yield found(removed, path, detail="; ".join(gone))
    elif old != new:
        yield found("script-changed", path, detail="; ".join(text for text in new if text not in old))
    armed = any("pipefail" in text or "PIPESTATUS" in text for text in after)
    for line, text in _new_lines(before, after):
        hidden = not armed and _hides_its_outcome(path, text)
        if hidden or _neutralised(text) or _ignored_in_make(path, text) or _ignored_by_tool(path, text):
            yield found(ignored, path, line, detail=text)


def _hides_its_outcome(path: str, text: str) -> bool:
    run = RUNS_CHECKS.search(text)
    if run is None:
        return False
    return _PIPED.search(text) is not None or ("akefile" in path and _FOLLOWED.search(text, run.end()) is not None)


def _neutralised(text: str) -> bool:
    """Whether a failing check no longer counts: on its own line, or by a line that ends or unarms the script."""
    match = _NEUTRAL.search(text)
    return match is not None and (RUNS_CHECKS.search(text) is not None or not text[: match.start()].strip())


def _ignored_in_make(path: str, text: str) -> bool:
    return "akefile" in path and re.match(r"^\t@?-", text) is not None and RUNS_CHECKS.search(text) is not None


def _ignored_by_tool(path: str, text: str) -> bool:
    """Whether tox or nox takes a failing command for a good one."""
    if path.endswith("tox.ini"):
        tolerated = _TOX.search(text)
        return tolerated is not None and ("ignore_" in tolerated[0] or RUNS_CHECKS.search(text) is not None)
    return path.endswith("noxfile.py") and _NOX.search(text) is not None


def _checking(lines: Sequence[str]) -> list[str]:
    return [" ".join(text.split()) for text in lines if RUNS_CHECKS.search(text) and not _COMMENT.match(text)]


def _new_lines(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, str]]:
    known = {text.strip() for text in before}
    return [(n, text) for n, text in enumerate(after, 1) if text.strip() not in known and not _COMMENT.match(text)]


def _package(path: str, before: str, after: str) -> Iterator[Finding]:
    old, new = _scripts(before), _scripts(after)
    for name in sorted(name for name in old if "test" in name or name in ("check", "lint", "ci")):
        was, now = old[name], new.get(name, "")
        if was == now:
            continue
        if not now or (RUNS_CHECKS.search(was) and not RUNS_CHECKS.search(now)):
            yield found("script-test-removed", path, detail=f"{name}: {was} became {now or 'nothing'}")
        elif _NEUTRAL.search(now) and not _NEUTRAL.search(was):
            yield found("script-neutralised", path, detail=f"{name}: {now}")
        else:
            yield found("script-changed", path, detail=f"{name}: {now}")
    if before and after and not new and old:
        yield found("config-unreadable", path)


def _scripts(text: str) -> dict[str, str]:
    try:
        document = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    scripts = document.get("scripts", {}) if isinstance(document, dict) else {}
    return {str(k): str(v) for k, v in scripts.items()} if isinstance(scripts, dict) else {}
