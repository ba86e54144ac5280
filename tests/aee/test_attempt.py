"""A run child from outside: heard whatever it floods, asked to end, and ended with all that it started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from workbench.aee import attempt
from workbench.aee.attempt import Attempt, Ended, Grace
from workbench.aee.ticket import StepEnd, Ticket

TICKET = Ticket(directory="d", repository="r", socket="s", run="m.1", step="turn", number=1, attempt=1, epoch=1)
DONE = 'print(\'{"outcome":"done"}\', flush=True)'


def carried(tmp_path: Path, code: str, *, grace: Grace = lambda: None, wall_s: float = 60.0) -> Ended:
    with Attempt(TICKET, log=tmp_path / "log", words=(sys.executable, "-c", code)) as child:
        return child.watch(wall_s=wall_s, grace=grace)


def test_the_last_line_is_the_childs_word(tmp_path: Path) -> None:
    """What a library prints before does not hide how the step ended; an empty log is not kept."""
    ended = carried(tmp_path, f"print('hello'); {DONE}")
    assert ended.word == StepEnd(outcome="done")
    assert not (tmp_path / "log").exists()


def test_a_flood_stops_nobody_and_fills_no_disk(tmp_path: Path) -> None:
    """Five megabytes on each stream: the word is heard, the log on disk stays bounded and says its full size."""
    flood = "import sys; b='x'*1023+chr(10); [(sys.stdout.write(b), sys.stderr.write(b)) for _ in range(5000)];"
    ended = carried(tmp_path, flood + DONE)
    assert ended.word == StepEnd(outcome="done")
    assert (tmp_path / "log").stat().st_size < attempt.LOG_BYTES + 2 * attempt.TAIL_BYTES
    assert b"5120000 bytes in all" in (tmp_path / "log").read_bytes()


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    """SIGTERM is a request; after the grace comes an end that nobody can ignore."""
    ready = tmp_path / "ready"
    code = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(600)"
    )
    ended = carried(tmp_path, code, grace=lambda: 0.2 if ready.exists() else None)
    assert (ended.word, ended.code, ended.overran) == (None, -9, False)


def test_a_child_that_is_asked_may_say_how_it_ended(tmp_path: Path) -> None:
    """The request comes first, so that a turn can end in order."""
    code = (
        "import signal, sys, time\n"
        'def end(*_): print(\'{"outcome":"stopped"}\', flush=True); sys.exit()\n'
        "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(600)"
    )
    asked = iter([None] * 10)
    ended = carried(tmp_path, code, grace=lambda: next(asked, 30.0))
    assert ended.word == StepEnd(outcome="stopped")


def test_wall_time_runs_out(tmp_path: Path) -> None:
    """A step that takes too long is asked to end, and its end says why."""
    ended = carried(tmp_path, "import time; time.sleep(600)", wall_s=0.2)
    assert ended.overran
    assert ended.code == -15


def test_what_the_child_started_ends_with_it(tmp_path: Path) -> None:
    """Also what left its process group for a session of its own."""
    code = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen(['sleep', '600'], start_new_session=True); open({str(tmp_path / 'pid')!r}, 'w')"
        ".write(str(p.pid)); time.sleep(600)"
    )
    written = tmp_path / "pid"
    carried(tmp_path, code, grace=lambda: 0.0 if written.exists() and written.read_text() else None)
    assert not _lives(int(written.read_text()))


def _lives(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_the_end_of_the_log_is_told_with_hidden_characters_shown(tmp_path: Path) -> None:
    """A traceback may quote what an agent wrote: no escape sequence passes, and it is bounded."""
    ended = carried(tmp_path, "raise SystemExit('x' * 5000 + chr(27) + '[2J gone')")
    assert ended.tail.endswith("\\x1b[2J gone")
    assert len(ended.tail) < attempt.TOLD + 10
    assert ended.code == 1


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    """An AEE that lives for months carries many steps."""
    carried(tmp_path, DONE)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, not walked
    carried(tmp_path, DONE)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
