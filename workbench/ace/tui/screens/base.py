"""What every screen has: header, footer, keys by the action table, what it watches, a line that tells what happened.

A screen composes, routes and paints; it decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input

from workbench.ace.tui import routes
from workbench.ace.tui.actions import Action, actions_of, named
from workbench.ace.tui.bridge import Arrived, Bridge, View
from workbench.ace.tui.heading import Heading, heading_parts, heading_view
from workbench.ace.tui.keymap import key_words
from workbench.ace.tui.prose import Prose, paragraph
from workbench.ace.tui.screens.filtering import Filtering
from workbench.ace.tui.text import Role, line, piece
from workbench.ace.tui.widgets.bar import Bar, Part
from workbench.ace.tui.widgets.lines import Where
from workbench.ace.tui.widgets.still import StillLines

if TYPE_CHECKING:
    from workbench.model.errors import WorkbenchError

SETTLE_S = 0.4  # after a screen changed, keys do not decide: they were meant for the screen before
KEYS_WHILE_TYPING = ("escape", "ctrl+s", "tab", "shift+tab", "up", "down")
_MOVES: dict[str, Where] = {
    "next-line": "next-line", "previous-line": "previous-line", "next-page": "next-page",
    "previous-page": "previous-page", "first-line": "first-line", "last-line": "last-line",
}  # fmt: skip


class WorkScreen(Filtering):
    """One screen. A subclass sets `where`, composes its `body`, and has `act_…` methods for its actions."""

    where: ClassVar[str] = ""
    main: ClassVar[str] = ""  # selector of the pane that keys go to first
    BINDINGS: ClassVar[list[Any]] = []
    DEFAULT_CSS = """
    WorkScreen { background: $background; color: $foreground; }
    WorkScreen #told { display: none; max-height: 3; padding: 0 1; background: $panel; }
    WorkScreen #told.-something { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._pressed: tuple[str, ...] = ()
        self._changed_at = time.monotonic()
        self.pressed_key = ""  # the last key of the action that is carried out
        self.told = ""
        self._is_typing = False
        self._late: dict[str, Arrived] = {}  # values that came while another screen stood over this one

    # --- to be filled in ---

    def body(self) -> Iterator[Widget]:
        """The widgets between header and footer."""
        yield from ()

    def views(self) -> dict[str, View]:
        """What this screen watches while it is open, by a name for `arrived`."""
        return {}

    def arrived(self, name: str, value: Any) -> None:
        """A newer value of a view."""

    # --- the frame ---

    @property
    def bridge(self) -> Bridge:
        """Where values come from."""
        return self.workbench.bridge

    def compose(self) -> ComposeResult:
        """Header, body, what was told, footer."""
        yield Bar(id="header")
        yield from self.body()
        yield StillLines(id="told")
        yield Bar(id="footer")

    def on_mount(self) -> None:
        """Watch."""
        self.bridge.watch("heading", heading_view)
        for name, view in self.views().items():
            self.bridge.watch(self._watched(name), view)
        self._show_heading(None)
        if self.main:
            self.query_one(self.main).focus()
        self.show_footer()

    def on_unmount(self) -> None:
        """Watch no more."""
        for name in self.views():
            self.bridge.unwatch(self._watched(name))

    def on_screen_resume(self) -> None:
        """It is on top again: keys on their way were meant for what was there before."""
        self.settle()
        late, self._late = self._late, {}
        for arrived in late.values():
            self.take(arrived)
        self.show_footer()

    def settle(self) -> None:
        """For a moment no key decides: it was meant for what was there before, or came out of what was pasted."""
        self._changed_at = time.monotonic()

    @property
    def _is_seen(self) -> bool:
        stack = self.app.screen_stack
        return self in stack and all(screen.is_modal for screen in stack[stack.index(self) + 1 :])

    def take(self, arrived: Arrived) -> None:
        """A value from the bridge, if it is for this screen; while nobody sees the screen, the newest waits."""
        if not self.is_attached:
            return  # it was on its way when the screen was left
        if not self._is_seen:
            self._late[arrived.name] = arrived
        elif arrived.problem is not None:
            self.tell_problem(arrived.problem)
        elif arrived.name == "heading":
            self._show_heading(arrived.value)
        elif arrived.name.startswith(f"{id(self)}/"):
            self.arrived(arrived.name.partition("/")[2], arrived.value)

    def _watched(self, name: str) -> str:
        return f"{id(self)}/{name}"

    def _show_heading(self, value: Heading | None) -> None:
        left, right = heading_parts(value, self.workbench.place, self.workbench.glyphs)
        for bar in self.query("#header").results(Bar):  # a dialog has none
            bar.show(left, right)

    # --- keys ---

    def press(self, key: str, character: str | None) -> bool:
        """A key was pressed; whether it was one of ours. One that comes when all is being closed is for nobody."""
        if not self.is_attached:
            return True
        token = character if character and character.isprintable() and character != " " else key
        if (left := self._keys_left()) is not None and token not in left:
            return False
        pressed = (*self._pressed, token)
        found = self.workbench.keymap_of_workbench.find(self.where, pressed)
        if found.action is None and not found.unfinished and self._pressed:
            found = self.workbench.keymap_of_workbench.find(self.where, (token,))
            pressed = (token,)
        self._pressed = pressed if found.unfinished and found.action is None else ()
        if found.action is not None:
            self.pressed_key = found.key
            self.perform(found.action)
        return found.action is not None or found.unfinished

    def _keys_left(self) -> Collection[str] | None:
        """The keys that the field in which a person types leaves to actions; None when nobody types."""
        if isinstance(self.focused, Input):
            return KEYS_WHILE_TYPING
        return getattr(self.focused, "KEYS_LEFT", None)

    def perform(self, action: Action) -> None:
        """Carry out an action, or say why not."""
        reason = self.reason_off(action)
        if not reason and action.decides and time.monotonic() - self._changed_at < SETTLE_S:
            reason = "the screen changed just now; press it again"
        if reason:
            self.tell(f"{action.label}: {reason}", "needs-you")
            return
        self.tell("")
        handler = getattr(self, f"act_{action.method}", None)
        if handler is not None:
            handler()
        elif action.id in _MOVES:
            self._move(_MOVES[action.id])

    def perform_id(self, action_id: str) -> None:
        """Carry out the action of that id."""
        self.perform(named(action_id, self.where))

    def reason_off(self, action: Action) -> str:
        """Why an action cannot be done now; empty when it can."""
        off = getattr(self, f"off_{action.method}", None)
        if off is not None:
            return str(off())
        if getattr(self, f"act_{action.method}", None) is None and action.id not in _MOVES:
            return "there is nothing here that it could do"
        return ""

    def on_bar_pressed(self, message: Bar.Pressed) -> None:
        """The mouse pressed a key of the footer."""
        self.perform_id(message.action)

    def _move(self, where: Where) -> None:
        pane = self.pane
        if pane is not None:
            pane.go(where)

    # --- telling ---

    def tell(self, words: str, role: Role = "plain") -> None:
        """Words above the footer, as many lines as they need up to three; an empty text takes them away."""
        if words == self.told:
            return
        self.told = words
        place = self.query_one("#told", StillLines)
        place.set_class(bool(words), "-something")
        place.show(Prose([paragraph(words, role)] if words else []), keep_place=False)

    def tell_problem(self, problem: WorkbenchError) -> None:
        """What went wrong, and what to do about it."""
        self.tell(problem.in_line, "failed")

    def footer_actions(self) -> list[Action]:
        """The actions whose keys the footer names, first one first."""
        return sorted((row for row in actions_of(self.where) if row.footer), key=lambda row: row.footer)

    def _footer_rows(self) -> list[Action]:
        """Those whose keys do something now: where a person types, letters are words."""
        rows, left = self.footer_actions(), self._keys_left()
        if left is None:
            return rows
        keys_of = self.workbench.keymap_of_workbench.keys_of
        known = (*left, "enter") if isinstance(self.focused, Input) else tuple(left)
        rows = [row for row in rows if any(key in known for key in keys_of(row))]
        return rows if any(row.id == "go-back" for row in rows) else [*rows, named("go-back", self.where)]

    def on_descendant_focus(self) -> None:
        """Other keys do something where a person types."""
        is_typing = self._keys_left() is not None
        if is_typing != self._is_typing:
            self._is_typing = is_typing
            self.show_footer()

    def show_footer(self) -> None:
        """The few keys that matter here; how all of them are shown goes last."""
        keymap = self.workbench.keymap_of_workbench
        rows = self._footer_rows()
        parts = [
            Part(
                line(
                    piece(key_words(keymap.keys_of(row)), "dim" if self.reason_off(row) else "accent"),
                    " ",
                    piece(row.label, "dim" if self.reason_off(row) else "plain"),
                ),
                action=row.id,
                spare=0 if row.id == "show-help" else row.footer,
            )
            for row in rows
        ]
        self.query_one("#footer", Bar).show(parts)

    # --- actions that every screen has ---

    def act_go_back(self) -> None:
        """Clear the filter, or leave; at home, leave Workbench."""
        if self.clear_filter():
            return
        if len(self.app.screen_stack) > 1:
            self.app.pop_screen()
        else:
            self.app.exit(0)

    def act_go_inbox(self) -> None:
        """Home."""
        routes.go(self.workbench, "inbox")

    def act_go_missions(self) -> None:
        """All missions."""
        routes.go(self.workbench, "missions")

    def act_go_scripts(self) -> None:
        """The scripts."""
        routes.go(self.workbench, "scripts")

    def act_go_on_reviewing(self) -> None:
        """The next thing that is to decide, in a session of its own."""
        from workbench.ace.tui import passing

        passing.go_on(self.workbench)

    def act_start_mission(self) -> None:
        """The form that starts a mission."""
        routes.go(self.workbench, "start")

    def act_show_palette(self) -> None:
        """Find an action by its name."""
        routes.ask(self.workbench, "palette", self, then=self._then)

    def act_show_help(self) -> None:
        """All keys of this screen."""
        routes.ask(self.workbench, "help", self)

    def act_toggle_mouse(self) -> None:
        """Take the mouse, or leave it to the terminal."""
        has = self.workbench.toggle_mouse()
        self.tell("the mouse presses keys here" if has else "the mouse is the terminal's: it selects text", "dim")

    def act_suspend(self) -> None:
        """Back to the shell."""
        self.app.action_suspend_process()

    def _then(self, action_id: str | None) -> None:
        if action_id and action_id.startswith("plugin:"):
            routes.of_plugin(self.workbench, action_id)
        elif action_id:
            self.perform_id(action_id)

    def act_next_pane(self) -> None:
        """The next pane."""
        self.focus_next()

    def act_previous_pane(self) -> None:
        """The pane before."""
        self.focus_previous()
