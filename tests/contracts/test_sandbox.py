"""The contract of port `Sandbox`, on every level that runs here."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from workbench.aee.sandbox.select import Selected, probe, select
from workbench.model.errors import SandboxProblem
from workbench.ports import Completed, Job, Limits, Mount, Sandbox

ENV = {"PATH": "/usr/bin:/bin"}
MIB = 1 << 20


@pytest.fixture(params=["bubblewrap", "landlock", "none"])
def sandbox(request: pytest.FixtureRequest) -> Selected:
    found = probe(request.param)
    if not found.works:
        pytest.skip(found.reason)
    return select(request.param, allow_none=True)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = tmp_path / "work space\nü"
    made.mkdir()
    return made


def job(
    workspace: Path, *argv: str, stdin: bytes = b"", limits: Limits | None = None, env: dict[str, str] = ENV
) -> Job:
    return Job(
        argv=argv,
        cwd=str(workspace),
        env=env,
        mounts=(Mount(source=str(workspace), writable=True),),
        stdin=stdin,
        limits=limits or Limits(wall_s=60),
    )


def shell(sandbox: Sandbox, workspace: Path, script: str, limits: Limits | None = None) -> Completed:
    return sandbox.run(job(workspace, "/bin/sh", "-c", script, limits=limits))


def living(marker: str) -> list[psutil.Process]:
    """Processes with `marker` in their arguments, seen from outside."""
    found = psutil.process_iter(["cmdline", "status"])
    return [
        process
        for process in found
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and any(marker in word for word in process.info["cmdline"] or ())
    ]


@pytest.fixture
def marker(tmp_path: Path) -> str:
    """A number of seconds to sleep that no other process has among its arguments."""
    return f"{os.getpid()}.{abs(hash(str(tmp_path))) % 10**9:09d}"


def test_exit_code_and_both_streams_come_back(sandbox: Sandbox, workspace: Path) -> None:
    """A command's exit code, stdout and stderr are told apart, and the level is named."""
    done = shell(sandbox, workspace, "echo out; echo err >&2; exit 3")
    assert (done.state, done.exit_code, done.stdout.text, done.stderr.text) == ("exited", 3, "out\n", "err\n")
    assert done.level == sandbox.level


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_signal_is_a_negative_exit_code(sandbox: Sandbox, workspace: Path, number: signal.Signals) -> None:
    """A command that a signal ended has the negative signal as its exit code."""
    done = shell(sandbox, workspace, f"kill -{number.value} $$")
    assert (done.state, done.exit_code) == ("exited", -number)


def test_nothing_of_our_environment_is_inherited(
    sandbox: Sandbox, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job's environment is what was given, `PWD`, and where /tmp is not its own, `TMPDIR`; nothing of ours."""
    monkeypatch.setenv("CANARY", "secret")
    given = {**ENV, "TEXT": "two\nlines = ü"}
    done = sandbox.run(job(workspace, "/usr/bin/env", "-0", env=given))
    seen = dict(word.split("=", 1) for word in done.stdout.text.split("\0") if word)
    assert (seen.pop("TMPDIR", "") != "") == (sandbox.level == "landlock")
    assert os.environ["CANARY"] == "secret"  # the control: it would be there to inherit
    assert seen == {**given, "PWD": str(workspace)}


def test_hostile_loader_variables_act_only_inside(sandbox: Sandbox, workspace: Path) -> None:
    """`LD_PRELOAD` of a job reaches its own command, never the programs of ours that start it."""
    done = sandbox.run(job(workspace, "/bin/true", env={**ENV, "LD_PRELOAD": "/nowhere/evil.so"}))
    assert done.exit_code == 0
    assert done.stderr.text.count("evil.so") == 1


def test_the_command_works_in_its_directory(sandbox: Sandbox, workspace: Path) -> None:
    """The working directory may have spaces, newlines and non-ASCII letters; what is written there stays."""
    done = shell(sandbox, workspace, "pwd; echo kept > file")
    assert done.stdout.text == f"{workspace}\n"
    assert (workspace / "file").read_text() == "kept\n"


def test_stdin_is_given_whole(sandbox: Sandbox, workspace: Path) -> None:
    """Input larger than any pipe arrives whole."""
    data = os.urandom(MIB)
    done = sandbox.run(job(workspace, "cat", stdin=data, limits=Limits(output_bytes=4 * MIB)))
    assert done.stdout.data == data


def test_a_command_that_ignores_its_input_ends(sandbox: Sandbox, workspace: Path) -> None:
    """A command that never reads, or closes, its input ends when it wants to."""
    for script in ("exit 4", "exec <&-; echo closed; exit 4"):
        done = sandbox.run(job(workspace, "/bin/sh", "-c", script, stdin=b"x" * 4 * MIB))
        assert (done.state, done.exit_code) == ("exited", 4)


def test_without_input_stdin_is_at_its_end(sandbox: Sandbox, workspace: Path) -> None:
    """A command that reads a stdin that was not given sees its end at once."""
    assert shell(sandbox, workspace, "cat; echo done").stdout.text == "done\n"


def test_a_command_that_closes_its_output_is_waited_for(sandbox: Sandbox, workspace: Path) -> None:
    """Closed streams are no end: the exit code still comes."""
    done = shell(sandbox, workspace, "exec >&- 2>&-; touch after; exit 5")
    assert (done.exit_code, (workspace / "after").exists()) == (5, True)


@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("./plain", 126), ("/etc/passwd/x", 127)])
def test_a_command_that_cannot_be_executed_failed_to_start(
    sandbox: Sandbox, workspace: Path, command: str, code: int
) -> None:
    """A missing or not executable command is told from one that ran and failed."""
    (workspace / "plain").write_text("#!/bin/sh\n")
    done = sandbox.run(job(workspace, command))
    assert (done.state, done.exit_code) == ("failed-to-start", code)
    assert command in done.stderr.text
    assert shell(sandbox, workspace, "no-such-command").state == "exited"


def test_a_missing_mount_is_named(sandbox: Sandbox, workspace: Path) -> None:
    """A mount whose source does not exist is a problem of the sandbox, with the path and a remedy."""
    missing = Mount(source=str(workspace / "gone"))
    with pytest.raises(SandboxProblem, match="gone") as caught:
        sandbox.run(Job(argv=("true",), cwd="/", env=ENV, mounts=(missing,)))
    assert caught.value.hint


def test_a_nul_in_a_word_is_refused(sandbox: Sandbox, workspace: Path) -> None:
    """No argument, path or variable may smuggle in more words behind a NUL."""
    for bad in (
        Job(argv=("true", "a\0--bind\0/\0/"), cwd="/"),
        Job(argv=("true",), cwd="/\0--bind"),
        Job(argv=("true",), cwd="/", env={"A": "\0--bind\0/\0/"}),
    ):
        with pytest.raises(SandboxProblem):
            sandbox.run(bad)


def test_the_wall_clock_ends_a_job(sandbox: Sandbox, workspace: Path, marker: str) -> None:
    """A job over its time is timed out; what it wrote before is kept and nothing of it lives."""
    done = shell(sandbox, workspace, f"echo begun; trap '' TERM INT; sleep {marker} & wait", Limits(wall_s=0.3))
    assert (done.state, done.stdout.text) == ("timed-out", "begun\n")
    assert done.exit_code == -signal.SIGKILL
    assert not living(marker)


def test_stop_ends_a_job(sandbox: Sandbox, workspace: Path, marker: str) -> None:
    """When `stop` says so, the job is ended and nothing of it lives."""
    seen: list[int] = []

    def stop() -> bool:
        seen.append(len(living(marker)))
        return seen[-1] > 0

    done = sandbox.run(job(workspace, "sleep", marker), stop=stop)
    assert seen[-1] > 0  # the control: from outside we do see what lives
    assert (done.state, living(marker)) == ("stopped", [])


ESCAPES = {
    "background": "sleep {0} &",
    "own session": "setsid sleep {0} >/dev/null 2>&1 &",
    "double fork": "( ( setsid sleep {0} & ) & ) ; sleep 0.1",
    "nohup without streams": "nohup setsid sh -c 'sleep {0}; :' </dev/null >/dev/null 2>&1 &",
    "ignoring every signal": "sh -c 'trap \"\" HUP INT TERM; sleep {0}; :' &",
    "stopped": "sleep {0} & kill -STOP $!",
    "many levels": "setsid sh -c 'setsid sh -c \"setsid sleep {0} & sleep {0}\" & sleep {0}' & sleep 0.2",
}


@pytest.mark.parametrize("how", sorted(ESCAPES))
def test_nothing_of_a_job_outlives_it(sandbox: Sandbox, workspace: Path, marker: str, how: str) -> None:
    """However a process was put into the background, it is dead when `run` returns."""
    done = shell(sandbox, workspace, ESCAPES[how].format(marker) + "\nexit 6")
    assert (done.exit_code, living(marker)) == (6, [])


@pytest.mark.parametrize("how", sorted(ESCAPES))
def test_a_shell_alone_leaves_it_behind(workspace: Path, marker: str, how: str) -> None:
    """R1, control: started by nobody but a shell, each of these processes lives on when the shell has ended."""
    words = ["/bin/sh", "-c", ESCAPES[how].format(marker) + "\nexit 6"]
    null = subprocess.DEVNULL
    try:
        assert subprocess.run(words, cwd=workspace, stdin=null, stdout=null, stderr=null, check=False).returncode == 6
        assert living(marker)
    finally:
        for process in living(marker):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def test_an_error_in_a_callback_ends_the_job(sandbox: Sandbox, workspace: Path, marker: str) -> None:
    """What a callback raises comes out of `run`, and the job is dead by then."""

    def fail(stream: str, chunk: bytes) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sandbox.run(job(workspace, "/bin/sh", "-c", f"echo x; sleep {marker}"), on_output=fail)
    assert not living(marker)


def test_a_fork_bomb_is_bounded_and_ends(sandbox: Sandbox, workspace: Path, marker: str) -> None:
    """R1: a fork bomb meets a limit, and two seconds after its time all of it is dead."""
    bomb = f"b() {{ sleep {marker} & b | b & }}; b; sleep {marker}"
    done = sandbox.run(job(workspace, "/bin/bash", "-c", bomb, limits=Limits(wall_s=2, processes=100)))
    assert done.state in ("timed-out", "exited")
    assert done.duration_ms < 4000
    assert not living(marker)


def test_output_is_cut_in_the_middle(sandbox: Sandbox, workspace: Path) -> None:
    """R2: of long output the head and the tail are kept, and the exact size is stated."""
    done = shell(sandbox, workspace, "seq 1 100000", Limits(output_bytes=2000))
    whole = "".join(f"{n}\n" for n in range(1, 100001)).encode()
    assert (done.stdout.head, done.stdout.tail) == (whole[:1000], whole[-1000:])
    assert done.stdout.full_bytes == len(whole)


def test_live_output_is_bounded(sandbox: Sandbox, workspace: Path) -> None:
    """Output under a flood is handed on in few, small chunks; all of a little output is handed on."""
    chunks: list[bytes] = []
    done = sandbox.run(
        job(workspace, "/bin/sh", "-c", "head -c 100000000 /dev/zero"), on_output=lambda _, chunk: chunks.append(chunk)
    )
    assert done.stdout.full_bytes == 100_000_000
    assert len(chunks) <= done.duration_ms / 100 + 3
    assert max(map(len, chunks)) < 70_000
    assert b"bytes cut" in b"".join(chunks)
    chunks.clear()
    sandbox.run(job(workspace, "seq", "10"), on_output=lambda _, chunk: chunks.append(chunk))
    assert b"".join(chunks) == b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"


def test_one_file_cannot_grow_over_its_limit(sandbox: Sandbox, workspace: Path) -> None:
    """R3: a file ends at the limit; without the limit the same command fills it."""
    fill = "head -c 3000000 /dev/zero > big"
    shell(sandbox, workspace, fill, Limits(file_bytes=MIB))
    assert (workspace / "big").stat().st_size <= MIB
    shell(sandbox, workspace, fill, Limits(file_bytes=0))
    assert (workspace / "big").stat().st_size == 3_000_000


def test_memory_of_a_process_is_limited(sandbox: Sandbox, workspace: Path) -> None:
    """A process cannot take more memory than its limit; without the limit the same command can."""
    take = "head -c 200000000 /dev/zero | tail -c 199999999 | wc -c"
    assert shell(sandbox, workspace, take, Limits(memory_bytes=64 * MIB)).stdout.text.strip() == "0"
    assert shell(sandbox, workspace, take).stdout.text.strip() == "199999999"


def test_no_core_is_dumped(sandbox: Sandbox, workspace: Path) -> None:
    """A crash leaves no core file behind."""
    assert shell(sandbox, workspace, "ulimit -c").stdout.text == "0\n"


def test_no_descriptor_leaks_in_or_stays(sandbox: Sandbox, workspace: Path) -> None:
    """A job has stdin, stdout and stderr only, and a run leaves no descriptor open here."""
    shell(sandbox, workspace, "true")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with (workspace / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        done = shell(sandbox, workspace, "ls /proc/$$/fd")
    assert done.stdout.text.split() == ["0", "1", "2"]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
