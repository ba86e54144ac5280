"""Runs a configured analyser on base and on the result, and reports what it finds on the result alone.

Settings, `[plugins.sarif]`: `command` (a line for the shell, or a list of words) writes SARIF 2.1.0 to the file that
`$SARIF_FILE` names, or to stdout; `fail_at` is the lowest level that fails (`error`, `warning` or `note`; by default
`warning`). Without a command there is nothing to check, and no evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.evidence.newness import Report, new_reports
from workbench.evidence.rig import read_report
from workbench.model.evidence import Evidence, Finding, Severity
from workbench.model.text import one_line
from workbench.pluginhost.hookspecs import Rig, Workshop, hookimpl
from workbench.ports import Change, Collected, Completed

from .report import LEVELS, Result, Unreadable, results

KIND = "sarif.new"
FILE = "findings.sarif"
MOST_FINDINGS = 200
SEVERITIES: dict[str, Severity] = {"error": "high", "warning": "medium", "note": "low", "none": "info"}


@hookimpl
def collectors(workshop: Workshop) -> list[Sarif]:
    """One collector where a command is configured."""
    command = words(workshop.settings.get("command", ""))
    return [Sarif(workshop.rig, command, str(workshop.settings.get("fail_at", "warning")))] if command else []


def words(command: object) -> tuple[str, ...]:
    """What to run: a list as it is, a line through the shell."""
    if isinstance(command, str):
        return ("/bin/sh", "-c", command) if command.strip() else ()
    return tuple(map(str, command)) if isinstance(command, list | tuple) else ()


class Sarif:
    """Port Collector: `passed` without new findings, `failed` with some at or above a level."""

    name = "sarif"

    def __init__(self, rig: Rig, command: Sequence[str], fail_at: str = "warning") -> None:
        self._rig = rig
        self._command = tuple(command)
        self._fail_at = LEVELS.index(fail_at) if fail_at in LEVELS else LEVELS.index("warning")

    def collect(self, change: Change) -> Collected:
        """Evidence `sarif.new`, with a finding for each new result."""
        found: dict[str, list[Report]] = {}
        levels: dict[tuple[str, str], str] = {}
        completed: Completed | None = None
        for side, commit in (("base", change.base), ("result", change.result)):
            try:
                completed, brought = self._run(commit)
            except Unreadable as problem:
                return Collected(evidence=(self._evidence(change, "error", f"on {side}: {problem}"),))
            read = change.base_file if side == "base" else change.result_file
            found[side] = [_report(result, read(result.path) if result.path else None) for result in brought]
            levels |= {(result.rule, result.text): result.level for result in brought}
        fresh = new_reports(found["base"], found["result"], lambda r: (r.code, r.path, r.source or r.text))
        return self._judged(change, fresh, levels, completed)

    def _run(self, commit: str) -> tuple[Completed, list[Result]]:
        with self._rig.workspace(commit) as workspace, self._rig.outbox() as box:
            file = box / "report" / FILE
            completed = self._rig.run(self._command, workspace, box=box, env={"SARIF_FILE": str(file)})
            data = read_report(file) if file.exists() else completed.stdout.data
            if completed.state != "exited":
                raise Unreadable(f"the analyser did not end by itself: {completed.state}")
            if not data:
                raise Unreadable(f"the analyser wrote nothing: {one_line(completed.stderr.text[-300:])}")
            return completed, results(data, root=workspace.cwd)  # whatever it exits with: many say so with 1

    def _judged(
        self, change: Change, fresh: list[Report], levels: dict[tuple[str, str], str], completed: Completed | None
    ) -> Collected:
        findings = [
            Finding(
                kind=f"sarif.{report.code}",
                severity=SEVERITIES[levels[report.code, report.text]],
                text=report.text,
                path=report.path,
                line=report.line,
                evidence=KIND,
            )
            for report in fresh
        ]
        grave = sum(LEVELS.index(levels[report.code, report.text]) >= self._fail_at for report in fresh)
        summary = f"{len(fresh)} new findings, {grave} of them at {LEVELS[self._fail_at]} or above"
        evidence = self._evidence(
            change,
            "failed" if grave else "passed",
            summary if fresh else "no new findings",
            facts={"new": len(fresh), "grave": grave},
            outputs=self._rig.keep(completed) if completed is not None else {},
        )
        return Collected(evidence=(evidence,), findings=tuple(findings[:MOST_FINDINGS]))

    def _evidence(self, change: Change, state: Any, summary: str, **more: Any) -> Evidence:
        return self._rig.evidence(
            change,
            KIND,
            criterion="hygiene",
            state=state,
            summary=summary,
            command=self._command,
            **more,
        )


def _report(result: Result, content: bytes | None) -> Report:
    """The result with the line of code that it speaks of: by it, moved code is not new."""
    lines = content.decode("utf-8", "replace").split("\n") if content is not None else []
    source = lines[result.line - 1].strip() if 0 < result.line <= len(lines) else ""
    return Report(code=result.rule, text=result.text, path=result.path, line=result.line, source=source)
