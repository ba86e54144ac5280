"""Owns the level for machines where bubblewrap does not work: a Landlock domain and a system call filter.

Knows nothing of runs and workspaces. Every path is the host's own here: a mount is a grant on its source, and what is
not granted can be named and looked up, but not read, written or executed. The job's processes are kept by the
supervisor, as at the level `none`, which also answers where their sockets may lead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.aee.sandbox import callfilter, landlock_kernel, view
from workbench.aee.sandbox.callfilter import Calls
from workbench.aee.sandbox.in_place import HINT, checked, private_place, with_private
from workbench.aee.sandbox.pump import Pump
from workbench.aee.sandbox.streams import OnOutput
from workbench.aee.sandbox.tree import Confinement, Tree, require_plain
from workbench.aee.sandbox.unstarted import failed_to_start
from workbench.model.errors import SandboxProblem
from workbench.ports import Completed, Job, SandboxLevel

OLDEST = 3  # version of Landlock; before, a file that may not be written can still be emptied
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class Landlock:
    """The `Sandbox` of level landlock."""

    level: SandboxLevel = "landlock"

    def __init__(self) -> None:
        try:
            self._version = landlock_kernel.version()
        except (OSError, AttributeError) as error:
            raise SandboxProblem(f"This kernel has no Landlock, or it is switched off ({error})", hint=HINT) from None
        if self._version < OLDEST:
            text = f"This kernel's Landlock has version {self._version}; at least {OLDEST} is needed (Linux 6.2)"
            raise SandboxProblem(text, hint=HINT)
        if not callfilter.filter_program(Calls()):
            text = f"No filter of system calls is known for a machine of kind {os.uname().machine}"
            raise SandboxProblem(text, hint=HINT)

    @property
    def limitations(self) -> tuple[str, ...]:
        """What this level does not limit here, one sentence each."""
        notes = [
            f"Landlock has version {self._version} here; the kernel is shared with the host.",
            "No path is hidden: of every file, whether it is there, its size, owner and times can be asked.",
            "There is no pid namespace: names and arguments of all processes are visible under /proc.",
            "Priority and processor of the user's other processes can be changed.",
            "Users and groups, the host's name and its network interfaces are the host's own.",
            "A job that was given the network reaches the host's loopback, and no unix socket.",
            "Memory is limited for each process, not for the job.",
            "The number of processes is watched, not limited by the kernel.",
            "The size of temporary files is not limited, but for that of each.",
            "Terminals, /dev/shm, datagrams between processes and 32-bit programs do not work.",
        ]
        if self._version < landlock_kernel.SCOPES_SINCE:
            notes.append("Signals reach the user's other processes, with the supervisor that ends the job among them.")
        if self._version < landlock_kernel.TCP_SINCE:
            notes.append("A job cannot open ports, also not for itself.")
        if self._version < landlock_kernel.IOCTL_SINCE:
            notes.append("Requests to devices are not limited beyond opening them.")
        return tuple(notes)

    def run(
        self,
        job: Job,
        *,
        on_output: OnOutput | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completed:
        """See `workbench.ports.Sandbox.run`. Targets of mounts have no effect: every path is the host's own.

        A job gets a private directory in place of /tmp, as `TMPDIR` and where it names /tmp as its `HOME`.
        """
        require_plain(job)
        with private_place() as private, self._confined(job, private) as confinement:
            placed = with_private(job, private)
            tree = Tree(placed, confinement)
            completed = Pump(tree, placed, on_output=on_output, stop=stop).run(self.level)
            if code := tree.confine_error:
                text = f"The job could not be confined by Landlock and a filter: {os.strerror(code)}"
                raise SandboxProblem(text, hint=f"Run `workbench doctor`; else {HINT}")
        if tree.start_error:
            return failed_to_start(OSError(tree.start_error, os.strerror(tree.start_error)), job, level=self.level)
        return completed

    @contextmanager
    def _confined(self, job: Job, private: str) -> Iterator[Confinement]:
        mounts = checked(job.mounts, level=self.level)
        grants = [*_system(network=job.network), (private, landlock_kernel.WRITE)]
        grants += [(m.source, landlock_kernel.WRITE if m.writable else landlock_kernel.READ) for m in mounts]
        calls = Calls(network=job.network, loopback=self._version >= landlock_kernel.TCP_SINCE)
        try:
            denied = landlock_kernel.handled(self._version, network=job.network)
            ruleset = landlock_kernel.ruleset(denied, grants)
        except OSError as error:
            raise SandboxProblem(f"Landlock could not be set up: {error}", hint=HINT) from None
        try:
            yield Confinement(
                ruleset=ruleset,
                program=callfilter.filter_program(calls),
                calls=callfilter.numbers(),
                private=private,
                roots=(private, *(mount.source for mount in mounts)),
                writable=(private, *(mount.source for mount in mounts if mount.writable)),
            )
        finally:
            os.close(ruleset)


def _system(*, network: bool) -> list[tuple[str, int]]:
    """The system as a bubblewrap job sees it, as far as it is read-only there; and /proc, for one's own part of it."""
    names = [*view.ETC, *(view.NETWORK_ETC if network else ())]
    names += [found.name for pattern in view.ETC_PATTERNS for found in Path("/etc").glob(pattern)]
    places = [*view.SYSTEM, *view.ROOT_LINKS, *view.FILES, *(f"/etc/{name}" for name in names), "/proc"]
    grants = [(place, landlock_kernel.READ) for place in places]
    return grants + [(place, landlock_kernel.DEVICE) for place in DEVICES]
