"""The manifest says of the Gemini CLI what was found out about it."""

from __future__ import annotations

import unittest

from workbench.pluginhost.manifest import AgentProgram, read
from workbench.testing.plugin import file_of_plugin


class TheAgent(unittest.TestCase):
    """As the host reads it."""

    def agent(self) -> AgentProgram:
        """The one that it describes."""
        manifest, problems = read(file_of_plugin(__name__, "plugin.toml"), "plugin.toml")
        self.assertEqual(problems, [])
        assert manifest is not None
        return manifest.agents["gemini"]

    def test_the_key_stays_outside(self) -> None:
        """What it is started with holds no key, and names our own port as its model's host."""
        agent = self.agent()
        self.assertEqual(agent.env[agent.key_variable], "workbench-adds-the-key-outside")
        self.assertEqual(agent.env[agent.url_variable], "http://127.0.0.1:{port}")
        self.assertEqual(agent.wire, "gemini")

    def test_what_a_repository_brings_for_it_is_off(self) -> None:
        """Its own settings lie above those of the repository, and allow our tools alone."""
        agent = self.agent()
        self.assertEqual(agent.env["GEMINI_CLI_SYSTEM_SETTINGS_PATH"], "{settings}")
        self.assertEqual(agent.settings["mcp"], {"allowed": ["workbench"]})
        self.assertEqual(agent.settings["hooksConfig"], {"enabled": False})
        self.assertIn("--require={hiding}", agent.env["NODE_OPTIONS"])
        self.assertTrue({".gemini", ".agents", ".env"} <= set(agent.hides))
