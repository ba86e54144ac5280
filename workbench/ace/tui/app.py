"""The application: theme, keys, the bridge from the journal, and which screen is open; it decides and draws nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual import events
from textual.app import App
from textual.message import Message
from textual.theme import Theme as TextualTheme

from workbench.ace.tui.bridge import Arrived, Bridge
from workbench.ace.tui.keymap import Keymap
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.palette import Palette
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.themes import DEFAULT, Theme, read_theme, shipped_directory, theme_files
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EnvironmentProblem, WorkbenchError

if TYPE_CHECKING:
    from textual.worker import Worker

T = TypeVar("T")


class WorkbenchApp(App[int]):
    """Shows one repository's journal."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[Any]] = []
    CSS = """
    Screen { background: $background; color: $foreground; layers: base over; }
    """

    class Told(Message):
        """A view of the bridge has a newer value."""

        def __init__(self, arrived: Arrived) -> None:
            super().__init__()
            self.arrived = arrived

    class Finished(Message):
        """A command that was carried out beside the event loop ended."""

        def __init__(self, then: Callable[[Any], None], value: Any, problem: WorkbenchError | None) -> None:
            super().__init__()
            self.then, self.value, self.problem = then, value, problem

    def __init__(self, place: Workplace, *, theme: str = DEFAULT, keymap: Keymap | None = None) -> None:
        super().__init__()
        self.place = place
        self.keymap_of_workbench = keymap or Keymap()
        self.glyphs = Glyphset()
        self.bridge = Bridge(place, self._hear)
        self._use(read_theme(theme_files(shipped_directory())[theme]))

    def _hear(self, arrived: Arrived) -> None:
        self.post_message(self.Told(arrived))

    # --- looks ---

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
                variables=colors,
            )
        )
        self.theme = theme.name
        self.__dict__.pop("palette", None)

    @cached_property
    def palette(self) -> Palette:
        """The styles of the theme in force."""
        return Palette(self.current_theme.variables)

    # --- screens and the bridge ---

    def get_default_screen(self) -> WorkScreen:
        """Home: the inbox."""
        from workbench.ace.tui.screens.inbox import InboxScreen

        return InboxScreen()

    def on_mount(self) -> None:
        """Begin to read the journal once there is something to look at."""
        self.call_after_refresh(self.bridge.start)

    def on_unmount(self) -> None:
        """Stop reading."""
        self.bridge.stop()

    def on_workbench_app_told(self, message: Told) -> None:
        """Hand a value to the screen that watches it, wherever in the stack it is."""
        arrived = message.arrived
        for screen in self.screen_stack:
            if isinstance(screen, WorkScreen):
                screen.take(arrived)
        self.bridge.taken(arrived.name)

    @property
    def work_screen(self) -> WorkScreen | None:
        """The screen on top."""
        return self.screen if isinstance(self.screen, WorkScreen) else None

    # --- carrying out ---

    def carry_out(self, command: Callable[[Workplace], T], then: Callable[[T], None]) -> Worker[None]:
        """Do something to the repository or the journal beside the event loop; `then` gets what it gave.

        What goes wrong is told on the screen on top; nothing of `command` may touch a widget.
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
            self.post_message(self.Finished(then, value, problem))

        return self.run_worker(work, thread=True, exit_on_error=False)

    def on_workbench_app_finished(self, message: Finished) -> None:
        """Show what came of a command."""
        self.bridge.look_now()
        if message.problem is None:
            message.then(message.value)
        elif self.work_screen is not None:
            self.work_screen.tell_problem(message.problem)

    async def on_event(self, event: events.Event) -> None:
        """Every key goes to the screen on top first, unless somebody types."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            screen = self.work_screen
            if screen is not None and screen.press(event.key, event.character):
                return
        await super().on_event(event)


def run(place: Workplace) -> int:
    """Open the screens; the exit code."""
    app = WorkbenchApp(place)
    return app.run() or app.return_code or 0
