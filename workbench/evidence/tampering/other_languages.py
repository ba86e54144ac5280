"""Finds weakened tests in JavaScript, TypeScript, Go and Rust by patterns, without a parser of each language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.rows import changed_checks
from workbench.model.evidence import Finding


@dataclass(frozen=True)
class Language:
    """How tests look in one language."""

    title: re.Pattern[str]  # names a test
    check: re.Pattern[str]
    skip: re.Pattern[str]
    focus: re.Pattern[str]
    exits: re.Pattern[str]
    weak: re.Pattern[str]
    named: tuple[tuple[str, re.Pattern[str]], ...] = ()  # further kinds, by what is new in a file of tests


_COMMENT = re.compile(r"^\s*//[^\n]*|/\*[^*]*\*/", re.MULTILINE)
_EMPTY_CATCH = re.compile(
    r"\bcatch\s{0,9}(?:\(\s{0,9}\w{0,40}\s{0,9}\))?\s{0,9}\{\s{0,9}(?://[^\n]{0,200}\s{0,9})?\}"
    r"|\.catch\(\(?\w{0,40}\)? ?=> ?(?:\{\s{0,9}\}|null|undefined)\)"
)
_UNAWAITED = re.compile(r"^(?!.{0,300}\b(?:await|return)\b).{0,300}\.then\(.{0,300}\bexpect\(", re.MULTILINE)
_NEVER = re.compile(r"(?!)")
_JS = Language(
    title=re.compile(r"\b(?:it|test)(?:\.\w+)?\s*\(\s*([\"'`])(.+?)\1"),
    check=re.compile(r"\bexpect\s*\(|\bassert(?:\.\w+)?\s*\(|\.should\b|\bt\.(?:is|deepEqual|true|throws)\("),
    skip=re.compile(r"\b(?:it|test|describe|suite)\.(?:skip|todo|failing|fixme)\b|\bx(?:it|test|describe)\s*\(|\{\s*skip:\s*true|\bthis\.skip\("),
    focus=re.compile(r"\b(?:it|test|describe|suite)\.only\b|\bf(?:it|describe)\s*\(|\{\s*only:\s*true"),
    exits=re.compile(r"\bprocess\.(?:exit|reallyExit)\s*\(|process\.exitCode\s*=\s*0"),
    weak=re.compile(r"\.to(?:BeTruthy|BeDefined|BeFalsy)\b|\.not\.toThrow\b|expect\.any(?:thing)?\(|assert\.ok\(\s*true|expect\(true\)|toBeGreaterThanOrEqual\(0\)"),
    named=(
        ("assert-overridden", re.compile(r"\bexpect\.extend\s*\(|\bglobal(?:This)?\.expect\s*=|\bassert\.\w+\s*=[^=]")),
        ("mocked-subject", re.compile(r"\b(?:jest|vi)\.(?:do)?[mM]ock\(\s*[\"'`]\.[^\"'`]*[\"'`]")),
        ("early-return", re.compile(r"^[ \t]*(?:if ?\([^\n]{0,200}\) ?)?return;[ \t]*$", re.MULTILINE)),
        ("retry-added", re.compile(r"\bjest\.retryTimes\(|\bthis\.retries\(|\bretry:\s*\d|\bretries:\s*\d")),
        ("timeout-widened", re.compile(r"\bjest\.setTimeout\(|\bthis\.timeout\(|\btestTimeout:")),
        ("assert-swallowed", _EMPTY_CATCH),
        ("never-awaited", _UNAWAITED),
    ),
)  # fmt: skip
_NO_RUN = re.compile(r"\bfunc TestMain\(")  # counts only where nothing runs the tests
_GO = Language(
    title=re.compile(r"^func\s+()(Test\w+|Fuzz\w+|Example\w*)\s*\(", re.MULTILINE),
    check=re.compile(r"\bt\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow)\(|\b(?:assert|require)\.\w+\("),
    skip=re.compile(r"\bt\.(?:Skip|Skipf|SkipNow)\(|//go:build\s+\S+|//\s*\+build\s+\S+"),
    focus=_NEVER,
    exits=re.compile(r"\bos\.Exit\s*\(\s*0"),
    weak=re.compile(r"\bt\.Logf?\("),
    named=(
        ("assert-swallowed", re.compile(r"\brecover\(\s*\)")),
        ("exit-in-test", _NO_RUN),
        ("early-return", re.compile(r"^[ \t]*return[ \t]*$", re.MULTILINE)),
        ("environment-sniffing", re.compile(r"\btesting\.Short\(\)")),
    ),
)  # fmt: skip
_SKIPS_OF_GO = re.compile(r"\bt\.(?:Skip|Skipf|SkipNow)\(")
_RUST = Language(
    title=re.compile(
        r"#\[(?:tokio::|async_std::)?test()[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:pub\s+)?(?:async\s+)?fn\s+(\w+)"
    ),
    check=re.compile(r"\b(?:debug_)?assert(?:_eq|_ne|_matches)?!\s*\(|\.unwrap_err\(\)|\bpanic!\("),
    skip=re.compile(r"#\[(?:ignore|cfg\(any\(\)\)|cfg\(not\(test\)\))"),
    focus=_NEVER,
    exits=re.compile(r"\bprocess::exit\s*\(\s*0"),
    weak=re.compile(r"#\[should_panic|\bassert!\s*\(\s*true"),
)
LANGUAGES: dict[str, Language] = {
    **dict.fromkeys((".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts"), _JS),
    ".go": _GO,
    ".rs": _RUST,
}


def language_of(path: str) -> Language | None:
    """The language of a file whose tests these patterns can read."""
    return LANGUAGES.get(PurePosixPath(path).suffix)


def other_tests(base: Mapping[str, str], result: Mapping[str, str], gone: frozenset[str]) -> Iterator[Finding]:
    """What the tests in `result` lost; both map paths to whole texts, of changed files only."""
    titles = {title for path, text in result.items() for title in _titles(path, text)}
    for path, text in base.items():
        lost = [title for title in _titles(path, text) if title not in titles]
        if path in gone and lost:
            yield found("deleted-test-file", path, detail=", ".join(lost))
        else:
            renamed = len(_titles(path, result.get(path, ""))) >= len(_titles(path, text))
            for title in lost:
                yield found("deleted-test", path, detail=title, blocking=False if renamed else None)
    for path, text in result.items():
        yield from _compare(path, base.get(path, ""), text)
    yield from _checks(base, result)


def _titles(path: str, text: str) -> list[str]:
    language = language_of(path)
    return [] if language is None else [match[2] for match in language.title.finditer(text)]


def _compare(path: str, before: str, after: str) -> Iterator[Finding]:
    language = language_of(path)
    if language is None:
        return
    own = () if not before else language.named  # what a new file does to itself was asked for
    for kind, pattern in (
        ("skip-added", language.skip if before or language is not _GO else _SKIPS_OF_GO),
        ("focused-test", language.focus),
        ("exit-in-test", language.exits),
        *own,
    ):
        known = Counter(match[0] for match in pattern.finditer(before))
        if pattern is _NO_RUN and ".Run()" in after:
            continue
        for match in pattern.finditer(after):
            if known[match[0]]:
                known[match[0]] -= 1
            else:
                unsure = False if kind == "early-return" else None  # a helper may well return
                yield found(kind, path, after.count("\n", 0, match.start()) + 1, detail=match[0], blocking=unsure)
    yield from changed_checks(path, before, after)
    weaker = len(language.weak.findall(after)) - len(language.weak.findall(before))
    checks = len(language.check.findall(after)) - len(language.check.findall(before))
    if before and weaker > 0 and checks < weaker:
        match_ = list(language.weak.finditer(after))[-1]
        yield found("assert-weakened", path, after.count("\n", 0, match_.start()) + 1, detail=match_[0])


def _checks(base: Mapping[str, str], result: Mapping[str, str]) -> Iterator[Finding]:
    """Fewer checks than before, counted over all changed files of a language, so that moving one loses none."""
    counts: Counter[str] = Counter()
    for sign, side in ((1, base), (-1, result)):
        for path, text in side.items():
            language = language_of(path)
            if language is not None:
                counts[PurePosixPath(path).suffix] += sign * len(language.check.findall(_COMMENT.sub("", text)))
    for suffix, lost in counts.items():
        if lost > 0:
            path = next((p for p in result if p.endswith(suffix)), next((p for p in base if p.endswith(suffix)), ""))
            yield found("assert-removed", path, detail=f"{lost} fewer checks")
