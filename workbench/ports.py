"""Every port on one page: what the inner rooms may ask of the outer world. Adapters do not inherit from these.

Each port has one contract suite in `tests/contracts`, for every adapter and for every public fake in
`workbench.testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from workbench.core.state import ConsultationState, MissionState, PackState, RunState
from workbench.model.events import Event, MessageGiven, Payload, Proposed
from workbench.model.evidence import Evidence, Finding

# --- time -----------------------------------------------------------------------------------------------


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> str:
        """This moment as an instant (`workbench.model.instants`)."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean something."""
        ...


# --- journal --------------------------------------------------------------------------------------------


class Journal(Protocol):
    """The event log. `append` is atomic over all its events and returns only after they are on disk."""

    def append(self, proposed: Sequence[Proposed], *, expect: Mapping[str, int] | None = None) -> list[Event]:
        """Append in order. `expect` maps a stream to the version it must still have (0: it must not exist).

        An event whose id is already stored is not appended again; the stored one is returned in its place, and if
        all of them are stored, `expect` is not checked. Raises Conflict (nothing was written) and JournalProblem.
        """
        ...

    def read(self, stream: str, *, after: int = 0, limit: int = 0) -> list[Event]:
        """Events of one stream with version > `after`, oldest first; `limit` 0 means all."""
        ...

    def read_all(self, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Events of the whole journal with seq > `after`, oldest first."""
        ...

    def find(self, event_id: str) -> Event | None:
        """The stored event of that id."""
        ...

    def last_seq(self) -> int:
        """The seq of the newest event, 0 in an empty journal."""
        ...

    def data_version(self) -> int:
        """A number that changes when another connection has committed; costs microseconds."""
        ...


class States(Protocol):
    """The projections: folded states by id, each as of the newest event. None when there is no such thing."""

    def mission(self, mission: str) -> MissionState | None: ...
    def missions(self) -> list[MissionState]: ...
    def run(self, run: str) -> RunState | None: ...
    def runs(self, *, mission: str = "", live: bool = False) -> list[RunState]:
        """All runs, of one mission if named, only those without an outcome if `live`; oldest first."""
        ...

    def consultation(self, consultation: str) -> ConsultationState | None: ...
    def consultations(self, *, run: str = "", is_open: bool = False) -> list[ConsultationState]: ...
    def pack(self, pack: str) -> PackState | None: ...
    def packs(self, *, run: str = "", state: str = "") -> list[PackState]: ...


class Blobs(Protocol):
    """Bulky content by digest; what was put is on disk before `put` returns."""

    def put(self, data: bytes) -> str:
        """Keep `data`; its digest (`sha256:<hex>`)."""
        ...

    def get(self, digest: str) -> bytes:
        """What was put. Raises NotFound, and JournalProblem when the bytes do not match the digest."""
        ...

    def has(self, digest: str) -> bool: ...


# --- sandbox --------------------------------------------------------------------------------------------

SandboxLevel = Literal["bubblewrap", "landlock", "sandbox-exec", "container", "none"]
DEMO_LEVEL = "demo"  # asked for by the demo: the best level, and under a warning none where nothing else works


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one sandboxed command may use. 0 means no limit of ours."""

    wall_s: float = 600.0
    memory_bytes: int = 4 << 30  # address space of each process, where no cgroup is writable
    total_bytes: int = 0  # of memory that all its processes hold together; watched, so passed for a moment
    processes: int = 512
    file_bytes: int = 1 << 30  # of one file
    output_bytes: int = 1 << 20  # kept of each stream: half of it from the head, half from the tail


class Mount(msgspec.Struct, frozen=True, kw_only=True):
    """A host path seen at `target` inside (the same path if empty)."""

    source: str
    target: str = ""
    writable: bool = False


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A command for the sandbox. `env` is the whole environment: nothing is inherited."""

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str] = {}
    mounts: tuple[Mount, ...] = ()
    network: bool = False
    limits: Limits = Limits()
    stdin: bytes = b""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """What was kept of an output: `head` and `tail` are all of it when `full_bytes` is not larger than both."""

    head: bytes = b""
    tail: bytes = b""
    full_bytes: int = 0

    @property
    def data(self) -> bytes:
        """Head and tail, with a line between them that states the cut."""
        cut = self.full_bytes - len(self.head) - len(self.tail)
        return self.head if not self.tail and not cut else self.head + _cut_line(cut) + self.tail

    @property
    def text(self) -> str:
        """`data` as text, undecodable bytes replaced."""
        return self.data.decode("utf-8", "replace")


def _cut_line(cut: int) -> bytes:
    return b"\n[... %d bytes cut ...]\n" % cut if cut else b""


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended. `exit_code` is negative for a signal; `state` says whether it ended by itself."""

    state: Literal["exited", "timed-out", "stopped", "failed-to-start"]
    exit_code: int
    stdout: Stream
    stderr: Stream
    duration_ms: int
    level: SandboxLevel


class Sandbox(Protocol):
    """Runs commands that reach nothing but their mounts. When `run` returns, no process of the job is alive."""

    @property
    def level(self) -> SandboxLevel: ...

    def run(
        self,
        job: Job,
        *,
        on_output: Callable[[str, bytes], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completed:
        """Run to the end. `on_output(stream, chunk)` sees bytes as they come; `stop()` is asked about every 100 ms.

        Raises SandboxProblem only when the sandbox itself cannot be set up.
        """
        ...


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The named tools that sandboxed commands see (interpreter prefix, `.venv`, `node_modules`), mounted read-only."""

    kind: Literal["configured", "prepared", "venv", "caller", "system"]
    label: str
    env: dict[str, str] = {}  # PATH, VIRTUAL_ENV ...: the whole of what it contributes
    mounts: tuple[Mount, ...] = ()
    digest: str = ""  # over names, versions and contents that decide what runs; not over paths of temporary places
    notes: tuple[str, ...] = ()


# --- git on the host ------------------------------------------------------------------------------------


class Repository(Protocol):
    """The person's repository, read with nothing of its configuration obeyed and moved only by compare-and-swap."""

    @property
    def common_dir(self) -> Path: ...

    @property
    def checkout(self) -> Path | None:
        """The working tree from which Workbench was called; None in a bare repository."""
        ...

    def resolve(self, ref: str) -> str:
        """The full commit id that `ref` names. Raises NotFound with the remedy."""
        ...

    def read_file(self, commit: str, path: str) -> bytes | None:
        """A file as it stands in `commit`; None when it is not there."""
        ...

    def list_files(self, commit: str, under: str = "") -> list[str]:
        """Paths of all files in `commit` below `under`, sorted."""
        ...


# --- workspaces -----------------------------------------------------------------------------------------


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A clone to work in. `path` is on the host, `mounts` and `cwd` say how a sandboxed command sees it."""

    id: str
    path: str
    base_commit: str
    cwd: str
    mounts: tuple[Mount, ...] = ()
    env: dict[str, str] = {}


class Workspaces(Protocol):
    """Makes, reads and keeps the clones of runs; nobody's undelivered work is ever deleted."""

    def prepare(self, *, run: str, base_commit: str, branch: str) -> Workspace:
        """The run's clone with `branch` checked out at `base_commit`; the same one again when it exists."""
        ...

    def fetch(self, *, run: str, branch: str) -> str:
        """Bring the run's commits into the store and return the branch's head there."""
        ...

    def verification(self, *, commit: str) -> Workspace:
        """A clean checkout of `commit`, made by the host, for evidence. Give it back with `release`."""
        ...

    def release(self, workspace: Workspace) -> None:
        """A verification workspace is no longer needed."""
        ...


# --- tools, drivers -------------------------------------------------------------------------------------


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool tells the agent. `data` is plain JSON. `suspend`: the turn ends here until a person has answered."""

    state: Literal["ok", "error", "interrupted"]
    summary: str
    data: dict[str, Any] = {}
    output: bytes = b""  # bulky output, kept as a blob
    suspend: bool = False
    finish: bool = False  # the work was delivered, the turn is over


class Tool(Protocol):
    """One thing that an agent may do."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...

    @property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        ...

    def call(self, arguments: Mapping[str, Any], call_id: str) -> ToolResult:
        """Do it. Bad arguments give a result with `state="error"`, never an exception."""
        ...


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a driver is given for one turn: texts to work from and what already happened in this run."""

    run: str
    mission: str
    agent: str
    brief: str
    script: str = ""
    message: str = ""  # changes requested, or the answer that ended a wait
    words: tuple[str, ...] = ()  # what people say to the agent since its last turn, marked as theirs
    history: tuple[Event, ...] = ()  # the run's stream so far


class Session(Protocol):
    """The driver's way out: every report is recorded before the next act."""

    def say(self, text: str) -> None:
        """Record a thought."""
        ...

    def record(self, payload: Payload, *, key: str) -> None:
        """Record another fact of the run; `key` is its own among those of its kind, so that a repeat is recognised."""
        ...

    def use(self, tool: str, arguments: Mapping[str, Any], *, call: str) -> ToolResult:
        """Record the intent, call the tool, record the outcome. A call with a recorded outcome is not repeated."""
        ...

    def stopping(self) -> bool:
        """Whether a person paused, stopped or interrupted the run: end the turn soon."""
        ...

    def messages(self, *, midway: bool = True) -> tuple[MessageGiven, ...]:
        """What people want the agent to hear now, recorded as given: it must hear it before it does anything else.

        Between two of its acts (`midway`) that is all but what is to wait for the end of its turn. A driver that
        never asks has everything in `Turn.words` of the next turn.
        """
        ...


TurnEnd = Literal["submitted", "waiting", "ended", "stopped"]


class Driver(Protocol):
    """Adapter to one kind of agent."""

    @property
    def name(self) -> str: ...

    def take_turn(self, turn: Turn, session: Session) -> TurnEnd:
        """Let the agent work until it delivers, waits for an answer, ends or is stopped."""
        ...


# --- evidence -------------------------------------------------------------------------------------------


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What a collector brings back."""

    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()


MAX_COMMITS = 1000  # of a change's history that are looked at one by one


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One commit of a change's history, as raw as it stands in the object: every text may be hostile."""

    id: str
    author: str = ""  # name <mail>
    committer: str = ""
    message: str = ""


AddedLines = tuple[tuple[int, str], ...]  # (number in that commit's file, text)


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What the commits between base and head added, also what a later one took away again."""

    added: dict[str, dict[str, AddedLines]] = {}  # commit to path to lines; a path without lines was touched only
    left_out: tuple[str, ...] = ()  # sentences on what was beyond the bounds; empty: nothing


class Change(Protocol):
    """The change under examination, as collectors see it: two commits, the result, and places to run commands in."""

    @property
    def base(self) -> str: ...

    @property
    def head(self) -> str: ...

    @property
    def result(self) -> str:
        """The commit that a merge would make: `head` merged on the current base."""
        ...

    @property
    def tree(self) -> str: ...

    def changed_paths(self) -> list[tuple[str, str]]:
        """(status letter, path) between base and result; renames as `D` and `A`."""
        ...

    def base_file(self, path: str) -> bytes | None: ...
    def result_file(self, path: str) -> bytes | None: ...

    def added_lines(self) -> dict[str, tuple[int, ...]]:
        """Per path of the result, the numbers of the lines that base does not have."""
        ...

    def modes(self) -> dict[str, tuple[str, str]]:
        """Per changed path its git modes in base and result (`100644`, `120000` ...); "" where it is absent."""
        ...

    def commits(self) -> tuple[Commit, ...]:
        """The commits of head that base has not, newest first, at most `MAX_COMMITS`."""
        ...

    def history_added_lines(self) -> History:
        """Lines that each of `commits` has and none of its parents; nothing of binary files."""
        ...


class Collector(Protocol):
    """Makes evidence of one kind."""

    @property
    def name(self) -> str: ...

    def collect(self, change: Change) -> Collected:
        """Never raises for what the change does: a broken tool or file gives state `error` or `not-checked`."""
        ...
