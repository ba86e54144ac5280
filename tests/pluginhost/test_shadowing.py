"""What lies in a repository is imported by none of our processes, however it is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.ace.wiring.engine import PYTHON, SERVICE
from workbench.aee.attempt import RUN_CHILD

MODULES = ("dbos", "msgspec", "pluggy", "workbench")


@pytest.mark.parametrize("words", [(*PYTHON, SERVICE, "--help"), RUN_CHILD])
def test_a_process_of_ours_imports_nothing_of_the_directory_it_is_in(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Not even under the name of a library of ours; the control: without `-P` Python does."""
    mark = tmp_path / "imported"
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(f"import pathlib\npathlib.Path({str(mark)!r}).touch()\n")
    subprocess.run(words, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=100)
    assert not mark.exists()
    unsafe = [word for word in words if word != "-P"]
    assert unsafe[0] == sys.executable
    subprocess.run(unsafe, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=100)
    assert mark.exists()
