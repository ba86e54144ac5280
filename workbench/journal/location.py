"""Where a repository's journal lives, and which places are refused; it opens nothing."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from workbench.model.errors import JournalProblem
from workbench.model.ids import slug

DATABASE = "journal.sqlite3"  # in a journal's directory
BLOBS = "blobs"  # beside it
NOTE = "repository"  # the file with the path of the repository that a journal is of
OVERRIDE = "WORKBENCH_JOURNAL"
MOUNTS = Path("/proc/self/mountinfo")
_HASH_LENGTH = 12  # hex digits
# Locks or shared memory of SQLite's WAL do not hold across the machines that see these.
NETWORK_FILE_SYSTEMS = frozenset(
    """
    nfs nfs4 cifs smb2 smb3 smbfs 9p afs ncpfs coda ceph glusterfs lustre gpfs beegfs pvfs2 ocfs2 gfs2 davfs
    fuse.sshfs fuse.rclone fuse.s3fs fuse.gcsfuse fuse.glusterfs fuse.ceph fuse.davfs fuse.davfs2 fuse.juicefs
    """.split()  # noqa: SIM905 (a list of thirty would be thirty lines)
)


def journal_directory(common_dir: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The directory of the journal of the repository with this common git directory; one that it adopted, too."""
    override = environ.get(OVERRIDE, "")
    if override:
        return Path(override).expanduser().absolute()
    real = Path(os.path.realpath(common_dir))
    key = hashlib.sha256(os.fsencode(real)).hexdigest()[:_HASH_LENGTH]
    own = state_home(environ) / "workbench" / f"{_name(real)}-{key}"
    return Path(os.path.realpath(own)) if own.is_symlink() else own  # adopted: clones know its store by its own path


def state_home(environ: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_STATE_HOME` if it is absolute, else where this system keeps state."""
    named = environ.get("XDG_STATE_HOME", "")
    if Path(named).is_absolute():
        return Path(named)
    import platformdirs  # only where the environment does not say it

    return Path(platformdirs.user_state_dir())


def _name(common_dir: Path) -> str:
    inside = common_dir.name == ".git"
    name = common_dir.parent.name if inside else common_dir.name.removesuffix(".git")
    return slug(name) if re.search(r"[A-Za-z0-9]", name) else "repository"


def note_repository(directory: Path, common_dir: Path) -> None:
    """Leave word in the journal's directory which repository it is of, so that it is found when that was moved."""
    note = directory / NOTE
    told = os.fsencode(os.path.realpath(common_dir))
    with suppress(OSError):  # it is only a help
        if not note.exists() or note.read_bytes() != told:
            note.write_bytes(told)


def noted_repository(directory: Path) -> Path | None:
    """The common git directory of the repository that the journal was of, as far as that is known."""
    try:
        return Path(os.fsdecode((directory / NOTE).read_bytes()))
    except OSError:
        return None


def ensure_directory(directory: Path) -> None:
    """Make `directory`, for its owner alone. Raises JournalProblem where it cannot be, or must not be."""
    check_file_system(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise JournalProblem(
            f"the journal's directory {directory} cannot be made: {error.strerror}",
            hint=f"check permissions and space there, or set {OVERRIDE} to a directory on a local disk",
        ) from error


def check_file_system(directory: Path, *, mounts: Path = MOUNTS) -> None:
    """Raise JournalProblem when `directory` is, or would be, on a network file system."""
    try:
        table = mounts.read_text("utf-8", "surrogateescape")
    except OSError:
        return  # no such table on this system
    kind = file_system_of(Path(os.path.realpath(directory)), table)
    if kind in NETWORK_FILE_SYSTEMS:
        raise JournalProblem(
            f"{directory} is on a network file system ({kind}), where SQLite cannot keep a journal safely",
            hint=f"set {OVERRIDE} (or XDG_STATE_HOME) to a directory on a local disk",
            data={"directory": str(directory), "file_system": kind},
        )


def file_system_of(path: Path, table: str) -> str:
    """The type of the file system at `path` by a mount table in the format of proc(5) mountinfo; empty if unknown."""
    best, kind = -1, ""
    for line in table.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        mount_point = Path(_unescaped(fields[4]))
        depth = len(mount_point.parts)
        if depth >= best and path.is_relative_to(mount_point):  # a later mount hides an earlier one
            best, kind = depth, after.split(" ")[0]
    return kind


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)
