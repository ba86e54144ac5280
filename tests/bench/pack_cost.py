"""What the evidence of a pack costs against running the suite twice by hand: `python tests/bench/pack_cost.py`.

The yardstick is the suite run twice in the same environment, one after the other. Suites are of three sizes: `start`
has next to nothing to run, so that starting the runner is all of it, and `seconds` spends most of its time in tests.
Prints `name, ours, yardstick, ratio`; the aims are 1.6 cold and 1.25 with base cached.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "evidence"))

import msgspec
from projects import Project

from workbench.aee.sandbox.select import select
from workbench.artifacts.policy import DEFAULT
from workbench.evidence.audit import AuditCollector
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.cache import EvidenceCache
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.coverage import CoverageCollector
from workbench.evidence.dangerous import Dangerous
from workbench.evidence.deceptive import Deceptive
from workbench.evidence.dependencies import Dependencies
from workbench.evidence.environment import discover
from workbench.evidence.examine import examine
from workbench.evidence.growth import Growth
from workbench.evidence.licences import Licences
from workbench.evidence.lint import LintCollector
from workbench.evidence.outcomes import TestsCollector
from workbench.evidence.rationale import RationaleCollector
from workbench.evidence.secrets import Secrets
from workbench.evidence.size import Size
from workbench.evidence.structure import Structure
from workbench.evidence.tampering.collector import Tampering
from workbench.evidence.types import TypesCollector
from workbench.ports import Collector, Mount, Workspace

PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
ENGINE = "def work(n):\n    total = 0\n    for i in range(n):\n        total += i * i % 7\n    return total\n"
PRODUCT = "from engine import work\n\n\ndef label(n):\n    return str(work(n))\n"
NEW_TEST = "from product import label\n\n\ndef test_new():\n    assert label(3)\n"
TESTS, FILES = 60, 6
SIZES = {"start": 10, "a second": 200_000, "seconds": 1_200_000}  # loops of one test; a million are a tenth of a second


def tree(loops: int) -> dict[str, str]:
    """Test modules over a module that calls a hot one."""
    body = "".join(f"def test_{n}():\n    assert label({loops})\n\n" for n in range(TESTS // FILES))
    tests = {f"tests/test_{n}.py": f"from product import label\n\n{body}" for n in range(FILES)}
    return {"product.py": PRODUCT, "engine.py": ENGINE, **tests}


def changes() -> dict[str, dict[str, str]]:
    """By name: code alone, code with a new test, and the worst case, a line that runs in every turn of the hot loop."""
    code = {"product.py": PRODUCT.replace("str(work(n))", "repr(work(n))")}
    return {
        "code": code,
        "code and tests": {**code, "tests/test_new.py": NEW_TEST},
        "the hot loop itself": {"engine.py": ENGINE.replace("i * i % 7", "i * i % 5")},
    }


def measured(run: Callable[[], None]) -> tuple[float, float]:
    """Processor seconds of this process and its children, which other load changes little, and seconds by the wall."""
    used, begun = processor_seconds(), time.perf_counter()
    run()
    return processor_seconds() - used, time.perf_counter() - begun


def processor_seconds() -> float:
    """What this process and its ended descendants used so far."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def by_hand(place: Path, files: dict[str, bytes]) -> None:
    """The suite as a person would run it, in a checkout that is there already."""
    for path, content in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)
    env = {"PATH": os.environ["PATH"], "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    subprocess.run(argv, cwd=place, env=env, check=True, stdout=subprocess.DEVNULL)


def ours(project: Project, cache: EvidenceCache, *, parallel: bool) -> None:
    """All collectors of a pack, but for mutation, which has a budget of its own."""
    behaviour = Behaviour(project.rig, PLAN, cache=cache, parallel=parallel)
    collectors: list[Collector] = [
        TestsCollector(project.rig, behaviour),
        CoverageCollector(project.rig, behaviour),
        LintCollector(project.rig),
        TypesCollector(project.rig, cache=cache),
        Tampering(),
        Secrets(),
        Dependencies(Licences(project.rig.environment)),
        Dangerous(),
        Growth(),
        Deceptive(),
        Size(DEFAULT.size, None),
        Structure(),
        RationaleCollector({}, None),
        AuditCollector({}, project.rig.blobs),
    ]
    brought = examine(project.change, collectors, clock=project.rig.clock)
    failed = [evidence for evidence in brought.evidence if evidence.state in ("error", "timed-out")]
    assert not failed, failed


def main() -> None:
    """Measure with and without changed tests, cold and with base cached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bubblewrap", action="store_true", help="in the real sandbox; by the wall clock alone")
    parser.add_argument("--size", choices=[*SIZES], action="append", help="of the suite; default: all")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        for size in asked.size or SIZES:
            for name, edits in changes().items():
                case = Path(place) / f"{size} {name}".replace(" ", "-")
                report(case, f"{name} (suite: {size})", size, edits, rounds=asked.rounds, confined=asked.bubblewrap)


def report(place: Path, name: str, size: str, edits: dict[str, str], *, rounds: int, confined: bool) -> None:
    """Print the lines of one kind of change; each round measures yardstick and ours in turn."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        project = Project(place / str(number), tree(SIZES[size]), edits)
        if confined:
            sandboxed(project)
        for kind, spent in one_round(project, place / "hand").items():
            rows.setdefault(kind, []).append(spent)
    medians = {kind: [statistics.median(values) for values in zip(*spent, strict=True)] for kind, spent in rows.items()}
    yardstick = medians.pop("hand")
    for kind, spent in medians.items():
        for unit, mine, hand in zip(("processor", "wall"), spent, yardstick, strict=True):
            if confined and unit == "processor":
                continue  # what ran in a namespace of its own is not credited to this process
            print(f"pack of {name}; {kind}; {unit}, {mine:.2f} s, {2 * hand:.2f} s, {mine / (2 * hand):.2f}")


def one_round(project: Project, hand: Path) -> dict[str, tuple[float, float]]:
    """Yardstick (the suite once) and ours, right after each other."""
    cold, fresh = EvidenceCache(project.blobs), EvidenceCache(project.blobs)
    spent = {
        "hand": measured(lambda: by_hand(hand, project.base)),
        "cold": measured(lambda: ours(project, cold, parallel=False)),
    }
    known = EvidenceCache(project.blobs, {event.key: event.blob for event in cold.added})
    spent["base cached"] = measured(lambda: ours(project, known, parallel=False))
    spent["cold, two at once"] = measured(lambda: ours(project, fresh, parallel=True))
    spent["base cached, two at once"] = measured(lambda: ours(project, known, parallel=True))
    return spent


def sandboxed(project: Project) -> None:
    """Use bubblewrap, as real packs do; raises where it does not work."""
    sandbox = select("bubblewrap", allow_none=False)
    environment = discover(Path("/nonexistent"), caller={"VIRTUAL_ENV": sys.prefix, "PATH": "/usr/bin"})
    env = {**environment.env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    project.rig = replace(project.rig, sandbox=sandbox, environment=msgspec.structs.replace(environment, env=env))
    plain = project.commits.verification

    def mounted(*, commit: str) -> Workspace:
        made = plain(commit=commit)
        return msgspec.structs.replace(made, mounts=(Mount(source=made.path, writable=True),))

    project.commits.verification = mounted  # type: ignore[method-assign]  # the same, mounted


if __name__ == "__main__":
    main()
