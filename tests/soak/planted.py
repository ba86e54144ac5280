"""Bugs planted into the engine one by one: does the suite find each?

    python -m tests.soak.planted [--only WORDS] [--under DIR]

Each bug is one small change of a copy of what is committed, of the kind that a tired person makes. The tests of the
rooms that it concerns are run on the copy until the first that fails; a bug that none of them finds is named, as is one
whose place is not there any more. Prints a line for each and a summary; exit code 1 when fewer than 95 % were found.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
WANTED = 0.95  # of all bugs
LIMIT_S = 900.0  # for the tests of one bug: they hang, which is finding it, too


class Bug(NamedTuple):
    """What a reader would call it, where it is, what stands there, what is put there, and whose tests are run."""

    name: str
    path: str
    good: str
    bad: str
    tests: tuple[str, ...]


JOURNAL = ("tests/journal", "tests/contracts/test_journal.py")
CORE = ("tests/core",)
AEE = tuple(f"tests/aee/test_{room}.py" for room in ("dispatch", "supervise", "attempt", "service"))
CONFINED = tuple(f"tests/aee/test_confined_{topic}.py" for topic in ("paths", "spellings", "races"))
REPOSITORY = ("tests/repository",)

BUGS = (
    Bug("events are acknowledged before the sync", "workbench/journal/group.py",
        "self._syncs.after_sync(lambda problem: _answer(futures, outcomes, problem))",
        "_answer(futures, outcomes, None)", JOURNAL),
    Bug("a failed sync is not told", "workbench/journal/group.py",
        "        elif problem is not None:\n            future.set_exception(problem)\n", "", JOURNAL),
    Bug("a version that is two behind passes", "workbench/journal/plan.py",
        "if actual != expected:", "if actual > expected + 1:", JOURNAL),
    Bug("a refused batch leaves a gap in the numbers", "workbench/journal/plan.py",
        "        self.last_seq -= len(self.rows) - taken\n", "", JOURNAL),
    Bug("a known id is stored again", "workbench/journal/plan.py",
        "return [stored or self._take(proposed, before) for proposed, stored in pairs]",
        "return [self._take(proposed, before) for proposed, _ in pairs]", JOURNAL),
    Bug("the chain does not hold what came before", "workbench/journal/chain.py",
        "hashlib.sha256(prev_hash.encode() + ", "hashlib.sha256(b'' + ", JOURNAL),
    Bug("what other processes wrote is not noticed", "workbench/journal/heads.py",
        "if data_version != self._data_version:", "if self._data_version < 0:", JOURNAL),
    Bug("columns that queries use are not kept current", "workbench/journal/projections.py",
        "table.values(stored.state) == table.values(state)", "table.values(stored.state)", JOURNAL),
    Bug("an altered blob is handed out", "workbench/journal/blobs.py",
        "if digest_bytes(data) != digest:", "if not data and digest:", JOURNAL),
    Bug("failures of a step are not counted", "workbench/core/fold.py",
        "failures = state.failures + 1", "failures = state.failures", CORE + AEE),
    Bug("a paused run goes on", "workbench/core/next_step.py",
        " or run.paused", "", CORE + AEE),
    Bug("a run goes on while its pack is decided", "workbench/core/next_step.py",
        " or run.to_decide", "", CORE + AEE),
    Bug("what is least urgent comes first", "workbench/core/next_step.py",
        "key=lambda run: (-run.priority,", "key=lambda run: (run.priority,", CORE + AEE),
    Bug("an answer does not look whether another was first", "workbench/core/decide/consultation.py",
        "return Decision(events=tuple(events), expect={stream: question.version})",
        "return Decision(events=tuple(events))", (*CORE, "tests/ace/test_deciding.py", "tests/endtoend/test_races.py")),
    Bug("a withdrawn question can be answered", "workbench/core/decide/consultation.py",
        'if question.state != "open":', 'if question.state == "unknown":', CORE),
    Bug("an agent's question is taken for Workbench's own", "workbench/aee/permission.py",
        "return asked and document.get(", "return question.call == call_of(digest) and document.get(",
        (*CORE, "tests/aee/test_prepare.py", "tests/aee/test_steps.py", "tests/aee/tools")),
    Bug("the mildest concern makes the verdict", "workbench/core/gate.py",
        "verdict = ranked[0].verdict if ranked", "verdict = ranked[-1].verdict if ranked", CORE),
    Bug("altered evidence counts", "workbench/core/admission.py",
        "if piece.digest != evidence_digest(piece):", "if not piece.digest:", CORE),
    Bug("the same evidence counts twice", "workbench/core/admission.py",
        " or acts[_act(piece)] > 1", "", CORE),
    Bug("work of a killed AEE is nobody's business", "workbench/core/attention.py",
        " or (run.step is not None and not run.outcome)", "", CORE),
    Bug("a secret of many characters is shown", "workbench/core/redact.py",
        'shown = secret[:SHOWN] if len(secret) >= 4 * SHOWN else ""', "shown = secret", (*CORE, "tests/evidence")),
    Bug("children of an earlier AEE live on", "workbench/aee/dispatch.py",
        "if not end_child(run.step.pid, run.step.started_ticks):", "if not run.step.started_ticks:", AEE),
    Bug("a stale child's report is taken", "workbench/aee/supervise.py",
        "or run.step.epoch != report.epoch:", "or run.step.epoch < report.epoch:", AEE),
    Bug("a step may take for ever", "workbench/aee/attempt.py",
        "if left is None and now > until:", "if left is None and now > until * 10:", AEE),
    Bug("a file with another name outside is read", "workbench/aee/confined.py",
        "if found.st_nlink > 1:", "if found.st_nlink > 2:", CONFINED),
    Bug("a file can be moved into .git", "workbench/aee/confined.py",
        "source_parts, target_parts = writable(path), writable(target)",
        "source_parts, target_parts = writable(path), split(target)", CONFINED),
    Bug(".git in capitals is an ordinary name", "workbench/aee/workspace_paths.py",
        "kept.casefold()", "kept", CONFINED),
    Bug("the sandbox keeps its capabilities", "workbench/aee/sandbox/view.py",
        '"--unshare-all", "--unshare-user", "--cap-drop", "ALL",', '"--unshare-all", "--share-net", "--unshare-user",',
        ("tests/contracts/test_sandbox.py", "tests/aee/sandbox")),
    Bug("base's tests are not put back", "workbench/evidence/behaviour.py",
        "                restore(change, material, base_tree=Path(base.path), result_tree=Path(workspace.path))\n",
        "                pass\n", ("tests/evidence/test_behaviour.py", "tests/evidence/test_material.py")),
    Bug("an altered test runner is believed", "workbench/evidence/behaviour.py",
        "if not altered or not report.believed:", "if altered or not report.believed:",
        ("tests/evidence/test_behaviour.py", "tests/evidence/test_tampering_runner.py")),
    Bug("a merge does not look whether the branch moved", "workbench/repository/merging.py",
        'ref, new, old)', "ref, new)", REPOSITORY),
    Bug("a reused pid is taken for the AEE", "workbench/journal/presence.py",
        "return pid > 0 and started_ticks(pid) == ticks", "return pid > 0 and started_ticks(pid) is not None",
        ("tests/journal/test_presence.py",)),
    Bug("a control character of C1 reaches the terminal", "workbench/model/text.py",
        "(0x7F, 0x9F)", "(0x7F, 0x7F)", ("tests/artifacts", "tests/tui")),
)  # fmt: skip


def main() -> int:
    """Plant each, and look."""
    parser = argparse.ArgumentParser(prog="planted", description=__doc__)
    parser.add_argument("--only", default="", help="bugs whose name contains these words")
    parser.add_argument("--under", type=Path, default=None)
    asked = parser.parse_args()
    bugs = [bug for bug in BUGS if asked.only in bug.name]
    missed = []
    with tempfile.TemporaryDirectory(dir=asked.under) as directory:
        copy = Path(directory) / "copy"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
        for bug in bugs:
            begun = time.monotonic()
            said = found_by(copy, bug)
            missed += [] if said else [bug.name]
            print(f"{'found ' if said else 'MISSED'} {bug.name}: {said} ({time.monotonic() - begun:.0f} s)", flush=True)
    found = len(bugs) - len(missed)
    print(f"\n{found} of {len(bugs)} found")
    return 0 if found >= WANTED * len(bugs) else 1


def found_by(copy: Path, bug: Bug) -> str:
    """The first test that fails with the bug; empty when none does."""
    path = copy / bug.path
    good = path.read_text(encoding="utf-8")
    if good.count(bug.good) != 1:
        raise SystemExit(f"{bug.path} does not have once what this bug changes: {bug.name}")
    path.write_text(good.replace(bug.good, bug.bad), encoding="utf-8")
    try:
        return _first_failure(copy, [name for name in bug.tests if (copy / name).exists()])
    finally:
        path.write_text(good, encoding="utf-8")


def _first_failure(copy: Path, tests: list[str]) -> str:
    words = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:randomly", "-n", "2", *tests]
    env = {**os.environ, "PYTHONPATH": str(copy)}
    try:
        ended = subprocess.run(words, cwd=copy, env=env, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return "the tests hang"
    if ended.returncode not in (0, 1, 2):
        raise SystemExit(f"the tests could not be run: {ended.stdout[-1000:]}{ended.stderr[-1000:]}")
    failed = [line.split(" - ")[0] for line in ended.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return failed[0] if failed else ""


if __name__ == "__main__":
    sys.exit(main())
