"""The level of macOS, as far as it can be tested elsewhere: its profile as text, and how jobs are handed over."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.aee.sandbox.seatbelt import Seatbelt, profile_of, quoted
from workbench.aee.sandbox.select import probe
from workbench.model.errors import SandboxProblem
from workbench.ports import Completed, Mount

Run = Callable[..., Completed]
STAND_IN = '#!/bin/sh\n[ "$1" = -p ] || exit 64\nprintf "%s" "$2" > {profile}\nshift 2\nexec "$@"\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / 'a "place" (deny) \\'
    made.mkdir()
    (made / "file").write_text("x")
    return made


def test_all_is_denied_but_what_is_granted(place: Path) -> None:
    """The profile denies first; no later rule allows without naming what; nothing is written but writable mounts."""
    lines = profile_of([Mount(source=str(place))], network=False).splitlines()
    assert lines[:2] == ["(version 1)", "(deny default)"]
    assert not [line for line in lines[2:] if not line.startswith("(allow ")]
    bare = {line for line in lines[2:] if "(" not in line[1:]}
    assert bare == {
        *("(allow process-exec process-fork)", "(allow sysctl-read)", "(allow ipc-posix-sem)"),
        "(allow file-read-metadata)",
    }
    assert not [line for line in lines if "file-write" in line and "/dev/null" not in line]
    assert not [line for line in lines if "(remote ip)" in line or "network*" in line]


def test_a_mount_is_granted_as_it_is(place: Path) -> None:
    """A writable directory is written below it, a file is granted alone, and both by their quoted names."""
    lines = profile_of([Mount(source=str(place), writable=True), Mount(source=str(place / "file"))], network=False)
    name = str(place).replace("\\", "\\\\").replace('"', '\\"')
    assert f'(allow file-write* (subpath "{name}"))\n' in lines
    assert f'(allow file-read* file-map-executable (literal "{name}/file"))\n' in lines
    assert f'(allow network-outbound (remote unix-socket (subpath "{name}")))\n' in lines


def test_a_name_cannot_end_its_string(place: Path) -> None:
    """A hostile path adds no rule: brackets stay balanced outside of strings, and control characters are refused."""
    text = profile_of([Mount(source=str(place), writable=True)], network=False)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert outside.count("(") == outside.count(")")
    assert '"' not in outside.replace('""', "") and "place" not in outside
    with pytest.raises(SandboxProblem):
        quoted("/x\n(allow default)")


def test_the_network_is_granted_on_demand() -> None:
    """Only a job that was given the network may talk to addresses."""
    assert "(allow network-outbound (remote ip))" in profile_of([], network=True)


def test_elsewhere_the_level_is_refused() -> None:
    """Where there is no such program the level is refused, with the ways out."""
    found = probe("sandbox-exec")
    if found.works:
        pytest.skip("this is a Mac")
    assert "macOS" in found.reason and "--sandbox none" in found.hint


def test_a_job_is_handed_over_whole(run_script: Run, workspace: Path, tmp_path: Path) -> None:
    """The command, its streams, its exit code and its private place go through the program of the system."""
    program = tmp_path / "sandbox-exec"
    program.write_text(STAND_IN.format(profile=tmp_path / "profile"))
    program.chmod(0o755)
    done = run_script(Seatbelt(str(program)), 'echo "$TMPDIR"; pwd; exit 3')
    private, cwd = done.stdout.text.splitlines()
    assert (done.level, done.exit_code, cwd) == ("sandbox-exec", 3, str(workspace))
    profile = (tmp_path / "profile").read_text()
    assert all(f'(allow file-write* (subpath "{place}"))' in profile for place in (private, workspace))
    assert not Path(private).exists()
    with pytest.raises(SandboxProblem, match="read-only inside"):
        run_script(Seatbelt(str(program)), "true", Mount(source=str(workspace)))
