"""Characters in lines, paths and commits that show a reviewer something else than what runs: a finding, no crash.

Sources: CVE-2021-42574 (bidirectional controls), CVE-2021-42694 (homoglyphs), Unicode TR 39 (mixed scripts).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from workbench.evidence.static import added_lines, bound
from workbench.model.evidence import Finding
from workbench.model.text import one_line
from workbench.ports import Change, Collected, Commit

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
_ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad\u180e\u3164\uffa0\u115f\u1160]")
_TAGS = re.compile("[\U000e0000-\U000e007f]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_LONE_RETURN = re.compile("\r(?!\n)")
_WORD = re.compile(r"[^\W\d_]\w*")
_LOOKALIKE_SCRIPTS = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL")
_TRICKS = (("bidirectional", _BIDI), ("tag", _TAGS), ("zero-width", _ZERO_WIDTH), ("control", _CONTROL))
MAX_FINDINGS = 200


class Deceptive:
    """Port Collector: passed when no added line, path or commit holds a deceiving character."""

    name = "text"

    def collect(self, change: Change) -> Collected:
        """Look at added lines, at all paths on the way from base to head, and at what its commits say of themselves."""
        paths = dict.fromkeys(path for _, path in change.changed_paths())
        paths |= {path: None for files in change.history_added_lines().added.values() for path in files}
        found = [finding for path in paths for finding in _tricks(path, 0, path)]
        found += (finding for commit in change.commits() for finding in _of_commit(commit))
        for path, numbers in sorted(change.added_lines().items()):
            for number, text in added_lines(change, path, numbers):
                if not text.isascii() or _CONTROL.search(text):
                    found += _tricks(path, number, text)
        findings = tuple(dict.fromkeys(found))[:MAX_FINDINGS]
        summary = (
            f"{len(findings)} deceiving characters in lines, paths or commits"
            if findings
            else "no deceiving characters"
        )
        state = "failed" if findings else "passed"
        evidence = bound(change, "text", criterion="hygiene", state=state, summary=summary)  # type: ignore[arg-type]  # one of two literals
        return Collected(evidence=(evidence,), findings=findings)


def _tricks(path: str, line: int, text: str) -> Iterator[Finding]:
    for kind, shape in _TRICKS:
        match = shape.search(text)
        if match and not (kind == "zero-width" and _joins_emoji(text, match.start())):
            yield _finding(kind, path, line, f"U+{ord(match[0]):04X}", text)
    for word in _WORD.findall(text):
        if not word.isascii() and _mixes_scripts(word):
            yield _finding("homoglyph", path, line, f"{word!a} looks like plain letters", text)
            return


def _of_commit(commit: Commit) -> Iterator[Finding]:
    """Words of any script are fine in a message; what steers a screen is not."""
    author = "\n".join(dict.fromkeys((commit.author, commit.committer)))
    for part, text in (("message", commit.message), ("author", author)):
        for kind, shape in (*_TRICKS, ("control", _LONE_RETURN)):
            match = shape.search(text)
            if match and not (kind == "zero-width" and _joins_emoji(text, match.start())):
                around = one_line(text[max(0, match.start() - 40) : match.start() + 40], 100)
                said = f"A {kind} character (U+{ord(match[0]):04X}) in the {part} of commit {commit.id[:12]}: {around}"
                yield Finding(kind=f"text.commit-{part}", severity="high", text=said)


def _joins_emoji(text: str, at: int) -> bool:
    return text[at] == "\u200d" and 0 < at < len(text) - 1 and ord(text[at - 1]) > 0x2000 and ord(text[at + 1]) > 0x2000


def _mixes_scripts(word: str) -> bool:
    """Whether a word mixes ASCII letters with letters of a script that holds look-alikes of them."""
    foreign = any(
        unicodedata.name(c, "").startswith(_LOOKALIKE_SCRIPTS) for c in word if c.isalpha() and not c.isascii()
    )
    return foreign and any(c.isascii() and c.isalpha() for c in word)


def _finding(kind: str, path: str, line: int, what: str, text: str) -> Finding:
    said = f"A {kind} character that deceives the eye ({what}): {one_line(text, 100)}"
    return Finding(kind=f"text.{kind}", severity="high", text=said, path=path, line=line)
