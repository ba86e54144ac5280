"""The screens' own rules: one gate for untrusted text, one table of keys, rows that are lines."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench.ace.tui
from workbench.ace.tui import screens
from workbench.ace.tui.actions import ACTIONS, EVERYWHERE
from workbench.ace.tui.keymap import PRESETS, Keymap
from workbench.ace.tui.screens.base import _MOVES, WorkScreen

ROOT = Path(workbench.ace.tui.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
GATE = "text.py"  # the only module that makes a Safe
PAINTERS = {"lines.py", "bar.py", "rows.py"}  # that turn pieces into segments
# What reads text as markup, paints it without the gate, or makes a widget of every row.
WIDGETS = {
    "Button", "Checkbox", "DataTable", "Digits", "Footer", "Header", "Label", "Link", "ListView", "Log", "Markdown",
    "MarkdownViewer", "OptionList", "Pretty", "RadioSet", "RichLog", "Select", "Static", "Tree",
}  # fmt: skip
CALLED = {"from_ansi", "from_markup", "notify", "print"}
SET = {"border_subtitle", "border_title", "sub_title", "title", "tooltip"}  # Textual reads markup in some of these


def uses(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """What of the above a module uses, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name in WIDGETS)
        elif isinstance(node, ast.Call) and called(node) in CALLED:
            yield called(node), node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr in SET:
            yield node.attr, node.lineno


def called(node: ast.Call) -> str:
    """The last name of what is called."""
    function = node.func
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def lines_that_call(tree: ast.AST, name: str) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) == name]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_untrusted_text_has_one_way_to_the_screen(module: Path) -> None:
    """Only the gate makes safe text, only the painters make segments, and nothing that reads markup is used."""
    tree = ast.parse(module.read_text())
    assert list(uses(tree)) == []
    assert module.name == GATE or lines_that_call(tree, "Safe") == []
    assert module.name in PAINTERS or lines_that_call(tree, "Segment") == []


def test_the_lint_finds_each_way_around_the_gate() -> None:
    """Its own positive control."""
    for code in (
        "from textual.widgets import Static",
        "Text.from_markup(title)",
        "self.app.notify(title)",
        "pane.border_title = title",
    ):
        assert list(uses(ast.parse(code))), code
    assert lines_that_call(ast.parse("text.Safe(title)"), "Safe")


def screen_classes() -> dict[str, list[type[WorkScreen]]]:
    """The screens by the name under which the table has their actions."""
    found: dict[str, list[type[WorkScreen]]] = {}
    for module in pkgutil.iter_modules(screens.__path__):
        loaded = importlib.import_module(f"{screens.__name__}.{module.name}")
        for _, kind in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(kind, WorkScreen) and kind.__module__ == loaded.__name__ and kind.where:
                found.setdefault(kind.where, []).append(kind)
    return found


def test_every_action_is_carried_out_somewhere() -> None:
    """A row of the table that no screen carries out would be a key that does nothing."""
    classes = screen_classes()
    idle = [
        f"{action.id} on {action.where}"
        for action in ACTIONS
        if action.id not in _MOVES
        and not any(
            hasattr(kind, f"act_{action.method}")
            for where, kinds in classes.items()
            for kind in kinds
            if action.where in (EVERYWHERE, where)
        )
    ]
    assert not idle


def test_every_method_for_an_action_has_its_row() -> None:
    """A key is one row of the table: what a screen can do and the table does not name cannot be found."""
    known = {action.method for action in ACTIONS}
    stray = [
        f"{kind.__name__}.{name}"
        for kinds in screen_classes().values()
        for kind in kinds
        for name in vars(kind)
        if name.startswith(("act_", "off_")) and name[4:] not in known
    ]
    assert not stray


@pytest.mark.parametrize("preset", PRESETS)
def test_no_key_means_two_things_on_one_screen(preset: str) -> None:
    """In every preset."""
    assert Keymap(preset).clashes() == []  # type: ignore[arg-type]  # a key of the table of presets


def test_every_preset_reaches_every_action() -> None:
    """A preset may move a key, and takes none away."""
    for preset in PRESETS:
        assert [action.id for action in ACTIONS if not Keymap(preset).keys_of(action)] == []
