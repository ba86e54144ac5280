"""Finds product code that knows it is being tested, answers a test's input by rote, or silences a checker."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workbench.evidence.tampering.kinds import found
from workbench.model.evidence import Finding

_SNIFF_TESTS = re.compile(
    r"[\"']PYTEST(_\w+)?[\"']|\b_called_from_test\b|\b(IS|RUNNING|UNDER)_TESTS?\b|[\"'](_?pytest|unittest|hypothesis|nose|coverage)[\"']\s+(not\s+)?in\s+sys\.modules"
    r"|[\"'](_?pytest|unittest)[\"'].{0,80}\bmodules\b|\bmodules\b.{0,80}[\"'](_?pytest|unittest)[\"']"
    r"|\b(find_spec|import_module|__import__)\(\s*[\"'](_?pytest|unittest|conftest)\b"
    r"|HasSuffix\(\s*os\.Args\[0\]|sys\.modules\.get\(\s*[\"'](_?pytest|unittest)|sys\.gettrace\(|process\.env\.(JEST_WORKER_ID|VITEST)"
    r"|NODE_ENV.{0,12}[\"']test[\"']|[\"'](py)?test[\"']\s+in\s+sys\.argv|flag\.Lookup\(\"test\.|testing\.Testing\(\)|cfg!\(test\)"
)
_SNIFF_PLACE = re.compile(
    r"(environ|getenv|process\.env|Getenv|env::var).{0,20}[\"'.](CI|GITHUB_ACTIONS|GITLAB_CI|WORKBENCH\w*|PYTHONDONTWRITEBYTECODE|PYTHONHASHSEED|PYTHONNOUSERSITE|BUILD_ID|TOX_ENV_NAME)\b"
)
# Ways to look at who calls, or at how the program was started, without a word of tests.
_SNIFF_CALLER = re.compile(
    r"\b_getframe\b|\b_current_frames\b|\binspect\.(stack|currentframe|getouterframes)\b|\bf_back\b|\btb_frame\b"
    r"|\b(extract_stack|walk_stack|format_stack)\(|\bgc\.get_(objects|referrers)\b|\bsys\.get(trace|profile)\b"
    r"|\bimport __main__|modules.{0,8}[\"']__main__[\"']|\bdont_write_bytecode\b"
    r"|/proc/[^\s\"']{1,40}/(cmdline|environ|comm)|\bgetppid\("
)
_SNIFF_START = re.compile(r"\bsys\.(orig_)?argv\b")
_STARTED = re.compile(r"(^|/)(__main__|main|cli|app|manage|setup|run)\.py$|(^|/)(scripts|bin|tools|cli|commands)/")
_NAMES_RUNNER = re.compile(r"[\"'][^\"']*(pytest|unittest|workbench_|conftest|\btest_)[^\"']*[\"']", re.IGNORECASE)
_SILENCED = (
    ("no-cover-added", re.compile(r"#\s*pragma:\s*no\s*cover|istanbul ignore|c8 ignore", re.IGNORECASE)),
    ("noqa-added", re.compile(r"#\s*(noqa|ruff:\s*noqa|pylint:\s*disable|flake8:\s*noqa)|eslint-disable|#\[allow\(")),
    ("type-ignore-added", re.compile(r"#\s*(type:\s*ignore|pyright:\s*ignore|mypy:\s*ignore)|@ts-(ignore|nocheck)")),
)


def sniffing(path: str, added: Sequence[tuple[int, str]], *, in_tests: bool) -> Iterator[Finding]:
    """Added lines that ask whether a test is running, who calls, or where the program runs.

    Looking at callers has honest uses; beside a name of a test runner it has none.
    """
    named = any(_NAMES_RUNNER.search(text) for _, text in added)
    for line, text in added:
        if not in_tests and _SNIFF_TESTS.search(text):
            yield found("test-sniffing", path, line, detail=text)
        elif not in_tests and _SNIFF_CALLER.search(text):
            yield found("test-sniffing" if named else "caller-sniffing", path, line, detail=text)
        elif not in_tests and _SNIFF_START.search(text) and not _STARTED.search(path):
            yield found("caller-sniffing", path, line, detail=text)
        elif _SNIFF_PLACE.search(text):
            yield found("environment-sniffing", path, line, detail=text)


def silenced(path: str, added: Sequence[tuple[int, str]], removed: Sequence[str]) -> Iterator[Finding]:
    """Added comments that silence coverage, a linter or a type checker."""
    for kind, pattern in _SILENCED:
        before = sum(bool(pattern.search(text)) for text in removed)
        lines = [(line, text) for line, text in added if pattern.search(text)]
        for line, text in lines[before:]:
            yield found(kind, path, line, detail=text.strip())
