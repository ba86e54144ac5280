"""The page of keys: every action of the screens, with its keys in each preset."""

from __future__ import annotations

from tests.docs.markdown import code, page, table
from workbench.ace.tui.actions import ACTIONS, EVERYWHERE
from workbench.ace.tui.keymap import PRESETS, Keymap

HEAD = """
# Keys

`?` shows the keys of the screen that you look at, and why one cannot be used now; `^P` finds an action by its name.
Every key can be changed in your own `config.toml`, by the action's id; a repository cannot change them:

```toml
[screens]
keys = "vim"

[screens.bindings]
show-palette = ["f9"]
go-missions = ["g m", "f6"]
```

An action that decides does nothing within 0.4 s of a change of the screen: the key was meant for the one before.
"""


def text() -> str:
    """The whole page."""
    places = dict.fromkeys(action.where for action in ACTIONS)
    return page(HEAD, *(_section(where) for where in places))


def _section(where: str) -> str:
    title = "Everywhere" if where == EVERYWHERE else f"On the screen: {where}"
    rows = [
        [
            code(action.id),
            action.tooltip + (", decides" if action.decides else ""),
            *(_keys(action.id, where, preset) for preset in PRESETS),
        ]
        for action in ACTIONS
        if action.where == where
    ]
    return f"\n## {title}\n\n" + table(["action", "what it does", *PRESETS], rows)


def _keys(action_id: str, where: str, preset: str) -> str:
    action = next(row for row in ACTIONS if (row.id, row.where) == (action_id, where))
    return " ".join(code(key) for key in Keymap(preset).keys_of(action))  # type: ignore[arg-type]  # a known preset
