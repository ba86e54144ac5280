"""People's comments in the forms of others: Markdown, a forge's review, and suggestions as a patch. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workbench.core.comments import Placed, Reads
from workbench.core.decide.comment import place_of
from workbench.core.state import PackState

CONTEXT = 3  # lines around a suggestion in a patch


def markdown(pack: PackState, comments: Sequence[Placed]) -> str:
    """The comments as Markdown, by file and line; what quotes code is fenced so that it ends nowhere early."""
    parts = [f"# Comments on {pack.id}\n"]
    for one in sorted(comments, key=lambda each: (each.path, each.first, each.id)):
        place = place_of({**one.target, "first": one.first, "last": one.last}) or "the whole"
        gone = " (outdated: these lines are gone)" if one.place == "outdated" else ""
        parts.append(f"## {_in_line(place)}{gone}\n\n{_in_line(one.by)}, {one.at}, {one.state}, `{one.id}`\n")
        parts.append("\n".join(f"> {line}" for line in one.text.splitlines()) + "\n")
        if one.suggestion is not None:
            parts.append(_fenced(one.suggestion, "suggestion"))
        if one.claim:
            parts.append(f"The agent says: {_in_line(one.claim)}\n")
        if one.settled:
            parts.append(f"Settled by {_in_line(one.settled_by)}: {_in_line(one.settled)}\n")
    return "\n".join(parts)


def github_review(pack: PackState, comments: Iterable[Placed]) -> dict[str, Any]:
    """The body of GitHub's `POST /repos/{owner}/{repo}/pulls/{number}/reviews`, for its REST API of 2022-11-28.

    Comments that stand on no lines of this pack are in the review's own text.
    """
    on_lines, others = _apart(comments)
    return {
        "commit_id": pack.head,
        "event": "COMMENT",
        "body": markdown(pack, others) if others else "",
        "comments": [_on_github(one) for one in on_lines],
    }


def gitlab_discussions(pack: PackState, comments: Iterable[Placed]) -> list[dict[str, Any]]:
    """The bodies of GitLab's `POST /projects/:id/merge_requests/:iid/discussions` (API v4), one for each comment."""
    on_lines, others = _apart(comments)
    shas = {"base_sha": pack.base_commit, "start_sha": pack.base_commit, "head_sha": pack.head}
    found: list[dict[str, Any]] = [{"body": markdown(pack, others)}] if others else []
    for one in on_lines:
        numbered = {"new_path": one.path, "new_line": one.last}
        if one.side == "old":
            numbered = {"old_path": one.path, "old_line": one.last}
        position = {"position_type": "text", **shas, **numbered}
        found.append({"body": _body(one, f"suggestion:-{one.last - one.first}+0"), "position": position})
    return found


def patch(comments: Iterable[Placed], reads: Reads) -> tuple[str, list[str]]:
    """The suggestions as a patch that `git apply` takes, and the ids of those that it leaves out.

    Left out are suggestions whose lines are gone, or that overlap one that was made before.
    """
    wanted: dict[str, list[Placed]] = {}
    left_out: list[str] = []
    for one in comments:
        if one.suggestion is None or one.settled:
            continue
        taken = wanted.setdefault(one.path, [])
        apart = all(one.last < other.first or one.first > other.last for other in taken)
        if one.place == "here" and one.side == "new" and apart:
            taken.append(one)
        else:
            left_out.append(one.id)
    parts = [part for path in sorted(wanted) for part in _file_patch(path, wanted[path], reads(path, "new") or ())]
    return "".join(parts), left_out


def _file_patch(path: str, suggested: Sequence[Placed], lines: Sequence[str]) -> Iterator[str]:
    changed = list(lines)
    for one in sorted(suggested, key=lambda each: -each.first):
        changed[one.first - 1 : one.last] = (one.suggestion or "").splitlines()
    before, after = ([f"{line}\n" for line in text] for text in (lines, changed))
    yield from difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", n=CONTEXT)


def _apart(comments: Iterable[Placed]) -> tuple[list[Placed], list[Placed]]:
    """Those that stand on lines, and the others."""
    known = list(comments)
    return [one for one in known if one.place == "here"], [one for one in known if one.place != "here"]


def _on_github(one: Placed) -> dict[str, Any]:
    side = "LEFT" if one.side == "old" else "RIGHT"
    start = {"start_line": one.first, "start_side": side} if one.last > one.first else {}
    return {"path": one.path, "line": one.last, "side": side, **start, "body": _body(one, "suggestion")}


def _body(one: Placed, fence: str) -> str:
    return one.text if one.suggestion is None else f"{one.text}\n\n{_fenced(one.suggestion, fence)}".lstrip()


def _fenced(text: str, language: str) -> str:
    ticks = "```"
    while ticks in text:
        ticks += "`"
    return f"{ticks}{language}\n{text.rstrip(chr(10))}\n{ticks}\n"


def _in_line(text: str) -> str:
    return " ".join(text.split())
