"""The marks of states as pieces, in the glyphs that a terminal shows."""

from __future__ import annotations

from typing import Literal

from workbench.ace.tui.text import Piece, safe
from workbench.ace.wiring.marks import mark

Glyphs = Literal["unicode", "ascii"]


class Glyphset:
    """The marks as pieces, in the glyphs that this terminal shows."""

    def __init__(self, kind: Glyphs = "unicode") -> None:
        self.kind = kind

    def sign(self, state: str) -> Piece:
        """The glyph alone."""
        found = mark(state)
        return Piece(safe(found.glyph if self.kind == "unicode" else found.ascii), found.role)

    def state(self, state: str) -> Piece:
        """Glyph and word."""
        found = mark(state)
        return Piece(safe(f"{self.sign(state).text} {found.word}"), found.role)

    def pick(self, unicode: str, ascii: str) -> str:
        """One of two signs of our own."""
        return unicode if self.kind == "unicode" else ascii
