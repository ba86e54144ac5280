"""Makes values by Hypothesis, tries a law on them, and seals what came of it; it never loads a line of the program.

It runs in the sandbox as a script, by Workbench's own Python with Workbench's own Hypothesis. The program is in another
process, the worker, which is never told the law: it is asked for single calls, and `weighing` says whether what they
give holds. This process closes its memory, reads from its standard input the key under which its report is sealed, and
only then starts the worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import hmac
import json
import os
import secrets
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from . import making, weighing, wire

MAX_ANSWER = 1 << 24  # bytes of one answer
MAX_REPR = 400  # characters of one value
ENDING_S = 1.0  # that a process has to end in once it gave up its pipe
MAX_SMALLER = 150  # tries to find something smaller that breaks a law, too
MAX_STARTS = 25  # of workers: a program that ends its process is started again that often
_PR_SET_DUMPABLE = 4  # prctl(2): with 0, /proc/<pid>/fd and ptrace are closed to other processes of the same user


class TimeOver(KeyboardInterrupt):
    """The time for one side is over; Hypothesis lets this through."""


class Broken(Exception):
    """The law does not hold for what was just tried."""


class Worker:
    """The process with the program in it, started again where it ended."""

    def __init__(self, plan: dict[str, Any], until: float) -> None:
        self._plan, self._until = plan, until
        self._pid, self._to, self._from = 0, -1, -1
        self._rest = bytearray()
        self.starts = 0
        self.loaded: dict[str, Any] = {}

    def start(self) -> None:
        """Start it and have it load the program. Raises Refused where that fails."""
        if self.starts >= MAX_STARTS:
            raise TimeOver
        self.starts += 1
        self._rest = bytearray()
        (asked, self._to), (self._from, told) = os.pipe(), os.pipe()
        command = [*self._plan["worker"], self._plan["plan"]]
        streams = [
            (os.POSIX_SPAWN_DUP2, asked, 0),
            (os.POSIX_SPAWN_DUP2, told, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        try:
            self._pid = os.posix_spawnp(command[0], command, os.environ, file_actions=streams, setpgroup=0)
        except OSError as error:
            raise making.Refused(f"environment: {command[0]} cannot be started: {error.strerror}") from None
        finally:
            os.close(asked)
            os.close(told)
        try:
            modules = [name for name in self._plan["modules"] if name not in wire.STANDARD]
            said = self._asked({"load": modules})
        except making.Died as error:
            raise making.Refused(f"loading the program {error}") from None
        if "problem" in said:
            raise making.Refused(str(said["problem"]), lacking=str(said.get("lacking", "")))
        self.loaded = said

    def ask(self, question: dict[str, Any], serve: Callable[..., Any] | None = None) -> dict[str, Any]:
        """The answer. `serve` answers what the program asks meanwhile. Raises Died, and TimeOver."""
        if not self._pid:
            if "do" in question:
                raise making.Died("ended the process before")
            self.start()
        return self._asked(question, serve)

    def end(self) -> int:
        """End it with all that it started in its group; how it ended, or had."""
        pid, self._pid, status = self._pid, 0, 0
        if pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            status = os.waitpid(pid, 0)[1]
            os.close(self._to)
            os.close(self._from)
        return status

    def _asked(self, question: dict[str, Any], serve: Callable[..., Any] | None = None) -> dict[str, Any]:
        ask = secrets.token_hex(8)
        try:
            self._put({**question, "ask": ask})
            while "hand" in (said := dict(json.loads(self._line()))) and serve is not None:
                self._put({"handed": serve(said)})
            if said["ask"] == ask:
                return said
        except (ValueError, KeyError, TypeError, RecursionError, OSError):
            pass
        raise making.Died(self._ended())

    def _put(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self._to, data) :]

    def _line(self) -> bytes:
        end = self._rest.find(b"\n")
        while end < 0:
            left = self._until - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                raise TimeOver
            data = os.read(self._from, 1 << 16)
            if not data or len(self._rest) > MAX_ANSWER:
                raise OSError
            end = data.find(b"\n") + len(self._rest) if b"\n" in data else -1
            self._rest += data
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line

    def _ended(self) -> str:
        """How it ended by itself, which it has a moment for, or that it did not."""
        until = time.monotonic() + ENDING_S
        while time.monotonic() < until:
            if os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                status = self.end()
                if os.WIFSIGNALED(status):
                    return f"ended the process by signal {os.WTERMSIG(status)}"
                return f"ended the process with exit code {os.WEXITSTATUS(status)}"
            time.sleep(0.01)
        self.end()
        return "gave an answer that nobody can read"


# --- trying ---------------------------------------------------------------------------------------------


class Trial:
    """What came of the tries so far."""

    def __init__(self, law: Any) -> None:
        self._law = law
        self.examples = self._smaller = 0
        self.rejected = 0
        self.distinct: set[str] = set()
        self.modules: list[str] = []
        self.described: dict[str, Any] = {}
        self.last: dict[str, Any] = {}  # the last thing that the law does not hold for, which ends up as the smallest

    def attempt(self, given: dict[str, Any], reject: Any) -> None:
        """Have the law tried once. Raises Broken where it does not hold."""
        try:
            said = self._law.tried(given)
        except making.Died as error:
            said = {"raised": f"it {error}"}
        if said.get("unnamed"):
            raise making.Refused(str(said["raised"]))
        if said.get("counts") is False:
            self.rejected += 1
            reject()
        self.examples += 1
        self._smaller += bool(self.last)
        if self._smaller > MAX_SMALLER:
            raise TimeOver
        shown = {name: _shown(value) for name, value in given.items()}
        if len(self.distinct) < 100:
            self.distinct.add(repr(shown))
        if said.get("said") is not True:
            self.last = {
                "counterexample": shown,
                "raised": str(said.get("raised", ""))[:2000],
                "where": str(said.get("where", ""))[:300],
            }
            raise Broken


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_REPR else f"{text[: MAX_REPR - 1]}…"


def _tried(plan: dict[str, Any], worker: Worker, trial: Trial) -> str:
    """`held`, `failed`, `sometimes` or `over`. Raises Refused."""
    import hypothesis
    from hypothesis import errors

    maker = making.Maker(worker.ask)
    given = {name: maker.made(values) for name, values in plan["given"].items()}
    trial.modules, trial.described = sorted(maker.modules), maker.described

    @hypothesis.seed(plan["seed"])
    @hypothesis.settings(
        max_examples=plan["examples"], database=None, deadline=None, print_blob=False, report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet, suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
    )  # fmt: skip
    @hypothesis.given(hypothesis.strategies.fixed_dictionaries(given))
    def law(values: Any) -> None:
        trial.attempt(values, hypothesis.reject)

    try:
        law()
    except Broken:
        return "failed"
    except TimeOver:
        return "failed" if trial.last else "over"
    except errors.Flaky:
        return "sometimes" if trial.last else "over"
    except errors.Unsatisfiable:
        raise making.Refused(
            "none of the values that were made count: `when` is never true, or the type takes none"
        ) from None
    except errors.HypothesisException as error:
        raise making.Refused(f"no values can be made: {error}") from None
    return "sometimes" if trial.last else "held"


def judged(plan: dict[str, Any]) -> dict[str, Any]:
    """The report."""
    sys.path.insert(0, plan["library"])
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = f"{os.devnull}/none"  # nothing is kept, and nobody lays anything down
    os.environ["HYPOTHESIS_NO_PLUGINS"] = "1"
    try:
        import hypothesis
    except ImportError as error:
        return {"state": "unusable", "text": f"Hypothesis cannot be loaded: {error}"}
    worker = Worker(plan, time.monotonic() + plan["timeout_s"])
    program = weighing.Program(worker.ask)
    law = weighing.Law(plan, program)
    trial, report = Trial(law), {"hypothesis": hypothesis.__version__}
    signal.signal(signal.SIGALRM, _over)
    try:
        worker.start()
        signal.setitimer(signal.ITIMER_REAL, plan["timeout_s"] + ENDING_S)  # the law itself may take forever
        report["state"] = _tried(plan, worker, trial)
    except making.Refused as refused:
        report |= {"state": "refused", "text": str(refused), **refused.facts}
    except TimeOver:
        report["state"] = "over"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        worker.end()
    report |= {
        "examples": trial.examples, "rejected": trial.rejected, "distinct": len(trial.distinct),
        "modules": trial.modules, "described": _digest(trial.described),
        "shadows": sorted(law.shadows),
        "told": sorted(program.told | ({"strategy"} if '["bytes", "' in json.dumps(trial.described) else set())),
        "files": worker.loaded.get("files", {}), "python": worker.loaded.get("python", ""), **trial.last,
    }  # fmt: skip
    return report


def _digest(described: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _over(*_: Any) -> None:
    raise TimeOver


def _shield() -> None:
    """Close this process's memory and descriptors to what it starts."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def main() -> int:
    """Judge as the plan in the file `argv[1]` says; the report is one line, then the code over it."""
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    _shield()
    key = sys.stdin.buffer.read()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.chdir("/")
    report = json.dumps(judged(plan)).encode()
    code = hmac.new(key, report, hashlib.sha256).hexdigest().encode()
    sys.stdout.buffer.write(report + b"\n" + code + b"\n")
    sys.stdout.flush()
    return 0
