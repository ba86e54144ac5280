"""Roles to terminal styles, by the theme in force. It knows no widget; themes are tables of colours (`themes`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from rich.style import Style

from workbench.ace.tui.text import Ground, Role

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
    "code-keyword": ("claimed", {}),
    "code-string": ("agent-3", {}),
    "code-comment": ("faint", {"italic": True}),
    "code-number": ("agent-4", {}),
    "code-function": ("agent-1", {}),
    "code-type": ("agent-5", {}),
}
# Ground to (theme variable, how much of it is mixed into the background, in hundredths). Words that differ are
# underlined where there are no such colours.
_GROUNDS: dict[Ground, tuple[str, int]] = {
    "added": ("added", 10),
    "removed": ("removed", 10),
    "added-word": ("added", 34),
    "removed-word": ("removed", 34),
}
ROLES: tuple[Role, ...] = get_args(Role)


_IN_ASCII = str.maketrans({"▌": ">", "…": "~", "│": "|", "─": "-", "╰": "`", "·": ".", "−": "-", "→": ">"})


class Palette:
    """The styles of one theme."""

    def __init__(self, variables: Mapping[str, str], *, ascii: bool = False) -> None:
        self.is_ascii = ascii
        self._styles = {role: _style(variables, *_LOOKS[role]) for role in ROLES}
        self._grounds = {ground: _ground(variables, *found) for ground, found in _GROUNDS.items()}
        self.has_grounds = all(style.bgcolor is not None for style in self._grounds.values())
        self.cursor = Style(bgcolor=_color(variables, "cursor"))
        self.cursor_away = Style(bgcolor=_color(variables, "cursor-away"))

    def style(self, role: Role) -> Style:
        """How a role looks."""
        return self._styles[role]

    def ground(self, ground: Ground) -> Style:
        """What lies beneath words, or marks them where the theme has no colours to mix."""
        if ground and not self.has_grounds:
            return _MARKED if ground.endswith("-word") else _NOTHING
        return self._grounds.get(ground, _NOTHING)

    def shown(self, words: str) -> str:
        """Words as this terminal can show them: our own signs have forms in ASCII."""
        return words.translate(_IN_ASCII) if self.is_ascii else words


_NOTHING = Style()
_MARKED = Style(underline=True)


def _ground(variables: Mapping[str, str], name: str, hundredths: int) -> Style:
    """The background with so much of a colour mixed in; nothing where these are not both given as #rrggbb."""
    beneath, above = variables.get("background", ""), variables.get(name, "")
    if len(beneath) != len("#rrggbb") or len(above) != len("#rrggbb") or beneath[0] != "#" or above[0] != "#":
        return _NOTHING
    parts = [(int(beneath[at : at + 2], 16), int(above[at : at + 2], 16)) for at in (1, 3, 5)]
    mixed = [(low * (100 - hundredths) + high * hundredths) // 100 for low, high in parts]
    return Style(bgcolor="#" + "".join(f"{part:02x}" for part in mixed))


def _style(variables: Mapping[str, str], name: str, attributes: dict[str, bool]) -> Style:
    return Style(color=_color(variables, name), **attributes)  # type: ignore[arg-type]  # only bool attributes


def _color(variables: Mapping[str, str], name: str) -> str | None:
    value = variables.get(name, "")
    return value.removeprefix("ansi_") if value and value != "default" else None
