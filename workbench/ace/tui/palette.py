"""Roles to terminal styles, by the theme in force. It knows no widget; themes are tables of colours (`themes`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from rich.style import Style

from workbench.ace.tui.text import Role

# Role to (theme variable, other attributes). A role without a variable has the terminal's own colour.
_LOOKS: dict[Role, tuple[str, dict[str, bool]]] = {
    "plain": ("", {}),
    "dim": ("faint", {}),
    "strong": ("", {"bold": True}),
    "title": ("faint", {"bold": True}),
    "accent": ("mark", {}),
    "needs-you": ("needs-you", {"bold": True}),
    "proven": ("proven", {}),
    "failed": ("failed", {"bold": True}),
    "claimed": ("claimed", {}),
    "stale": ("stale", {}),
    "mechanical": ("faint", {}),
    "added": ("added", {}),
    "removed": ("removed", {}),
    "hunk": ("claimed", {}),
    "match": ("", {"bold": True, "underline": True}),
    "agent-1": ("agent-1", {}),
    "agent-2": ("agent-2", {}),
    "agent-3": ("agent-3", {}),
    "agent-4": ("agent-4", {}),
    "agent-5": ("agent-5", {}),
    "agent-6": ("agent-6", {}),
}
ROLES: tuple[Role, ...] = get_args(Role)


_IN_ASCII = str.maketrans({"▌": ">", "…": "~", "│": "|", "─": "-", "╰": "`", "·": ".", "−": "-", "→": ">"})


class Palette:
    """The styles of one theme."""

    def __init__(self, variables: Mapping[str, str], *, ascii: bool = False) -> None:
        self._ascii = ascii
        self._styles = {role: _style(variables, *_LOOKS[role]) for role in ROLES}
        self.cursor = Style(bgcolor=_color(variables, "cursor"))
        self.cursor_away = Style(bgcolor=_color(variables, "cursor-away"))

    def style(self, role: Role) -> Style:
        """How a role looks."""
        return self._styles[role]

    def shown(self, words: str) -> str:
        """Words as this terminal can show them: our own signs have forms in ASCII."""
        return words.translate(_IN_ASCII) if self._ascii else words


def _style(variables: Mapping[str, str], name: str, attributes: dict[str, bool]) -> Style:
    return Style(color=_color(variables, name), **attributes)  # type: ignore[arg-type]  # only bool attributes


def _color(variables: Mapping[str, str], name: str) -> str | None:
    value = variables.get(name, "")
    return value.removeprefix("ansi_") if value and value != "default" else None
