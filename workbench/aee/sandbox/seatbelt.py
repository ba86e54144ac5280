"""Owns the level of macOS: a profile for `sandbox-exec`. Knows nothing of runs and workspaces.

As with Landlock, every path is the host's own, mounts are grants, and names and sizes of files can be asked everywhere.
The profile is text that the kernel of macOS reads; of several rules that fit, the last holds. It has been tested as
text only: nobody has run it on a Mac yet.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from workbench.aee.sandbox.in_place import HINT, checked, private_place, with_private
from workbench.aee.sandbox.pump import Pump
from workbench.aee.sandbox.streams import OnOutput
from workbench.aee.sandbox.tree import Tree, require_plain
from workbench.aee.sandbox.unstarted import failed_to_start
from workbench.model.errors import SandboxProblem
from workbench.ports import Completed, Job, Mount, SandboxLevel

NOT_EXECUTED = 71  # EX_OSERR, with which sandbox-exec ends when it cannot execute the command
SAID = b"sandbox-exec: execvp() of "
SYSTEM = (
    *("/bin", "/sbin", "/usr", "/System", "/Library/Developer", "/Library/Frameworks", "/Library/Preferences"),
    *("/opt/homebrew", "/private/etc/ssl", "/private/var/db/timezone", "/private/var/db/dyld", "/nix/store"),
)
FILES = ("/private/etc/hosts", "/private/etc/passwd", "/private/etc/group", "/private/etc/localtime")
NETWORK_FILES = ("/private/etc/resolv.conf", "/private/var/run/resolv.conf")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
BASE = """(version 1)
(deny default)
(allow process-exec process-fork)
(allow signal process-info* (target same-sandbox))
(allow sysctl-read)
(allow ipc-posix-sem)
(allow mach-lookup (global-name "com.apple.system.opendirectoryd.libinfo"))
(allow file-read-metadata)
(allow file-read* (literal "/"))
"""


class Seatbelt:
    """The `Sandbox` of level sandbox-exec."""

    level: SandboxLevel = "sandbox-exec"

    def __init__(self, program: str = "") -> None:
        self._program = program or (shutil.which("sandbox-exec") or "" if sys.platform == "darwin" else "")
        if not self._program:
            raise SandboxProblem("There is no `sandbox-exec` here; it is a program of macOS", hint=HINT)

    @property
    def limitations(self) -> tuple[str, ...]:
        """What this level does not limit here, one sentence each."""
        return (
            "This level has not been tried on a Mac yet; the kernel is shared with the host.",
            "No path is hidden: of every file, whether it is there, its size, owner and times can be asked.",
            "Users and groups, the host's name and the names of all processes are the host's own.",
            "A job opens no ports, also not for itself; one that was given the network reaches the host's loopback.",
            "Memory is limited for each process, not for the job, and that as far as macOS keeps to it.",
            "Only the command's own process group is ended for certain; the number of processes is not limited.",
            "Terminals do not work.",
        )

    def run(
        self,
        job: Job,
        *,
        on_output: OnOutput | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completed:
        """See `workbench.ports.Sandbox.run`, and `workbench.aee.sandbox.landlock` for mounts and /tmp."""
        require_plain(job)
        mounts = checked(job.mounts, level=self.level)
        with private_place() as private:
            profile = profile_of([*mounts, Mount(source=private, writable=True)], network=job.network)
            placed = with_private(job, private)
            confined = msgspec.structs.replace(placed, argv=(self._program, "-p", profile, *job.argv))
            tree = Tree(confined)
            completed = Pump(tree, confined, on_output=on_output, stop=stop).run(self.level)
        if tree.start_error:
            raise SandboxProblem(f"{self._program} cannot be started", hint=HINT)
        if completed.exit_code == NOT_EXECUTED and completed.stderr.head.startswith(SAID):
            words = completed.stderr.text
            error = PermissionError if "Permission denied" in words or "not permitted" in words else FileNotFoundError
            return failed_to_start(error(0, words.strip()), job, level=self.level)
        return completed


def profile_of(mounts: Sequence[Mount], *, network: bool) -> str:
    """The profile that grants the mounts, and nothing else but the system."""
    return BASE + "".join(f"{rule}\n" for rule in _rules(mounts, network=network))


def _rules(mounts: Sequence[Mount], *, network: bool) -> Iterator[str]:
    files = (*FILES, *NETWORK_FILES) if network else FILES
    system = " ".join((*_each("subpath", SYSTEM), *_each("literal", files)))
    yield f"(allow file-read* file-map-executable {system})"
    yield f"(allow file-read* file-write-data file-ioctl {' '.join(_each('literal', DEVICES))})"
    for mount in mounts:
        place = _place(mount.source)
        yield f"(allow file-read* file-map-executable {place})"
        if mount.writable:
            yield f"(allow file-write* {place})"
            yield f"(allow network-bind (local unix-socket {place}))"
        yield f"(allow network-outbound (remote unix-socket {place}))"
    if network:
        yield "(allow network-outbound (remote ip))"
        yield "(allow network-bind network-inbound (local ip))"
        yield "(allow system-socket)"
        yield '(allow mach-lookup (global-name "com.apple.SystemConfiguration.configd" "com.apple.trustd.agent"))'


def _each(kind: str, paths: Sequence[str]) -> list[str]:
    return [f"({kind} {quoted(path)})" for path in paths]


def _place(source: str) -> str:
    kind = "subpath" if Path(source).is_dir() else "literal"
    return f"({kind} {quoted(source)})"


def quoted(path: str) -> str:
    """A string of the profile's language. Raises SandboxProblem for a path that has none."""
    if any(ord(character) < 32 or ord(character) == 127 for character in path):
        raise SandboxProblem(
            f"{path!r} cannot be named in a profile", hint="Give it a name without control characters."
        )
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
