"""Writes a plugin to begin with: small, working, and with tests that pass. It writes files and runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import Refused, UsageError
from workbench.pluginhost import discovery
from workbench.pluginhost import manifest as manifests

COLLECTOR = {
    "plugin.toml": """\
name = "{name}"
version = "0.1"
host = {contract}
summary = "Counts the lines that a change marks as unfinished"
timeout_s = 60 # seconds for each of its collectors

# The modules that hold hooks, by the wing that imports them.
[modules]
aee = ["collector"]
""",
    "collector.py": '''\
"""Finds added lines that say that something is left to do."""

from __future__ import annotations

from workbench.model.evidence import Finding
from workbench.pluginhost.hookspecs import Workshop, hookimpl
from workbench.ports import Change, Collected


@hookimpl
def collectors(workshop: Workshop) -> list[Unfinished]:
    """`workshop.settings` is `[plugins.{name}]` of the settings; `workshop.rig` runs commands in the sandbox."""
    return [Unfinished(workshop, str(workshop.settings.get("word", "UNFINISHED")))]


class Unfinished:
    """Port Collector."""

    name = "unfinished"

    def __init__(self, workshop: Workshop, word: str) -> None:
        self._rig = workshop.rig
        self._word = word

    def collect(self, change: Change) -> Collected:
        """`failed` with a finding for each such line, else `passed`."""
        found = [
            Finding(kind="line", severity="low", text="left to do", path=path, line=number, evidence="unfinished")
            for path, numbers in change.added_lines().items()
            for number in numbers
            if self._word in self._line(change, path, number)
        ]
        evidence = self._rig.evidence(
            change,
            "unfinished",
            criterion="hygiene",
            state="failed" if found else "passed",
            summary=f"{{len(found)}} added lines with {{self._word}}",
        )
        return Collected(evidence=(evidence,), findings=tuple(found))

    def _line(self, change: Change, path: str, number: int) -> str:
        lines = (change.result_file(path) or b"").decode("utf-8", "replace").split("\\n")
        return lines[number - 1] if number <= len(lines) else ""
''',
    "test_collector.py": '''\
"""What the collector makes of small changes."""

from __future__ import annotations

from workbench.testing.plugin import Case

from .collector import collectors


class TheCollector(Case):
    """Against a change of two files."""

    def test_an_added_line_is_found(self) -> None:
        """With its path and number."""
        change = self.change({{"a.py": "x = 1\\n"}}, {{"a.py": "x = 1\\n# UNFINISHED\\n"}})
        (collector,) = collectors(self.workshop(change))
        brought = collector.collect(change)
        self.assertEqual([(finding.path, finding.line) for finding in brought.findings], [("a.py", 2)])
        self.assertEqual(brought.evidence[0].state, "failed")

    def test_what_base_had_is_not_new(self) -> None:
        """Only added lines count; the word is a setting."""
        change = self.change({{"a.py": "# LATER\\n"}}, {{"b.py": "x = 1\\n"}})
        (collector,) = collectors(self.workshop(change, word="LATER"))
        self.assertEqual(collector.collect(change).evidence[0].state, "passed")
''',
}
AGENT = {
    "plugin.toml": """\
name = "{name}"
version = "0.1"
host = {contract}
summary = "An agent that speaks the Agent Client Protocol"

# In your own config.toml:  [agents.NAME]  driver = "{name}"
[agents.{name}]
command = ["{name}", "--acp"] # starts it; it speaks on stdin and stdout
version = ["{name}", "--version"]
summary = "say here how it is installed"

# model_words = ["--model"] # put before the model's name on its command line
# model = "..."             # where the person's settings name none
# url = "https://host"       # of the model's host: all that the agent reaches
# key_variable = "..."      # of the AEE's environment; the key itself stays outside of the sandbox
# key_header = "..."        # in which the key is sent
# wire = "gemini"           # how it speaks to its model, so that what it spends is counted
# hides = [".{name}"]       # files of a repository that it must not see
# [agents.{name}.env]
# SOME_SETTINGS_FILE = "{{settings}}"
# SOME_BASE_URL = "http://127.0.0.1:{{port}}"
# [agents.{name}.settings]
# telemetry = false
""",
    "test_agent.py": '''\
"""The manifest describes the agent."""

from __future__ import annotations

import unittest

from workbench.pluginhost.manifest import read
from workbench.testing.plugin import file_of_plugin


class TheAgent(unittest.TestCase):
    """As the host reads it."""

    def test_it_is_described(self) -> None:
        """It has a command, and nothing in the manifest is unknown."""
        manifest, problems = read(file_of_plugin(__name__, "plugin.toml"), "plugin.toml")
        self.assertEqual(problems, [])
        assert manifest is not None
        self.assertEqual(manifest.agents["{name}"].command[0], "{name}")
''',
}
KINDS = {"collector": COLLECTOR, "agent": AGENT}


def write(place: Workplace, name: str, *, what: str, at: str = "") -> dict[str, Any]:
    """Write the files; which, and where. Raises UsageError for a name that cannot be, Refused where one is there."""
    if problem := manifests.name_problem(name):
        raise UsageError(f"{name!r} cannot be a plugin's name: {problem}.", hint="Try another one.")
    root = (place.directory / at) if at else place.checkout / discovery.IN_REPOSITORY
    directory = root / name
    if directory.exists():
        raise Refused(f"{directory} is there already.", hint="Choose another name, or remove it.")
    directory.mkdir(parents=True)
    for file, text in KINDS[what].items():
        (directory / file).write_text(text.format(name=name, contract=manifests.CONTRACT), encoding="utf-8")
    shown = _shown(directory, place.directory)
    files = [f"{shown}/{file}" for file in KINDS[what]]
    return {"schema": 1, "kind": "plugin", "id": name, "directory": shown, "files": files}


def _shown(path: Path, start: Path) -> str:
    try:
        return str(path.resolve().relative_to(start.resolve()))
    except ValueError:
        return str(path)
