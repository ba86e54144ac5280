"""`run`: a shell command in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from workbench.aee.tools.checked import Arguments, CheckedTool, summary
from workbench.aee.tools.place import Place
from workbench.ports import Completed, Stream, ToolResult

SHOWN_BYTES = 16 << 10  # of each stream, half from the head and half from the tail; the blob keeps more


# One that was stopped tells nothing of its command: somebody paused the run, or the AEE ends.
STATES: Mapping[str, Literal["ok", "interrupted"]] = {"exited": "ok", "stopped": "interrupted"}


class RunArguments(Arguments, frozen=True, kw_only=True):
    """What to run, where and for how long at most."""

    command: Annotated[str, Meta(min_length=1, max_length=100_000, description="A command for /bin/sh.")]
    cwd: Annotated[str, Meta(description="Directory relative to the workspace.")] = ""
    timeout_s: Annotated[float, Meta(gt=0, le=86_400, description="Seconds; can only shorten the run's limit.")] = 600.0


class RunTool(CheckedTool[RunArguments]):
    """Runs commands of the agent."""

    name = "run"
    description = "Run a shell command in the sandboxed workspace. Gives exit code, and head and tail of the output."
    arguments = RunArguments

    def __init__(self, place: Place) -> None:
        self._place = place

    def act(self, arguments: RunArguments, call_id: str) -> ToolResult:
        """Run to the end; a command that fails is still an `ok` result, with its exit code."""
        argv = ("/bin/sh", "-c", arguments.command)
        done = self._place.run(argv, call=call_id, cwd=arguments.cwd, wall_s=arguments.timeout_s)
        said = f"exit {done.exit_code}" if done.state == "exited" else done.state
        return ToolResult(
            state=STATES.get(done.state, "error"),
            summary=summary(f"{said}: {arguments.command}"),
            data=outcome(done),
            output=whole(done),
        )


def outcome(done: Completed) -> dict[str, Any]:
    """How a command ended, as data for the agent."""
    return {
        "state": done.state,
        "exit_code": done.exit_code,
        "stdout": shown(done.stdout),
        "stderr": shown(done.stderr),
        "stdout_bytes": done.stdout.full_bytes,
        "stderr_bytes": done.stderr.full_bytes,
        "duration_ms": done.duration_ms,
        "sandbox": done.level,
    }


def shown(stream: Stream) -> str:
    """Head and tail of an output, at most SHOWN_BYTES, with the cut stated."""
    kept = stream.head + stream.tail
    if stream.full_bytes <= len(kept) <= SHOWN_BYTES:
        return kept.decode("utf-8", "replace")
    half = SHOWN_BYTES // 2
    return Stream(head=kept[:half], tail=kept[half:][-half:], full_bytes=stream.full_bytes).text


def whole(done: Completed) -> bytes:
    """Both streams as far as they were kept, for the blob."""
    if not done.stderr.full_bytes:
        return done.stdout.data
    return done.stdout.data + b"\n--- stderr ---\n" + done.stderr.data
