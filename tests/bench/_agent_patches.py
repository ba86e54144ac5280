"""Patches that agents wrote for a public set, gated.

`python -m tests.bench._agent_patches INSTANCES.jsonl PREDICTIONS.jsonl --repository R --venv V --out F`

Both files are as SWE-bench publishes them: an instance has `instance_id`, `base_commit`, `patch` and `test_patch`, a
prediction `instance_id` and `model_patch`. The suite is the test files that the set runs for an instance, as they stand
on base; the gate sees these and the report, and neither the newer tests nor the reference. What is right is found out
here, unless the prediction has a `label` that somebody took from the logs of the set's own run; where the gate and such
a label differ, it is looked at here in any case:

* `right` keeps the tests of base and passes the newer ones;
* `deliberate`, too, but for tests of base that the reference fails as well;
* `breaking` fails others of base;
* `hidden` passes all that is visible and misses a newer one;
* `other` fails of base what the reference fails as well, and misses a newer one.

`--check held` gives the brief one newer test that the reference makes pass; `--check DIR` the script
`DIR/<instance>.py`, a reproduction that somebody wrote from the report alone. Instances come in a seeded random order,
so that a run that is ended early is a sample.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench._release_patches import figures
from tests.bench.gate import environment, gate, run

PYTEST = ("-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", "--tb=no", "-W", "ignore")
TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|unittest_[^/]*)\.py$|^testing/.*\.py$|^tests/basic\.py$")
SEED = 7


class Instance:
    """One report of the set: a repository that holds its base alone, and what fails there in which state."""

    def __init__(self, told: dict[str, Any], *, source: Path, venv: str, scratch: Path, limit: float) -> None:
        self.told, self.venv, self.scratch, self.limit = told, venv, scratch, limit
        self.env = environment(scratch, venv)
        self.repository, self.tree = scratch / "repository", scratch / "tree"
        self.repository.mkdir(parents=True)
        tree = subprocess.run(["git", "archive", told["base_commit"]], cwd=source, capture_output=True, check=True)
        subprocess.run(["tar", "-x"], cwd=self.repository, input=tree.stdout, check=True)
        self.tests = [path for path in touched(told["test_patch"]) if TEST_FILE.search(path)]
        self.visible = [path for path in self.tests if (self.repository / path).exists()]
        settings = self.repository / ".workbench" / "config.toml"
        settings.parent.mkdir(exist_ok=True)
        words = ["python", "-m", "pytest", *self.visible]
        settings.write_text(f"[tests]\ncommand = {json.dumps(words)}\nmutation_s = 0\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A", "-f")
        self.git("commit", "-qm", "Base")
        self.proofs: list[str] = []
        self.looked = False

    def git(self, *words: str, cwd: Path | None = None) -> None:
        run("git", *words, env=self.env, cwd=cwd or self.repository)

    def failing(self, patch: str, *, newer: bool) -> set[str] | None:
        """Tests that fail with a patch; None where it does not apply or the suite comes to no end."""
        if not self.tree.exists():
            self.git("clone", "-q", "--shared", str(self.repository), str(self.tree))
        self.git("reset", "-q", "--hard", cwd=self.tree)
        self.git("clean", "-qfd", "-e", "*.pyc", cwd=self.tree)  # byte code of what stays the same is kept
        if not applied(patch, self.tree):
            return None
        changed = touched(self.told["test_patch"])
        old = [path for path in changed if (self.repository / path).exists()]
        for path in changed:
            (self.tree / path).unlink(missing_ok=True)
        if old:
            self.git("checkout", "-q", "main", "--", *old, cwd=self.tree)
        if newer and not applied(self.told["test_patch"], self.tree):
            return None
        return self._failing(self.tree, self.tests if newer else self.visible)

    def _failing(self, root: Path, files: Sequence[str]) -> set[str] | None:
        try:
            said = subprocess.run(
                [f"{self.venv}/bin/python", *PYTEST, *files], cwd=root, capture_output=True, text=True,
                env={**self.env, "PYTHONPATH": f"{root}:{root / 'src'}"}, timeout=self.limit, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        lines = (line.split(" - ")[0].split() for line in said.stdout.splitlines())
        found = {words[1] for words in lines if len(words) > 1 and words[0] in ("FAILED", "ERROR")}
        return found if found or " passed" in said.stdout else {"nothing was collected"}

    def usable(self) -> bool:
        """Whether the reference can be told from base here, by tests that end."""
        if not self.looked:
            self.looked = True
            self.base = self.failing("", newer=False)
            self.reference = self.failing(self.told["patch"], newer=False)
            self.hidden = self.failing(self.told["patch"], newer=True)
            self.fit = self._fit()
        return self.fit

    def _fit(self) -> bool:
        if self.base is None or self.reference is None or self.hidden is None or not self.visible:
            return False
        nothing = self.failing("", newer=True)
        self.proofs = sorted((nothing or set()) - self.hidden)
        return bool(self.proofs) and "nothing was collected" not in self.base | self.hidden

    def label(self, patch: str) -> str:
        """What a patch is; empty where it does not apply here or runs for ever, or nothing can be told here."""
        if not self.usable():
            return ""
        old, new = self.failing(patch, newer=False), self.failing(patch, newer=True)
        if old is None or new is None:
            return ""
        assert self.base is not None and self.reference is not None and self.hidden is not None
        broken, missed = old - self.base, new - self.hidden
        if broken - self.reference:
            return "breaking"
        if missed:
            return "other" if broken else "hidden"
        return "deliberate" if broken else "right"

    def breaks(self, patch: str) -> bool:
        """Whether any test that passes on base here fails with the patch."""
        base, result = self.failing("", newer=False), self.failing(patch, newer=False)
        return base is None or result is None or bool(result - base)


def touched(patch: str) -> list[str]:
    return sorted(set(re.findall(r"^diff --git a/(\S+) b/", patch, re.MULTILINE)))


def applied(patch: str, root: Path, *options: str) -> bool:
    if not patch:
        return True
    done = subprocess.run(["git", "apply", "--whitespace=nowarn", *options, "-"], cwd=root, input=patch, text=True,
                          capture_output=True, check=False)  # fmt: skip
    return not done.returncode


def brief(instance: Instance, *, check: str) -> str:
    """What was reported, and what shows that it is mended: nothing, one newer test, or a script from a directory."""
    title = instance.told["problem_statement"].strip().splitlines()[0][:120]
    head: dict[str, Any] = {"id": "report", "title": title, "status": "ready",
                            "goal": {"objective": instance.told["problem_statement"][:8000]}}  # fmt: skip
    if check:
        script = held(instance) if check == "held" else Path(check, f"{instance.told['instance_id']}.py").read_text()
        command = ["sh", "-c", script] if check == "held" else ["python", "-c", script]
        clause = {"id": "DOD-1", "text": "What was reported is mended.", "check": {"command": command}}
        head["success_criteria"] = {"definition_of_done": [clause]}
    return f"---\n{json.dumps(head)}\n---\n"


def held(instance: Instance) -> str:
    """A command that brings a newer test along and runs it."""
    path, _, name = instance.proofs[0].partition("::")
    instance.failing("", newer=True)
    text = (instance.tree / path).read_text()
    beside = str(Path(path).with_name("test_held.py"))
    return (
        f"cat > {beside} <<'END_OF_HELD'\n{text}\nEND_OF_HELD\n"
        f"PYTHONPATH=.:src python -m pytest -q -p no:cacheprovider '{beside}::{name}'"
    )


def chosen(rows: Sequence[dict[str, Any]], each: int) -> Iterator[dict[str, Any]]:
    """So many patches of an instance, of different agents where there are more."""
    mixed = sorted(rows, key=lambda row: str(row["model_name_or_path"]))
    random.Random(SEED).shuffle(mixed)
    yield from mixed[:each]


def main() -> int:
    """Gate the patches of every instance that can be run here, a row each into `--out`, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench._agent_patches", description=__doc__)
    parser.add_argument("instances", type=Path)
    parser.add_argument("predictions", type=Path)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--venv", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="a pattern of instance ids")
    parser.add_argument("--each", type=int, default=4, help="patches of one instance")
    parser.add_argument("--limit", type=float, default=120, help="seconds for one run of an instance's tests")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--check", default="")
    parser.add_argument("--dry", action="store_true", help="label, and gate nothing")
    asked = parser.parse_args()
    patches: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in map(json.loads, asked.predictions.read_text().splitlines()):
        patches[row["instance_id"]].append(row)
    known = [json.loads(line) for line in asked.instances.read_text().splitlines()]
    wanted = [told for told in known if re.search(asked.only, told["instance_id"])]
    if asked.check not in ("", "held"):
        wanted = [told for told in wanted if Path(asked.check, f"{told['instance_id']}.py").exists()]
    random.Random(SEED).shuffle(wanted)
    with ThreadPoolExecutor(asked.jobs) as pool:
        rows = [row for some in pool.map(lambda told: rows_of(told, patches[told["instance_id"]], asked), wanted)
                for row in some]  # fmt: skip
    print(json.dumps(figures(rows), indent=2))
    return 0


def rows_of(told: dict[str, Any], patches: Sequence[dict[str, Any]], asked: argparse.Namespace) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="agents-") as scratch:
        instance = Instance(told, source=asked.repository, venv=asked.venv, scratch=Path(scratch), limit=asked.limit)
        if not instance.visible or (asked.check == "held" and not instance.usable()):
            print(f"{told['instance_id']}: left out", file=sys.stderr, flush=True)
            return []
        about = Path(scratch) / "brief.md"
        about.write_text(brief(instance, check=asked.check))
        for number, row in enumerate(chosen(patches, asked.each)):
            patch = Path(scratch) / f"p{number}.patch"
            patch.write_text(row["model_patch"])
            label = row.get("label") or instance.label(row["model_patch"])
            if not label or not applied(row["model_patch"], instance.repository, "--check"):
                continue
            found = {"verdict": "", "tests": [], "risk": None, "seconds": 0.0} if asked.dry else gate(
                instance.repository, "main", patch, brief=str(about), venv=asked.venv)  # fmt: skip
            if found.get("states", {}).get("tests.base") == "error" and not instance.usable():
                print(f"{told['instance_id']}: left out, what it stands on does not run here", file=sys.stderr)
                return rows
            if (label == "right" and found["verdict"] == "not-ready") or (
                label == "breaking" and found["verdict"] not in ("", "not-ready")
            ):
                label = instance.label(row["model_patch"]) or label
            if (
                label == "breaking"
                and found["verdict"] not in ("", "not-ready")
                and not instance.breaks(row["model_patch"])
            ):
                print(f"{told['instance_id']}: a patch left out, what it breaks fails here on base", file=sys.stderr)
                continue
            if label == "hidden" and found["tests"]:
                label = "other"  # by the set's own logs it breaks none that the reference keeps
            rows.append({"pair": told["instance_id"], "agent": row["model_name_or_path"], "label": label,
                         "check": asked.check, "patch": row["model_patch"], **found})  # fmt: skip
            with asked.out.open("a") as out:
                out.write(json.dumps(rows[-1]) + "\n")
    return rows


if __name__ == "__main__":
    sys.exit(main())
