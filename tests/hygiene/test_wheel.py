"""The wheel is whole: installed by itself, it has the demo with its dotfiles, and the demo runs from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.hygiene.tracked import ROOT, tracked

START_S = 100  # for one command, the demo's agents included


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made of this checkout, without a package index."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program `workbench` in an environment of its own; what it depends on is borrowed from this one."""
    place = tmp_path_factory.mktemp("venv")
    venv.create(place, with_pip=False)
    python = place / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--disable-pip-version-check", str(wheel)], check=True)
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    (Path(own.stdout.strip()) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin/workbench"


@pytest.fixture
def person(tmp_path: Path) -> dict[str, str]:
    """A person's environment in which nothing is set yet."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PATH": os.environ["PATH"], "NO_COLOR": "1", "LANG": "C.UTF-8"}


@pytest.fixture
def demo(installed: Path, person: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """Where the demo goes; whatever AEE it started is ended."""
    place = tmp_path / "demo"
    yield place
    if place.exists():
        subprocess.run([installed, "-C", place, "aee", "stop", "--quiet"], env=person, check=True, timeout=START_S)


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """Nothing that the package has in its repository is missing from the wheel, dotfiles included."""
    package = ROOT / "workbench"
    wanted = {str(path.relative_to(ROOT)) for path in tracked() if path.is_relative_to(package)}
    names = set(ZipFile(wheel).namelist())
    assert wanted - names == set()
    shipped = {f"workbench/{path.relative_to(ROOT)}" for path in tracked() if path.is_relative_to(ROOT / "plugins")}
    assert shipped
    assert shipped - names == set()
    assert {name for name in names if "__pycache__" in name} == set()


def test_the_demo_runs_from_the_wheel(installed: Path, person: dict[str, str], demo: Path, tmp_path: Path) -> None:
    """Far from the checkout, the installed program lays the demo out, and its agents come to need a person."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, env=person, cwd=tmp_path, capture_output=True, text=True, timeout=START_S)

    where = run(installed.parent / "python", "-c", "import workbench; print(workbench.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(installed.parents[1])
    plugins = run(installed, "-C", tmp_path, "plugin", "list", "--json").stdout.splitlines()
    assert [json.loads(row)["state"] for row in plugins] == ["ready", "ready"], "shipped plugins are loaded from it"
    started = run(installed, "demo", "--no-tui", demo, "--json")
    assert started.returncode == 0, started.stderr
    assert len(json.loads(started.stdout)["runs"]) == 3
    waited = run(installed, "-C", demo, "wait", "--timeout", "90")
    assert waited.returncode == 3, waited.stderr
