"""Opening a person's own file in a person's own editor, in the terminal that this process has."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from workbench.model.errors import EnvironmentProblem

USUAL = ("nano", "vim", "vi")  # where neither VISUAL nor EDITOR is set


def editor(environment: Mapping[str, str]) -> list[str]:
    """The words that start the editor. Raises EnvironmentProblem when none is known."""
    chosen = environment.get("VISUAL", "").strip() or environment.get("EDITOR", "").strip()
    try:
        words = shlex.split(chosen) if chosen else []
    except ValueError as broken:
        raise EnvironmentProblem(f"EDITOR cannot be read: {broken}", hint="export EDITOR=nano") from None
    if not words:
        words = [found for name in USUAL if (found := shutil.which(name))][:1]
    if not words:
        raise EnvironmentProblem("no editor is known", hint="export EDITOR=NAME, then start workbench again")
    return words


def edit(path: Path) -> None:
    """Let the person edit `path`; returns when the editor ended. Raises EnvironmentProblem when it cannot start."""
    words = editor(os.environ)
    try:
        subprocess.run([*words, str(path)], check=False)
    except OSError as error:
        raise EnvironmentProblem(
            f"{words[0]} cannot be started: {error.strerror}", hint="set EDITOR to the name of an editor"
        ) from None
