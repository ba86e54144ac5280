"""A law of the brief tried on one commit in the sandbox, and whether its report can be believed; no verdict."""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import secrets
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import msgspec

from workbench.artifacts import strategies
from workbench.artifacts.properties import is_path
from workbench.artifacts.terms import Property
from workbench.evidence.environment import discover
from workbench.evidence.material import carry, is_material, is_shared
from workbench.evidence.properties import judge, making, weighing, wire, worker
from workbench.evidence.rig import Rig
from workbench.evidence.suite import foreign_modules, project_modules, python_of, python_path
from workbench.model.digests import digest_of
from workbench.model.evidence import EvidenceState
from workbench.ports import Change, Completed, Mount, Workspace

LEAST = 20  # examples that say something where not all that were asked for could be tried
MARGIN_S = 60.0  # for starting, beside the time for trying
MAX_NAMES = 50
PACKAGE = "workbench_laws"  # that no program has
_TRIED: dict[str, EvidenceState] = {"held": "passed", "failed": "failed", "sometimes": "failed"}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge says; nothing in it is trusted but for its types and sizes."""

    state: Literal["held", "failed", "sometimes", "over", "refused", "unusable"]
    text: str = ""
    lacking: str = ""  # a module that could not be found
    examples: int = 0
    rejected: int = 0
    distinct: int = 0
    counterexample: dict[str, str] = {}
    raised: str = ""
    where: str = ""
    hypothesis: str = ""
    python: str = ""
    files: dict[str, str] = {}
    modules: tuple[str, ...] = ()
    described: str = ""  # a digest of what the program says that its types are made of
    shadows: tuple[str, ...] = ()  # names of Python's own that the program gives another meaning
    told: tuple[str, ...] = ()  # what only the program's own process could say


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A law on one commit. `problem` says why the state is neither `passed` nor `failed`."""

    state: EvidenceState
    problem: str = ""
    absent: bool = False  # what it speaks of is not there
    report: Report = Report(state="over")
    duration_ms: int = 0


def try_law(rig: Rig, law: Property, change: Change, commit: str) -> Tried:
    """Try `law` on `commit`, with base's tests and test configuration."""
    library = _library()
    if library is None:
        return Tried(state="not-checked", problem="Hypothesis is not installed beside Workbench; install it there")
    limited = replace(rig, limits=msgspec.structs.replace(rig.limits, wall_s=law.timeout_s + MARGIN_S))
    with rig.outbox() as box, rig.workspace(commit) as workspace:
        if next(Path(workspace.path).rglob("*.py"), None) is None:
            return Tried(state="not-checked", problem="properties are tried in Python, and there is no Python here")
        if commit != change.base:
            _with_base_tests(rig, change, workspace)
        argv, key = _laid_out(rig, law, workspace, box, library=library), secrets.token_bytes(32)
        completed = limited.run(argv, workspace, box=box, mounts=_mounts(rig, library), stdin=key)
        return _believed(rig, completed, workspace, key)


def _library() -> Path | None:
    """The directory in which Workbench's own Hypothesis is."""
    found = importlib.util.find_spec("hypothesis")
    return None if found is None or found.origin is None else Path(found.origin).parent.parent


def _mounts(rig: Rig, library: Path) -> list[Mount]:
    """Our own Python and what it needs, where they are, beside what the environment shows already."""
    caller = {"VIRTUAL_ENV": sys.prefix, "PATH": str(Path(sys.executable).parent)}
    ours = [*discover(Path("/nonexistent"), caller=caller).mounts, Mount(source=str(library))]
    known = {mount.source for mount in rig.environment.mounts}
    return [each for each in ours if each.source not in known and not each.source.startswith("/usr/")]


def _with_base_tests(rig: Rig, change: Change, workspace: Workspace) -> None:
    """What values are made by, and what starts with the interpreter, is base's where it belongs to the tests."""
    paths = [path for _, path in change.changed_paths() if is_material(path) and not is_shared(path)]
    if paths:
        with rig.workspace(change.base) as base:
            carry(paths, source=Path(base.path), target=Path(workspace.path))


def _laid_out(rig: Rig, law: Property, workspace: Workspace, box: Path, *, library: Path) -> tuple[str, ...]:
    """Put plan and programs where the sandbox shows them; the command line of the judge."""
    place = box / "runner"
    programs(place)
    given = {name: strategies.parse(text) for name, text in law.given.items()}
    seed = int(digest_of(msgspec.to_builtins(law)).removeprefix("sha256:")[:15], 16)
    plan = {
        "holds": law.holds,
        "is_path": is_path(law.holds),
        "when": law.when,
        "modules": list(law.module),
        "given": given,
        "examples": law.examples,
        "timeout_s": law.timeout_s,
        "seed": seed,
        "library": str(library),
        "root": workspace.cwd,
        "python_path": python_path(workspace),
        "worker": [python_of(rig), "-s", "-c", started(place, "worker")],
        "plan": str(place / "plan.json"),
    }
    (place / "plan.json").write_text(json.dumps(plan))
    return (sys.executable, "-I", "-S", "-c", started(place, "judge"), str(place / "plan.json"))


def programs(place: Path) -> None:
    """Lay judge and worker out at `place`, as a package of their own."""
    package = place / PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    for program in (judge, making, weighing, wire, worker):
        source = Path(str(program.__file__))
        shutil.copyfile(source, package / source.name)


def started(place: Path, module: str) -> str:
    """What an interpreter runs to be the `module` of what was laid out at `place`, and nobody else's."""
    return f"import sys; sys.path.insert(0, {str(place)!r}); from {PACKAGE}.{module} import main; sys.exit(main())"


# --- what came of it ------------------------------------------------------------------------------------


def _believed(rig: Rig, completed: Completed, workspace: Workspace, key: bytes) -> Tried:
    spent = completed.duration_ms
    if completed.state == "timed-out":
        return Tried(state="timed-out", problem=f"did not end within {spent / 1000:.0f} s", duration_ms=spent)
    report = _sealed(completed.stdout.data, key)
    if report is None:
        said = completed.stderr.text[-300:].strip() or f"exit code {completed.exit_code}"
        return Tried(state="error", problem=f"there is no report that can be believed: {said}", duration_ms=spent)
    foreign = foreign_modules({name: file for name, file in report.files.items() if file}, workspace, rig)
    own = project_modules(Path(workspace.path))
    odd = {name: file for name, file in foreign.items() if name.partition(".")[0] in own}
    if odd:
        name, file = next(iter(odd.items()))
        problem = f"{name} was imported from {file}, not from the workspace"
        return Tried(state="error", problem=problem, report=report, duration_ms=spent)
    return msgspec.structs.replace(_told(report, own), report=report, duration_ms=spent)


def _sealed(data: bytes, key: bytes) -> Report | None:
    """The report, if it is the judge's own."""
    body, _, rest = data.partition(b"\n")
    expected = hmac.new(key, body, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(rest.strip(), expected):
        return None
    try:
        return msgspec.json.decode(body, type=Report)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _told(report: Report, own: frozenset[str]) -> Tried:
    if report.state == "unusable":
        return Tried(state="not-checked", problem=report.text)
    if report.state == "refused":
        lacks = report.lacking.partition(".")[0]
        if lacks == "hypothesis" or "No module named 'hypothesis'" in report.text:
            problem = "a strategy of the project needs Hypothesis: install it into the project's environment"
            return Tried(state="not-checked", problem=problem)
        where = "environment: " if lacks and lacks not in own and "." not in report.lacking else ""
        return Tried(state="error", problem=f"{where}{report.text}", absent=True)
    few = report.examples < LEAST
    if report.state == "over" and few:
        return Tried(state="timed-out", problem=f"only {report.examples} examples were tried in its time")
    if report.state == "held" and report.rejected and few:
        problem = f"only {report.examples} examples counted, and {report.rejected} did not"
        return Tried(state="not-checked", problem=problem)
    return Tried(state=_TRIED.get(report.state, "passed"))


def loose_sources(law: Property, change: Change, modules: Sequence[str]) -> list[str]:
    """Files that the change edits and that make what is given, or say what must hold; base's tests are put back."""
    named = {path.partition(":")[0] for text in law.given.values() for path in strategies.paths(strategies.parse(text))}
    named |= {law.holds.strip().partition(":")[0]} if is_path(law.holds) else set()
    ends = (".py", "/__init__.py")
    places = {
        f"{root}{name.replace('.', '/')}{end}"
        for name in (*named, *modules[:MAX_NAMES]) for root in ("", "src/", "lib/") for end in ends
    }  # fmt: skip
    return sorted(path for _, path in change.changed_paths() if path in places and not is_material(path))
