"""New type errors, by the project's own checker as base configures it; it brings no checker along."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from workbench.artifacts.terms import Command, argv
from workbench.evidence.cache import EvidenceCache, cache_key
from workbench.evidence.material import has_section, restore
from workbench.evidence.newness import Report, new_reports
from workbench.evidence.other_languages import unread
from workbench.evidence.rig import Rig
from workbench.model.evidence import Evidence, EvidenceState, Finding
from workbench.ports import Change, Collected, Completed

KIND = "types.new"
MAX_FINDINGS = 200
_CONFIGURATIONS = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg", "pyrightconfig.json")
_CHECKERS = ("mypy", "pyright", "basedpyright", "pyrefly", "ty")  # tables below `tool` that configure a checker
# As mypy writes it, `a.py:3: error: text  [code]`; as pyright does, `  /x/a.py:3:5 - error: text (code)`
_LINE = re.compile(
    r"^\s*(?P<path>[^:\n]+?):(?P<line>\d+)(?::\d+)?(?::| -) error: (?P<text>.*?)(?:\s+[\[(](?P<code>[\w-]+)[\])])?\s*$",
    re.MULTILINE,
)


class TypesCollector:
    """Port Collector: errors of the type checker about the result and not about base."""

    name = "types"

    def __init__(self, rig: Rig, *, command: Command = "", cache: EvidenceCache | None = None) -> None:
        self._rig = rig
        self._command = argv(command) if command else ()
        self._cache = cache

    def collect(self, change: Change) -> Collected:
        """`not-checked` unless base or the configuration names a checker that the environment has."""
        changed = [path for _, path in change.changed_paths()]
        if not any(path.endswith((".py", ".pyi")) for path in changed) and not self._command:
            reason = unread(changed, "without a command types are checked", nothing="no Python file changed")
            return self._collected(change, "not-checked", reason)
        command = self._command or self._by_convention(change)
        if not command:
            return self._collected(change, "not-checked", "base configures no type checker that the environment has")
        base, result = self._on_base(change, command), self._on_result(change, command)
        for side, report in (("base", base), ("the result", result)):
            if report.problem:
                state: EvidenceState = "timed-out" if report.problem == "timed out" else "error"
                return self._collected(change, state, f"the checker on {side}: {report.problem}", command=command)
        fresh = new_reports(base.reports, result.reports, lambda r: (r.code, r.text))
        return self._found(change, command, fresh, result)

    def _by_convention(self, change: Change) -> tuple[str, ...]:
        tool = _configured_tool(change)
        if not tool or not self._has(tool):
            return ()
        if tool == "pyright":
            return ("pyright",)
        flags = ("mypy", "--no-incremental", "--no-error-summary", "--no-color-output", "--show-error-codes")
        return (*flags, *(() if _names_files(change) else (".",)))

    def _has(self, tool: str) -> bool:
        places = self._rig.environment.env.get("PATH", "").split(":")
        return any((Path(place) / tool).exists() for place in places if place)

    def _on_base(self, change: Change, command: tuple[str, ...]) -> _Checked:
        inputs = {"base": change.base, "environment": self._rig.environment.digest, "command": list(command)}
        key = cache_key(what="types.base", sandbox=self._rig.sandbox.level, **inputs)
        known = self._cache.get(key) if self._cache else None
        if known is not None:
            try:
                return msgspec.json.decode(known, type=_Checked)
            except msgspec.DecodeError:
                pass
        checked = self._check(change, change.base, command, restored=())
        if self._cache is not None and not checked.problem:
            self._cache.put(key, msgspec.json.encode(checked))
        return checked

    def _on_result(self, change: Change, command: tuple[str, ...]) -> _Checked:
        """Under base's configuration: a change cannot loosen what checks it."""
        restored = [path for _, path in change.changed_paths() if _configures(path, command)]
        return self._check(change, change.result, command, restored=restored)

    def _check(self, change: Change, commit: str, command: tuple[str, ...], *, restored: Sequence[str]) -> _Checked:
        with self._rig.outbox() as box, self._rig.workspace(commit) as workspace:
            if restored:
                with self._rig.workspace(change.base) as base:
                    trees = {"base_tree": Path(base.path), "result_tree": Path(workspace.path)}
                    restore(change, restored, tools=_CHECKERS, **trees)
            env = {"MYPY_CACHE_DIR": str(box / "tmp" / "mypy")}
            completed = self._rig.run(command, workspace, box=box, env=env)
        return _checked(completed, workspace.cwd, self._rig.keep(completed))

    def _found(self, change: Change, command: tuple[str, ...], fresh: list[Report], result: _Checked) -> Collected:
        state: EvidenceState = "failed" if fresh else "passed"
        summary = f"{len(fresh)} new type errors" if fresh else "no new type errors"
        findings = tuple(
            Finding(kind="types.new", severity="medium", text=r.text, path=r.path, line=r.line, evidence=KIND)
            for r in fresh[:MAX_FINDINGS]
        )
        made = self._collected(change, state, summary, command=command, outputs=result.outputs)
        return Collected(evidence=made.evidence, findings=findings)

    def _collected(
        self,
        change: Change,
        state: EvidenceState,
        summary: str,
        *,
        command: tuple[str, ...] = (),
        outputs: dict[str, str] | None = None,
    ) -> Collected:
        evidence: Evidence = self._rig.evidence(
            change,
            KIND,
            criterion="hygiene",
            state=state,
            summary=summary,
            command=command,
            outputs=dict(outputs or {}),
            collector=self.name,
        )
        return Collected(evidence=(evidence,))


class _Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a checker said about one tree."""

    reports: tuple[Report, ...] = ()
    problem: str = ""
    outputs: dict[str, str] = {}


def _checked(completed: Completed, cwd: str, outputs: dict[str, str]) -> _Checked:
    if completed.state != "exited":
        return _Checked(problem=completed.state.replace("-", " "), outputs=outputs)
    text = completed.stdout.text
    prefix = cwd.rstrip("/") + "/"
    reports = tuple(
        Report(code=m["code"] or "", text=m["text"], path=m["path"].removeprefix(prefix), line=int(m["line"]))
        for m in _LINE.finditer(text)
    )
    if completed.exit_code != 0 and not reports:
        said = (completed.stderr.text or text)[-300:].strip()
        return _Checked(problem=f"exit code {completed.exit_code} without errors to read: {said}", outputs=outputs)
    if completed.exit_code == 0 and reports:
        return _Checked(problem="exit code 0 in spite of errors", outputs=outputs)
    return _Checked(reports=reports, outputs=outputs)


def _configures(path: str, command: Sequence[str]) -> bool:
    """Whether the file at `path` says how types are checked: by its name, or because the command names it."""
    if path in (*_CONFIGURATIONS, "package.json"):
        return True
    named = {part for word in command for part in re.split(r"[\s=;'\"]+", word)}
    return not path.endswith((".py", ".pyi")) and bool({path, f"./{path}"} & named)


def _configured_tool(change: Change) -> str:
    pyproject = change.base_file("pyproject.toml") or b""
    if change.base_file("pyrightconfig.json") is not None or b"[tool.pyright" in pyproject:
        return "pyright"
    ini = any(change.base_file(name) is not None for name in ("mypy.ini", ".mypy.ini"))
    if ini or b"[tool.mypy" in pyproject or has_section(change.base_file("setup.cfg") or b"", "mypy"):
        return "mypy"
    return ""


def _names_files(change: Change) -> bool:
    texts = [change.base_file(name) or b"" for name in _CONFIGURATIONS]
    return any(re.search(rb"^\s*(files|packages|modules)\s*=", text, re.MULTILINE) for text in texts)
