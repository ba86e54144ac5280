"""The program: the command line, and the screens where somebody looks and names no command."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.ace.wiring.workplace import Workplace


def main() -> int:
    """Run `workbench`; the exit code."""
    from workbench.ace.cli.main import main as command_line

    looked_at = sys.stdin.isatty() and sys.stdout.isatty()
    return command_line(screens=open_screens if looked_at else None)


def open_screens(place: Workplace) -> int:
    """Open the screens. Until they are painted nothing is garbage, and looking for it is felt: they enable it then."""
    gc.disable()
    from workbench.ace.tui.app import run

    return run(place)
