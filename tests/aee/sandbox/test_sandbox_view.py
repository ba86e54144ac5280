"""What a bubblewrap job sees: a golden list, and its mounts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.aee.sandbox import mountpoints, view
from workbench.aee.sandbox.select import Selected
from workbench.model.errors import SandboxProblem
from workbench.ports import Completed, Mount

Run = Callable[..., Completed]
ROOT = {
    "bin",
    "dev",
    "etc",
    "home",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "nix",
    "proc",
    "run",
    "sbin",
    "tmp",
    "usr",
    "var",
}
DEV = {
    *(
        "core",
        "fd",
        "full",
        "null",
        "ptmx",
        "pts",
        "random",
        "shm",
        "stderr",
        "stdin",
        "stdout",
        "tty",
        "urandom",
        "zero",
    ),
    "console",
}
ETC = {name.partition("/")[0] for name in view.ETC} | {Path(path).name for path in view.FILES}


def names(done: Completed) -> set[str]:
    return set(done.stdout.text.split())


def test_what_a_job_can_read(bubblewrap: Selected, run_script: Run, workspace: Path) -> None:
    """E2: the root, /dev and /etc hold what is on this list and the way to the mounts, and nothing else."""
    way = workspace.parts[1]
    assert names(run_script(bubblewrap, "ls -A /")) <= ROOT | {way}
    assert names(run_script(bubblewrap, "ls -A /dev")) <= DEV
    seen = {name for name in names(run_script(bubblewrap, "ls -A /etc")) if not name.startswith("java-")}
    assert seen <= ETC
    assert names(run_script(bubblewrap, "ls -A /etc/ssl /home /run /var")) <= {
        *("/etc/ssl:", "certs", "openssl.cnf", "/home:", "agent", "/run:", "/var:", "run", "tmp"),
    }
    assert names(run_script(bubblewrap, f"ls -A {workspace.parent} {view.HOME}")) == {
        *(f"{workspace.parent}:", workspace.name, f"{view.HOME}:"),
    }


def test_only_temporary_places_and_mounts_are_writable(bubblewrap: Selected, run_script: Run, workspace: Path) -> None:
    """A job writes to /tmp, its empty home, shared memory and its writable mounts; all but mounts are gone after."""
    script = "for d in /tmp /var/tmp ~ /dev/shm . ; do touch $d/made || exit 1; done"
    assert run_script(bubblewrap, script).exit_code == 0
    assert (workspace / "made").exists()
    assert run_script(bubblewrap, "ls -A /tmp ~ /dev/shm | grep made").exit_code != 0
    look = "find / -path /proc -prune -o -path /usr -prune -o -type d -writable -print 2>/dev/null"
    way = {str(parent) for parent in workspace.parents}
    assert names(run_script(bubblewrap, look)) - way == {view.HOME, "/dev/shm", "/dev/pts", str(workspace)}


def test_a_job_is_a_plain_user_with_a_name(bubblewrap: Selected, run_script: Run) -> None:
    """Whoever runs Workbench, a job runs as the same plain user."""
    assert run_script(bubblewrap, "id -un; id -u; id -g; cd ~; pwd; hostname").stdout.text.split() == [
        *("agent", str(view.USER_ID), str(view.USER_ID), view.HOME, "sandbox"),
    ]


def test_temporary_space_is_bounded(bubblewrap: Selected, run_script: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """R3: a job that fills /tmp meets a limit instead of the machine's memory; with a higher limit it does not."""
    fill = "head -c 3000000 /dev/zero > /tmp/full"
    monkeypatch.setattr(view, "TMP_BYTES", 1 << 20)
    assert run_script(bubblewrap, fill).exit_code != 0
    monkeypatch.setattr(view, "TMP_BYTES", 1 << 23)
    assert run_script(bubblewrap, fill).exit_code == 0


@pytest.fixture
def nested(workspace: Path) -> Path:
    (workspace / ".venv").mkdir()
    (workspace / ".venv" / "kept").write_text("kept")
    return workspace / ".venv"


def test_a_read_only_mount_holds_inside_a_writable_one(
    bubblewrap: Selected, run_script: Run, workspace: Path, nested: Path
) -> None:
    """A read-only place in a writable workspace cannot be written, whichever is named first; unmounted, it can."""
    spoil = "echo spoilt > .venv/kept; mv .venv away; echo spoilt > away/kept"
    again = Mount(source=str(workspace), writable=True)
    run_script(bubblewrap, spoil, Mount(source=str(nested)))
    run_script(bubblewrap, spoil, Mount(source=str(nested)), again)
    assert (nested / "kept").read_text() == "kept"
    run_script(bubblewrap, spoil)
    assert "spoilt" in (workspace / "away" / "kept").read_text()


def test_a_mount_may_go_elsewhere(bubblewrap: Selected, run_script: Run, tmp_path: Path) -> None:
    """A mount is seen at its target, files and directories alike, and read-only unless it says otherwise."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "file").write_text("stored")
    mounts = (
        Mount(source=str(tmp_path / "store"), target="/srv/a store"),
        Mount(source=str(tmp_path / "store" / "file"), target="/srv/file"),
    )
    done = run_script(bubblewrap, "cat '/srv/a store/file' /srv/file; touch '/srv/a store/x' || echo no", *mounts)
    assert done.stdout.text == "storedstoredno\n"


def test_a_missing_mountpoint_is_made_in_a_writable_mount(
    bubblewrap: Selected, run_script: Run, workspace: Path, tmp_path: Path
) -> None:
    """A mountpoint that a writable mount lacks is made there, also some levels down."""
    (tmp_path / "tool").write_text("tool")
    mount = Mount(source=str(tmp_path / "tool"), target=str(workspace / "deep" / "down" / "tool"))
    assert run_script(bubblewrap, "cat deep/down/tool", mount).stdout.text == "tool"


def test_a_missing_mountpoint_in_a_read_only_mount_is_named(
    bubblewrap: Selected, run_script: Run, tmp_path: Path
) -> None:
    """Where no mountpoint can be made, the problem names the place and the remedy."""
    (tmp_path / "outer").mkdir()
    outer = Mount(source=str(tmp_path / "outer"), target="/srv/outer")
    inner = Mount(source=str(tmp_path / "outer"), target="/srv/outer/inner")
    with pytest.raises(SandboxProblem, match="/srv/outer/inner") as caught:
        run_script(bubblewrap, "true", outer, inner)
    assert "plain directory" in caught.value.hint
    with pytest.raises(SandboxProblem, match="Read-only"):
        run_script(bubblewrap, "true", Mount(source=str(tmp_path), target="/usr/not-there"))


def test_a_planted_link_never_becomes_a_mountpoint(
    bubblewrap: Selected, run_script: Run, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that a job left where a mount will go is refused; followed, a directory is made outside the workspace."""
    outside = tmp_path / "outside"
    outside.mkdir()
    run_script(bubblewrap, f"ln -s /oldroot{outside} .venv")
    planted = Mount(source=str(workspace.parent), target=str(workspace / ".venv" / "planted"))
    with pytest.raises(SandboxProblem, match="planted"):
        run_script(bubblewrap, "true", planted)
    assert not list(outside.iterdir())
    monkeypatch.setattr(mountpoints, "_ensure_mountpoint", lambda *_: None)
    run_script(bubblewrap, "true", planted)
    assert [path.name for path in outside.iterdir()] == ["planted"]


@pytest.mark.parametrize(
    "target", ["/", "//", "/proc", "/proc/self", "/dev/shm", "relative", "/x/../proc/sys", "/a\0b"]
)
def test_places_of_the_sandbox_are_not_covered(
    bubblewrap: Selected, run_script: Run, workspace: Path, target: str
) -> None:
    """A mount cannot replace the root, /proc, /dev or /sys, and needs an absolute path."""
    with pytest.raises(SandboxProblem):
        run_script(bubblewrap, "true", Mount(source=str(workspace), target=target))
