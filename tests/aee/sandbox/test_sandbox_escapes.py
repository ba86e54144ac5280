"""What a hostile command tries from inside a sandbox; each try succeeds without it."""

from __future__ import annotations

import os
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.aee.sandbox import view
from workbench.aee.sandbox.select import Selected
from workbench.ports import Completed

Run = Callable[..., Completed]

CANARY = "canary-7f3a"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A person's home with a repository in it, and a secret in both."""
    made = tmp_path / "home" / "person"
    (made / "repository" / ".git").mkdir(parents=True)
    (made / "secret").write_text(CANARY)
    (made / "repository" / ".git" / "config").write_text(CANARY)
    return made


READS = {
    "plain": "cat {path}",
    "redirection": 'while read -r line || [ -n "$line" ]; do echo "$line"; done < {path}',
    "chained": "true && cat {path}; :",
    "substituted": "echo $(cat {path})",
    "backticks": "echo `cat {path}`",
    "evaluated": 'c=ca; eval "${{c}}t {path}"',
    "decoded": "echo Y2F0 | base64 -d | xargs -I@ @ {path} || $(echo Y2F0 | base64 -d) {path}",
    "glob": "cat {parent}/s?cret",
    "dot segments": "cat /tmp/../{path}",
    "proc self root": "cat /proc/self/root{path}",
    "root of any process": "for p in /proc/[0-9]*; do cat $p/root{path} 2>/dev/null && break; done",
    "root of the parent": "cat /proc/$PPID/root{path}",
    "old root of the set-up": "cat /oldroot{path} || cat /newroot{path} || cat /../{path}",
    "dynamic loader": "for l in /lib64/ld-linux* /lib/ld-linux*; do [ -e $l ] && $l /bin/cat {path} && break; done",
    "preloaded library": "LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libm.so.6 cat {path}",
    "interpreter": "/usr/bin/perl -e 'open F, shift; print <F>' {path}",
    "awk": "awk 1 {path}",
    "copied binary": "cp /bin/cat ./tool && ./tool {path}",
    "symbolic link": "ln -sf {path} link && cat link",
    "hard link": "ln {path} hard && cat hard",
    "find and exec": "find {parent} -name secret -exec cat {{}} +",
    "tar": "tar cf - {path} 2>/dev/null | tar xOf -",
    "dd": "dd if={path} 2>/dev/null",
    "here document": "cat <<X\n$(<{path})\nX",
    "coprocess": "coproc cat {path}; cat <&${{COPROC[0]}}",
    "exec": "exec cat {path}",
    "background": "cat {path} & wait",
    "environment as script": "BASH_ENV={path} bash -c true 2>&1; cat {path}",
    "git": "cd {parent} && git hash-object -w --stdin </dev/null >/dev/null; cat {path}",
}


@pytest.mark.parametrize("how", sorted(READS))
def test_a_secret_outside_is_not_read(
    bubblewrap: Selected, unconfined: Selected, run_script: Run, home: Path, how: str
) -> None:
    """P5, F1: no shell trick reads a file that is not mounted; each of them does read it without a sandbox."""
    secret = home / "secret"
    script = READS[how].format(path=shlex.quote(str(secret)), parent=shlex.quote(str(home)))
    assert CANARY not in run_script(bubblewrap, script).stdout.text
    assert CANARY in run_script(unconfined, script).stdout.text


WRITES = {
    "plain": "echo x > {path}",
    "through proc": "echo x > /proc/self/root{path}",
    "through the parent": "echo x > /proc/$PPID/root{path}",
    "linked": "ln -sf {path} link; echo x > link",
    "moved": "echo x > here; mv here {path}",
    "made with its parents": "mkdir -p {parent} && echo x > {path}",
}


@pytest.mark.parametrize("how", sorted(WRITES))
def test_nothing_is_written_outside(
    bubblewrap: Selected, unconfined: Selected, run_script: Run, home: Path, how: str
) -> None:
    """F1: no trick writes outside the writable mounts; each of them does without a sandbox."""
    target = home / "planted"
    script = WRITES[how].format(path=shlex.quote(str(target)), parent=shlex.quote(str(home)))
    run_script(bubblewrap, script)
    assert not target.exists()
    run_script(unconfined, script)
    assert target.exists()


@pytest.fixture
def server() -> Iterator[int]:
    """A port on the host's loopback that greets with the canary."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            while True:
                try:
                    peer, _ = listening.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(CANARY.encode())

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_there_is_no_network(bubblewrap: Selected, run_script: Run, server: int) -> None:
    """A job reaches no port of the host, unless it was given the network."""
    script = f"exec 3<>/dev/tcp/127.0.0.1/{server} && cat <&3"
    assert CANARY not in run_script(bubblewrap, script).stdout.text
    assert CANARY in run_script(bubblewrap, script, network=True).stdout.text


def test_abstract_sockets_are_not_reached(bubblewrap: Selected, run_script: Run) -> None:
    """A socket without a path (session buses, X11) is out of reach; with the host's network it is not."""
    name = f"workbench-{os.getpid()}"
    script = (
        "perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); "
        f'connect(S, pack("S a*", AF_UNIX, "\\0{name}")) and print "{CANARY}"\''
    )
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0{name}")
        listening.listen()
        assert CANARY not in run_script(bubblewrap, script).stdout.text
        assert CANARY in run_script(bubblewrap, script, network=True).stdout.text


def test_processes_of_the_host_are_invisible(bubblewrap: Selected, unconfined: Selected, run_script: Run) -> None:
    """A job sees and signals only its own processes."""
    script = f"ls /proc; kill -0 {os.getpid()} && echo {CANARY}"
    inside = run_script(bubblewrap, script).stdout.text.split()
    assert len([word for word in inside if word.isdigit()]) <= 4
    assert CANARY in run_script(unconfined, script).stdout.text


POWERS = {
    "mount": "mount -t tmpfs none /tmp",
    "remount writable": "mount -o remount,rw /usr",
    "unmount": "umount /usr",
    "user namespace": "unshare --user --map-root-user true",
    "mount namespace": "unshare --mount true",
    "network namespace": "unshare --net true",
    "change root": "chroot / true",
    "become another": "setpriv --reuid 0 --clear-groups true",
    "enter the namespaces of init": "nsenter --target 1 --mount true",
    "write to the system": "touch /usr/planted",
    "write to the root": "touch /planted",
    "write to /etc": "touch /etc/planted",
    "write to /dev": "touch /dev/planted",
    "write to the kernel": "echo $(cat /proc/sys/kernel/panic) > /proc/sys/kernel/panic",
    "trigger the kernel": "echo h > /proc/sysrq-trigger",
    "raise the limit of processes": "echo 30000 > /proc/sys/kernel/pid_max",
    "make a device": "mknod disk b 8 0",
    "read the disk": "head -c 1 /dev/vda /dev/sda /dev/nvme0n1 2>/dev/null | grep -q .",
    "kernel log": "dmesg",
    "load a module": "modprobe dummy",
    "change the clock": "date -s 2020-01-01",
    "change the name of the host": "hostname planted",
    "more memory": "ulimit -v unlimited",
}


@pytest.mark.parametrize("power", sorted(POWERS))
def test_a_job_has_no_power_over_the_machine(bubblewrap: Selected, run_script: Run, power: str) -> None:
    """Nothing that needs a capability works, also when root started the job."""
    done = run_script(bubblewrap, POWERS[power])
    assert done.exit_code != 0, done.stdout.text


def test_no_switch_of_the_kernel_is_writable(bubblewrap: Selected, run_script: Run) -> None:
    """Under /proc, a job may write only to what belongs to its own processes."""
    script = (
        "find /proc -path '/proc/[0-9]*' -prune -o -path /proc/self -prune -o -path /proc/thread-self -prune "
        "-o -type f -writable -exec test -f {} ';' -print 2>/dev/null"
    )
    assert run_script(bubblewrap, script).stdout.text == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's jobs own the kernel's switches")
def test_root_could_set_kernel_switches_without_the_guard(
    bubblewrap: Selected, run_script: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What keeps a job of root from the kernel's switches is the read-only /proc/sys, not the lack of capabilities."""
    script = POWERS["write to the kernel"]
    assert run_script(bubblewrap, script).exit_code != 0
    monkeypatch.setattr(view, "PROC_READ_ONLY", ())
    assert run_script(bubblewrap, script).exit_code == 0


def test_all_capabilities_are_gone(bubblewrap: Selected, unconfined: Selected, run_script: Run) -> None:
    """Every capability set of a job is empty and none can be regained; as root, ours would not be."""
    script = "grep -h -E '^(Cap|NoNewPrivs)' /proc/self/status"
    lines = run_script(bubblewrap, script).stdout.text.split()
    assert {int(value, 16) for name, value in zip(lines[::2], lines[1::2], strict=True) if name != "NoNewPrivs:"} == {0}
    assert lines[lines.index("NoNewPrivs:") + 1] == "1"
    if os.geteuid() == 0:
        assert "CapEff:\t0000000000000000" not in run_script(unconfined, script).stdout.text


def test_the_terminal_is_out_of_reach(bubblewrap: Selected, run_script: Run) -> None:
    """A job has no controlling terminal into which it could type."""
    assert run_script(bubblewrap, ": < /dev/tty").exit_code != 0
