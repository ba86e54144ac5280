"""The paper's worked example, as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.artifacts.paper_pack import PACK
from workbench.artifacts.mergepack import MergePack

PAPER = Path(__file__).parent / "paper"


@pytest.fixture
def paper() -> dict[str, str]:
    """The texts of brief, question and resolution."""
    return {path.stem: path.read_text() for path in PAPER.iterdir()}


@pytest.fixture
def pack() -> MergePack:
    """The paper's pack."""
    return PACK
