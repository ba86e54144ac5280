"""Signs of risk in the changed lines of one file: locks, concurrency, errors, calls that security hangs on.

Words and shapes, language by language, in lines that came or went; it proves nothing, and tells a person where to look.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from workbench.evidence.static import text_of

MAX_LINE = 500  # characters of a line that are looked at
MAX_DETAIL = 40  # characters of the words that were found
_LANGUAGES = re.compile(r"\.(pyi?|[cm]?[jt]sx?|go|rs|rb|java|kt|cs|swift|c|cc|cpp|h|hpp|php|scala|sh)")
_COMMENT = re.compile(r"\s*(#(?!\[)|//|/\*|\*[\s/])")
_LOCKING = re.compile(
    r"\b\w*[Mm]utex\w*|\b(RwLock|R?Lock|R?Unlock|Semaphore|Barrier|Condition)\s*[(<.{]|\bAtomic\w+|\batomic\b"
    r"|\bsynchronized\b|\bvolatile\b|\block_guard\b|\.(acquire|release|lock|unlock|read_lock|write_lock)\("
    r"|\b(with|lock)\s*\(?\s*[\w.]*lock\b|\bsync\.\w+"
)
_CONCURRENT = re.compile(
    r"\bgo\s+(func\b|[\w.]+\()|\b(threading|multiprocessing|asyncio|tokio)\b|\bconcurrent\.futures\b|\bThread\w*\s*[(.:]"
    r"|\basync\b|\bawait\b|\bchan\b|\b\w*ThreadPool\w*|\b\w*Executor\b|\bcreate_task\(|\bPromise\.(all|race|any)\w*"
    r"|\bnew\s+Worker\b|\bthread::|\.spawn\(|\bselect\s*\{|\bpthread_\w+|\bos\.fork\("
)
_CHANNEL = re.compile(r"<-")
_SECURITY = re.compile(
    r"(?<![\w.])(eval|exec)\s*\(|\bsubprocess\b|\bos\.(system|popen)\b|\bchild_process\b|\bexec\.Command\b"
    r"|\bProcessBuilder\b|\bgetRuntime\b|\b(SELECT\b.{1,200}\bFROM|INSERT\s+INTO|UPDATE\b.{1,200}\bSET|DELETE\s+FROM)\b"
    r"|\.(execute|executemany|raw)\(|\b\w*(crypt|cipher)\w*|\bhashlib\b|\bhmac\b|\bssl\b|\btls\b|\bjwt\b|\b\w*[Oo]auth\w*"
    r"|\b\w*passw(or)?d\w*|\b\w*([Ss]ecret|[Aa]uthenti[cf]|[Aa]uthoriz|[Pp]ermission|[Ss]anitiz|csrf|CSRF)\w*"
    r"|\b\w*(auth|access|api|session)_?[Tt]oken\w*|\bpickle\b|\bdeseriali[sz]e\w*|\binnerHTML\b|\bchmod\b|\bsetuid\b"
    r"|\bunsafe\b"
)
_ERRORS = re.compile(
    r"\b(try|except|catch|rescue|finally|raise|throws?|panic|recover)\b|\berr\s*[!=]=\s*nil|\.unwrap\w*\(|\.catch\("
    r"|\berrors\.\w+|\bErr\(|\?;"
)
_PANICS = re.compile(r"\.unwrap\(\)|\.expect\(|\b(panic|unreachable|todo)!?\(")
_RAISES = re.compile(r"\b(raise|throw)\b")
_LINE_SWALLOWED = {
    ".go": re.compile(r"(^|,)\s*_\s*:?=\s*[\w.]+\("),
    ".rs": re.compile(r"\blet\s+_\s*=|\.ok\(\);"),
    ".rb": re.compile(r"\brescue\s+nil\b"),
}
_QUIET_END = r"(?:(?:return|continue|break)\b[^\n;{}()]{0,40};?\s{0,200})?\}"
_BRACED = re.compile(
    r"(?:\bcatch\s{0,9}(?:\([^)\n]{0,200}\))?\s{0,9}|\berr\s*!=\s*nil\s*)\{\s{0,200}(?:(?://|/\*)[^\n]{0,200}\n\s{0,200}){0,5}"
    + _QUIET_END
)
_GO_RETURNS = re.compile(r"return[^\n{}]*\berr")
_HANDLER = re.compile(r"(\s*)except\b[^#]*:\s*(\S.*)?$")
_QUIET = re.compile(
    r"(pass|\.\.\.|continue|break|return(\s+(None|True|False|-?\d+|\"\"|''|\[\]|\{\}|\(\)|\w+))?)\s*(#.*)?$"
)


class Sign(NamedTuple):
    """One sign: its name, a line of the result (0: none, it went), and the words that show it."""

    name: str
    line: int = 0
    detail: str = ""


def signs_of(path: str, old: bytes | None, new: bytes | None) -> tuple[Sign, ...]:
    """The signs in what differs between both sides, each name once; none of what is no code."""
    suffix = PurePosixPath(path).suffix
    before, after = text_of(old) or "", text_of(new) or ""
    if not _LANGUAGES.fullmatch(suffix):
        return ()
    come, gone = _unmatched(after, before), _unmatched(before, after)
    kept: dict[str, Sign] = {}
    for sign in _signs(suffix, after, come, gone):
        kept.setdefault(sign.name, sign)
    return tuple(kept.values())


def _unmatched(text: str, other: str) -> list[tuple[int, str]]:
    """Lines of code that the other text has not, as often as that is so; neither indentation nor comments count."""
    there = Counter(line.strip() for line in other.split("\n"))
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        words = line.strip()
        if there[words] > 0:
            there[words] -= 1
        elif words and not _COMMENT.match(line):
            found.append((number, line[:MAX_LINE]))
    return found


def _signs(suffix: str, text: str, come: list[tuple[int, str]], gone: list[tuple[int, str]]) -> Iterator[Sign]:
    numbers = frozenset(number for number, _ in come)
    swallowed = next(iter(sorted(_swallowed(suffix, text, come, numbers))), 0)
    if swallowed:
        yield Sign("swallowed", swallowed)
    if _hits(_RAISES, gone) > _hits(_RAISES, come):
        yield Sign("unraised")
    lost = _hits(_LOCKING, gone) > _hits(_LOCKING, come)
    for name, pattern in (
        ("unlocked" if lost else "locking", _LOCKING),
        ("concurrency", _CONCURRENT),
        ("security", _SECURITY),
        ("errors", _ERRORS),
    ):
        yield from _first(name, pattern, come, gone)
    if suffix == ".go":
        yield from _first("concurrency", _CHANNEL, come, gone)
    if suffix in (".rs", ".go"):
        yield from _first("panics", _PANICS, come, [])


def _hits(pattern: re.Pattern[str], lines: Iterable[tuple[int, str]]) -> int:
    return sum(pattern.search(line) is not None for _, line in lines)


def _first(
    name: str, pattern: re.Pattern[str], come: Iterable[tuple[int, str]], gone: Iterable[tuple[int, str]]
) -> Iterator[Sign]:
    for number, line in [*come, *((0, line) for _, line in gone)]:
        if match := pattern.search(line):
            yield Sign(name, number, " ".join(match[0].strip(" (<.{").split())[:MAX_DETAIL])
            return


def _swallowed(suffix: str, text: str, come: list[tuple[int, str]], numbers: frozenset[int]) -> Iterator[int]:
    """Lines at which an error is taken and nothing is made of it."""
    if suffix in (".py", ".pyi"):
        yield from _quiet_handlers(text.split("\n"), numbers)
        return
    single = _LINE_SWALLOWED.get(suffix)
    if single is not None:
        yield from (number for number, line in come if single.search(line))
    for match in _BRACED.finditer(text) if numbers else ():
        first = text.count("\n", 0, match.start()) + 1
        is_passed_on = suffix == ".go" and _GO_RETURNS.search(match[0])
        if not is_passed_on and not numbers.isdisjoint(range(first, first + match[0].count("\n") + 1)):
            yield first


def _quiet_handlers(lines: list[str], numbers: frozenset[int]) -> Iterator[int]:
    for at, line in enumerate(lines):
        handler = _HANDLER.match(line[:MAX_LINE])
        if handler is None:
            continue
        body = [(at + 1, handler[2])] if handler[2] else list(_body(lines, at + 1, len(handler[1])))
        is_new = at + 1 in numbers or any(number in numbers for number, _ in body)
        if is_new and body and all(_QUIET.match(words) for _, words in body):
            yield at + 1


def _body(lines: list[str], start: int, indent: int) -> Iterator[tuple[int, str]]:
    for at in range(start, len(lines)):
        words = lines[at].strip()
        if words and len(lines[at]) - len(lines[at].lstrip()) <= indent:
            return
        if words and not words.startswith("#"):
            yield at + 1, words
