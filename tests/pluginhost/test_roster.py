"""Which plugins may run: trust is for every byte, names have one owner, and nothing is imported to find out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.pluginhost.bundles import NONE_FOUND, bundle, judged, opened, trusting
from workbench.core.plugins import Standing
from workbench.pluginhost.bundle import MAX_FILES, Bundle, read_directory
from workbench.pluginhost.discovery import IN_REPOSITORY, installed, of_commit, shipped
from workbench.pluginhost.roster import roster

NOBODY = Standing()


def marking(place: Path) -> str:
    """A module that leaves a mark when it is imported."""
    return f"import pathlib\npathlib.Path({str(place)!r}).touch()\n{NONE_FOUND}"


def test_what_a_repository_brings_never_runs_untrusted(tmp_path: Path) -> None:
    """It is listed, and not imported; the control: trusted by its digest, the same plugin is."""
    mark = tmp_path / "mark"
    hostile = bundle(evil=marking(mark))
    (listed,) = judged(hostile, standing=NOBODY)
    assert (listed.state, listed.name, listed.version) == ("untrusted", "tidy", "1.0")
    host, failures = opened()
    host.admit([listed])
    assert (mark.exists(), host.admitted, failures) == (False, (), [])
    host.admit(judged(hostile))
    assert mark.exists()
    assert [source.plugin for source in host.admitted] == ["tidy"]


@pytest.mark.parametrize("path", ["plugin.toml", "code.py", "test_code.py", "data/words.txt", "new.txt"])
def test_trust_does_not_survive_a_change(path: str) -> None:
    """Of any file: what is listed as untrusted was trusted before; the control is the same bytes."""
    files = {"data/words.txt": b"one", "test_code.py": b"", **bundle(code=NONE_FOUND).files}
    before = Bundle("tidy", files, origin="repository", where="")
    after = Bundle("tidy", {**files, path: files.get(path, b"") + b"\n"}, origin="repository", where="")
    assert judged(after, standing=trusting(before))[0].state == "untrusted"
    same = Bundle("tidy", dict(reversed(files.items())), origin="repository", where="elsewhere")
    assert judged(same, standing=trusting(before))[0].state == "ready"


def test_trust_is_for_one_name() -> None:
    """The digest of one plugin is no trust for another one."""
    mine = bundle(code=NONE_FOUND)
    other = Standing(trusted=frozenset({("other", mine.digest)}))
    assert judged(mine, standing=other)[0].state == "untrusted"


def test_a_name_has_one_owner() -> None:
    """Neither trust nor anything in its manifest lets a plugin of a repository take the name of one that is ours."""
    ours, theirs = bundle(origin="shipped"), bundle(code=NONE_FOUND)
    first, second = judged(theirs, ours)
    assert (first.bundle.origin, first.state) == ("shipped", "ready")
    assert second.state == "invalid"
    assert "belongs to a plugin that is shipped" in str(second.problems[-1])
    assert judged(theirs)[0].state == "ready"  # the control: alone, it may run


def test_a_manifest_cannot_call_a_plugin_otherwise() -> None:
    """The name is that of the directory or entry point, which nobody else has."""
    renamed = bundle("tidy")
    renamed.name = "another"
    assert judged(renamed)[0].state == "invalid"
    assert judged(bundle("tidy"))[0].state == "ready"


def test_two_packages_of_one_name_are_both_refused() -> None:
    """Whoever came second cannot be told from whoever came first."""
    both = [bundle(origin="installed"), bundle(origin="installed", code=NONE_FOUND)]
    assert [plugin.state for plugin in judged(*both)] == ["invalid", "invalid"]


def test_a_disabled_plugin_stays_off() -> None:
    """Also one that came with Workbench."""
    off = Standing(disabled={"tidy": "slow"})
    assert [plugin.state for plugin in roster([bundle(origin="shipped")], off)] == ["disabled"]


def test_a_link_is_no_plugin_file(tmp_path: Path) -> None:
    """It could lead to what was not hashed; the control: as a plain file it is read."""
    for path, data in bundle(code=NONE_FOUND).files.items():
        (tmp_path / "tidy").mkdir(exist_ok=True)
        (tmp_path / "tidy" / path).write_bytes(data)
    assert judged(read_directory(tmp_path / "tidy", origin="shipped"))[0].state == "ready"
    (tmp_path / "tidy" / "more.py").symlink_to(tmp_path / "elsewhere.py")
    assert judged(read_directory(tmp_path / "tidy", origin="shipped"))[0].state == "invalid"


class Commits:
    """A repository of one commit."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def list_files(self, commit: str, under: str = "") -> list[str]:
        return [path for path in self.files if path.startswith(f"{under}/")]

    def read_file(self, commit: str, path: str) -> bytes | None:
        return self.files.get(path)


def test_a_repositorys_plugins_are_read_from_the_commit() -> None:
    """As files below their directory; a stray file beside the directories is none, too many are refused."""
    files = {f"{IN_REPOSITORY}/tidy/{path}": data for path, data in bundle(code=NONE_FOUND).files.items()}
    many = {f"{IN_REPOSITORY}/many/{number}": b"" for number in range(MAX_FILES + 1)}
    found = of_commit(Commits({**files, **many, f"{IN_REPOSITORY}/README": b"", "src/a.py": b""}), "c" * 40)
    states = {plugin.name: plugin.state for plugin in roster(found, trusting(*found))}
    assert states == {"tidy": "ready", "many": "invalid"}
    assert next(each for each in found if each.name == "tidy").digest == bundle(code=NONE_FOUND).digest


def test_listing_imports_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed plugin is found by its entry point, and its package is not imported for it."""
    site = tmp_path / "site-packages"
    package = site / "tidy_plugin_package"
    package.mkdir(parents=True)
    for path, data in bundle(code=marking(tmp_path / "mark")).files.items():
        (package / path).write_bytes(data)
    (package / "__init__.py").write_text(marking(tmp_path / "mark"))
    about = site / "tidy-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tidy\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[workbench.plugins]\ntidy = tidy_plugin_package\ndeep = a.b\n")
    monkeypatch.syspath_prepend(str(site))
    listed = roster(installed(), NOBODY)
    states = {plugin.name: plugin.state for plugin in listed}
    assert states == {"tidy": "ready", "deep": "invalid"}
    assert not (tmp_path / "mark").exists()
    host, failures = opened()
    host.admit(listed)
    assert (tmp_path / "mark").exists(), "the control: admitted, it is imported"
    assert failures == []
    for name in [name for name in sys.modules if name.startswith("tidy_plugin_package")]:
        del sys.modules[name]


def test_what_lies_in_a_working_directory_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository cannot bring an entry point along by being on the path."""
    about = tmp_path / "evil-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[workbench.plugins]\nevil = evil\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "evil" not in [found.name for found in installed()]


def test_the_shipped_ones_may_run() -> None:
    """They are there, whole, and nothing of them is imported to say so."""
    listed = roster(shipped(), NOBODY)
    assert {plugin.name: plugin.state for plugin in listed} == {"gemini": "ready", "sarif": "ready"}
