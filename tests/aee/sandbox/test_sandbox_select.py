"""Which level is chosen, and what a person is told when none works."""

from __future__ import annotations

import errno
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.aee.sandbox import landlock_kernel
from workbench.aee.sandbox import select as module
from workbench.aee.sandbox.container import container_evidence
from workbench.aee.sandbox.select import DECLARATION, Selected, limitations, probe, select
from workbench.model.errors import SandboxProblem


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test probes anew, and nothing is declared."""
    monkeypatch.delenv(DECLARATION, raising=False)
    _forget()
    yield
    _forget()


def _forget() -> None:
    probe.cache_clear()
    module._made.cache_clear()


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def without_landlock(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise OSError(errno.EOPNOTSUPP, "switched off")

    monkeypatch.setattr(landlock_kernel, "version", refuse)


@pytest.fixture
def with_broken_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_the_best_level_that_works_is_chosen(bubblewrap: Selected) -> None:
    """Unless told otherwise, jobs run in bubblewrap."""
    assert select("", allow_none=False).level == "bubblewrap"


def test_without_bubblewrap_landlock_is_chosen(landlock: Selected, without_bubblewrap: None) -> None:
    """Where bubblewrap is missing, jobs run in Landlock, unless the policy asks for more."""
    assert select("", allow_none=False).level == "landlock"
    assert select("", allow_none=False, minimum="landlock").level == module.best_level() == "landlock"
    with pytest.raises(SandboxProblem, match="not installed"):
        select("", allow_none=False, minimum="bubblewrap")


@pytest.mark.parametrize(("version", "said"), [(None, "switched off"), (2, "at least 3")])
def test_a_kernel_without_landlock_is_refused(monkeypatch: pytest.MonkeyPatch, version: int | None, said: str) -> None:
    """Where the kernel has no Landlock, or too old a one, the refusal says so and names the ways out."""

    def answer() -> int:
        if version is None:
            raise OSError(errno.EOPNOTSUPP, "switched off")
        return version

    monkeypatch.setattr(landlock_kernel, "version", answer)
    with pytest.raises(SandboxProblem, match=said) as caught:
        select("landlock", allow_none=True)
    assert "--sandbox none" in caught.value.hint


def test_an_unknown_machine_has_no_landlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the numbers of system calls are unknown there is no filter, and the level is refused."""
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    monkeypatch.setattr(landlock_kernel, "version", lambda: 7)
    assert "filter" in probe("landlock").reason


def test_without_any_level_nothing_runs_unasked(without_bubblewrap: None, without_landlock: None) -> None:
    """Where no level works, the refusal names the package and the ways out, also if `none` would be allowed."""
    assert module.best_level() == "none"
    with pytest.raises(SandboxProblem) as caught:
        select("", allow_none=True)
    assert "package `bubblewrap`" in caught.value.hint
    assert "--sandbox none" in caught.value.hint


def test_a_bubblewrap_that_cannot_make_namespaces_is_refused(with_broken_bubblewrap: None) -> None:
    """An installed bubblewrap that does not work is refused with its own words and a remedy."""
    with pytest.raises(SandboxProblem, match="uid map: Permission denied") as caught:
        select("bubblewrap", allow_none=True)
    assert "--sandbox container" in caught.value.hint


@pytest.mark.parametrize(("path", "bad", "remedy"), module.USERNS_SWITCHES)
def test_the_switch_that_forbids_namespaces_is_named(
    with_broken_bubblewrap: None, monkeypatch: pytest.MonkeyPatch, path: str, bad: str, remedy: str
) -> None:
    """Where a switch of the kernel forbids user namespaces, the remedy is the command that sets it."""
    monkeypatch.setattr(module, "_read_word", lambda asked: bad if asked == path else "")
    assert f"sysctl -w {remedy}" in probe("bubblewrap").hint


def test_the_demo_may_fall_back(without_bubblewrap: None, without_landlock: None) -> None:
    """The demo's own agents run without a sandbox where none works, and the level says so."""
    assert select("", allow_none=False, demo=True).level == "none"


def test_the_demo_falls_back_only_if_nothing_was_asked_for(without_bubblewrap: None) -> None:
    """A named level is never lowered."""
    with pytest.raises(SandboxProblem):
        select("bubblewrap", allow_none=True, demo=True)


def test_none_needs_consent() -> None:
    """The level `none` is refused unless it is allowed."""
    with pytest.raises(SandboxProblem):
        select("none", allow_none=False)
    assert select("none", allow_none=True).level == "none"


def test_a_container_must_be_declared_and_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The level `container` needs both the declaration and a sign of a container."""
    monkeypatch.setenv(DECLARATION, "container")
    monkeypatch.setattr(module, "container_evidence", lambda: "")
    with pytest.raises(SandboxProblem, match="nothing shows"):
        select("", allow_none=True)
    monkeypatch.setattr(module, "container_evidence", lambda: "/.dockerenv")
    assert select("", allow_none=False).level == "container"


def test_what_shows_a_container(tmp_path: Path) -> None:
    """A marker file, process 1's environment or its cgroup shows a container; an empty machine shows none."""
    assert container_evidence(tmp_path) == ""
    (tmp_path / "proc" / "1").mkdir(parents=True)
    (tmp_path / "proc" / "1" / "cgroup").write_text("0::/system.slice/docker-1.scope\n")
    assert "docker" in container_evidence(tmp_path)
    (tmp_path / "proc" / "1" / "environ").write_bytes(b"A=b\0container=podman\0")
    assert "container=" in container_evidence(tmp_path)
    (tmp_path / ".dockerenv").touch()
    assert container_evidence(tmp_path) == "/.dockerenv"


def test_an_unknown_level_is_refused() -> None:
    """A level that does not exist is refused with those that do."""
    with pytest.raises(SandboxProblem) as caught:
        select("chroot", allow_none=True)
    assert "bubblewrap" in caught.value.hint


def test_levels_state_their_limits(bubblewrap: Selected) -> None:
    """Each level says what it does not limit; the open one says that files and network are open."""
    assert any("kernel" in note for note in limitations(bubblewrap))
    assert any("every file" in note for note in limitations(select("none", allow_none=True)))
    assert limitations(object()) == ()
