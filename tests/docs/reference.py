"""All generated pages of the reference, by file name; whatever else the directory holds is written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.docs import events_page, fields_page, gate_page, keys_page, scripts_page
from workbench.ace.cli import reference as commands

DIRECTORY = Path(__file__).parents[2] / "workbench/docs/reference"
PAGES: dict[str, Callable[[], str]] = {
    "artifacts.md": fields_page.artifacts,
    "commands.md": commands.reference,
    "events.md": events_page.text,
    "gate.md": gate_page.text,
    "keys.md": keys_page.text,
    "scripts.md": scripts_page.text,
    "settings.md": fields_page.settings,
}


def write() -> list[str]:
    """Write every page anew; the names of those that changed."""
    changed = []
    for name, make in PAGES.items():
        path, made = DIRECTORY / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != made:
            path.write_text(made, encoding="utf-8")
            changed.append(name)
    return changed
