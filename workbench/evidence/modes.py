"""What a change does to the kind of a file: links that lead out, submodules, executables; it judges no code."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from workbench.model.evidence import Finding
from workbench.model.text import one_line
from workbench.ports import Change

LINK, MODULE, EXECUTABLE = "120000", "160000", "100755"
MAX_FINDINGS = 200


def mode_findings(change: Change) -> list[Finding]:
    """A finding for each changed path whose new mode a reviewer of lines would not see."""
    found: list[Finding] = []
    for path, (before, after) in sorted(change.modes().items()):
        found += _of_path(change, path, before=before, after=after)
    return found[:MAX_FINDINGS]


def _of_path(change: Change, path: str, *, before: str, after: str) -> Iterator[Finding]:
    if after == LINK:
        target = (change.result_file(path) or b"").decode("utf-8", "surrogateescape")
        if leaves(path, target):
            text = f"A symbolic link leads out of the repository: to {one_line(target, 100)}"
            yield Finding(kind="modes.link-out", severity="high", text=text, path=path)
        elif before and before != LINK:
            yield Finding(kind="modes.link", severity="medium", text="A file became a symbolic link", path=path)
    elif after == MODULE:
        what = "points elsewhere" if before == MODULE else "was added"
        text = f"A submodule {what}: nothing in it was looked at"
        yield Finding(kind="modes.submodule", severity="high", text=text, path=path)
    elif after == EXECUTABLE and before != EXECUTABLE:
        what = "was made executable" if before else "is executable"
        yield Finding(kind="modes.executable", severity="low", text=f"The file {what}", path=path)


def leaves(path: str, target: str) -> bool:
    """Whether a link at `path` may lead out of the tree, or into its `.git`.

    Going up behind a name counts, too: that name may be a link itself, and where `..` leads then, no text tells.
    """
    parts = [part for part in target.split("/") if part not in ("", ".")]
    down = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).split("/")
    return (
        target.startswith("/")
        or ".." in parts[down:]
        or inside[0] == ".."
        or any(part.lower() == ".git" for part in inside)
    )
