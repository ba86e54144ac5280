"""Themes: tables of colours in files, shipped or the person's own. It reads and checks them; it paints nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

import workbench
from workbench.model.errors import EnvironmentProblem
from workbench.model.text import one_line

DEFAULT = "workbench-dark"
COLORS = (
    "background", "foreground", "surface", "bar", "cursor", "cursor-away", "mark", "faint", "needs-you", "proven",
    "failed", "claimed", "stale", "added", "removed", "agent-1", "agent-2", "agent-3", "agent-4", "agent-5", "agent-6",
)  # fmt: skip


class Theme(NamedTuple):
    """One theme. `ansi`: its colours are the terminal's own."""

    name: str
    dark: bool
    ansi: bool
    colors: dict[str, str]


def shipped_directory() -> Path:
    """Where the shipped themes are: inside the installed package, or beside it in a checkout."""
    package = Path(workbench.__file__).parent
    return package / "themes" if (package / "themes").is_dir() else package.parent / "themes"


def read_theme(path: Path) -> Theme:
    """A theme from its file. Raises EnvironmentProblem, which names the file and what is wrong."""
    try:
        return parse_theme(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        words = one_line(str(error))
        raise EnvironmentProblem(f"{path}: {words}", hint="a theme is a TOML file, see themes/") from error


def parse_theme(text: str, path: Path) -> Theme:
    """A theme from its text; `path` is where it stands. Raises EnvironmentProblem."""
    try:
        data = tomllib.loads(text)
    except ValueError as error:
        words = one_line(str(error))
        raise EnvironmentProblem(f"{path}: {words}", hint="a theme is a TOML file, see themes/") from error
    colors = data.get("colors")
    found = {str(name): str(value) for name, value in colors.items()} if isinstance(colors, dict) else {}
    missing = [name for name in COLORS if name not in found]
    if missing:
        raise EnvironmentProblem(
            f"{path}: [colors] lacks {', '.join(missing)}", hint="copy a shipped theme and change it"
        )
    name = one_line(str(data.get("name") or path.stem))
    return Theme(name, bool(data.get("dark", True)), bool(data.get("ansi", False)), found)


def theme_files(*directories: Path) -> dict[str, Path]:
    """Theme files by the name of the file; a later directory comes before an earlier one."""
    return {path.stem: path for directory in directories for path in sorted(directory.glob("*.toml"))}
