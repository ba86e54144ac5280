"""The application: theme, keys, the bridge from the journal, and which screen is open; it decides and draws nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events
from textual.app import App
from textual.css.query import NoMatches
from textual.message import Message
from textual.theme import Theme as TextualTheme

from workbench.ace.tui.bridge import Arrived, Bridge
from workbench.ace.tui.frame import Frame
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.needs import NEEDS, Need, needs_view
from workbench.ace.tui.palette import Palette
from workbench.ace.tui.pasting import guard_pastes
from workbench.ace.tui.preferences import Preferences, preferences, shows_unicode
from workbench.ace.tui.terminal import clipboard, notification
from workbench.ace.tui.text import safe
from workbench.ace.tui.themes import Theme
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EnvironmentProblem, WorkbenchError
from workbench.model.text import one_line, visible

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.worker import Worker


T = TypeVar("T")
Failed = Callable[["WorkbenchError"], None]
# What Textual's own rules ask of a theme in the terminal's own colours.
_ANSI = {
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_white",
    "input-cursor-background": "ansi_white",
    "input-cursor-foreground": "ansi_black",
    "input-cursor-text-style": "none",
}
HOME = "workbench.ace.tui.screens.inbox"  # by name: the application knows no screen
GRACE_S = 3.0  # to leave the terminal as it was, after a signal that asks to end
SETTLE_S = 0.02  # for the first frame to get to the terminal, while nothing else holds the interpreter
SWITCH_S = 0.001  # how long the bridge may hold the interpreter while a key waits
LOG = "screens.log"  # beside the journal: what went wrong in a screen
MOST_CRASHES, CRASHES_WITHIN_S = 3, 60.0
AFTER_CRASH = f"a screen failed and was opened anew; nothing was lost, agents go on; {LOG} beside the journal has more"
COPIED = "copied.txt"  # what was copied last, for terminals without a clipboard of ours


class WorkbenchApp(App[int]):
    """Shows one repository's journal."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[Any]] = []
    CSS = """
    Input, Input:focus, TextArea, TextArea:focus { border: none; padding: 0 1; background: $panel; }
    Input, Input:focus { height: 1; }
    """

    class Told(Message):
        """A view of the bridge has a newer value."""

        def __init__(self, arrived: Arrived) -> None:
            super().__init__()
            self.arrived = arrived

    class Finished(Message):
        """A command that was carried out beside the event loop ended."""

        def __init__(
            self, then: Callable[[Any], None], value: Any, problem: WorkbenchError | None, failed: Failed | None
        ) -> None:
            super().__init__()
            self.then, self.value, self.problem, self.failed = then, value, problem, failed

    def __init__(self, place: Workplace, chosen: Preferences | None = None) -> None:
        self.chosen = chosen or preferences()
        self.glyphs = Glyphset("unicode" if shows_unicode(self.chosen.screens) else "ascii")  # its lines are in the CSS
        super().__init__()
        self.place = place
        self.keymap_of_workbench = self.chosen.keymap
        self.bridge = Bridge(place, self._hear)
        self._event_loop: asyncio.AbstractEventLoop | None = None
        self.is_leaving = False
        self.looking: tuple[str, str, float] | None = None  # session, item, since when (monotonic clock, seconds)
        self._is_painted = False
        self.crash = ""  # what went wrong in a screen, and ended them all
        self.has_mouse = self.chosen.screens.mouse
        self._known: frozenset[Need] | None = None  # what needed a person when it was last looked
        if self.chosen.screens.motion == "none":
            self.animation_level = "none"
        self._use(self.chosen.theme)

    def get_driver_class(self) -> type[Driver]:
        """Textual's own, behind a guard for what is pasted."""
        guard_pastes()
        return super().get_driver_class()

    def _hear(self, arrived: Arrived) -> None:
        self.post_message(self.Told(arrived))

    # --- looks ---

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The lines between panes and around dialogs, as this terminal can show them."""
        pick = self.glyphs.pick
        return {"pane-line": pick("solid", "ascii"), "dialog-line": pick("round", "ascii")}

    def _use(self, theme: Theme) -> None:
        colors = theme.colors
        self.register_theme(
            TextualTheme(
                name=theme.name,
                primary=colors["mark"],
                foreground=colors["foreground"],
                background=colors["background"],
                surface=colors["surface"],
                panel=colors["bar"],
                dark=theme.dark,
                ansi=theme.ansi,
                variables={**(_ANSI if theme.ansi else {}), **colors},
            )
        )
        self.theme = theme.name
        self.__dict__.pop("palette", None)

    @cached_property
    def palette(self) -> Palette:
        """The styles of the theme in force."""
        return Palette(self.current_theme.variables, ascii=self.glyphs.kind == "ascii")

    # --- bad days ---

    def _handle_exception(self, error: Exception) -> None:
        """Something in a screen failed: note it and end, without a traceback over a person's work; `run` goes on."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        if self.is_leaving and isinstance(error, NoMatches):
            self._close_messages_no_wait()  # a screen was closed before it stood: nobody waits for it
            return
        self.crash = one_line(f"{type(error).__name__}: {error}", 200)
        with suppress(OSError), (self.place.journal_directory / LOG).open("a", encoding="utf-8") as log:
            log.write(visible("".join(traceback.format_exception(error))) + "\n")
        self._close_messages_no_wait()

    def exit(self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave; what fails in a screen from now on opens nothing anew."""
        self.is_leaving = True
        super().exit(result, return_code, message)

    def leave(self, code: int) -> None:
        """Leave, as soon as the event loop comes to it; may be called from a signal's handler."""
        if self._event_loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._event_loop.call_soon_threadsafe(self.exit, code)

    # --- screens and the bridge ---

    def get_default_screen(self) -> Frame:
        """Home: the inbox."""
        home: Frame = import_module(HOME).InboxScreen()
        return home

    def on_mount(self) -> None:
        """Begin to read the journal once there is something to look at."""
        self._event_loop = asyncio.get_running_loop()
        self.app_resume_signal.subscribe(self, self._paint_anew)
        self.bridge.watch(NEEDS, needs_view)
        if self.chosen.problems:
            self.call_after_refresh(self._tell_problems)

    def _paint_anew(self, _: object) -> None:
        """After `fg` the terminal is empty: paint all of it, not what changed."""
        self.screen.refresh(layout=True)

    def was_painted(self) -> None:
        """A screen was painted; soon after the first time, when the terminal has it, this settles down."""
        if not self._is_painted:
            self._is_painted = True
            self.set_timer(SETTLE_S, self._settle_down)

    def _settle_down(self) -> None:
        """The first frame is painted: begin to read. What stands by now stays, so no collection looks at it again."""
        gc.collect()
        gc.freeze()
        gc.enable()
        sys.setswitchinterval(SWITCH_S)
        self.bridge.start()

    def on_unmount(self) -> None:
        """Stop reading."""
        self.bridge.stop()

    def on_workbench_app_told(self, message: Told) -> None:
        """Hand a value to the screen that watches it, wherever in the stack it is."""
        arrived = message.arrived
        if arrived.name == NEEDS and arrived.problem is None:
            self._notice(arrived.value)
        for screen in self.screen_stack:
            if isinstance(screen, Frame):
                screen.take(arrived)
        self.bridge.taken(arrived.name)

    def _notice(self, needs: frozenset[Need]) -> None:
        """Call a person who looks elsewhere; who has this terminal in front sees it."""
        known, self._known = self._known, needs
        fresh = sorted(needs - known) if known is not None else []
        if not fresh or self.app_focus or self.chosen.screens.notify == "off":
            return
        self.bell()
        if self.chosen.screens.notify == "desktop":
            words = safe(fresh[0].title if len(fresh) == 1 else f"{len(fresh)} things need you")
            self._write(notification(safe("Workbench"), words))

    def _tell_problems(self) -> None:
        if self.work_screen is not None:
            self.work_screen.tell("; ".join(self.chosen.problems), "needs-you")

    # --- the terminal ---

    def copy(self, text: str) -> str:
        """Copy to the terminal's clipboard, and to a file where the terminal cannot; says what was done."""
        kept = self.place.journal_directory / COPIED
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(text, encoding="utf-8", errors="replace")
        sequence = clipboard(text)
        self._clipboard = text
        self._write(sequence)
        return "copied" if sequence else f"too long for the terminal: it is in {kept}"

    def toggle_mouse(self) -> bool:
        """Take the mouse, or leave it to the terminal; whether the screens have it now."""
        driver = self._driver
        self.has_mouse = not self.has_mouse
        if driver is not None:
            name = "_enable_mouse_support" if self.has_mouse else "_disable_mouse_support"
            getattr(driver, name, lambda: None)()
            driver.flush()
        return self.has_mouse

    def _write(self, sequence: str) -> None:
        if self._driver is not None and sequence:
            self._driver.write(sequence)
            self._driver.flush()

    @property
    def work_screen(self) -> Frame | None:
        """The screen on top."""
        return self.screen if isinstance(self.screen, Frame) else None

    # --- carrying out ---

    def carry_out(
        self, command: Callable[[Workplace], T], then: Callable[[T], None], failed: Failed | None = None
    ) -> Worker[None]:
        """Do something to the repository or the journal beside the event loop; `then` gets what it gave.

        What goes wrong is told on the screen on top, and to `failed`; nothing of `command` may touch a widget.
        """

        def work() -> None:
            value: T | None = None
            problem: WorkbenchError | None = None
            try:
                with Workplace(self.place.directory) as place:
                    value = command(place)
            except WorkbenchError as refused:
                problem = refused
            except Exception as error:  # noqa: BLE001 (the top of a worker: a person is told, the screen stays)
                problem = EnvironmentProblem(f"unexpected {type(error).__name__}: {error}", hint="see workbench doctor")
            self.post_message(self.Finished(then, value, problem, failed))

        return self.run_worker(work, thread=True, exit_on_error=False)

    def on_workbench_app_finished(self, message: Finished) -> None:
        """Show what came of a command."""
        self.bridge.look_now()
        if message.problem is None:
            message.then(message.value)
            return
        if message.failed is not None:
            message.failed(message.problem)
        if self.work_screen is not None:
            self.work_screen.tell_problem(message.problem)

    async def on_event(self, event: events.Event) -> None:
        """Every key goes to the screen on top first, unless somebody types."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            screen = self.work_screen
            if screen is not None and event.key == "ctrl+c":
                screen.tell("Esc leaves, step by step; agents go on. To end what was started here: workbench aee stop")
                return
            if screen is not None and screen.press(event.key, event.character):
                return
        elif isinstance(event, events.Paste) and self.work_screen is not None:
            self.work_screen.settle()
        await super().on_event(event)


def run(place: Workplace) -> int:
    """Open the screens; the exit code. What goes wrong in a screen closes it, and home is opened anew, with a word."""
    crashes: list[float] = []
    while True:
        app = WorkbenchApp(place)
        if crashes:
            app.chosen = app.chosen._replace(problems=(*app.chosen.problems, AFTER_CRASH))
        _obey_signals(app)
        code = app.run(mouse=app.has_mouse)
        if not app.crash or app.is_leaving:
            return code or 0
        crashes = [at for at in crashes if time.monotonic() - at < CRASHES_WITHIN_S] + [time.monotonic()]
        if len(crashes) > MOST_CRASHES:
            hint = f"agents go on; the command line works: workbench inbox. See {place.journal_directory / LOG}"
            raise EnvironmentProblem(f"the screens fail again and again: {app.crash}", hint=hint)


def _obey_signals(app: WorkbenchApp) -> None:
    """Being ended, or losing the terminal, is a leaving like any other, also where the starter had hang-ups ignored."""

    def end(number: int, _frame: object) -> None:
        """Where the terminal is gone, writing to it can block for ever: then go without a word."""
        last = threading.Timer(GRACE_S, os._exit, (128 + number,))
        last.daemon = True
        last.start()
        app.leave(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
