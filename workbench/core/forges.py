"""People's comments as a review on a forge. Pure.

A forge takes comments on lines only where its diff shows them: within three lines of a change. GitHub refuses a whole
review for one that stands elsewhere, so whatever does not stand there is in the review's own text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from workbench.code.githunks import AROUND, GitHunk
from workbench.core.comments import Placed
from workbench.core.state import PackState
from workbench.core.suggestions import fenced, markdown


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A changed file as a forge shows it."""

    path: str
    old_path: str
    hunks: tuple[GitHunk, ...]


def github_review(pack: PackState, comments: Iterable[Placed], shown: Mapping[str, Shown]) -> dict[str, Any]:
    """The body of GitHub's `POST /repos/{owner}/{repo}/pulls/{number}/reviews`, for its REST API of 2022-11-28.

    `shown` has the changed files by their paths, old and new ones.
    """
    on_lines, others = _apart(comments, shown)
    return {
        "commit_id": pack.head,
        "event": "COMMENT",
        "body": markdown(pack, others) if others else "",
        "comments": [_on_github(one) for one in on_lines],
    }


def gitlab_discussions(pack: PackState, comments: Iterable[Placed], shown: Mapping[str, Shown]) -> list[dict[str, Any]]:
    """The bodies of GitLab's `POST /projects/:id/merge_requests/:iid/discussions` (API v4), one for each comment."""
    on_lines, others = _apart(comments, shown)
    shas = {"base_sha": pack.base_commit, "start_sha": pack.base_commit, "head_sha": pack.head}
    found: list[dict[str, Any]] = [{"body": markdown(pack, others)}] if others else []
    for one in on_lines:
        file = shown[one.path]
        position = {"position_type": "text", **shas, "old_path": file.old_path, "new_path": file.path}
        lines = f"Lines {one.first} to {one.last}: " if one.last > one.first and one.suggestion is None else ""
        body = _body(one, f"suggestion:-{one.last - one.first}+0")
        found.append({"body": f"{lines}{body}", "position": {**position, **_numbers(one, file)}})
    return found


def _apart(comments: Iterable[Placed], shown: Mapping[str, Shown]) -> tuple[list[Placed], list[Placed]]:
    """Those that stand on lines that the forge shows, and the others."""
    on_lines: list[Placed] = []
    others: list[Placed] = []
    for one in comments:
        (on_lines if one.place == "here" and _is_shown(one, shown.get(one.path)) else others).append(one)
    return on_lines, others


def _is_shown(one: Placed, file: Shown | None) -> bool:
    """Whether one hunk shows all the lines."""
    if file is None:
        return False
    sides = [_blocks(hunk, one.side) for hunk in file.hunks]
    return any(blocks[0][0] - AROUND <= one.first and one.last < blocks[-1][1] + AROUND for blocks in sides)


def _blocks(hunk: GitHunk, side: str) -> Sequence[tuple[int, int]]:
    return [block.old if side == "old" else block.new for block in hunk.blocks]


def _numbers(one: Placed, file: Shown) -> dict[str, int]:
    """The last line by its number; a line that both sides have is known by both."""
    line, is_old, shift = one.last, one.side == "old", 0
    for block in (block for hunk in file.hunks for block in hunk.blocks):
        own, other = (block.old, block.new) if is_old else (block.new, block.old)
        if own[0] <= line < own[1]:
            return {"old_line" if is_old else "new_line": line}
        if own[0] <= line:
            shift = other[1] - own[1]
    there = line + shift
    return {"old_line": line, "new_line": there} if is_old else {"old_line": there, "new_line": line}


def _on_github(one: Placed) -> dict[str, Any]:
    side = "LEFT" if one.side == "old" else "RIGHT"
    start = {"start_line": one.first, "start_side": side} if one.last > one.first else {}
    return {"path": one.path, "line": one.last, "side": side, **start, "body": _body(one, "suggestion")}


def _body(one: Placed, fence: str) -> str:
    return one.text if one.suggestion is None else f"{one.text}\n\n{fenced(one.suggestion, fence)}".lstrip()
