"""Size and focus: how much a change asks of a reviewer, what lies beside its brief, and what no line of it shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.artifacts.brief import Brief
from workbench.artifacts.globs import matches
from workbench.artifacts.mergepack import Change as FileChange
from workbench.artifacts.policy import SizeLimits
from workbench.evidence.modes import mode_findings
from workbench.evidence.sizes import MADE, change_summary
from workbench.evidence.static import bound
from workbench.model.evidence import Finding
from workbench.ports import Change, Collected

MAX_NAMED = 50  # files that are named one by one


class Size:
    """Port Collector: failed when the change is larger than the limits. Focus and modes give findings only."""

    name = "size"

    def __init__(self, limits: SizeLimits | None = None, brief: Brief | None = None) -> None:
        self._limits = limits or SizeLimits()
        self._brief = brief

    def collect(self, change: Change) -> Collected:
        """Count what people wrote by hand; made files are listed apart."""
        files = change_summary(change)
        written = [file for file in files if file.kind not in MADE]
        lines = sum(file.added + file.removed for file in written)
        limits = self._limits
        over = (limits.files and len(written) > limits.files) or (limits.lines and lines > limits.lines)
        summary = f"{len(written)} files, {lines} lines by hand; {len(files) - len(written)} made files"
        facts = {
            "files": len(written),
            "lines": lines,
            "most_files": limits.files,
            "most_lines": limits.lines,
            "made": [f.path for f in files if f.kind in MADE][:MAX_NAMED],
        }
        evidence = bound(
            change, "size", criterion="hygiene", state="failed" if over else "passed", summary=summary, facts=facts
        )
        return Collected(evidence=(evidence,), findings=(*_focus(files, self._brief), *mode_findings(change)))


def _focus(files: Sequence[FileChange], brief: Brief | None) -> Iterator[Finding]:
    relevant = brief.context.relevant_files if brief else ()
    for file in files[:MAX_NAMED]:
        if file.kind in ("binary", "vendored"):
            yield Finding(
                kind=f"focus.{file.kind}", severity="medium", text=f"A {file.kind} file changed.", path=file.path
            )
        elif relevant and file.kind in ("source", "configuration") and not matches(file.path, relevant):
            text = "The brief does not name this file as relevant."
            yield Finding(kind="focus.beside-brief", severity="low", text=text, path=file.path)
