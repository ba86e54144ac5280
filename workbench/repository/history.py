"""The commits between a base and a head, one by one: who made them, what they say and which lines they add.

One bounded call of git's plumbing, no driver of anybody's; what a line means is not known here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator

from workbench.ports import MAX_COMMITS, AddedLines, Commit, History
from workbench.repository.git import Git
from workbench.repository.reader import ObjectReader

MAX_LINES = 200_000  # added lines of all commits together
MAX_BYTES = 64 << 20  # of git's output
MAX_LINE = 64 << 10  # bytes of one line that are kept
MAX_MESSAGE = 100_000  # bytes of one commit's object
MAX_RECENT = 500  # commits of a branch that are looked at for what changes often
MAX_OF_FILE = 20  # of these, the last ones that touched a file
_NOTHING_FETCHED = {"GIT_NO_LAZY_FETCH": "1"}
_MENDS = re.compile(r"\b(fix(es|ed|up)?|bug(s|fix|fixes)?|hotfix|revert(s|ed)?|regression)\b", re.IGNORECASE)
_HUNK = re.compile(rb"@@+ (?:-\d+(?:,\d+)? )+\+(\d{1,9})(?!\d)")
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)")
_LETTERS = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_DIFF = (
    "diff-tree", "--stdin", "-r", "-p", "-c", "-U0", "--root", "--no-renames", "--no-ext-diff", "--no-textconv",
    "--no-color", "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip


def commit_ids(git: Git, base: str, head: str) -> tuple[list[str], int]:
    """(commits of `head` that `base` has not, newest first, at most MAX_COMMITS; how many there are)."""
    span = ("--end-of-options", f"{base}..{head}")
    ids = git.run("rev-list", f"--max-count={MAX_COMMITS}", *span).text.split()
    total = len(ids) if len(ids) < MAX_COMMITS else int(git.text("rev-list", "--count", *span))
    return ids, total


def read_commit(reader: ObjectReader, commit: str) -> Commit:
    """A commit as its object says."""
    head, _, message = reader.read(commit)[1][:MAX_MESSAGE].partition(b"\n\n")
    fields = dict(reversed([line.partition(b" ")[::2] for line in head.split(b"\n")]))
    who = {role: _text(fields.get(role.encode(), b"").rsplit(b" ", 2)[0]) for role in ("author", "committer")}
    return Commit(id=commit, message=_text(message), **who)


def often_mended(git: Git, commit: str, paths: Collection[str]) -> dict[str, tuple[int, int]]:
    """(of late commits up to `commit` that touched the path, how many say that they mend something), by path.

    Merges are left out, and so is a commit without a parent. Raises RepositoryProblem where the commit is not there.
    """
    span = (f"--max-count={MAX_RECENT}", "--no-merges", "--format=%s%x00", "--end-of-options", commit)
    told = git.run("rev-list", *span, env=_NOTHING_FETCHED).out.decode("utf-8", "replace").split("\0")
    said = dict(_subject(each) for each in told if each.strip())
    names = ("diff-tree", "--stdin", "-r", "-z", "--name-only", "--no-renames", "--no-ext-diff")
    wanted, found, mends = frozenset(paths), dict[str, tuple[int, int]](), False
    commits = "".join(f"{each}\n" for each in said).encode()
    for field in git.run(*names, stdin=commits, env=_NOTHING_FETCHED).fields:
        if field in said:
            mends = _MENDS.search(said[field]) is not None
        elif field in wanted and found.get(field, (0, 0))[0] < MAX_OF_FILE:
            touched, mended = found.get(field, (0, 0))
            found[field] = (touched + 1, mended + mends)
    return found


def _subject(told: str) -> tuple[str, str]:
    head, _, subject = told.lstrip("\n").partition("\n")
    return head.removeprefix("commit "), subject


def added_by(git: Git, commits: list[str], total: int) -> History:
    """What `commits`, of `total`, add."""
    left = [f"{total - len(commits)} earlier commits"] if total > len(commits) else []
    added: dict[str, dict[str, AddedLines]] = {}
    budget = _Budget()
    for commit, path, lines in _sections(_output(git, commits, budget)):
        room = max(0, MAX_LINES - budget.lines)
        added.setdefault(commit, {})[path] = tuple(lines[:room])
        budget.lines += len(lines)
    if budget.cut or budget.lines > MAX_LINES:
        left.append(f"added lines beyond the first {min(budget.lines, MAX_LINES)}")
    return History(added=added, left_out=tuple(left))


class _Budget:
    """What of the bounds is used up."""

    def __init__(self) -> None:
        self.lines, self.bytes, self.cut = 0, 0, False


def _output(git: Git, commits: list[str], budget: _Budget) -> Iterator[bytes]:
    """Git's output line by line, until the bounds are reached."""
    if not commits:
        return
    process = git.start(*_DIFF)
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write("".join(f"{commit}\n" for commit in commits).encode())  # fits into the pipe's buffer
        process.stdin.close()
        while line := process.stdout.readline(MAX_BYTES):
            budget.bytes += len(line)
            if budget.bytes > MAX_BYTES or budget.lines > MAX_LINES:
                budget.cut = True
                return
            yield line.removesuffix(b"\n")
        budget.cut = process.wait() != 0
    finally:
        process.kill()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()


def _sections(output: Iterable[bytes]) -> Iterator[tuple[str, str, list[tuple[int, str]]]]:
    """(commit, path, added lines) of each file; content starts with + - blank or backslash and poses as no header."""
    commit, path, number, parents = "", "", 0, 0
    lines: list[tuple[int, str]] = []
    for line in output:
        if line.startswith(b"diff --") or re.fullmatch(rb"[0-9a-f]{40,64}", line):
            if path:
                yield commit, path, lines
            path, number, parents, lines = "", 0, 0, []
            if line.startswith(b"diff --"):
                path = path_of(line)
            else:
                commit = line.decode()
        elif line.startswith(b"@@") and (found := _HUNK.match(line)):
            number, parents = int(found[1]), line.index(b" ") - 1
        elif parents and not line.startswith(b"\\") and b"-" not in line[:parents]:
            if line.startswith(b"+" * parents):
                lines.append((number, _text(line[parents : parents + MAX_LINE])))
            number += 1
    if path:
        yield commit, path, lines


def path_of(header: bytes) -> str:
    """The path in `diff --git a/P b/P` or `diff --combined P`; P may be quoted."""
    kind, _, rest = header.removeprefix(b"diff --").partition(b" ")
    if kind == b"git":
        return _unquoted(rest[: len(rest) // 2]).removeprefix("a/")
    return _unquoted(rest)


def _unquoted(name: bytes) -> str:
    if name.startswith(b'"') and name.endswith(b'"'):
        name = _ESCAPED.sub(_unescaped, name[1:-1])
    return os.fsdecode(name)


def _unescaped(found: re.Match[bytes]) -> bytes:
    what = found[1]
    return bytes([int(what, 8) & 255]) if len(what) == 3 else _LETTERS.get(what, what)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
