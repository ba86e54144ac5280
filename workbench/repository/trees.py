"""Directories that untrusted hands filled: measured, copied to an archive, taken back and removed, following no link.

Where a tree may be of any depth, the system's own programs walk it: they need neither a path nor a stack for that. It
must not know runs, workspaces or git beyond the name of its directory.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath

from workbench.model.errors import EnvironmentProblem, Refused, RepositoryProblem

SAID = 300  # characters of a program's own words in an error
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def staging(parent: Path) -> Path:
    """A fresh directory of ours below `parent`."""
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".making-", dir=parent))


def remove_tree(place: Path) -> None:
    """Remove a directory, or whatever else has its name. Raises RepositoryProblem when it stays."""
    if place.is_symlink() or not place.is_dir():
        place.unlink(missing_ok=True)
        return
    if _said("rm", "-rf", "--", str(place)).returncode:
        _unlock(place)
        _said("rm", "-rf", "--", str(place))
    if os.path.lexists(place):
        raise RepositoryProblem(f"{place} cannot be removed", hint=f"look at its owner and mode, then: rm -r {place}")


def bytes_below(place: Path) -> int:
    """What a tree holds on disk."""
    words = _said("du", "-skx", "--", str(place)).stdout.split()
    return int(words[0]) * 1024 if words else 0


def is_deeper(place: Path, levels: int) -> bool:
    """Whether something lies more than `levels` directories below `place`."""
    return bool(_said("find", str(place), "-mindepth", str(levels + 1), "-print", "-quit").stdout)


def pack_tree(source: Path, target: Path) -> None:
    """Everything below `source` as a compressed archive: links as links, holes as holes. Raises EnvironmentProblem."""
    how = ("--create", "--sparse", "--one-file-system", "--use-compress-program=gzip -1")
    words = ("tar", *how, f"--file={target}", f"--directory={source}", ".")
    done = _said(*words)
    if done.returncode:
        _unlock(source)  # a file that its owner may not read
        done = _said(*words)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[:SAID]
        raise EnvironmentProblem(f"{source} cannot be copied: {said}", hint="make room on the disk, then try again")


def unpack_tree(archive: Path, target: Path) -> tuple[str, ...]:
    """Take plain files, directories and links that stay inside back into `target`, which is made; what was left out.

    Git directories are left out, too: their settings and hooks are an agent's, and a person's git would obey them.
    Raises EnvironmentProblem where the archive is damaged or does not fit; `target` is there whole, or not at all.
    """
    require_absent(target)
    making = staging(target.parent)
    try:
        left_out = _unpacked(archive, making)
        making.rename(target)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as problem:
        hint = f"make room or take another place; tar -xzf {archive} reads what there is, and obeys whatever is in it"
        raise EnvironmentProblem(f"{archive} cannot be unpacked: {problem}", hint=hint) from None
    finally:
        remove_tree(making)
    return left_out


def _unpacked(archive: Path, target: Path) -> tuple[str, ...]:
    links: dict[str, tarfile.TarInfo] = {}
    left_out: list[str] = []
    with tarfile.open(archive) as opened:
        for entry in opened:
            if _is_git(entry.name):
                left_out += [entry.name] if _is_git(PurePosixPath(entry.name).name) else []
            elif _link_of(entry, links) is None and not _extracted(opened, entry, target):
                left_out.append(entry.name)
    left_out += [name for name, link in links.items() if not _linked(target, name, link)]
    return tuple(sorted(left_out))


def require_absent(target: Path) -> None:
    """Raise Refused where something stands already, be it a link that leads nowhere."""
    if os.path.lexists(target):
        raise Refused(f"{target} is there already", hint="name a directory that does not exist yet")


def _is_git(name: str) -> bool:
    return any(part.lower() == ".git" for part in PurePosixPath(name).parts)


def _link_of(entry: tarfile.TarInfo, links: dict[str, tarfile.TarInfo]) -> tarfile.TarInfo | None:
    """The symbolic link that an entry is, or is another name of. All come last, so that nothing is written through."""
    link = entry if entry.issym() else links.get(entry.linkname) if entry.islnk() else None
    if link is not None:
        links[entry.name] = link
    return link


def _extracted(opened: tarfile.TarFile, entry: tarfile.TarInfo, target: Path) -> bool:
    """Write one entry. As no link is there yet, a name that does not climb cannot lead out."""
    names = [entry.name, *([entry.linkname] if entry.islnk() else [])]
    if not (entry.isfile() or entry.isdir() or entry.islnk()) or any(_climbs(name) for name in names):
        return False
    mode = 0o755 if entry.isdir() else entry.mode & 0o755 | 0o600
    tame = entry.replace(mode=mode, uid=os.getuid(), gid=os.getgid(), uname="", gname="", deep=False)
    try:
        opened.extract(tame, target, filter="fully_trusted")
    except (OSError, KeyError) as problem:
        if isinstance(problem, OSError) and problem.errno in _NO_ROOM:
            raise
        if entry.isfile():
            with suppress(OSError):  # half a file is worse than none
                (target / entry.name).unlink()
        return False
    return True


def _climbs(name: str) -> bool:
    return PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or _is_git(name)


def _linked(target: Path, name: str, link: tarfile.TarInfo) -> bool:
    place = target / name
    root = target.resolve()
    aim = os.path.normpath(root / Path(name).parent / link.linkname)
    stays = not Path(link.linkname).is_absolute() and Path(aim).is_relative_to(root) and not _is_git(link.linkname)
    if not stays or place.parent.resolve() != Path(os.path.normpath(root / Path(name).parent)):
        return False
    if not Path(aim).parent.resolve().is_relative_to(root) or os.path.lexists(place):
        return False
    place.symlink_to(link.linkname)
    return True


def _unlock(place: Path) -> None:
    """Give back the permissions which a command in the directory may have taken away."""
    _said("chmod", "-R", "u+rwX", "--", str(place))


def _said(*words: str) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which(words[0])
    if program is None:
        raise EnvironmentProblem(f"{words[0]} is not installed", hint=f"install the package that has {words[0]}")
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    command = [program, *words[1:]]
    return subprocess.run(command, env=env, cwd="/", capture_output=True, check=False, stdin=subprocess.DEVNULL)
