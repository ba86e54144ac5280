"""A person's choices for the screens, read fast and only from what is theirs: their `config.toml` and the environment.

The full check, with lines and remedies, is `workbench config check`'s; here a value that does not fit is left out and
said, so that a slip in a file never keeps the screens from opening.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from workbench.ace.tui.actions import ACTIONS
from workbench.ace.tui.keymap import Keymap
from workbench.ace.tui.themes import DEFAULT, Theme, parse_theme, read_theme, shipped_directory, theme_files
from workbench.artifacts.configuration import PREFIX, Screens
from workbench.model.errors import WorkbenchError
from workbench.model.text import one_line
from workbench.repository.configuration import person_config

SECTION = "screens"


class Preferences(NamedTuple):
    """What a person chose, and a sentence for each choice that could not be followed."""

    screens: Screens
    theme: Theme
    keymap: Keymap
    problems: tuple[str, ...]


def preferences(environment: Mapping[str, str] | None = None) -> Preferences:
    """The choices in force."""
    variables = os.environ if environment is None else environment
    path = person_config(variables)
    problems: list[str] = []
    screens = _screens({**_of_file(path, problems), **_of_environment(variables)}, str(path), problems)
    theme = _theme(screens.theme, path.parent / "themes", problems)
    return Preferences(screens, theme, _keymap(screens, problems), tuple(problems))


def shows_unicode(screens: Screens, environment: Mapping[str, str] | None = None) -> bool:
    """Whether glyphs beyond ASCII can be shown: as chosen, else what the locale says (POSIX, LC_ALL first)."""
    if screens.glyphs != "auto":
        return screens.glyphs == "unicode"
    variables = os.environ if environment is None else environment
    locale = next((variables[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if variables.get(name)), "UTF-8")
    return "utf" in locale.lower() and variables.get("TERM", "") not in ("linux", "dumb")


def _of_file(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get(SECTION, {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        problems.append(f"{path}: {one_line(str(error))}")
        return {}
    return dict(found) if isinstance(found, dict) else {}


def _of_environment(variables: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Screens):
        word = variables.get(f"{PREFIX}_{SECTION}_{field.name}".upper())
        if word is not None:
            found[field.name] = {"1": True, "true": True, "0": False, "false": False}.get(word.lower(), word)
    if isinstance(found.get("fps"), str) and str(found["fps"]).isdigit():
        found["fps"] = int(found["fps"])
    return found


def _screens(given: Mapping[str, Any], path: str, problems: list[str]) -> Screens:
    fitting: dict[str, Any] = {}
    for field in msgspec.structs.fields(Screens):
        if field.name in given:
            try:
                fitting[field.name] = msgspec.convert(given[field.name], field.type)
            except msgspec.ValidationError as error:
                problems.append(f"{path}: {SECTION}.{field.name}: {one_line(str(error))}")
    return Screens(**fitting)


def _theme(name: str, own: Path, problems: list[str]) -> Theme:
    files = theme_files(shipped_directory(), own)
    try:
        if name in files:
            return read_theme(files[name])
        if (brought := _brought(name)) is not None:
            return brought
        problems.append(f"there is no theme {one_line(name)!r}; there are {', '.join(sorted(files))}")
    except WorkbenchError as problem:
        problems.append(problem.message)
    return read_theme(theme_files(shipped_directory())[DEFAULT])


def _brought(name: str) -> Theme | None:
    """A theme of that name that a plugin brings; asked for only where no file has the name."""
    from workbench.ace.wiring import plugs_host

    found = plugs_host.theme(name)
    return None if found is None else parse_theme(found.text, Path(found.where))


def _keymap(screens: Screens, problems: list[str]) -> Keymap:
    known = {action.id for action in ACTIONS}
    unknown = sorted(set(screens.bindings) - known)
    problems.extend(f"screens.bindings names no action: {one_line(name)!r}" for name in unknown)
    keymap = Keymap(screens.keys, {name: keys for name, keys in screens.bindings.items() if name in known})
    problems.extend(keymap.clashes())
    return keymap
