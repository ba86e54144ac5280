"""Tries plugins out in a sandbox, without network, for `workbench plugin test`; the journal learns nothing."""

from __future__ import annotations

import argparse
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import workbench
from workbench.aee.sandbox.select import select
from workbench.model.errors import WorkbenchError
from workbench.model.text import visible
from workbench.ports import Job, Limits, Mount

RUNNER = "workbench.testing.plugin_trial"
START = "import sys, runpy; sys.path.insert(0, {!r}); runpy.run_module({!r}, run_name='__main__')"
WALL_S = 900.0
OUTPUT_BYTES = 4 << 20
SYSTEM = (Path("/usr"), Path("/nix/store"))  # every sandbox sees these
STARTED = (0, 1)  # exit codes of a runner that had its say


def main() -> int:
    """Try one plugin and pass on the rows that come of it."""
    parser = argparse.ArgumentParser(prog="python -m workbench.aee.plugin_trial")
    for name in ("--journal", "--repository", "--directory", "--sandbox"):
        parser.add_argument(name, default="")
    wanted = parser.parse_args()
    try:
        sys.stdout.buffer.write(tried(Path(wanted.directory), level=wanted.sandbox))
    except WorkbenchError as problem:
        print(f"{problem.message} ({problem.hint})", file=sys.stderr)  # noqa: T201 - what failed is talk
        return 1
    return 0


def tried(plugin: Path, *, level: str) -> bytes:
    """The runner's rows. Raises SandboxProblem, and WorkbenchError where the runner itself broke."""
    sandbox = select(level, allow_none=level == "none")
    with tempfile.TemporaryDirectory(prefix="workbench-trial-") as made:
        home = Path(made)
        # Never a package that a directory of somebody's happens to hold: isolated, and by our own name.
        code = START.format(str(_package().parent), RUNNER)
        job = Job(
            argv=(sys.executable, "-I", "-c", code, str(plugin)),
            cwd=made,
            env={"HOME": made, "TMPDIR": made, "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
            mounts=(Mount(source=str(plugin)), Mount(source=str(home), writable=True), *_ours()),
            limits=Limits(wall_s=WALL_S, output_bytes=OUTPUT_BYTES),
        )
        done = sandbox.run(job)
    if done.state != "exited" or done.exit_code not in STARTED or not done.stdout.data:
        raise WorkbenchError(
            f"the trial broke ({done.state}, exit code {done.exit_code}): {visible(done.stderr.text.strip())[-600:]}"
        )
    return done.stdout.data


def _package() -> Path:
    return Path(workbench.__file__).parent


def _ours() -> Iterator[Mount]:
    """Our own code, the interpreter, and the packages beside it, read-only."""
    sites = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib", "stdlib")}
    sites |= {Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")}
    places = {_package(), Path(sys.prefix), Path(sys.base_prefix), *sites}
    for place in sorted(places):
        inside = any(place != other and place.is_relative_to(other) for other in places)
        if place.exists() and not inside and not any(place.is_relative_to(root) for root in SYSTEM):
            yield Mount(source=str(place))


if __name__ == "__main__":
    sys.exit(main())
