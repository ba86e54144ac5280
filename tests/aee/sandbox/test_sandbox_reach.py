"""E2: what each level can read, write, reach and see equals the golden list, which is the table in the docs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.aee.sandbox import landlock_kernel
from workbench.aee.sandbox.select import Selected, probe, select
from workbench.aee.sandbox.unconfined import Unconfined
from workbench.ports import Job, Limits, Mount

PROBE = Path(__file__).with_name("reach_probe.py")
PAGE = Path(workbench.__file__).with_name("docs") / "sandbox.md"
COLUMNS = {"bubblewrap": 0, "landlock": 1, "container": 2, "none": 2}
SINCE = {  # rows that an older kernel's Landlock answers otherwise, as the page says: from which version on, else what
    "a signal to another process": (landlock_kernel.SCOPES_SINCE, "yes"),
    "a port of its own": (landlock_kernel.TCP_SINCE, "no"),
}
AS_YOU = "as you"  # what is found without a sandbox, by the same user


@pytest.fixture
def given(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A host with things to reach: files, a process, a port, sockets, a variable."""
    mark = f"canary-{os.getpid()}-{abs(hash(str(tmp_path))) % 10**9}"
    monkeypatch.setenv("WORKBENCH_CANARY", mark)
    places = {name: tmp_path / "home" / name for name in ("secret", "repository", "journal", "temporary")}
    mounted = tmp_path / "m"
    for made in (tmp_path / "home", mounted):
        made.mkdir()
    for place in places.values():
        place.write_text(mark)
    monkeypatch.chdir(tmp_path)  # a path of a socket has at most 107 bytes
    with ExitStack() as stack:
        port = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        for address in ("home/s", "m/s", f"\0{mark}"):
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(address)
            listening.listen()
        words = [sys.executable, "-c", "input()", mark]
        other = stack.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE, env={"MARK": mark}))
        yield {
            **{name: str(place) for name, place in places.items()},
            "workspace": str(workspace),
            "mounted": str(mounted),
            "program": "/usr/bin/env",
            "port": port,
            "socket": "../home/s",
            "mounted_socket": "../m/s",
            "own_socket": "own",
            "abstract": f"@{mark}",
            "pid": other.pid,
            "mark": mark,
            "host": os.uname().nodename,
            "users": Path("/etc/passwd").read_text("utf-8", "replace"),
        }
        other.kill()


def inside(sandbox: Selected, given: dict[str, Any]) -> dict[str, str]:
    job = Job(
        argv=(os.path.realpath(sys.executable), "-I", "-S", str(PROBE), json.dumps(given)),
        cwd=given["workspace"],
        env={"PATH": "/usr/bin:/bin"},
        mounts=(
            Mount(source=given["workspace"], writable=True),
            Mount(source=given["mounted"]),
            Mount(source=sys.base_prefix),
            Mount(source=str(PROBE)),
        ),
        limits=Limits(wall_s=60),
    )
    done = sandbox.run(job)
    assert done.exit_code == 0, done.stderr.text
    found: dict[str, str] = json.loads(done.stdout.text)
    return found


@pytest.mark.parametrize("level", COLUMNS)
def test_a_level_reaches_what_its_column_says(level: str, given: dict[str, Any]) -> None:
    """Each row of the page is what a program inside found, no more and no less."""
    golden = {row[0]: row[1 + COLUMNS[level]] for row in table()}
    if level == "container":
        sandbox: Selected = Unconfined("container")
    elif not (found := probe(level)).works:
        pytest.skip(found.reason)
    else:
        sandbox = select(level, allow_none=True)
    if level == "landlock":
        golden |= {name: word for name, (since, word) in SINCE.items() if landlock_kernel.version() < since}
    outcome = inside(sandbox, given)
    assert {name: AS_YOU if golden.get(name) == AS_YOU else word for name, word in outcome.items()} == golden


def table() -> list[list[str]]:
    """The rows of the page's table."""
    lines = PAGE.read_text("utf-8").partition("<!-- reach -->")[2].partition("<!-- end -->")[0].splitlines()
    rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return rows[2:]


def test_every_level_is_weaker_than_the_one_before() -> None:
    """The controls: whatever a sandbox refuses, the level `none` allows, so that each refusal is its doing."""
    for name, *words in table():
        if words[0] != words[2]:
            assert words[2] in (AS_YOU, "yes", "the host's", "read write", "list write"), name
