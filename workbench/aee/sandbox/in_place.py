"""Owns what levels have in common that move no path: mounts are grants in place, and /tmp is not the job's own.

Knows nothing of how a level enforces a grant.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from workbench.model.errors import SandboxProblem
from workbench.ports import Job, Mount, SandboxLevel
from workbench.repository.trees import remove_tree

HINT = "`--sandbox container` where a container is the protection, or `--sandbox none`, which is dangerous."
PRIVATE = "/tmp"  # what jobs name for a place of their own: they get one, and its true name


@contextmanager
def private_place() -> Iterator[str]:
    """A directory of one job, gone afterwards."""
    place = Path(tempfile.mkdtemp(prefix="wb-"))  # short: paths of sockets have at most 107 bytes
    try:
        yield str(place.resolve())
    finally:
        if place.exists():  # the supervisor removes it, also when we are killed; what resists is left to us
            remove_tree(place)


def with_private(job: Job, private: str) -> Job:
    """The job with `private` as its `TMPDIR`, and where it names /tmp as its `HOME` or its working directory."""
    named = {name: private for name in ("HOME", "TMPDIR") if job.env.get(name) == PRIVATE}
    cwd = private if job.cwd == PRIVATE else job.cwd
    return msgspec.structs.replace(job, cwd=cwd, env={"TMPDIR": private} | job.env | named)


def checked(mounts: tuple[Mount, ...], *, level: SandboxLevel) -> list[Mount]:
    """The mounts with their true sources. Raises SandboxProblem for one that cannot be held here."""
    checked = []
    for mount in mounts:
        if not mount.source.startswith("/"):
            raise SandboxProblem(f"{mount.source!r} cannot be mounted", hint="Mounts need absolute paths.")
        checked.append(Mount(source=os.path.realpath(mount.source), writable=mount.writable))
    writable = [mount.source for mount in checked if mount.writable]
    for mount in checked:
        if not mount.writable and any(_is_below(mount.source, place) for place in writable):
            raise SandboxProblem(
                f"{mount.source} cannot be read-only inside a writable directory at the level `{level}`",
                hint="Whoever may rename a directory gets around that: keep it elsewhere, or use bubblewrap.",
            )
    return checked


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip("/") + "/")
