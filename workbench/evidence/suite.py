"""One run of a suite in a workspace, and whether it can be believed; it compares no commits.

A run is believed when the witness inside, the JUnit report and the exit code agree, and when every imported module of
the project came from the workspace. What cannot be believed is an error, never a pass.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workbench.evidence import machinery, probes, trace, warden
from workbench.evidence.conventions import REPORT, SuitePlan
from workbench.evidence.coverage_report import CoverageInvalid, Lines, parse_coverage
from workbench.evidence.dialects import DIALECTS
from workbench.evidence.junit import ReportInvalid, outcomes_of, parse_junit
from workbench.evidence.rig import Rig, read_report
from workbench.evidence.witness import Testimony, disagreement, parse_testimony
from workbench.model.evidence import EvidenceState, TestOutcome, TestState
from workbench.ports import Completed, Workspace

# Our programs beside a run, by their names there: the warden is started, the others are loaded by its child.
_RUNNER = {
    warden.__file__: "runner.py",
    trace.__file__: "workbench_trace.py",
    machinery.__file__: "workbench_machinery.py",
    probes.__file__: "workbench_probes.py",
}
_MISSING_PYTHON = re.compile(r"No module named '?([A-Za-z0-9_.]+)'?")
_MISSING_NODE = re.compile(r"Cannot find (?:module|package) '(@?[A-Za-z0-9_-][^'./][^']*)'")
_NOT_PROJECT = frozenset(
    {"tests", "test", "testing", "docs", "examples", "conftest", "setup", "noxfile", "tasks", "bin"}
)


class SuiteReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a suite showed. `problem` says why `state` is `error`, `timed-out` or `no-tests`."""

    state: EvidenceState
    problem: str = ""
    outcomes: tuple[TestOutcome, ...] = ()
    deselected: tuple[str, ...] = ()
    missing_modules: tuple[str, ...] = ()  # that nothing of the project or the environment provides
    modules: int = 0  # of the project, imported and traced to their files
    foreign: dict[str, str] = {}  # the project's modules that came from elsewhere
    altered: tuple[str, ...] = ()  # parts of the test runner that were replaced while it ran
    coverage: dict[str, Any] = {}  # path in the workspace to {places, hits ...}, lines that can be marked and that were
    contexts: dict[str, dict[int, tuple[str, ...]]] = {}  # path to line to the tests in which it ran
    coverage_problem: str = ""
    reported: Lines = {}  # coverage by path, as a command's own report has it
    repeated: int = 0  # further runs of the tests that failed
    exit_code: int = 0
    duration_ms: int = 0
    outputs: dict[str, str] = {}
    command: tuple[str, ...] = ()
    python: str = ""
    names_tests: bool = True  # a bare command has only its exit code, under its own name

    def ids(self, *states: str) -> list[str]:
        """The ids of outcomes in one of `states`, sorted."""
        return sorted(outcome.id for outcome in self.outcomes if outcome.state in states)

    @property
    def believed(self) -> bool:
        """Whether the outcomes are what happened."""
        return self.state in ("passed", "failed", "no-tests")


Covered = Mapping[str, Sequence[int]]  # path to the lines that are of interest
NOTHING: Covered = {}


def run_suite(rig: Rig, plan: SuitePlan, workspace: Workspace, *, covered: Covered = NOTHING) -> SuiteReport:
    """Run `plan` in `workspace`, measuring the files of `covered` where the runner can, of its lines in which tests."""
    with rig.outbox() as box:
        run = _in_python if plan.kind in trace.RUNNERS else _as_command
        report = run(rig, plan, workspace, box, covered)
    return msgspec.structs.replace(report, command=_readable(plan), names_tests=plan.names_tests)


def _readable(plan: SuitePlan) -> tuple[str, ...]:
    return (plan.kind, *plan.argv) if plan.kind in trace.RUNNERS else plan.argv


# --- pytest and unittest, through the witness -----------------------------------------------------------


def _in_python(rig: Rig, plan: SuitePlan, workspace: Workspace, box: Path, covered: Covered) -> SuiteReport:
    names = project_modules(Path(workspace.path))
    settings = {
        "runner": plan.kind,
        "arguments": list(plan.argv),
        "project": sorted(names),
        "python_path": python_path(workspace),
        "witness": str(box / "report" / "witness.jsonl"),
        "junit": str(box / "report" / "junit.xml"),
        "coverage": {
            "files": [f"{workspace.cwd}/{path}" for path in covered],
            "lines": {f"{workspace.cwd}/{path}": list(lines) for path, lines in covered.items()},
        },
    }
    for module, name in _RUNNER.items():
        shutil.copyfile(module, box / "runner" / name)
    (box / "runner" / "plan.json").write_text(json.dumps(settings))
    argv = (python_of(rig), "-s", str(box / "runner" / "runner.py"), str(box / "runner" / "plan.json"))
    key = secrets.token_bytes(32)  # of this run alone; the warden reads it, and nobody else
    completed = rig.run(argv, workspace, box=box, env=plan.env, stdin=key)
    return _believe(rig, plan, workspace, _Run(completed, box, names, key=key))


class _Run:
    """A finished run: how it ended, what it left, and which modules are the project's own."""

    def __init__(self, completed: Completed, box: Path, names: frozenset[str], *, key: bytes) -> None:
        self.completed = completed
        self.names = names
        self.testimony = parse_testimony(read_report(box / "report" / "witness.jsonl") or b"", key)
        self.junit = read_report(box / "report" / "junit.xml")


def _believe(rig: Rig, plan: SuitePlan, workspace: Workspace, run: _Run) -> SuiteReport:
    testimony = run.testimony
    places = foreign_modules(testimony.origins, workspace, rig)
    prefix = workspace.cwd.rstrip("/") + "/"
    seen = {
        "outcomes": testimony.outcomes,
        "deselected": testimony.deselected,
        "missing_modules": _missing(testimony, run.names),
        "modules": len(testimony.origins),
        "foreign": places,
        "coverage": {file.removeprefix(prefix): lines for file, lines in testimony.coverage.items()},
        "contexts": {file.removeprefix(prefix): lines for file, lines in testimony.contexts.items()},
        "coverage_problem": testimony.coverage_problem,
        "altered": testimony.altered,
        "python": testimony.python,
    }
    ended = _unfinished(run.completed)
    state, problem = ended or _state(plan, testimony, run, places)
    return _report(rig, run.completed, state=state, problem=problem, **seen)


def _state(plan: SuitePlan, testimony: Testimony, run: _Run, places: dict[str, str]) -> tuple[EvidenceState, str]:
    if testimony.unsupported:
        names = ", ".join(testimony.unsupported)
        return "error", f"environment: {names} is not installed where the tests run"
    problem = _contradiction(plan, testimony, run)
    if problem:
        return "error", f"the run cannot be believed: {problem}"
    if places:
        name, file = next(iter(places.items()))
        return "error", f"{name} was imported from {file}, not from the workspace"
    return _plain_state(testimony.outcomes)


def _contradiction(plan: SuitePlan, testimony: Testimony, run: _Run) -> str:
    if not plan.junit:
        return disagreement(testimony, run.completed.exit_code, cases=None)
    if testimony.problem or run.junit is None:
        return testimony.problem or "there is no report"
    try:
        cases = parse_junit(run.junit)
    except ReportInvalid as error:
        return str(error)
    return disagreement(testimony, run.completed.exit_code, cases=cases)


def _plain_state(outcomes: Sequence[TestOutcome]) -> tuple[EvidenceState, str]:
    states = {outcome.state for outcome in outcomes}
    if states & {"failed", "error", "missing"}:
        return "failed", ""
    if "passed" in states:
        return "passed", ""
    return "no-tests", "every test was skipped" if states else "no test was found"


def _missing(testimony: Testimony, names: frozenset[str]) -> tuple[str, ...]:
    texts = [*testimony.uncollectable.values(), *testimony.unsupported.values()]
    for outcome in testimony.outcomes:
        if outcome.state in ("failed", "error"):
            texts += [outcome.message, outcome.frame]
    return missing_modules("\n".join(texts), names)


def missing_modules(text: str, project: frozenset[str]) -> tuple[str, ...]:
    """Top-level modules that `text` reports as not found and that are not the project's own."""
    found = {match[1].partition(".")[0] for match in _MISSING_PYTHON.finditer(text)}
    found |= {match[1] for match in _MISSING_NODE.finditer(text)}
    return tuple(sorted(found - project - sys.stdlib_module_names - _NOT_PROJECT))


def foreign_modules(origins: dict[str, str], workspace: Workspace, rig: Rig) -> dict[str, str]:
    """Modules of the project whose file lies outside of the workspace, or in an environment mounted inside of it."""
    roots = {workspace.cwd.rstrip("/") + "/", os.path.realpath(workspace.cwd) + "/"}
    nested = [f"{(mount.target or mount.source).rstrip('/')}/" for mount in rig.environment.mounts]
    inside = tuple(place for place in nested if place.startswith(tuple(roots)))
    return {
        name: file
        for name, file in origins.items()
        if not file.startswith(tuple(roots)) or (inside and file.startswith(inside))
    }


def project_modules(root: Path) -> frozenset[str]:
    """Top-level names that the tree at `root` gives to `import`: packages and modules in it and in `src`."""
    names: set[str] = set()
    for place, bare in ((root, False), (root / "src", True), (root / "lib", False)):
        if place.is_dir() and not place.is_symlink():
            names |= {name for entry in place.iterdir() if (name := _importable(entry, bare=bare))}
    return frozenset(names - _NOT_PROJECT - sys.stdlib_module_names)


def _importable(entry: Path, *, bare: bool) -> str:
    if entry.suffix == ".py" and entry.stem.isidentifier() and not entry.stem.startswith("test_"):
        return entry.stem
    package = entry.is_dir() and (bare or (entry / "__init__.py").is_file())
    return entry.name if package and entry.name.isidentifier() else ""


def python_path(workspace: Workspace) -> list[str]:
    """Where the project is imported from: its `src`, if it has one, and its root."""
    source = Path(workspace.path) / "src"
    has_source = source.is_dir() and not source.is_symlink()
    return [f"{workspace.cwd}/src", workspace.cwd] if has_source else [workspace.cwd]


def python_of(rig: Rig) -> str:
    """The interpreter of the named environment."""
    virtual = rig.environment.env.get("VIRTUAL_ENV")
    return f"{virtual}/bin/python" if virtual else "python3"


# --- other runners --------------------------------------------------------------------------------------


def _as_command(rig: Rig, plan: SuitePlan, workspace: Workspace, box: Path, _: Covered) -> SuiteReport:
    argv = [word.replace(REPORT, str(box / "report")) for word in plan.argv]
    env = {"CARGO_TARGET_DIR": str(box / "tmp" / "target"), **plan.env} if plan.kind == "cargo" else plan.env
    completed = rig.run(argv, workspace, box=box, env=env)
    ended = _unfinished(completed)
    if ended:
        return _report(rig, completed, state=ended[0], problem=ended[1])
    try:
        outcomes = _OUTCOMES.get(plan.kind, _from_report)(plan, completed, box, workspace.cwd)
    except ReportInvalid as error:
        return _report(rig, completed, state="error", problem=f"the run cannot be believed: {error}")
    report = _outcome_report(rig, plan, completed, outcomes)
    return msgspec.structs.replace(report, **_reported(plan, box)) if plan.coverage else report


def _reported(plan: SuitePlan, box: Path) -> dict[str, Any]:
    """The coverage that a command left in the report directory, or why there is none."""
    data = read_report(box / "report" / plan.coverage)
    if data is None:
        return {"coverage_problem": _not_left(plan.coverage)}
    try:
        return {"reported": parse_coverage(data)}
    except CoverageInvalid as problem:
        return {"coverage_problem": str(problem)}


def _not_left(name: str) -> str:
    return f"the command left no {name} in the report directory; let it write {REPORT}/{name}"


def _outcome_report(rig: Rig, plan: SuitePlan, completed: Completed, outcomes: tuple[TestOutcome, ...]) -> SuiteReport:
    bad = any(outcome.state in ("failed", "error") for outcome in outcomes)
    missing = missing_modules(completed.stderr.text + completed.stdout.text, frozenset()) if completed.exit_code else ()
    if bad != (completed.exit_code != 0) and plan.names_tests:
        said = "although a test failed" if bad else "although no test failed"
        problem = f"the run cannot be believed: exit code {completed.exit_code} {said}"
        return _report(rig, completed, state="error", problem=problem, outcomes=outcomes, missing_modules=missing)
    state, problem = _plain_state(outcomes)
    return _report(rig, completed, state=state, problem=problem, outcomes=outcomes, missing_modules=missing)


def _from_report(plan: SuitePlan, completed: Completed, box: Path, root: str) -> tuple[TestOutcome, ...]:
    if not plan.junit:
        state: TestState = "passed" if completed.exit_code == 0 else "failed"
        return (TestOutcome(id=plan.label or "command", state=state, message=f"exit code {completed.exit_code}"),)
    data = read_report(box / "report" / plan.junit)
    if data is None:
        raise ReportInvalid(
            f"there is no report: {_not_left(plan.junit)}" if plan.kind == "command" else "there is no report"
        )
    outcomes = outcomes_of(parse_junit(data), root=root)
    if plan.kind == "command" and any(outcome.id.endswith("#2") for outcome in outcomes):
        raise ReportInvalid("the report names a test twice")
    return outcomes


def _from_stdout(plan: SuitePlan, completed: Completed, _: Path, __: str) -> tuple[TestOutcome, ...]:
    if completed.stdout.full_bytes > len(completed.stdout.head) + len(completed.stdout.tail):
        raise ReportInvalid(f"{completed.stdout.full_bytes} bytes of output are more than can be kept")
    return DIALECTS[plan.kind](completed.stdout.text + "\n" if plan.kind == "go" else _interleaved(completed))


def _interleaved(completed: Completed) -> str:
    """cargo names the test binaries on stderr, in the order in which their results stand on stdout."""
    headers = [line for line in completed.stderr.text.splitlines() if re.match(r"\s*(Running|Doc-tests) ", line)]
    lines = []
    for line in completed.stdout.text.splitlines():
        if re.match(r"running \d+ tests?$", line) and headers:
            lines.append(headers.pop(0))
        lines.append(line)
    return "\n".join(lines)


_OUTCOMES: dict[str, Callable[[SuitePlan, Completed, Path, str], tuple[TestOutcome, ...]]] = {
    "go": _from_stdout,
    "cargo": _from_stdout,
}


def _unfinished(completed: Completed) -> tuple[EvidenceState, str] | None:
    if completed.state == "timed-out":
        return "timed-out", f"did not end within {completed.duration_ms / 1000:.0f} s"
    if completed.state != "exited":
        return "error", f"the run {completed.state.replace('-', ' ')}: {completed.stderr.text[-300:].strip()}"
    return None


def _report(rig: Rig, completed: Completed, **fields: Any) -> SuiteReport:
    return SuiteReport(
        exit_code=completed.exit_code, duration_ms=completed.duration_ms, outputs=rig.keep(completed), **fields
    )
