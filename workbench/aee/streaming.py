"""A command's output on its way to the journal while it runs: coalesced, bounded, and said where it was cut."""

from __future__ import annotations

from workbench.aee.reports import ReportLine
from workbench.core.decide.decision import on_run
from workbench.model.events import OutputStreamed

PIECE_KEPT = 4096  # bytes of one stretch
CALL_KEPT = 64 << 10  # bytes of one call's live output; the whole is in its outcome


class OutputReport:
    """Called by tools with each stretch of output, which the sandbox has coalesced already."""

    def __init__(self, line: ReportLine, run: str) -> None:
        self._line = line
        self._run = run
        self._kept: dict[str, int] = {}

    def __call__(self, call: str, _stream: str, chunk: bytes) -> None:
        """Report a stretch of `call`'s output, until the call has had its share."""
        kept = self._kept.get(call, 0)
        if not call or kept >= CALL_KEPT:
            return
        self._kept[call] = kept + min(len(chunk), PIECE_KEPT)
        text = chunk[:PIECE_KEPT].decode("utf-8", "replace")
        said = OutputStreamed(run=self._run, call=call, text=text, full_bytes=len(chunk))
        self._line.report([on_run(self._run, said, actor=f"agent:{self._run}")])
