"""New lint findings in changed Python files, by our own ruff under base's configuration; it changes no file."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from workbench.evidence.newness import Report, new_reports
from workbench.evidence.other_languages import unread
from workbench.evidence.rig import Rig
from workbench.model.evidence import EvidenceState, Finding
from workbench.ports import Change, Collected, Completed, Mount, Workspace

KIND = "lint.new"
_RULES = ("E4", "E7", "E9", "F")  # where base configures nothing: mistakes, not matters of taste
MAX_SOURCE = 1 << 20  # bytes of a file that is looked at
MAX_FINDINGS = 200
_CONFIGURATIONS = ("ruff.toml", ".ruff.toml", "pyproject.toml")  # the first that exists on base configures


class LintCollector:
    """Port Collector: what ruff finds in the result's changed files and not in base's."""

    name = "lint"

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def collect(self, change: Change) -> Collected:
        """`passed` without new findings, `failed` with some, `not-checked` without Python or without ruff."""
        paths = [(status, path) for status, path in change.changed_paths() if path.endswith((".py", ".pyi"))]
        ruff = _ruff()
        if not paths or ruff is None:
            changed = [path for _, path in change.changed_paths()]
            nothing = unread(changed, "findings of lint are looked for", nothing="no Python file changed")
            reason = nothing if ruff else "ruff is not installed beside Workbench"
            return self._collected(change, "not-checked", reason)
        with self._rig.outbox() as box:
            sources = _lay_out(change, paths, box / "report")
            completed, configured = self._run(change, ruff, box)
        reports = _parse(completed, box / "report", sources)
        if reports is None:
            reason = f"ruff gave no findings to read: {completed.stderr.text[-300:].strip()}"
            return self._collected(change, "error", reason, completed=completed)
        fresh = new_reports(reports["base"], reports["result"], lambda r: (r.code, r.source))
        return self._found(change, fresh, completed, configured)

    def _run(self, change: Change, ruff: Path, box: Path) -> tuple[Completed, str]:
        configured = _configure(change, box / "report")
        argv = [str(ruff), "check", "--no-cache", "--exit-zero", "--output-format", "json", "--no-respect-gitignore"]
        argv += (
            ["--config", str(box / "report" / configured)]
            if configured
            else ["--isolated", "--select", ",".join(_RULES)]
        )
        workspace = Workspace(id="lint", path=str(box), base_commit=change.base, cwd=str(box / "report"))
        return self._rig.run(
            [*argv, "base", "result"], workspace, box=box, mounts=[Mount(source=str(ruff))]
        ), configured

    def _found(self, change: Change, fresh: list[Report], completed: Completed, configured: str) -> Collected:
        summary = f"{len(fresh)} new findings" if fresh else "no new findings"
        state: EvidenceState = "failed" if fresh else "passed"
        facts = {"new": len(fresh), "configuration": configured or f"none; rules {', '.join(_RULES)}"}
        findings = [
            Finding(kind=f"lint.{r.code}", severity="low", text=r.text, path=r.path, line=r.line, evidence=KIND)
            for r in fresh[:MAX_FINDINGS]
        ]
        return self._collected(change, state, summary, completed=completed, facts=facts, findings=findings)

    def _collected(
        self,
        change: Change,
        state: EvidenceState,
        summary: str,
        *,
        completed: Completed | None = None,
        facts: Mapping[str, Any] | None = None,
        findings: list[Finding] | None = None,
    ) -> Collected:
        evidence = self._rig.evidence(
            change,
            KIND,
            criterion="hygiene",
            state=state,
            summary=summary,
            command=("ruff", "check"),
            outputs=self._rig.keep(completed) if completed else {},
            facts=dict(facts or {}),
            collector=self.name,
            duration_ms=completed.duration_ms if completed else 0,
        )
        return Collected(evidence=(evidence,), findings=tuple(findings or ()))


def _ruff() -> Path | None:
    beside = Path(sys.executable).parent / "ruff"
    found = str(beside) if beside.is_file() else shutil.which("ruff")
    return Path(found).resolve() if found else None


def _lay_out(change: Change, paths: list[tuple[str, str]], root: Path) -> dict[str, list[str]]:
    """Both versions of the changed files below `base` and `result`; the lines of each by its place."""
    sources: dict[str, list[str]] = {}
    for _, path in paths:
        for side, content in (("base", change.base_file(path)), ("result", change.result_file(path))):
            if content is None or len(content) > MAX_SOURCE or ".." in PurePosixPath(path).parts:
                continue
            place = root / side / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
            sources[str(place)] = content.decode("utf-8", "replace").splitlines()
    for side in ("base", "result"):
        (root / side).mkdir(exist_ok=True)
    return sources


def _configure(change: Change, root: Path) -> str:
    for name in _CONFIGURATIONS:
        content = change.base_file(name)
        if content is not None and (name != "pyproject.toml" or b"[tool.ruff" in content):
            (root / name).write_bytes(content)
            return name
    return ""


def _parse(completed: Completed, root: Path, sources: dict[str, list[str]]) -> dict[str, list[Report]] | None:
    if completed.state != "exited" or completed.exit_code != 0:
        return None
    try:
        rows = json.loads(completed.stdout.data)
        reports: dict[str, list[Report]] = {"base": [], "result": []}
        for row in rows:
            side, _, path = str(Path(row["filename"]).relative_to(root)).partition("/")
            line = int(row["location"]["row"])
            lines = sources.get(row["filename"], [])
            source = lines[line - 1].strip() if 0 < line <= len(lines) else ""
            code = str(row["code"] or "syntax")
            reports[side].append(Report(code=code, text=str(row["message"]), path=path, line=line, source=source))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return reports
