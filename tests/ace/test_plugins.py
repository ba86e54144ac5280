"""`plugin` on the command line: what is listed, trusted, switched off and written, with exit codes for scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from ace_world import PERSON, Call, git

from workbench.journal.store import SqliteJournal
from workbench.model.events import TrustGranted
from workbench.model.text import cell_width
from workbench.pluginhost.bundle import read_directory
from workbench.pluginhost.discovery import shipped_directory
from workbench.testing.plugin_trial import trial


def commit(repository: Path, message: str = "Plugins") -> None:
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", message)


@pytest.fixture
def brought(call: Call, repository: Path) -> Path:
    """A plugin as `plugin new` writes it, committed."""
    assert call("plugin", "new", "left-overs", "--quiet").code == 0
    commit(repository)
    return repository / ".workbench/plugins/left-overs"


def test_listing_is_a_row_each(call: Call, brought: Path) -> None:
    """Shipped ones may run, one of the repository wants trust; outside of a repository there are the shipped ones."""
    rows = {row["id"]: row for row in call("plugin", "list", "--json").rows}
    assert {name: (row["kind"], row["schema"], row["state"]) for name, row in rows.items()} == {
        "gemini": ("plugin", 1, "ready"),
        "sarif": ("plugin", 1, "ready"),
        "left-overs": ("plugin", 1, "untrusted"),
    }
    elsewhere = call("plugin", "list", "--json", at=brought.parents[3])
    assert [row["id"] for row in elsewhere.rows] == ["gemini", "sarif"]


def test_trust_is_for_the_committed_content(
    call: Call, brought: Path, repository: Path, journal: SqliteJournal
) -> None:
    """Its digest is named by whoever trusts; a commit that changes it asks again, an uncommitted change is not it."""
    (row,) = [row for row in call("plugin", "list", "--json").rows if row["id"] == "left-overs"]
    unsaid = call("plugin", "trust", "left-overs", "--json")
    assert (unsaid.code, unsaid.out) == (3, "")
    assert row["digest"] in unsaid.error["hint"]
    wrong = call("plugin", "trust", "left-overs", "--digest", "sha256:" + "0" * 64, "--json")
    assert (wrong.code, wrong.error["kind"]) == (1, "error")
    said = call("plugin", "trust", "left-overs", "--digest", row["digest"], "--json").one
    assert (said["kind"], said["state"], said["digest"]) == ("plugin", "ready", row["digest"])
    (event,) = [e for e in journal.read("repository/trust") if isinstance(e.payload, TrustGranted)]
    assert event.actor == f"human:{PERSON}"

    (brought / "collector.py").write_text("import os\n")
    assert states(call)["left-overs"] == "ready", "what runs is what is committed"
    commit(repository)
    assert states(call)["left-overs"] == "untrusted"


def states(call: Call) -> dict[str, str]:
    return {row["id"]: row["state"] for row in call("plugin", "list", "--json").rows}


def test_disabled_is_off_until_enabled(call: Call, brought: Path) -> None:
    """Also a shipped one, in this repository; a name that there is not is a usage error."""
    assert call("plugin", "disable", "sarif", "--why", "slow", "--json").one["state"] == "disabled"
    assert "slow" in call("plugin", "doctor", "sarif").out
    assert call("plugin", "enable", "sarif", "--json").one["state"] == "ready"
    assert call("plugin", "disable", "nowhere", "--json").code == 2


def test_doctor_says_what_to_do(call: Call, brought: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is untrusted, and for what cannot be read; it exits 1, as a check does, in lines for 80 columns."""
    (brought / "plugin.toml").write_text("name = 1\n")
    (brought.parent / "odd").mkdir()
    (brought.parent / "odd" / "x").write_text("")
    commit(repository)
    said = call("plugin", "doctor", "--json")
    told = {row["id"]: row for row in said.rows}
    assert said.code == 1
    assert (told["left-overs"]["state"], told["odd"]["state"]) == ("fail", "fail")
    assert "plugin.toml" in told["odd"]["text"]
    monkeypatch.setenv("COLUMNS", "80")
    settings = '[agents.a]\ndriver = "native"\nkey_env = "NO_KEY"\nbase_url = "http://127.0.0.1:9/"\nmax_token = 1\n'
    (repository / ".workbench/local.toml").write_text(settings)
    for verb in ("plugin", "agents"):
        lines = call(verb, "doctor").out.splitlines()
        assert lines and max(map(cell_width, lines)) <= 80, verb
    assert call("plugin", "doctor", "sarif").code == 0


@pytest.mark.parametrize("kind", ["--collector", "--agent"])
def test_new_writes_a_plugin_that_passes(call: Call, repository: Path, kind: str) -> None:
    """Its own tests and ours; a name that is ours or taken is refused."""
    made = call("plugin", "new", "tiny", kind, "--json").one
    tried = list(trial(read_directory(repository / made["directory"], origin="directory")))
    assert {each.state for each in tried} == {"ok"}, tried
    assert any("tests passed" in each.text for each in tried)
    assert call("plugin", "new", "tiny").code == 1
    assert call("plugin", "new", "tests").code == 2


@pytest.mark.parametrize("name", ["gemini", "sarif"])
def test_a_shipped_plugin_passes(name: str) -> None:
    """By its own tests, which a user can run as well: `workbench plugin test`."""
    tried = list(trial(read_directory(shipped_directory() / name, origin="shipped")))
    assert {each.state for each in tried} == {"ok"}, tried
