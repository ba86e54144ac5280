"""The whole loop on a real package: two consecutive releases, the change between them played by a scripted agent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

PACKAGE, OLDER, NEWER = "itsdangerous", "2.1.2", "2.2.0"
WORKBENCH = Path(sys.executable).with_name("workbench")
QUESTION = {
    "id": "metadata",
    "category": "scope",
    "mode": "blocking",
    "summary": "May setup.cfg go, now that pyproject.toml says it all?",
    "options": [{"id": "A", "label": "Yes, one file"}, {"id": "B", "label": "Keep both"}],
    "recommendation": {"preferred_option": "A", "reasoning": "Two places drift apart."},
}


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The unpacked sources of both releases; skipped where no package index answers."""
    place = tmp_path_factory.mktemp("releases")
    for version in (OLDER, NEWER):
        got = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
             "--dest", str(place), f"{PACKAGE}=={version}"],
            capture_output=True, text=True,
        )  # fmt: skip
        if got.returncode:
            pytest.skip(f"{PACKAGE} {version} cannot be downloaded: {got.stderr.strip()[-200:]}")
        with tarfile.open(place / f"{PACKAGE}-{version}.tar.gz") as archive:
            archive.extractall(place, filter="data")
    return place / f"{PACKAGE}-{OLDER}", place / f"{PACKAGE}-{NEWER}"


class Person:
    """Somebody at a terminal in the repository."""

    def __init__(self, repository: Path, home: Path) -> None:
        self.repository = repository
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "WORKBENCH_"))},
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "VIRTUAL_ENV": sys.prefix,
            "WORKBENCH_TESTS_MUTATION_S": "0",
        }

    def types(self, *words: str, expect: int = 0) -> Any:
        """What `workbench WORDS --json` prints, parsed; its exit code must be `expect`."""
        done = subprocess.run(
            [WORKBENCH, *words, "--json"],
            cwd=self.repository,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == expect, (words, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
        return json.loads(done.stdout) if done.stdout.strip().count("\n") == 0 and done.stdout.strip() else done.stdout

    def git(self, *words: str) -> str:
        """What git prints."""
        done = subprocess.run(
            ["git", *words], cwd=self.repository, env=self._env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


@pytest.fixture
def person(releases: tuple[Path, Path], tmp_path: Path) -> Iterator[Person]:
    """A person with the older release as a repository of theirs, and an AEE that is ended afterwards."""
    home = tmp_path / "home"
    home.mkdir()
    repository = tmp_path / PACKAGE
    repository.mkdir()
    for path, content in text_files(releases[0]).items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(content, encoding="utf-8", newline="")
    somebody = Person(repository, home)
    somebody.git("init", "-q", "-b", "main")
    somebody.git("config", "user.name", "Ana")
    somebody.git("config", "user.email", "ana@example.org")
    somebody.git("add", "--all")
    somebody.git("commit", "-q", "-m", f"Release {OLDER}")
    yield somebody
    somebody.types("aee", "stop")


def text_files(root: Path) -> dict[str, str]:
    """Path to text of every file of a release, without its pictures and what its packaging generated."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and "egg-info" not in name and name != "PKG-INFO" and not name.startswith("docs/"):
            found[name] = path.read_text(encoding="utf-8")
    return found


def script_of(older: dict[str, str], newer: dict[str, str], where: Path) -> Path:
    """A script that asks one question and then makes the real change."""
    changed: dict[str, str | None] = {path: text for path, text in newer.items() if older.get(path) != text}
    changed |= dict.fromkeys((path for path in older if path not in newer), None)
    steps = [
        {"think": f"The change from {OLDER} to {NEWER}."},
        {"ask": {**QUESTION, "then": {"else": []}}},
        {"files": changed},
        {"test": {}},
        {"submit": {"message": f"Release {NEWER}", "rationale": {"approach": "As the project itself did it."}}},
    ]
    with where.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump({"agent": "releaser", "steps": steps}, file)
    return where


def test_a_real_release_goes_from_a_sentence_to_a_merge(
    person: Person, releases: tuple[Path, Path], tmp_path: Path
) -> None:
    """A person starts, answers, reviews and merges; the branch then holds exactly the newer release."""
    older, newer = text_files(releases[0]), text_files(releases[1])
    script = script_of(older, newer, tmp_path / "releaser.yaml")
    started = person.types("run", f"Prepare release {NEWER} of the package", "--script", str(script))
    run = started["runs"][0]
    person.types("wait", started["mission"], "--timeout", "120", expect=3)
    question = person.types("inbox")
    assert (question["kind"], question["run"]) == ("crp", run)
    person.types("answer", question["id"], "--option", "A", "--why", "One place is enough.")
    person.types("wait", started["mission"], "--timeout", "240", expect=3)

    pack_id = person.types("inbox")["id"]
    pack = person.types("mrp", "show", pack_id)
    kinds = {piece["kind"]: piece for piece in pack["evidence"]}
    assert kinds["tests.base"]["state"] == "passed", kinds["tests.base"]
    assert kinds["tests.result"]["state"] == "passed", kinds["tests.result"]
    # The release changed what an older test expects (`digest_method`), and nothing else: the gate finds just that.
    assert pack["verdict"] == "not-ready"
    broken = {finding["text"].partition(" ")[0] for finding in pack["findings"] if finding["kind"] == "tests.broken"}
    assert broken and all("test_iter_unsigners" in test for test in broken)
    assert pack["audit"]["resolutions"] == [f"VCR-{question['id']}"]

    before = person.git("rev-parse", "main")
    approve = ["approve", pack_id, "--why", "A private detail of the signer; the project changed its test, too."]
    person.types(*approve, expect=1)
    person.types(*approve, "--override")
    merged = person.types("merge", pack_id)
    assert person.git("rev-parse", "main") == merged["merge_commit"] != before
    answers = {f".workbench/resolutions/VCR-{name}.md" for name in (question["id"], pack_id)}
    assert set(person.git("ls-files").splitlines()) == {*newer, *answers}
    assert all((person.repository / path).read_text(encoding="utf-8") == text for path, text in newer.items())
    assert person.git("status", "--porcelain") == ""
    person.types("wait", started["mission"])
    assert person.types("journal", "verify")["ok"] is True

    person.types("undo", pack_id)
    assert person.git("rev-parse", "main") == before
    assert person.git("status", "--porcelain") == ""
