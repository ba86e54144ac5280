"""Run every benchmark, or some: `python -m tests.bench [--only NAME]...`, each in a process of its own.

Every row reads `name, ours, yardstick, ratio`. A benchmark is a module here with a `main()`; nothing registers it.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def benchmarks() -> list[str]:
    """The names of all benchmarks."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if not module.name.startswith("_"))


def run(name: str) -> int:
    """Run one benchmark with bytecode allowed, which is how programs are started; its exit code."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    print(f"# {name}", flush=True)
    return subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], cwd=ROOT, env=environment).returncode


def main() -> int:
    """0 when all ran."""
    names = benchmarks()
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Run benchmarks.")
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--list", action="store_true", help="print the names and end")
    asked = parser.parse_args()
    if asked.list:
        print("\n".join(names))
        return 0
    return max(run(name) for name in asked.only or names)


if __name__ == "__main__":
    sys.exit(main())
