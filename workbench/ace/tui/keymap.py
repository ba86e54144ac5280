"""Which keys mean which action on a screen: a preset, with what the person rebound on top. It knows no widget.

A key is written as people read it: `a`, `A`, `?`, `ctrl+s`, `escape`, `space`, and two in a row as `g i`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from workbench.ace.tui.actions import ACTIONS, EVERYWHERE, Action, actions_of

Preset = Literal["default", "vim", "plain"]
Overrides = Mapping[str, tuple[str, ...]]  # action id to its keys
_NONE: Overrides = MappingProxyType({})


class Found(NamedTuple):
    """What keys mean: an action and the last key pressed, or that more keys are awaited."""

    action: Action | None
    key: str = ""
    unfinished: bool = False


# What a preset changes of the table's own keys.
PRESETS: dict[Preset, Overrides] = {
    "default": {},
    "vim": {
        "next-page": ("ctrl+d", "ctrl+f", "pagedown"),
        "previous-page": ("ctrl+u", "ctrl+b", "pageup"),
    },
    "plain": {
        "next-line": ("down",),
        "previous-line": ("up",),
        "next-page": ("pagedown",),
        "previous-page": ("pageup",),
        "first-line": ("home",),
        "last-line": ("end",),
        "go-inbox": ("f5",),
        "go-missions": ("f6",),
        "go-scripts": ("f7",),
    },
}


class Keymap:
    """The keys in force."""

    def __init__(self, preset: Preset = "default", overrides: Overrides = _NONE) -> None:
        self._keys = {**PRESETS[preset], **overrides}

    def keys_of(self, action: Action) -> tuple[str, ...]:
        """The keys of an action, the one to show first."""
        return self._keys.get(action.id, action.keys)

    def find(self, where: str, pressed: tuple[str, ...]) -> Found:
        """What the pressed keys mean on a screen; its own actions come before those that are everywhere."""
        wanted = " ".join(pressed)
        for action in actions_of(where):
            if wanted in self.keys_of(action):
                return Found(action, pressed[-1])
        starts = any(key.startswith(f"{wanted} ") for action in actions_of(where) for key in self.keys_of(action))
        return Found(None, unfinished=starts)

    def clashes(self) -> list[str]:
        """A sentence for each key that two actions of one screen want."""
        found: list[str] = []
        for where in dict.fromkeys(action.where for action in ACTIONS):
            seen: dict[str, Action] = {}
            for action in (row for row in ACTIONS if row.where == where):
                for key in self.keys_of(action):
                    if key in seen:
                        place = "everywhere" if where == EVERYWHERE else f"on {where}"
                        found.append(f"{key!r} means both {seen[key].id} and {action.id} {place}")
                    seen[key] = action
        return found


def shown(key: str) -> str:
    """A key as people read it in a footer: `^S`, `Esc`, `g i`."""
    names = {"escape": "Esc", "enter": "Enter", "space": "Space", "tab": "Tab", "pagedown": "PgDn", "pageup": "PgUp"}
    if key.startswith("ctrl+"):
        return f"^{key[5:].upper()}"
    return names.get(key, key)


def key_words(keys: tuple[str, ...]) -> str:
    """The keys of an action in a footer: the first one, or a row of digits as `1-9`."""
    digits = len(keys) > 1 and all(key.isdigit() for key in keys)
    return f"{keys[0]}-{keys[-1]}" if digits else shown(keys[0]) if keys else ""
