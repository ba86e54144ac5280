"""What a hostile command tries from inside Landlock, where no namespace hides anything; each try succeeds without."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.aee.sandbox.test_sandbox_escapes import CANARY, READS, WRITES
from workbench.aee.sandbox import callfilter, landlock_kernel, tree
from workbench.aee.sandbox.select import Selected
from workbench.model.errors import SandboxProblem
from workbench.ports import Completed, Job, Limits, Mount

Run = Callable[..., Completed]
MORE_WRITES = {
    "emptied": ": > {path}",
    "emptied by its size": "truncate -s 0 {path}",
    "removed": "rm -f {path}",
    "renamed": "mv {path} {path}.away",
    "moved in": "mv {path} stolen",
    "linked in and written": "ln {path} here && echo x > here",
    "replaced": "echo x > here; mv here {path}",
    "by its descriptor": "exec 3<{path}; echo x > /proc/self/fd/3",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    (made / "secret").write_text(CANARY)
    return made


@pytest.mark.parametrize("how", sorted(READS))
def test_a_secret_outside_is_not_read(landlock: Selected, run_script: Run, home: Path, how: str) -> None:
    """P5, F1: no shell trick reads a file that is not mounted; the controls are those of bubblewrap."""
    path = home / "secret"
    script = READS[how].format(path=shlex.quote(str(path)), parent=shlex.quote(str(home)))
    assert CANARY not in run_script(landlock, script).stdout.text


@pytest.mark.parametrize("how", sorted(WRITES))
def test_nothing_is_made_outside(landlock: Selected, run_script: Run, home: Path, how: str) -> None:
    """F1: no trick writes outside the writable mounts; the controls are those of bubblewrap."""
    script = WRITES[how].format(path=shlex.quote(str(home / "planted")), parent=shlex.quote(str(home)))
    run_script(landlock, script)
    assert not (home / "planted").exists()


@pytest.mark.parametrize("how", sorted(MORE_WRITES))
def test_what_is_outside_stays_as_it_is(
    landlock: Selected, unconfined: Selected, run_script: Run, home: Path, how: str
) -> None:
    """A file that is in sight is not emptied, removed, moved or replaced; without the sandbox it is."""
    script = MORE_WRITES[how].format(path=shlex.quote(str(home / "secret")))
    for sandbox in (landlock, unconfined):
        run_script(sandbox, script)
        kept = {path.name: path.read_text() for path in home.iterdir()}
        assert (kept == {"secret": CANARY}) == (sandbox is landlock)


CHANGES = {
    "mode": ("os.chmod(path, 0o777)", "mode"),
    "mode below a directory": ("os.chmod(name, 0o777, dir_fd=there)", "mode"),
    "mode of an open file": ("os.chmod(readable, 0o777)", "mode"),
    "mode through a link": ("os.symlink(path, 'link'); os.chmod('link', 0o777)", "mode"),
    "mode through the supervisor": ("os.chmod('/proc/self/root' + path, 0o777)", "mode"),
    "times": ("os.utime(path, (1, 1))", "mtime"),
    "times of an open file": ("os.utime(readable, (1, 1))", "mtime"),
    "times below a directory": ("os.utime(name, (1, 1), dir_fd=there)", "mtime"),
    "attribute": ("os.setxattr(path, b'user.x', b'1')", "xattr"),
}
CHANGE = """
import os, sys
path, code = sys.argv[1:]
there, name = os.open(os.path.dirname(path), os.O_PATH), os.path.basename(path)
try:
    readable = os.open(path, os.O_RDONLY)
except OSError:
    readable = os.open(path, os.O_PATH)
exec(code)
"""


def python(workspace: Path, code: str, *words: str, mounts: tuple[Mount, ...] = (), network: bool = False) -> Job:
    return Job(
        argv=(os.path.realpath(sys.executable), "-I", "-S", "-c", code, *words),
        cwd=str(workspace),
        env={"PATH": "/usr/bin:/bin"},
        mounts=(Mount(source=str(workspace), writable=True), Mount(source=sys.base_prefix), *mounts),
        network=network,
        limits=Limits(wall_s=60),
    )


def state_of(path: Path) -> dict[str, object]:
    seen = path.stat()
    return {"mode": seen.st_mode, "mtime": seen.st_mtime, "xattr": os.listxattr(path)}


@pytest.mark.parametrize("how", sorted(CHANGES))
def test_mode_and_times_outside_stay(
    landlock: Selected, unconfined: Selected, workspace: Path, home: Path, how: str
) -> None:
    """What Landlock does not cover of a file is held, too, also on a read-only mount; without the sandbox it is not."""
    code, what = CHANGES[how]
    before = state_of(home / "secret")
    for mounts in ((), (Mount(source=str(home)),)):
        assert landlock.run(python(workspace, CHANGE, str(home / "secret"), code, mounts=mounts)).exit_code != 0
        assert state_of(home / "secret") == before
        (workspace / "link").unlink(missing_ok=True)
    done = unconfined.run(python(workspace, CHANGE, str(home / "secret"), code))
    if "Operation not supported" not in done.stderr.text:  # a file system without attributes
        assert state_of(home / "secret")[what] != before[what], done.stderr.text


def test_a_job_changes_its_own_files(landlock: Selected, run_script: Run, workspace: Path) -> None:
    """In its workspace and its temporary place a job sets modes and times by every way that it knows."""
    script = (
        "set -e; for d in . $TMPDIR; do cd $d; echo x > a; chmod 750 a; touch -d @1000 a; cp -a a b; ln -s a l; "
        "touch -h -d @2000 l; mkdir -p deep; chmod 700 deep; tar cf t a; tar xf t -C deep; chown $(id -u) a; "
        "stat -c '%a %Y' b deep/a; stat -c %Y l; cd - >/dev/null; done; chown 12345 a"
    )
    done = run_script(landlock, script)
    assert done.stdout.text.split() == ["750", "1000", "750", "1000", "2000"] * 2, done.stderr.text
    assert done.exit_code != 0  # the owner stays


CALLS = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
for word in sys.argv[1:]:
    name, number, *values = word.split(",")
    ctypes.set_errno(0)
    libc.syscall(ctypes.c_long(int(number)), *[ctypes.c_long(int(value)) for value in values])
    print(name, ctypes.get_errno())
"""


def test_denied_calls_are_denied_by_the_kernel(landlock: Selected, unconfined: Selected, workspace: Path) -> None:
    """Calls that would fail with another error, or not at all, fail with EPERM in here."""
    column = callfilter.MACHINES[os.uname().machine][1]
    tried = {name: pair[column] for name, pair in callfilter.DENIED.items() if pair[column] is not None}
    harmless = {name: number for name, number in tried.items() if name not in ("vhangup", "reboot", "iopl", "swapoff")}
    words = [f"{name},{number},-1,-1,-1,-1,-1" for name, number in harmless.items()]
    inside = landlock.run(python(workspace, CALLS, *words)).stdout.text.split()
    assert dict(zip(inside[::2], inside[1::2], strict=True)) == dict.fromkeys(harmless, "1")
    outside = unconfined.run(python(workspace, CALLS, *words)).stdout.text.split()
    answers = dict(zip(outside[::2], outside[1::2], strict=True))
    assert {answers[name] for name in ("ptrace", "keyctl", "shmget", "kcmp", "mq_open", "fsopen")} != {"1"}


SOCKETS = {
    "datagram": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "raw": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "datagram of version 6": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "packet": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "virtual machine": "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
    "kernel's ciphers": "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)",
    "multipath": "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
    "unix datagram": "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "pair of datagrams": "socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "raw unix": "socket.socket(socket.AF_UNIX, socket.SOCK_RAW)",
    "every address": "listen('0.0.0.0').connect(('127.0.0.1', 1)) if listen('0.0.0.0').getsockname()[0] != '127.0.0.1' "
    "else refuse()",
    "unbound listener": "socket.socket().listen()",
    "connection in a message": "socket.socket().sendto(b'x', 0x20000000, ('127.0.0.1', port))",
    "host's port": "socket.create_connection(('127.0.0.1', port))",
    "host's port by another address": "socket.create_connection(('127.1.2.3', port))",
    "host's port from a thread": "threaded(lambda: socket.create_connection(('127.0.0.1', port)))",
    "a port shared with the host": "shared(port)",
    "a small port": "listen('127.0.0.1', 81)",
    "a network": "socket.create_connection(('192.0.2.1', 80), 0.2)",
}
PRELUDE = """
import socket, sys, threading
port = int(sys.argv[1])
def refuse(): raise PermissionError
def listen(host, port=0):
    made = socket.socket(); made.bind((host, port)); made.listen(); return made
def shared(port):
    made = socket.socket(); made.setsockopt(1, 15, 1); made.bind(("127.0.0.1", port)); made.listen()
def threaded(act):
    said = []
    def run():
        try: act()
        except OSError as error: said.append(error)
    thread = threading.Thread(target=run); thread.start(); thread.join()
    if said: raise said[0]
try:
    CODE
except PermissionError: print("refused")
except OSError as error: print("other", error)
else: print("done")
"""


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("how", sorted(SOCKETS))
def test_no_socket_leads_out(landlock: Selected, unconfined: Selected, workspace: Path, port: int, how: str) -> None:
    """Each way to talk past the job is refused; without the sandbox it is not refused, or only for want of a right."""
    code = PRELUDE.replace("CODE", SOCKETS[how])
    assert landlock.run(python(workspace, code, str(port))).stdout.text == "refused\n"
    if os.geteuid() == 0 and how != "every address":
        assert unconfined.run(python(workspace, code, str(port))).stdout.text != "refused\n"


def test_a_job_with_the_network_has_it(landlock: Selected, workspace: Path, port: int) -> None:
    """What was given the network reaches it, without anybody being asked, and no unix socket."""
    given = {"host's port": "done\n", "datagram": "done\n", "unix datagram": "refused\n"}
    for how, said in given.items():
        job = python(workspace, PRELUDE.replace("CODE", SOCKETS[how]), str(port), network=True)
        assert landlock.run(job).stdout.text == said


RACE = """
import ctypes, os, socket, struct, sys, threading
outside, tries = sys.argv[1].encode(), 300
good, bad = (struct.pack("=H", 1) + path + bytes(108 - len(path)) for path in (b"own", outside))
server = socket.socket(socket.AF_UNIX); server.bind("own"); server.listen(1000)
address = ctypes.create_string_buffer(good, 110)
over = False
def swap():
    while not over:
        ctypes.memmove(address, bad, 110); ctypes.memmove(address, good, 110)
threading.Thread(target=swap).start()
libc = ctypes.CDLL(None)
for _ in range(tries):
    with socket.socket(socket.AF_UNIX) as client:
        libc.connect(client.fileno(), address, 110)
        try: peer = client.getpeername()
        except OSError: continue
        if peer != "own": print("out", peer)
over = True
print("tried")
"""


def test_an_address_that_changes_meanwhile_leads_nowhere(
    landlock: Selected, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F2: swapping the address while it is looked at never connects to a socket outside of the mounts."""
    monkeypatch.chdir(tmp_path)  # a path of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        listening.listen(1000)
        done = landlock.run(python(workspace, RACE, "../s"))
        assert done.stdout.text == "tried\n", done.stderr.text
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.fixture
def others() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


REACHES = {
    "a signal": "os.kill(pid, signal.SIGUSR1)",
    "a signal by descriptor": "signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGUSR1)",
    "a signal to everybody": "os.kill(-1, 0); os.kill(pid, signal.SIGUSR1)",
    "its limits": "resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0))",
    "its environment": "open(f'/proc/{pid}/environ').read()",
    "its memory": "open(f'/proc/{pid}/mem')",
    "its directory": "os.listdir(f'/proc/{pid}/cwd/')",
    "its files": "os.readlink(f'/proc/{pid}/fd/0')",
    "its tuning": "open(f'/proc/{pid}/oom_score_adj', 'w')",
    "our supervisor": "os.kill(os.getppid(), signal.SIGSTOP)",
    "our supervisor's memory": "open(f'/proc/{os.getppid()}/mem', 'r+b')",
}


@pytest.mark.parametrize("what", sorted(REACHES))
def test_other_processes_are_out_of_reach(
    landlock: Selected, unconfined: Selected, workspace: Path, others: subprocess.Popen[bytes], what: str
) -> None:
    """A job sees that there are others, and does nothing to them; without the sandbox it does."""
    if "signal" in REACHES[what] and landlock_kernel.version() < landlock_kernel.SCOPES_SINCE:
        pytest.skip("this kernel's Landlock does not hold signals, as the level says")
    code = f"import os, resource, signal, sys\npid = int(sys.argv[1])\n{REACHES[what]}"
    done = landlock.run(python(workspace, code, str(others.pid)))
    assert "PermissionError" in done.stderr.text
    assert others.poll() is None
    if what.startswith(("a signal", "its limits")) and "everybody" not in what:
        assert unconfined.run(python(workspace, code, str(others.pid))).exit_code == 0


def test_a_read_only_place_in_a_writable_one_is_refused(landlock: Selected, run_script: Run, workspace: Path) -> None:
    """What Landlock cannot hold is refused with the remedy, also behind a link."""
    (workspace / "kept").mkdir()
    (workspace.parent / "link").symlink_to(workspace / "kept")
    for source in (workspace / "kept", workspace.parent / "link", workspace):
        with pytest.raises(SandboxProblem, match="read-only inside a writable") as caught:
            run_script(landlock, "true", Mount(source=str(source)))
        assert "bubblewrap" in caught.value.hint


def test_a_job_that_cannot_be_confined_does_not_run(
    landlock: Selected, run_script: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the kernel takes no filter, nothing is executed, and the problem says so."""
    monkeypatch.setattr(callfilter, "filter_program", lambda _: b"\xff" * 8)
    with pytest.raises(SandboxProblem, match="could not be confined"):
        run_script(landlock, "touch ran")
    assert not (workspace / "ran").exists()


def test_a_job_whose_calls_nobody_would_answer_does_not_run(
    landlock: Selected, run_script: Run, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system lets the supervisor take no descriptor, nothing is executed, and the problem says so."""
    (tmp_path / "modules").mkdir()
    text = (tree.MODULES / "restrict.py").read_text()
    failing = "\n\ndef descriptor_of(pid, number):\n    raise PermissionError(1, 'forbidden')\n"
    (tmp_path / "modules" / "restrict.py").write_text(text + failing)
    monkeypatch.setattr(tree, "MODULES", tmp_path / "modules")
    with pytest.raises(SandboxProblem, match="could not be confined"):
        run_script(landlock, "touch ran")
    assert not (workspace / "ran").exists()


def test_a_private_place_is_gone_afterwards(landlock: Selected, run_script: Run) -> None:
    """What a job leaves in its temporary place is removed, whatever its mode, and another job gets another place."""
    script = 'echo "$TMPDIR"; mkdir -p $TMPDIR/a/b; touch $TMPDIR/a/b/c; chmod 0 $TMPDIR/a/b $TMPDIR/a'
    places = [run_script(landlock, script).stdout.text.strip() for _ in range(2)]
    assert len(set(places)) == 2
    assert not any(Path(place).exists() for place in places)


def test_capabilities_are_gone(landlock: Selected, run_script: Run) -> None:
    """Every capability set of a job is empty and none can be regained, also when root started it."""
    lines = run_script(landlock, "grep -h -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status").stdout.text.split()
    values = dict(zip(lines[::2], lines[1::2], strict=True))
    assert (values.pop("NoNewPrivs:"), values.pop("Seccomp:")) == ("1", "2")
    assert {int(value, 16) for name, value in values.items() if name != "CapBnd:" or os.geteuid() == 0} == {0}
