"""What the gate says of one patch: `python -m tests.bench.gate REPO BASE PATCH [BRIEF]`.

The patch is applied to a copy of the repository and gated as `mrp build` gates any branch: no agent, no hidden test, no
model. Prints one JSON object: verdict, reasons, tests named, the figure of the risk order, seconds. `--venv` names the
environment in which the repository's tests run; `--policy` a policy in place of the base's.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WHO = {"GIT_AUTHOR_NAME": "Bench", "GIT_AUTHOR_EMAIL": "bench@example.org",
       "GIT_COMMITTER_NAME": "Bench", "GIT_COMMITTER_EMAIL": "bench@example.org"}  # fmt: skip
MAX_TESTS = 20  # that are named
LIMIT_S = 900


def risk(pack: Mapping[str, Any]) -> float:
    """How much a reader should fear a pack, from 0: what the evidence lets hope, without any model.

    Lost checks weigh most, then grave findings, changed lines that no test runs, that nothing executable shows what the
    change does, and its size.
    """
    findings = pack.get("findings", [])
    lost = any(each.get("blocking") for each in findings)
    grave = sum(each.get("severity") in ("high", "critical") and not each.get("blocking") for each in findings)
    states = {each["id"]: each["state"] for each in pack.get("requirements", [])}
    unshown = states.get("shown") in ("unsatisfied", "error")
    coverage = next(
        (e["facts"].get("percent") for e in pack.get("evidence", []) if e["kind"] == "coverage.changed"), None
    )
    unrun = 0.5 if not isinstance(coverage, int | float) else 1 - coverage / 100
    lines = sum(each["added"] + each["removed"] for each in pack.get("changes", []))
    return round(4 * lost + min(grave, 3) * 0.5 + unrun + 0.5 * unshown + math.log10(1 + lines) / 10, 3)


def gate(
    repository: Path, base: str, patch: Path, *, brief: str = "", policy: str = "", venv: str = ""
) -> dict[str, Any]:
    """What comes of one patch."""
    with tempfile.TemporaryDirectory(prefix="gate-") as scratch:
        copy = Path(scratch) / "copy"
        env = environment(Path(scratch), venv)
        run("git", "clone", "-q", "--no-hardlinks", str(repository), str(copy), env=env)
        run("git", "checkout", "-q", "-B", "gate-base", base, env=env, cwd=copy)
        run("git", "checkout", "-q", "-b", "gate-head", env=env, cwd=copy)
        run("git", "apply", "--index", "--whitespace=nowarn", str(patch.resolve()), env=env, cwd=copy)
        run("git", "commit", "-qm", "The patch", "--no-verify", env=env, cwd=copy)
        run("git", "checkout", "-q", "gate-base", env=env, cwd=copy)
        options = [
            word for name, value in (("--brief", brief), ("--policy", policy)) if value for word in (name, value)
        ]
        begun = time.monotonic()
        try:
            said = subprocess.run(
                [workbench(), "mrp", "build", "--base", "gate-base", "--head", "gate-head", "--json", *options],
                cwd=copy, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return _no_pack(f"no pack within {LIMIT_S} s", time.monotonic() - begun)
        finally:
            subprocess.run([workbench(), "aee", "stop", "-q"], cwd=copy, env=env, capture_output=True, check=False)
        seconds = time.monotonic() - begun
    try:
        pack = json.loads(said.stdout)
    except ValueError:
        return _no_pack(said.stderr[-500:], seconds)
    return told(pack, seconds)


def _no_pack(why: str, seconds: float) -> dict[str, Any]:
    return {"verdict": "error", "reasons": [why], "tests": [], "risk": None, "seconds": round(seconds, 1)}


def told(pack: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The pack in a few fields."""
    evidence = {each["kind"]: each for each in pack.get("evidence", [])}
    facts = evidence.get("tests.base-on-result", {}).get("facts", {})
    return {
        "verdict": pack["verdict"],
        "reasons": pack.get("reasons", []),
        "causes": [each["cause"] for each in pack.get("because", [])],
        "tests": [*facts.get("broken", []), *facts.get("lost", [])][:MAX_TESTS],
        "states": {kind: each["state"] for kind, each in evidence.items()},
        "risk": risk(pack),
        "seconds": round(seconds, 1),
    }


def environment(scratch: Path, venv: str) -> dict[str, str]:
    """A person's, of whom nothing else is known."""
    passed = ("PATH", "LANG", "TMPDIR", "VIRTUAL_ENV", "WORKBENCH_TESTS_MUTATION_S")
    kept = {name: os.environ[name] for name in passed if name in os.environ}
    homes = {f"XDG_{name}_HOME": str(scratch / name.lower()) for name in ("STATE", "CONFIG", "CACHE")}
    named = {"VIRTUAL_ENV": str(Path(venv).resolve())} if venv else {}
    return {**kept, **homes, **named, **WHO, "HOME": str(scratch / "home"), "GIT_CONFIG_NOSYSTEM": "1"}


def workbench() -> str:
    """The program of this environment."""
    return str(Path(sys.executable).with_name("workbench"))


def run(*words: str, env: Mapping[str, str], cwd: Path | None = None) -> None:
    """A command that must not fail."""
    done = subprocess.run(words, cwd=cwd, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {' '.join(done.stderr.split())[-400:]}")


def main() -> int:
    """0 when the patch was gated, whatever the verdict."""
    if len(sys.argv) == 1:
        print("gate: wants REPO BASE PATCH [BRIEF]; nothing measured")
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gate", description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("base")
    parser.add_argument("patch", type=Path)
    parser.add_argument("brief", nargs="?", default="")
    parser.add_argument("--policy", default="")
    parser.add_argument("--venv", default="")
    asked = parser.parse_args()
    brief, policy = (str(Path(each).resolve()) if each else "" for each in (asked.brief, asked.policy))
    found = gate(asked.repository, asked.base, asked.patch, brief=brief, policy=policy, venv=asked.venv)
    print(json.dumps(found, indent=2))
    return 1 if found["verdict"] == "error" else 0


if __name__ == "__main__":
    sys.exit(main())
