"""How one screen opens another: the one place that knows which screen shows what, so that screens never import each
other. It shows nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from workbench.ace.tui.frame import Frame

if TYPE_CHECKING:
    from workbench.ace.tui.app import WorkbenchApp
    from workbench.ace.wiring.plugs_host import Shown
    from workbench.ace.wiring.workplace import Workplace
    from workbench.core.state import PackState

AEE = "aee"  # the id of the alert that no AEE runs
PLUGIN = "plugin/"  # what the id of an alert about a plugin begins with
HOME = "inbox"


class Route(NamedTuple):
    """A screen by the module and class that make it; imported when it is opened."""

    module: str
    name: str


THINGS: dict[str, Route] = {
    "crp": Route("consultation", "ConsultationScreen"),
    "mrp": Route("review", "ReviewScreen"),
    "run": Route("run", "RunScreen"),
    "mission": Route("missions", "MissionsScreen"),
}
PLACES: dict[str, Route] = {
    "missions": Route("missions", "MissionsScreen"),
    "scripts": Route("scripts", "ScriptsScreen"),
    "start": Route("start", "StartScreen"),
}
DIALOGS: dict[str, Route] = {
    "help": Route("help", "HelpScreen"),
    "palette": Route("palette", "PaletteScreen"),
}
COMPARE = Route("compare", "CompareScreen")
PAIR = Route("pair", "PairScreen")
IMPACT = Route("impact", "ImpactScreen")
VIEW = Route("viewing", "ViewScreen")  # of a plugin
_OVER_OTHERS = ("start",)  # left with `Esc` for where one was


def open_thing(app: WorkbenchApp, kind: str, id: str) -> None:
    """Show a question (`crp`), pack (`mrp`), run, mission, or what an `alert` is about."""
    if kind == "alert":
        _open_alert(app, id)
        return
    route = THINGS.get(kind)
    if route is None:
        _tell(app, f"nothing shows a {kind}")
    elif (screen := _made(app, route, id)) is not None:
        app.push_screen(screen)


def ask(app: WorkbenchApp, name: str, of: Frame, *, then: Callable[[Any], None] | None = None) -> None:
    """Open a dialog over the screen `of`; `then` gets its answer."""
    screen = _made(app, DIALOGS[name], of)
    if screen is not None:
        app.push_screen(screen, then)


def go(app: WorkbenchApp, name: str) -> None:
    """Go to one of the places: inbox (home), missions, scripts, start."""
    if name == HOME:
        _go_home(app)
        return
    route = PLACES[name]
    if type(app.screen).__name__ == route.name:
        return
    screen = _made(app, route)
    if screen is None:
        return
    if name not in _OVER_OTHERS:
        _go_home(app)
    app.push_screen(screen)


def of_plugin(app: WorkbenchApp, key: str) -> None:
    """Do what a plugin offers beside the event loop, and show what came of it."""

    def act(place: Workplace) -> Shown:
        from workbench.ace.wiring import plugs_host

        return plugs_host.carry_out(place, key)

    def show(shown: Shown) -> None:
        if shown.title and (screen := _made(app, VIEW, shown.title, shown.lines)) is not None:
            app.push_screen(screen)
        else:
            _tell(app, shown.text)

    app.carry_out(act, show)


def show_lines(app: WorkbenchApp, title: str, lines: Sequence[str]) -> None:
    """Show lines to be read."""
    screen = _made(app, VIEW, title, lines)
    if screen is not None:
        app.push_screen(screen)


def show_impact(app: WorkbenchApp, pack: PackState, changed: Collection[str], go: Callable[[str, int], bool]) -> None:
    """Show what a pack does to the rest of the tree; `go` leads to a line of a changed file."""
    screen = _made(app, IMPACT, pack, changed, go)
    if screen is not None:
        app.push_screen(screen)


def compare(app: WorkbenchApp, mission: str) -> None:
    """Hold the versions of a mission against each other."""
    screen = _made(app, COMPARE, mission)
    if screen is not None:
        app.push_screen(screen)


def show_pair(app: WorkbenchApp, first: PackState, second: PackState, path: str) -> None:
    """Show what differs between the results of two packs, at that file if it is not empty."""
    screen = _made(app, PAIR, first, second, path)
    if screen is not None:
        app.push_screen(screen)


def start_aee(app: WorkbenchApp) -> None:
    """Start an AEE for this repository beside the event loop, and say how it went."""
    from workbench.ace.wiring import engine

    _tell(app, "starting an AEE for this repository …")
    app.carry_out(engine.start, lambda now: _tell(app, f"AEE {now.state} (pid {now.pid}, sandbox {now.sandbox})"))


def _open_alert(app: WorkbenchApp, id: str) -> None:
    mirror = app.bridge.mirror
    if id == AEE:
        start_aee(app)
    elif id.startswith(PLUGIN):
        name = id.removeprefix(PLUGIN)
        _tell(app, f"workbench plugin doctor {name} says more; workbench plugin disable {name} does without it")
    elif id in mirror.packs:
        open_thing(app, "mrp", id)
    elif id in mirror.runs:
        open_thing(app, "run", id)
    else:
        open_thing(app, "mission", id)


def _go_home(app: WorkbenchApp) -> None:
    while len(app.screen_stack) > 1:
        app.pop_screen()


def _made(app: WorkbenchApp, route: Route, *arguments: Any) -> Frame | None:
    module = f"workbench.ace.tui.screens.{route.module}"
    if find_spec(module) is None:
        _tell(app, f"there is no screen for this yet ({route.module})")
        return None
    return cast(Frame, getattr(import_module(module), route.name)(*arguments))


def _tell(app: WorkbenchApp, words: str) -> None:
    if app.work_screen is not None:
        app.work_screen.tell(words, "accent")
