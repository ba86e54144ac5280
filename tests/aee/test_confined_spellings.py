"""F3: names that a file system takes for others. Real files; the folding of four kinds of file system, by their rules.

A file system that folds names cannot be mounted without privilege, so an opener stands for one: it takes a name for the
entry that such a file system would take it for, and leaves the rest to the kernel.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from workbench.aee import confined as confined_module
from workbench.aee import workspace_paths
from workbench.aee.confined import Confined
from workbench.aee.openat2 import Opener, best_opener
from workbench.aee.workspace_paths import is_git
from workbench.model.errors import Refused, WorkbenchError

SECRET = b"the secret outside"
HOOK = b"#!/bin/sh\ntouch owned\n"
# Code points that these leave out of a comparison of names: Apple's TN1150, Linux' fs/unicode (NFDI).
_IGNORED = {
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    0xFEFF,
    0xAD,
}


def _hfs(name: str) -> str:
    """HFS+ and ext4 with casefold: canonical forms without case and without ignorable characters."""
    return "".join(c for c in unicodedata.normalize("NFD", name).casefold() if ord(c) not in _IGNORED)


def _ntfs(name: str) -> str:
    """NTFS: no case, no stream, no dots and blanks at the end, a short name, and the backslash parts names."""
    plain = name.casefold().split("\\")[0].split(":")[0].rstrip(" .")
    return ".git" if plain == "git~1" else plain


def _zfs(name: str) -> str:
    """ZFS with `normalization=formKC` and `casesensitivity=insensitive`; SMB servers fold alike."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


FOLDS: dict[str, Callable[[str], str]] = {"fat": str.casefold, "hfs": _hfs, "ntfs": _ntfs, "zfs": _zfs}
SPELLINGS = [
    ".git", ".GIT", ".Git", ".gIt", ".git ", ".git.", ".git. .", ".git...", "git~1", "GIT~1", ".git::$INDEX_ALLOCATION",
    ".git:stream", ".g\u200cit", ".git\u200c", "\u200d.git", ".gi\u200et", ".gi\u202et", ".\ufeffgit", ".git\u2060",
    ".gi\u206at", ".g\u00adit", ".git\ufe0f", "\uff0egit", ".\uff47\uff49\uff54", "\uff0e\uff27\uff29\uff34",
    ".\U0001d420\U0001d422\U0001d42d", ".git\\config",
]  # fmt: skip


def folding(fold: Callable[[str], str]) -> Opener:
    """Opens what a file system that folds names by `fold` would open."""

    def opened(directory: int, parts: Sequence[str], flags: int) -> int:
        current, folded = os.dup(directory), []
        try:
            for part in parts:
                names = _names(current) if current >= 0 else []
                taken = min((name for name in names if fold(name) == fold(part)), key=_late, default=part)
                folded.append(taken)
                below = _below(current, taken)
                if current >= 0:
                    os.close(current)
                current = below
        finally:
            if current >= 0:
                os.close(current)
        return best_opener()(directory, folded, flags)

    return opened


def _names(directory: int) -> list[str]:
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]


def _late(name: str) -> bool:
    """Whether a name was made under the folding: where names are folded, it would be no entry of its own."""
    return name not in (".git", "sub")


def _below(directory: int, name: str) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory) if directory >= 0 else -1
    except OSError:
        return -1


def takes_for_git(name: str) -> str:
    """The kind of file system that takes `name` for `.git`."""
    return next(kind for kind, fold in FOLDS.items() if fold(name) == ".git")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / ".git" / "hooks").mkdir(parents=True)
    (made / "file").write_bytes(HOOK)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(SECRET)
    return made


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("shape", ["{}/config", "sub/{}/hooks/pre-commit", "{}"])
def test_git_in_any_spelling_is_never_written(name: str, shape: str, root: Path) -> None:
    """Whatever some file system takes for `.git` is no place for our tools to write, move or delete."""
    path = shape.format(name)
    with Confined(root, opener=folding(FOLDS[takes_for_git(name)])) as confined:
        acts: list[Callable[[], object]] = [
            lambda: confined.write(path, HOOK),
            lambda: confined.move("file", path),
            lambda: confined.move(path, "x"),
            lambda: confined.delete(path),
        ]
        for act in acts:
            with pytest.raises(Refused, match="git's own"):
                act()
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*")) == [".git", ".git/hooks", "file"]


@pytest.mark.parametrize("name", SPELLINGS[1:])
def test_comparing_names_as_they_are_lets_each_spelling_in(
    name: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Positive control: where only `.git` itself is refused, a file system that folds names gets the agent's hook."""
    for module in (workspace_paths, confined_module):
        monkeypatch.setattr(module, "is_git", lambda part: part == ".git")
    with Confined(root, opener=folding(FOLDS[takes_for_git(name)])) as confined:
        confined.write(f"{name}/hooks/pre-commit", HOOK)
    assert (root / ".git/hooks/pre-commit").read_bytes() == HOOK


@pytest.mark.parametrize("kind", FOLDS)
@pytest.mark.parametrize("path", ["SUB/secret", "Sub/SECRET", "sub/secret"])
def test_a_folded_name_of_a_link_leads_nowhere(kind: str, path: str, root: Path) -> None:
    """A link is not followed under another spelling of its name; control: a tool that just opens reads the secret."""
    (root / "sub").symlink_to("../outside")
    with Confined(root, opener=folding(FOLDS[kind])) as confined:
        for act in (lambda: confined.read(path), lambda: confined.write(path, b"x")):
            with pytest.raises(WorkbenchError):
                act()
    assert (root.parent / "outside" / "secret").read_bytes() == SECRET
    assert Path(f"{root}/{path.lower()}").read_bytes() == SECRET


@pytest.mark.parametrize("name", [".gitignore", ".gitattributes", ".github", "git", ".gi", "my.git", "digit", ".gît"])
def test_names_that_only_resemble_git_are_free(name: str) -> None:
    """Files that projects really have are not refused."""
    assert not is_git(name)
