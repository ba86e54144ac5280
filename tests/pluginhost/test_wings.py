"""No module of a plugin imports what its wing has not: seen in its text, before anything runs."""

from __future__ import annotations

import pytest

from tests.pluginhost.bundles import NONE_FOUND, bundle, judged

LAZY = f"{NONE_FOUND}\n\ndef later():\n    from textual.app import App\n"


@pytest.mark.parametrize(
    "code",
    [
        "import textual",
        "import os, textual.widgets as w",
        "from textual.app import App",
        "from workbench.ace.tui import app",
        "from workbench import ace",
        "import workbench.ace.cli.main",
        LAZY,
    ],
)
def test_a_collector_never_imports_the_screens(code: str) -> None:
    """Not at its top, and not in a function; the control: without the line it may run."""
    assert judged(bundle(code=code))[0].state == "invalid"
    assert judged(bundle(code=NONE_FOUND))[0].state == "ready"


@pytest.mark.parametrize("code", ["from workbench.aee import wiring", "import acp", "def f():\n    import dbos"])
def test_the_screens_never_import_the_agents_wing(code: str) -> None:
    """The same text may run in the other wing."""
    screens = '[modules]\nace = ["code"]\n'
    assert judged(bundle(code=code, more=screens))[0].state == "invalid"
    assert judged(bundle(code=code))[0].state == "ready"


@pytest.mark.parametrize(
    "code",
    ["from . import helper", "from .helper import x", "from .helper import *", "import os\nfrom .helper import a"],
)
def test_what_a_module_imports_of_its_own_plugin_counts(code: str) -> None:
    """A detour over another module of the plugin is followed."""
    more = '[modules]\naee = ["code"]\n'
    assert judged(bundle(code=code, helper="import textual", more=more))[0].state == "invalid"
    assert judged(bundle(code=code, helper="import json", more=more))[0].state == "ready"


@pytest.mark.parametrize("code", ["def f(:", "\0", "x = " + "(" * 500])
def test_what_is_no_python_is_told(code: str) -> None:
    """With the file, and no exception."""
    (listed,) = judged(bundle(code=code))
    assert listed.state == "invalid"
    assert listed.problems[0].path == "code.py"


def test_a_missing_module_is_told() -> None:
    """Before anything is imported."""
    (listed,) = judged(bundle(more='[modules]\naee = ["nowhere"]\n'))
    assert "no such module" in str(listed.problems[0])
