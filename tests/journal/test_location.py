"""Where the journal lives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.journal.location import check_file_system, ensure_directory, file_system_of, journal_directory
from workbench.journal.store import open_journal
from workbench.model.errors import JournalProblem
from workbench.testing.clock import SettableClock

TABLE = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /mnt rw - nfs4 server:/export rw
31 22 0:41 / /mnt/local\\040disk rw shared:2 master:1 - xfs /dev/sdb rw
32 22 0:42 / /home/ann/remote rw - fuse.sshfs ann@host: rw
33 22 0:43 / /twice rw - nfs server:/a rw
34 33 0:44 / /twice rw - tmpfs none rw
"""


def test_it_is_named_for_the_repository_and_its_place(tmp_path: Path) -> None:
    """Two checkouts of one name have two journals; a symbolic link to a repository has the repository's."""
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    first, second = tmp_path / "a" / "My Project" / ".git", tmp_path / "b" / "My Project" / ".git"
    first.mkdir(parents=True)
    (tmp_path / "link").symlink_to(first.parent)

    place = journal_directory(first, state)

    assert place.parent == tmp_path / "state" / "workbench"
    assert place.name.startswith("my-project-")
    assert len(place.name) == len("my-project-") + 12
    assert journal_directory(second, state) != place
    assert journal_directory(tmp_path / "link" / ".git", state) == place


@pytest.mark.parametrize("name", ["\x1b[31m", "..", "データ", "a\nb", "x" * 300])
def test_any_repository_name_gives_a_plain_directory_name(name: str) -> None:
    """No control character and no path component of the repository reaches the state directory."""
    place = journal_directory(Path("/srv") / f"{name}.git", {"XDG_STATE_HOME": "/state"})

    assert place.parent == Path("/state/workbench")
    assert place.name.isascii()
    assert place.name.isprintable()
    assert len(place.name) < 60


def test_the_environment_can_name_it(tmp_path: Path) -> None:
    """`WORKBENCH_JOURNAL` wins over everything; a relative `XDG_STATE_HOME` is ignored, as its standard says."""
    assert journal_directory(Path("/r/.git"), {"WORKBENCH_JOURNAL": str(tmp_path)}) == tmp_path
    assert journal_directory(Path("/r/.git"), {"XDG_STATE_HOME": "here"}).is_absolute()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/ann/state", "ext4"),
        ("/mnt/state", "nfs4"),
        ("/mnt/local disk/state", "xfs"),
        ("/mntx", "ext4"),
        ("/home/ann/remote", "fuse.sshfs"),
        ("/twice/x", "tmpfs"),
    ],
)
def test_the_file_system_is_the_innermost_and_newest_mount(path: str, kind: str) -> None:
    """Read off the kernel's own table, escapes and hidden mounts included."""
    assert file_system_of(Path(path), TABLE) == kind


def test_network_file_systems_are_refused_with_the_remedy(tmp_path: Path) -> None:
    """SQLite's log needs shared memory, which no network file system gives (control: a local one is taken)."""
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    check_file_system(Path("/var/state"), mounts=table)

    with pytest.raises(JournalProblem, match="network file system") as refused:
        check_file_system(Path("/mnt/state"), mounts=table)

    assert "WORKBENCH_JOURNAL" in refused.value.hint


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """Whatever the umask: the directory, the database and the blobs; a directory that was there keeps its mode."""
    before = os.umask(0)
    try:
        with open_journal(tmp_path / "new" / "journal", clock=SettableClock()) as journal:
            journal.blobs.put(b"x")
            made = [journal.directory, *journal.directory.rglob("*")]
        (tmp_path / "there").mkdir(mode=0o755)
        ensure_directory(tmp_path / "there")
    finally:
        os.umask(before)

    assert {path.name: oct(path.stat().st_mode & 0o077) for path in made if path.exists()} == {
        path.name: "0o0" for path in made if path.exists()
    }
    assert (tmp_path / "there").stat().st_mode & 0o777 == 0o755


def test_a_directory_that_cannot_be_made_is_a_clear_message(tmp_path: Path) -> None:
    """For instance because a file is in the way."""
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalProblem) as refused:
        open_journal(tmp_path / "file" / "journal", clock=SettableClock())

    assert "WORKBENCH_JOURNAL" in refused.value.hint
