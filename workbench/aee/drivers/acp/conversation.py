"""One turn of an Agent Client Protocol conversation: open or load a session, prompt, hear, answer requests.

Runs its own event loop in a thread. It must not know the sandbox, the journal or which program it speaks to. This is
the only module that imports the protocol's library, which takes half a second: while the agent's program starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench import __version__
from workbench.aee.drivers.acp.acts import Acts
from workbench.aee.drivers.acp.front import Front
from workbench.model.errors import Refused, WorkbenchError
from workbench.model.events import ToolReturned
from workbench.model.text import visible
from workbench.ports import TurnEnd

if TYPE_CHECKING:
    from acp.schema import RequestPermissionResponse

PROTOCOL = 1
MAX_LINE = 64 << 20  # bytes of one message
START_S = 120.0  # for an agent to answer the first two requests; slow machines, slow programs
PAUSE_S = 0.1  # without a further word, before what was said counts as a thought
REPLAY_S = 0.2  # for what an agent tells again after it said that its session is loaded
SETTLE_S = 0.05  # for what an agent told before it called a tool of ours
END_S = 2.0  # for a program that hung up to be seen as ended
WIND_UP_S = 3.0  # for an agent to end its turn when it is told to, and to keep its session
ENDED_BY_LIMIT = {"max_tokens": "its model's limit of tokens", "max_turn_requests": "its limit of requests a turn"}

Session = tuple[str, bool]  # its id, and whether it was loaded


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a turn consists of. `known` is the session to load, empty: none."""

    cwd: str
    known: str
    mcp_argv: tuple[str, ...]
    first: Callable[[], str]  # the prompt of a new session, asked for when one is needed
    further: Callable[[], str]  # the prompt of one that was loaded
    more: Callable[[], str]  # what people said while the agent worked, once it has ended; empty: nothing


class Conversation(threading.Thread):
    """Speaks on `listener`, where the agent connects; tells `front` how the turn ended.

    `acts_of(session)` takes what is done in a session; `opened(session, loaded)` records that it is there;
    `permission(request)` says whether a request is granted, and why; it may block.
    """

    def __init__(
        self,
        listener: socket.socket,
        front: Front,
        plan: Plan,
        *,
        acts_of: Callable[[str], Acts],
        opened: Callable[[str, bool], None],
        say: Callable[[str], None],
        permission: Callable[[Mapping[str, Any]], tuple[bool, str]],
    ) -> None:
        super().__init__(name="acp", daemon=True)
        self._listener, self._front, self._plan = listener, front, plan
        self._acts_of, self._opened, self._say, self._permission = acts_of, opened, say, permission
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted: TurnEnd | WorkbenchError | None = None
        self._winding: asyncio.Event | None = None
        self._acts: Acts | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._replayed: list[dict[str, Any]] = []

    def run(self) -> None:
        """The thread."""
        try:
            asyncio.run(self._converse())
        except WorkbenchError as problem:
            self._front.fail(problem)
        except CancelledError:
            pass  # the turn is over
        except Exception as problem:  # noqa: BLE001 - the driver's loop: whatever the agent's program answers
            self._front.over.wait(END_S)  # a program that ended says more
            self._front.fail(_broken(problem))

    def wind_up(self, end: TurnEnd | WorkbenchError) -> None:
        """End the turn so, from any thread: the agent is told to stop, and given a moment to keep its session."""
        self._wanted = end
        with contextlib.suppress(RuntimeError):  # the loop has just ended
            if self._loop is not None and self._winding is not None:
                self._loop.call_soon_threadsafe(self._winding.set)

    def broken_off(self) -> list[tuple[str, ToolReturned]]:
        """What the agent had begun when nobody listened any more."""
        return self._acts.broken_off() if self._acts is not None else []

    def settle(self) -> None:
        """From another thread: let what was told until now be taken first. What agents tell, and their calls of our
        tools, come on two sockets: between these there is no order but the one in which we look.
        """
        self._front.over.wait(SETTLE_S)

    async def _converse(self) -> None:
        import acp

        self._loop, self._winding = asyncio.get_running_loop(), asyncio.Event()
        reader, writer = await self._connected()
        connection = acp.connect_to_agent(self, writer, reader)  # type: ignore[arg-type]  # has what v1 asks of a client
        try:
            session = await self._session(connection)
            await self._turn(connection, session)
        except (ConnectionError, CancelledError):
            raise
        except WorkbenchError as problem:
            self._front.fail(problem)  # before we hang up: a program that then ends says less
        except Exception as problem:  # noqa: BLE001 - likewise, of whatever it answers
            self._front.fail(_broken(problem))
        finally:
            with contextlib.suppress(Exception):
                await connection.close()
            writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._listener.setblocking(False)
        accepted, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(self._listener), START_S)
        return await asyncio.open_unix_connection(sock=accepted, limit=MAX_LINE)

    async def _session(self, connection: Any) -> Session:
        from acp import schema

        hello = connection.initialize(
            protocol_version=PROTOCOL,
            client_capabilities=schema.ClientCapabilities(),  # no files, no terminals: agents use the sandbox's own
            client_info=schema.Implementation(name="workbench", version=__version__),
        )
        said = await asyncio.wait_for(hello, START_S)
        if said.protocol_version != PROTOCOL:
            raise Refused(
                f"the agent speaks version {said.protocol_version} of the Agent Client Protocol, not {PROTOCOL}",
                hint="Install a version of it that speaks version 1.",
            )
        program, *args = self._plan.mcp_argv
        ours = [schema.McpServerStdio(name="workbench", command=program, args=args, env=[])]
        can_load = bool(said.agent_capabilities and said.agent_capabilities.load_session)
        if self._plan.known and can_load and await self._loaded(connection, ours):
            return self._plan.known, True
        opened = connection.new_session(cwd=self._plan.cwd, mcp_servers=ours)
        session = await asyncio.wait_for(opened, START_S)
        self._acts = self._acts_of(session.session_id)
        await self._ask(lambda: self._opened(session.session_id, False))
        return session.session_id, False

    async def _loaded(self, connection: Any, ours: list[Any]) -> bool:
        """Whether the agent took its earlier session up; what it tells of it again is recorded where it was not."""
        from acp.exceptions import RequestError

        self._acts = self._acts_of(self._plan.known)
        self._acts.replaying = True
        load = connection.load_session(cwd=self._plan.cwd, session_id=self._plan.known, mcp_servers=ours)
        try:
            await asyncio.wait_for(load, START_S)
        except (RequestError, TimeoutError) as problem:
            self._acts = None
            told = visible(f"{problem} {getattr(problem, 'data', '')}".strip())[:300]
            await self._ask(lambda: self._say(f"The agent could not take its session up again: {told}"))
            return False
        await self._ask(lambda: self._opened(self._plan.known, True))
        await asyncio.sleep(REPLAY_S)
        self._acts.flush()
        self._acts.replaying = False
        return True

    async def _turn(self, connection: Any, session: Session) -> None:
        from acp import text_block

        name, is_loaded = session
        text = await self._ask(self._plan.further if is_loaded else self._plan.first)
        assert self._winding is not None and self._acts is not None  # both are made before a turn
        winding = asyncio.ensure_future(self._winding.wait())
        while text:
            prompt = asyncio.ensure_future(connection.prompt(session_id=name, prompt=[text_block(text)]))
            await asyncio.wait({prompt, winding}, return_when=asyncio.FIRST_COMPLETED)
            wanted = self._wanted
            if wanted is not None:
                await self._wound_up(connection, name, prompt)
                break
            wanted = self._ended((await prompt).stop_reason)
            self._acts.settle()
            text = await self._ask(self._plan.more)
        winding.cancel()
        self._acts.settle()
        assert wanted is not None  # the first prompt is never empty
        if isinstance(wanted, WorkbenchError):
            problem = wanted
            await self._ask(lambda: self._front.fail(problem))
        else:
            end = wanted
            await self._ask(lambda: self._front.finish(end))

    async def _wound_up(self, connection: Any, session: str, prompt: asyncio.Future[Any]) -> None:
        with contextlib.suppress(Exception):  # it ends either way
            await connection.cancel(session_id=session)
            await asyncio.wait_for(prompt, WIND_UP_S)

    def _ended(self, reason: str) -> TurnEnd:
        assert self._acts is not None  # the caller looked
        if reason == "refusal":
            self._acts.words({"content": {"text": "\n[the model refused to go on]"}})
        elif reason in ENDED_BY_LIMIT:
            self._acts.words({"content": {"text": f"\n[the turn came to {ENDED_BY_LIMIT[reason]}]"}})
        return "ended"

    async def _ask(self, act: Callable[[], Any]) -> Any:
        return await asyncio.wrap_future(self._front.post(act))

    # --- what the agent asks of us ------------------------------------------------------------------------------------

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        """Something was said or done."""
        if self._acts is None or not isinstance(session_id, str):
            return
        self._acts.take(update.model_dump(mode="json", by_alias=True, exclude_none=True))
        if self._pause is not None:
            self._pause.cancel()
        self._pause = asyncio.get_running_loop().call_later(PAUSE_S, self._flush)

    def _flush(self) -> None:
        if self._acts is not None and not self._acts.replaying and not self._front.over.is_set():
            self._acts.flush()

    async def request_permission(
        self,
        session_id: str,  # noqa: ARG002 - the protocol's interface; a turn has one session
        tool_call: Any,
        options: list[Any],
        **_: Any,
    ) -> RequestPermissionResponse:
        """Granted where it lies within what the sandbox allows anyway; else a person is asked."""
        from acp import schema

        request = tool_call.model_dump(mode="json", by_alias=True, exclude_none=True)
        granted, why = await asyncio.get_running_loop().run_in_executor(None, self._permission, request)
        if self._acts is not None:
            self._acts.tool_call(request, permission=why)
        wanted = ("allow_once", "allow_always") if granted else ("reject_once", "reject_always")
        ranked = [option for kind in wanted for option in options if option.kind == kind]
        if not ranked:
            return schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled"))
        chosen = schema.AllowedOutcome(outcome="selected", option_id=ranked[0].option_id)
        return schema.RequestPermissionResponse(outcome=chosen)


def _broken(problem: Exception) -> WorkbenchError:
    """What the agent's program answered where it should have gone on, or how the line to it broke."""
    told = visible(f"{type(problem).__name__}: {problem} {getattr(problem, 'data', None) or ''}".strip())[:500]
    hint = (
        "workbench agents doctor looks at the program, its key and the way to its model; workbench resume tries again."
    )
    return WorkbenchError(f"the conversation with the agent broke: {told}", hint=hint)
