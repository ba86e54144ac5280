"""The named environment: found in a fixed order, digested by content, mounted where it lies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from workbench.evidence.environment import discover
from workbench.model.errors import EnvironmentProblem


def venv(place: Path, interpreter: Path | None = None) -> Path:
    """A virtual environment as `python -m venv` lays it out, linked to `interpreter`."""
    site = place / "lib" / "python3.11" / "site-packages" / "pytest-9.0.dist-info"
    site.mkdir(parents=True)
    (site / "RECORD").write_text("pytest/__init__.py,sha256=x,1\n")
    (place / "bin").mkdir()
    (place / "bin" / "python").symlink_to(interpreter or "/usr/bin/python3")
    (place / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
    return place


def test_the_order(tmp_path: Path) -> None:
    """Configuration, then `.venv`, then what the caller handed in, then the system."""
    configured, caller = venv(tmp_path / "configured"), venv(tmp_path / "caller")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    given = {"VIRTUAL_ENV": str(caller), "PATH": f"{caller}/bin:/usr/bin"}
    assert discover(checkout).kind == "system"
    assert discover(checkout, caller=given).env["VIRTUAL_ENV"] == str(caller)
    assert discover(checkout, caller=given).kind == "caller"
    venv(checkout / ".venv")
    assert discover(checkout, caller=given).env["VIRTUAL_ENV"] == str(checkout / ".venv")
    found = discover(checkout, caller=given, virtual_env=str(configured))
    assert (found.kind, found.env["VIRTUAL_ENV"]) == ("configured", str(configured))
    assert found.env["PATH"].split(":")[0] == f"{configured}/bin"


def test_nothing_is_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of this process have no part in it unless they are handed in."""
    monkeypatch.setenv("VIRTUAL_ENV", str(venv(tmp_path / "mine")))
    assert "VIRTUAL_ENV" not in discover(tmp_path).env
    assert set(discover(tmp_path, caller=dict(os.environ)).env) <= {"PATH", "VIRTUAL_ENV"}


def test_a_missing_configured_environment_is_a_problem_with_a_remedy(tmp_path: Path) -> None:
    """A configured environment that is not there is said at once."""
    with pytest.raises(EnvironmentProblem) as caught:
        discover(tmp_path, virtual_env="nowhere")
    assert caught.value.hint


def test_relative_entries_of_a_path_are_dropped(tmp_path: Path) -> None:
    """An empty or relative PATH entry would run programs of untrusted code."""
    path = discover(tmp_path, caller={"PATH": ":.:bin:/usr/bin"}).env["PATH"].split(":")
    assert all(place.startswith("/") for place in path)


def test_the_digest_follows_what_is_installed(tmp_path: Path) -> None:
    """An installed, upgraded or altered distribution changes the digest; looking again does not."""
    place = venv(tmp_path / ".venv")
    record = place / "lib/python3.11/site-packages/pytest-9.0.dist-info/RECORD"
    first = discover(tmp_path).digest
    assert discover(tmp_path).digest == first
    record.write_text("pytest/__init__.py,sha256=y,1\n")
    second = discover(tmp_path).digest
    record.parent.rename(record.parent.with_name("pytest-9.1.dist-info"))
    (place / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.12.0\n")
    assert len({first, second, discover(tmp_path).digest}) == 3


def test_the_interpreter_behind_links_is_mounted(tmp_path: Path) -> None:
    """Prefixes that an environment's links lead through are mounted read-only where they lie; the home never is."""
    real = tmp_path / "versions" / "3.11.7"
    (real / "bin").mkdir(parents=True)
    (real / "bin" / "python3.11").write_text("")
    (real / "bin" / "python3.11").chmod(0o755)
    (real / "lib" / "python3.11").mkdir(parents=True)
    (real / "bin" / "python3").symlink_to("python3.11")
    venv(tmp_path / "checkout" / ".venv", real / "bin" / "python3")
    found = discover(tmp_path / "checkout", home=tmp_path)
    assert {mount.source for mount in found.mounts} == {str(real), str(tmp_path / "checkout" / ".venv")}
    assert not any(mount.writable or mount.target for mount in found.mounts)


def test_a_persons_own_bin_does_not_bring_the_home(tmp_path: Path) -> None:
    """Programs in `~/bin` or `~/.local/bin` do not make the directories above visible."""
    for place in (tmp_path / "bin", tmp_path / ".local" / "bin"):
        place.mkdir(parents=True)
        (place / "python3").write_text("#!/bin/sh\n")
        (place / "python3").chmod(0o755)
        found = discover(tmp_path / "x", caller={"PATH": f"{place}:/usr/bin"}, home=tmp_path)
        assert not found.mounts


def test_this_environment(tmp_path: Path) -> None:
    """The environment that runs this test is found, with an interpreter that its mounts or the system show."""
    found = discover(tmp_path, caller={"VIRTUAL_ENV": sys.prefix, "PATH": "/usr/bin"})
    if found.kind == "caller" and "VIRTUAL_ENV" in found.env:
        real = str((Path(sys.prefix) / "bin" / "python").resolve())
        assert real.startswith(("/usr/", *(mount.source for mount in found.mounts)))


def test_a_repository_names_no_place_outside_of_itself(tmp_path: Path) -> None:
    """A `.venv` or `node_modules` that is a link out of the checkout is refused; links within it are followed."""
    checkout, outside = tmp_path / "checkout", venv(tmp_path / "private")
    checkout.mkdir()
    for name in (".venv", "node_modules"):
        (checkout / name).symlink_to(outside)
        with pytest.raises(EnvironmentProblem, match="outside") as caught:
            discover(checkout)
        assert caught.value.hint
        (checkout / name).unlink()
        (checkout / name).mkdir()  # the control: the same name with the content itself is taken
        assert discover(checkout).kind == "system"
        (checkout / name).rmdir()
    (checkout / "tools").symlink_to(outside)
    with pytest.raises(EnvironmentProblem, match="outside"):
        discover(checkout, virtual_env="tools")
    assert discover(checkout, virtual_env=str(outside)).kind == "configured"  # a person may name any place
    venv(checkout / "envs")
    (checkout / ".venv").symlink_to("envs")
    assert discover(checkout).kind == "venv"


def test_links_of_an_environment_show_installations_alone(tmp_path: Path) -> None:
    """A committed `.venv/bin/python` that points among a person's files makes none of them visible."""
    for name, place in (("keys", "keys/id"), ("work", "work/bin/python3"), ("odd", "odd/bin/tool")):
        target = tmp_path / place
        target.parent.mkdir(parents=True)
        target.write_text("private")
        venv(tmp_path / name / "checkout" / ".venv", target)
        found = discover(tmp_path / name / "checkout", home=tmp_path)
        assert [mount.source for mount in found.mounts] == [str(tmp_path / name / "checkout" / ".venv")]
    (tmp_path / "work/bin/python3").chmod(0o755)
    (tmp_path / "work/lib/python3.11").mkdir(parents=True)  # the control: an installation is shown
    assert len(discover(tmp_path / "work" / "checkout", home=tmp_path).mounts) == 2
