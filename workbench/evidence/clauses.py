"""Evidence for each clause of the brief: its check, run on the result, or an honest `not-checked`; no policy here."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import msgspec

from workbench.artifacts.brief import Brief, clauses
from workbench.artifacts.terms import Clause, argv
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.cache import EvidenceCache, cache_key
from workbench.evidence.material import is_test_file
from workbench.evidence.properties.telling import law_evidence
from workbench.evidence.rig import Rig
from workbench.evidence.suite import python_path
from workbench.model.evidence import Evidence, EvidenceState, Finding
from workbench.ports import Change, Collected, Completed

MAX_SOURCE = 1 << 20  # bytes of a test file that is searched for clause ids
MAX_TEXT = 400  # characters of a finding
CHEAP_MS = 20_000  # a check that takes longer on the result is not run once more on base
_SUITES = frozenset(
    {"pytest", "py.test", "unittest", "unittest discover", "tox", "nox", "make", "make test", "make check", "npm test"}
    | {"npm run test", "yarn test", "pnpm test", "cargo test", "go test ...", "jest", "vitest", "vitest run"}
)


class ClausesCollector:
    """Port Collector: one piece of evidence `clause.<ID>` per clause, one `validation.<type>.<n>` per level."""

    name = "clauses"

    def __init__(
        self, rig: Rig, brief: Brief, *, behaviour: Behaviour | None = None, cache: EvidenceCache | None = None
    ) -> None:
        self._rig = rig
        self._brief = brief
        self._behaviour = behaviour
        self._cache = cache

    def collect(self, change: Change) -> Collected:
        """Each check runs in a clean workspace of its own, so that none can prepare the ground for another."""
        cited = citations(change, [clause.id for clause in clauses(self._brief)])
        made = [self._clause(change, clause, cited.get(clause.id, ())) for clause in clauses(self._brief)]
        return Collected(evidence=(*made, *self._levels(change)), findings=_findings(self._brief, change))

    def _clause(self, change: Change, clause: Clause, cited: Sequence[str]) -> Evidence:
        if clause.property is not None:
            return law_evidence(self._rig, clause, change, cache=self._cache, collector=self.name)
        if clause.check is None or not clause.check.argv:
            return self._claimed(change, clause, cited) if cited else self._unproven(change, clause)
        command, wanted = clause.check.argv, clause.check.expect_exit
        return self._executed(
            change, f"clause.{clause.id}", command, wanted, timeout_s=clause.check.timeout_s, ids=(clause.id,)
        )

    def _executed(
        self, change: Change, kind: str, command: tuple[str, ...], wanted: int, *, timeout_s: int, ids: tuple[str, ...]
    ) -> Evidence:
        rig = self._limited(timeout_s)
        completed = _run(rig, command, change.result)
        state, summary = _judged(completed, wanted)
        facts: dict[str, int | str] = {"exit_code": completed.exit_code, "expected": wanted}
        if ids and state == "passed" and completed.duration_ms <= CHEAP_MS and not runs_whole_suite(command):
            facts["base_state"] = before = self._on_base(rig, change, command, wanted)
            summary += "; also holds on base" if before == "passed" else ""
        return rig.evidence(
            change,
            kind,
            criterion="completeness" if ids else "verification",
            state=state,
            summary=summary,
            command=command,
            clauses=ids,
            outputs=rig.keep(completed),
            facts=facts,
            collector=self.name,
            duration_ms=completed.duration_ms,
        )

    def _on_base(self, rig: Rig, change: Change, command: tuple[str, ...], wanted: int) -> str:
        """How the check ends on base: one that passes there says nothing of what the change did."""
        key = cache_key(
            what="clause.base",
            base=change.base,
            command=list(command),
            wanted=wanted,
            environment=rig.environment.digest,
            sandbox=rig.sandbox.level,
            limits=msgspec.to_builtins(rig.limits),
        )
        known = self._cache.get(key) if self._cache else None
        if known in (b"passed", b"failed"):
            return known.decode()
        state, _ = _judged(_run(rig, command, change.base), wanted)
        if self._cache is not None and state in ("passed", "failed"):
            self._cache.put(key, state.encode())
        return state

    def _levels(self, change: Change) -> list[Evidence]:
        made = []
        for number, level in enumerate(self._brief.validation.levels, start=1):
            if words := argv(level.command):
                kind = f"validation.{level.type}.{number}"
                made.append(self._executed(change, kind, words, 0, timeout_s=0, ids=()))
        return made

    def _claimed(self, change: Change, clause: Clause, cited: Sequence[str]) -> Evidence:
        """Tests that name the clause: that they show it is the agent's word, so the grade stays `claimed`."""
        states = self._states_of(change, cited)
        good = bool(states) and all(state == "passed" for state in states.values())
        state: EvidenceState = "passed" if good else "failed" if states else "not-checked"
        made = self._rig.evidence(
            change,
            f"clause.{clause.id}",
            criterion="completeness",
            state=state,
            summary=f"{len(cited)} tests say that they show it, e.g. {cited[0]}",
            clauses=(clause.id,),
            facts={"tests": list(cited), "states": states},
            collector=self.name,
        )
        return msgspec.structs.replace(made, grade="claimed")

    def _states_of(self, change: Change, cited: Sequence[str]) -> dict[str, str]:
        if self._behaviour is None:
            return {}
        report = self._behaviour.of(change).result
        if not report.believed:
            return {}
        return {o.id: o.state for o in report.outcomes if o.id.partition("[")[0] in cited}

    def _unproven(self, change: Change, clause: Clause) -> Evidence:
        made = self._rig.evidence(
            change,
            f"clause.{clause.id}",
            criterion="completeness",
            state="not-checked",
            summary="unproven: it has no check, and no test names it",
            clauses=(clause.id,),
            collector=self.name,
        )
        return msgspec.structs.replace(made, grade="claimed")

    def _limited(self, timeout_s: int) -> Rig:
        if not timeout_s:
            return self._rig
        return replace(self._rig, limits=msgspec.structs.replace(self._rig.limits, wall_s=float(timeout_s)))


def _run(rig: Rig, command: tuple[str, ...], commit: str) -> Completed:
    with rig.outbox() as box, rig.workspace(commit) as workspace:
        env = {"PYTHONPATH": ":".join(python_path(workspace))}
        return rig.run(command, workspace, box=box, env=env)


def runs_whole_suite(command: Sequence[str]) -> bool:
    """Whether a command runs all tests: a test runner with nothing but options behind it."""
    words = list(command)
    if len(words) == 3 and words[1] in ("-c", "-lc"):  # a shell's
        words = words[2].split()
    if len(words) > 2 and re.fullmatch(r"(.*/)?python[0-9.]*", words[0]) and words[1] == "-m":
        words = words[2:]
    said = " ".join(PurePosixPath(word).name for word in words if not word.startswith("-"))
    return said in _SUITES


def _findings(brief: Brief, change: Change) -> tuple[Finding, ...]:
    """A definition of done that speaks of tests, beside a change that touches none."""
    if any(status != "D" and is_test_file(path) for status, path in change.changed_paths()):
        return ()
    speaking = [clause.id for clause in brief.success_criteria.definition_of_done if _speaks_of_tests(clause)]
    if not speaking:
        return ()
    text = f"The definition of done speaks of tests, and the change adds none: {', '.join(speaking)}"
    return (Finding(kind="clauses.no-new-test", severity="low", text=text[:MAX_TEXT]),)


def _speaks_of_tests(clause: Clause) -> bool:
    words = (clause.text, *(clause.check.argv if clause.check is not None else ()))
    return any(re.search(r"(?<![a-z])(py)?tests?(?![a-z])", word, re.IGNORECASE) for word in words)


def _judged(completed: Completed, wanted: int) -> tuple[EvidenceState, str]:
    if completed.state == "timed-out":
        return "timed-out", f"did not end within {completed.duration_ms / 1000:.0f} s"
    if completed.state != "exited":
        return "error", f"the check {completed.state.replace('-', ' ')}: {completed.stderr.text[-300:].strip()}"
    if completed.exit_code in (126, 127) and wanted == 0:
        return "error", f"environment: the command cannot be run (exit code {completed.exit_code})"
    if completed.exit_code == wanted:
        return "passed", f"exit code {wanted}, as the clause asks"
    return "failed", f"exit code {completed.exit_code} instead of {wanted}"


def citations(change: Change, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each clause id the tests in changed Python files whose name, decorators or docstring name it."""
    found: dict[str, list[str]] = {}
    for status, path in change.changed_paths():
        source = change.result_file(path) if status != "D" and path.endswith(".py") and is_test_file(path) else None
        if source is None or len(source) > MAX_SOURCE:
            continue
        for test, words in _tests_with_words(path, source):
            for clause in ids:
                if _names(words, clause):
                    found.setdefault(clause, []).append(test)
    return {clause: tuple(sorted(tests)) for clause, tests in found.items()}


def _names(words: str, clause: str) -> bool:
    """Whether `words` hold the id, in any case, with `-` or `_`, and not as a part of a longer one."""
    spelled = "[-_]".join(map(re.escape, clause.split("-")))
    return re.search(rf"(?<![A-Z0-9]){spelled}(?![A-Z0-9])", words, re.IGNORECASE) is not None


def _tests_with_words(path: str, source: bytes) -> list[tuple[str, str]]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    tests = []
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{path}::{node.name}" if isinstance(node, ast.ClassDef) else path
        for member in members:
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and member.name.startswith("test"):
                marks = " ".join(ast.unparse(decorator) for decorator in member.decorator_list)
                tests.append((f"{prefix}::{member.name}", f"{member.name} {marks} {ast.get_docstring(member) or ''}"))
    return tests
