"""The edge of the command line: errors, exit codes, streams, and what starting costs."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.ace.wiring import checks, engine
from workbench.ace.wiring.workplace import Workplace

HEAVY = (
    "pluggy",
    "textual",
    "dbos",
    "anthropic",
    "pydantic",
    "sqlite_utils",
    "ruamel",
    "git",
    "platformdirs",
    "sqlalchemy",
)


def test_outside_a_repository_the_remedy_is_said(call: Call, tmp_path: Path) -> None:
    """No repository: exit 4, and how to get one."""
    (tmp_path / "empty").mkdir()
    said = call("inbox", at=tmp_path / "empty")
    assert said.code == 4
    assert "what to do:" in said.err
    assert "git init" in said.err


def test_errors_under_json_are_one_object_on_stderr(call: Call) -> None:
    """A script gets the error as data, and nothing on stdout."""
    said = call("log", "nothing", "--json")
    assert (said.code, said.out) == (2, "")
    assert (said.error["kind"], said.error["exit_code"]) == ("error", 2)
    assert said.error["hint"]


@pytest.mark.parametrize("words", [["inbx"], ["inbox", "--frob"], ["log"], ["mrp", "frob"]])
def test_wrong_words_are_exit_2(call: Call, words: list[str]) -> None:
    """A usage error is exit 2, with --json as an object, too."""
    assert call(*words).code == 2
    assert call(*words, "--json").error["id"] == "UsageError"


def test_quiet_says_nothing(call: Call, world: World) -> None:
    """--quiet leaves the data alone."""
    (run,) = world.mission()
    world.question(run)
    assert call("inbox", "--quiet").err == ""


@pytest.mark.parametrize(
    "words",
    [
        ["missions"], ["runs"], ["show", "prices"], ["show", "prices.1"], ["log", "prices.1"], ["mrp", "list"],
        ["mrp", "show", "MRP-prices.1-1"], ["approve", "MRP-prices.1-1", "--why", "x"], ["init"], ["brief", "list"],
        ["run", "Do it again", "--no-start", "--script", "a.yaml"], ["stop", "prices"], ["doctor"], ["aee", "status"],
        ["gc", "--dry-run"], ["wait", "--no-start"], ["journal", "verify"], ["config", "show"],
    ],
)  # fmt: skip
def test_quiet_is_quiet_on_every_verb(call: Call, world: World, repository: Path, words: list[str]) -> None:
    """-q leaves nothing on stderr: no talk, no next step."""
    (run,) = world.mission()
    world.pack(run)
    (repository / "a.yaml").write_text("agent: a\nsteps: []\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Meanwhile")
    heard = call(*words, "-q").err
    assert "next:" not in heard
    assert [line for line in heard.splitlines() if not line.startswith("warning:")] == []


def test_doctor_says_once_what_prevents_many_checks(call: Call, tmp_path: Path) -> None:
    """Outside a repository that is one failure, not one for each thing that needs a repository."""
    (tmp_path / "empty").mkdir()
    said = " ".join(call("doctor", at=tmp_path / "empty").out.split())
    assert said.count("is not in a git repository") == 1
    assert said.count("git init") == 1


def test_a_directory_that_was_deleted_is_named_as_the_trouble(tmp_path: Path, home: Path) -> None:
    """Whoever stands in a directory that is gone learns just that."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code = "import os, sys; os.rmdir(os.getcwd()); from workbench.ace.cli.main import main; sys.exit(main(['{}']))"
    for verb, exit_code in (("inbox", 4), ("demo", 4), ("doctor", 1)):
        gone.mkdir(exist_ok=True)
        done = _python(code.format(verb), cwd=gone)
        assert (done.stdout + done.stderr).count("is gone: it was deleted") == 1, verb
        assert done.returncode == exit_code


def test_a_full_disk_is_named_with_the_remedy(repository: Path, world: World) -> None:
    """Where nothing can be written any more, the error says so; so does what the AEE left in its log."""
    world.mission()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "workbench", "missions"],
            cwd=repository,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert "no room left" in done.stderr
    assert "make room" in done.stderr
    ended = engine.ended_early(repository / "aee.log", "OSError: [Errno 28] No space left on device")
    assert "make room" in ended.hint
    assert "make room" in checks.disk_trouble(Workplace(repository), least=1 << 62)
    assert checks.disk_trouble(Workplace(repository), least=0) == ""


def _python(code: str, *, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [["--help"], ["inbox", "--json"], ["missions", "--json"], ["aee", "status"]])
def test_starting_imports_nothing_heavy(repository: Path, world: World, words: list[str]) -> None:
    """Help and inbox import no screens, no DBOS, no SDK and no YAML."""
    world.mission()
    code = (
        "import sys\nfrom workbench.ace.cli.main import main\n"
        f"main({words!r})\nprint(*sorted(sys.modules), file=sys.stderr)"
    )
    said = _python(code, cwd=repository)
    loaded = {name.partition(".")[0] for name in said.stderr.split()}
    assert not loaded & set(HEAVY)
    assert "click" in loaded  # the list is the real one


def test_help_imports_no_verb(repository: Path) -> None:
    """`--help` reads a table; the verbs stay on disk."""
    code = (
        "import sys\nfrom workbench.ace.cli.main import main\nmain(['--help'])\n"
        "print(*[n for n in sys.modules if n.startswith('workbench.ace')], file=sys.stderr)"
    )
    loaded = set(_python(code, cwd=repository).stderr.split())
    assert "workbench.ace.cli.verbs" in loaded
    assert not loaded & {"workbench.ace.cli.inbox", "workbench.ace.wiring.workplace"}


def test_a_closed_pipe_is_quiet(repository: Path, world: World) -> None:
    """`workbench log RUN | head -1` ends without a traceback."""
    (run,) = world.mission()
    for number in range(1, 60):
        world.question(run, number, mode="advisory", summary="long " * 500)
    shell = f"'{sys.executable}' -m workbench journal export | head -c 10"
    said = subprocess.run(["sh", "-c", shell], cwd=repository, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
    assert len(said.stdout) == 10


def _as_at_a_terminal() -> None:
    """Ctrl-C counts there; what a script starts in the background inherits that it does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_is_exit_130_without_a_traceback(repository: Path, world: World) -> None:
    """Whoever interrupts gets the shell back, and nothing else."""
    world.mission()
    words = [sys.executable, "-m", "workbench", "wait", "--no-start"]
    with subprocess.Popen(
        words, cwd=repository, stderr=subprocess.PIPE, text=True, preexec_fn=_as_at_a_terminal
    ) as waiting:
        try:
            while not _has_open(waiting.pid, "journal.sqlite3"):
                assert waiting.poll() is None
            waiting.send_signal(signal.SIGINT)
            _, err = waiting.communicate(timeout=20)
        finally:
            waiting.kill()
    assert waiting.returncode == 130
    assert "Traceback" not in err


def _has_open(pid: int, name: str) -> bool:
    try:
        return any(name in str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def test_what_nobody_foresaw_is_told_as_an_error(call: Call, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged card, a broken disk: words and an exit code, never a traceback."""
    world.journal.path.write_bytes(b"not a database, though it is long enough to look like one" * 50)
    for name in ("-wal", "-shm"):
        world.journal.path.with_name(world.journal.path.name + name).unlink(missing_ok=True)
    said = call("missions", "--json")
    assert said.code == 4
    assert said.error["hint"]


def test_a_listing_starts_without_what_only_other_verbs_need(repository: Path, world: World) -> None:
    """An inbox as JSON needs no artifacts' tables, no archives and no guesses at mistyped words."""
    (run,) = world.mission()
    world.pack(run)
    code = "import sys; from workbench.ace.cli.main import main; main(['inbox', '--json']); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    loaded = set(said.stdout.splitlines()[-1].split())
    assert "workbench.core.attention" in loaded
    assert not loaded & {"workbench.artifacts.files", "lzma", "difflib", "subprocess"}


def test_a_place_that_the_demo_cannot_have_is_named(call: Call, home: Path, tmp_path: Path) -> None:
    """A file, a directory in use, and a place where nobody may write: each is told apart, with what helps."""
    (tmp_path / "taken").write_text("mine\n")
    for place, code, words in (
        (str(tmp_path / "taken"), 2, "is no directory"),
        (str(home), 2, "is not empty"),
        ("/sys/shop", 4, "work elsewhere"),
    ):
        said = call("demo", "--no-tui", place, "--json")
        assert said.code == code and words in f"{said.error['message']} {said.error['hint']}", said
    assert (tmp_path / "taken").read_text() == "mine\n"


def test_ctrl_c_in_the_demo_leaves_the_agents_to_it(home: Path, tmp_path: Path) -> None:
    """Whoever leaves the demo is told where the agents go on and how they end, and sees no traceback."""
    demo = [sys.executable, "-m", "workbench", "demo", "tour"]
    with subprocess.Popen(
        demo, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_as_at_a_terminal
    ) as watching:
        try:
            assert watching.stderr is not None
            told = ""
            while "Ctrl-C leaves them to it" not in told:
                line = watching.stderr.readline()
                assert line, told
                told += line
            watching.send_signal(signal.SIGINT)
            out, err = watching.communicate(timeout=30)
        finally:
            watching.kill()
            stop = [sys.executable, "-m", "workbench", "-C", "tour", "aee", "stop"]
            stopped = subprocess.run(stop, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (watching.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert "The agents go on without you" in " ".join(err.split())
    assert stopped.returncode == 0, stopped.stderr
