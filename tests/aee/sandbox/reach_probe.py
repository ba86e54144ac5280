"""Run inside a sandbox by itself: tries what there is to reach, and prints an outcome for each as JSON.

It imports nothing but the standard library. Its argument is JSON: the places and numbers of `test_sandbox_reach`.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

UNSHARE_USER = 0x10000000


def file(path: str) -> str:
    """What can be done with a file: its absence, its name, its content, its change."""
    try:
        os.stat(path)  # noqa: PTH116
    except OSError:
        return "absent"
    words = [word for word, flags in (("read", os.O_RDONLY), ("write", os.O_WRONLY)) if _opens(path, flags)]
    return " ".join(words) or "name only"


def _opens(path: str, flags: int) -> bool:
    try:
        os.close(os.open(path, flags))
    except OSError:
        return False
    return True


def directory(path: str) -> str:
    """What can be done with a directory; a new file in it has no name, and leaves nothing behind."""
    words = ["list"] if _happens(lambda: list(Path(path).iterdir())) else []
    words += ["write"] if _happens(lambda: os.close(os.open(path, os.O_TMPFILE | os.O_WRONLY))) else []
    return " ".join(words) or ("name only" if os.path.lexists(path) else "absent")


def _happens(act: Callable[[], object]) -> bool:
    try:
        return act() is not False
    except OSError:
        return False


def yes(act: Callable[[], object]) -> str:
    """Whether it can be done."""
    return "yes" if _happens(act) else "no"


def reach(family: int, address: Any, *, kind: int = socket.SOCK_STREAM) -> str:
    """Whether a socket can be connected to."""

    def connect() -> None:
        with socket.socket(family, kind) as made:
            made.connect(address)

    return yes(connect)


def own_port() -> None:
    """Serve on loopback, and reach that."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=30).close()


def own_unix(place: str) -> None:
    """Serve on a path, and reach that."""
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(place)
        server.listen()
        client.connect(place)


def new_namespace() -> bool:
    """In a child, because it would hold for all that follows."""
    child = os.fork()
    if not child:
        os._exit(0 if ctypes.CDLL(None).unshare(UNSHARE_USER) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def traced(pid: int) -> bool:
    """Attach to a process, and let it go on."""
    libc = ctypes.CDLL(None, use_errno=True)
    seized = libc.ptrace(0x4206, pid, None, None) == 0  # PTRACE_SEIZE stops nothing; our end detaches
    return bool(seized)


def seen(pid: int, mark: str) -> bool:
    """Whether the process with this number is the one with the mark among its arguments."""
    return mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()


def signalled(pid: int, mark: str) -> bool:
    """Whether a signal reaches the host's process: the number may be nobody's, or another's, in here."""
    os.kill(pid, 0)
    return seen(pid, mark)


def same(path: str, digest: str) -> str:
    """Whose a file is."""
    try:
        return "the host's" if Path(path).read_text("utf-8", "replace") == digest else "made"
    except OSError:
        return "absent"


def main(given: dict[str, Any]) -> dict[str, str]:
    """Every row of the table."""
    pid, mark = given["pid"], given["mark"]
    return {
        "the workspace": directory(given["workspace"]),
        "a read-only mount": directory(given["mounted"]),
        "a file in the person's home": file(given["secret"]),
        "the configuration of the person's repository": file(given["repository"]),
        "the journal": file(given["journal"]),
        "mode and times of such a file": yes(lambda: os.chmod(given["secret"], 0o600)),  # noqa: PTH101
        "a program under /usr": file(given["program"]),
        "/etc/shadow": file("/etc/shadow"),
        "users (/etc/passwd)": same("/etc/passwd", given["users"]),
        "the name of the host": "the host's" if os.uname().nodename == given["host"] else "made",
        "a file in the host's /tmp": file(given["temporary"]),
        "temporary files of its own": directory(os.environ.get("TMPDIR", "/tmp")),
        "shared memory (/dev/shm)": directory("/dev/shm"),
        "/dev/null": file("/dev/null"),
        "terminals (/dev/ptmx)": file("/dev/ptmx"),
        "/proc of itself": yes(lambda: Path("/proc/self/maps").read_bytes()),
        "a switch of the kernel (/proc/sys)": yes(lambda: os.close(os.open("/proc/sys/kernel/panic", os.O_RDWR))),
        "arguments of another process": yes(lambda: seen(pid, mark)),
        "environment of another process": yes(lambda: mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()),
        "a signal to another process": yes(lambda: signalled(pid, mark)),
        "another process's memory (ptrace)": yes(lambda: seen(pid, mark) and traced(pid)),
        "a port of the host's loopback": reach(socket.AF_INET, ("127.0.0.1", given["port"])),
        "another machine": reach(socket.AF_INET, ("192.0.2.1", 9), kind=socket.SOCK_DGRAM),
        "a port of its own": yes(own_port),
        "a unix socket outside of the mounts": reach(socket.AF_UNIX, given["socket"]),
        "a unix socket in a mount": reach(socket.AF_UNIX, given["mounted_socket"]),
        "a unix socket without a path": reach(socket.AF_UNIX, given["abstract"].replace("@", "\0")),
        "a unix socket of its own": yes(lambda: own_unix(given["own_socket"])),
        "a variable of our environment": "yes" if "WORKBENCH_CANARY" in os.environ else "no",
        "a new user namespace": yes(new_namespace),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
