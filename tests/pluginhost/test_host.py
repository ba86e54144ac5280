"""The host: plugins are called one by one, each under a guard, and what one does harms no other."""

from __future__ import annotations

from typing import Any

from tests.pluginhost.bundles import HOOK, MANIFEST, bundle, opened
from workbench.pluginhost.bundle import Bundle
from workbench.pluginhost.hookspecs import AgentKind, hookimpl
from workbench.pluginhost.loading import load

ONE = HOOK + "def drivers():\n    return ['one']\n"


class Ours:
    """A hook of our own."""

    @hookimpl
    def drivers(self) -> list[Any]:
        """One thing."""
        return ["ours"]


def given(host: Any) -> list[Any]:
    """What all drivers hooks gave."""
    return [thing for _, thing in host.gather("drivers")]


def test_ours_come_first_and_each_thing_has_its_source() -> None:
    """In the order of the roster."""
    host, failures = opened(bundle("b", code=ONE), bundle("a", code=ONE), ours=[Ours()])
    assert [(source.plugin, thing) for source, thing in host.gather("drivers")] == [
        ("workbench", "ours"),
        ("a", "one"),
        ("b", "one"),
    ]
    assert failures == []


def test_a_plugin_that_raises_is_recorded_and_the_others_go_on() -> None:
    """Whatever it raises, at its import or in its hook, and by leaving the process, too."""
    broken = {
        "at-import": "raise KeyError('x')",
        "at-exit": "raise SystemExit(0)",
        "in-hook": HOOK + "def drivers():\n    raise ValueError('x' * 10_000)\n",
        "no-list": HOOK + "def drivers():\n    return 1\n",
    }
    host, failures = opened(*(bundle(name, code=code) for name, code in broken.items()), bundle("well", code=ONE))
    assert given(host) == ["one"]
    assert {failure.source.plugin for failure in failures} == set(broken)
    assert all(failure.state == "error" and len(failure.reason) < 600 for failure in failures)
    assert all(failure.source.digest.startswith("sha256:") for failure in failures)


def test_a_plugin_that_overruns_is_left_behind() -> None:
    """What it gives later is dropped."""
    waiting = HOOK + "def drivers():\n    import threading\n    threading.Event().wait(30)\n    return ['late']\n"
    host, failures = opened(bundle("slow", code=waiting), bundle("well", code=ONE), hook_s=60.0)
    host._hook_s = 0.01
    found = given(host)
    assert "late" not in found
    assert [(failure.source.plugin, failure.state) for failure in failures][:1] == [("slow", "timed-out")]


def test_a_hook_of_a_wrong_shape_is_refused() -> None:
    """An argument that the contract does not know; the plugin is not registered at all."""
    wrong = HOOK + "def collectors(workshop, extra):\n    return []\n"
    host, failures = opened(bundle(code=wrong))
    assert host.admitted == ()
    assert [(failure.state, "extra" in failure.reason) for failure in failures] == [("refused", True)]


def test_modules_of_the_other_wing_are_not_imported() -> None:
    """The screens' modules stay out of the agents' wing."""
    more = '[modules]\naee = ["code"]\nace = ["screens"]\n'
    both = bundle(code=ONE, screens="raise RuntimeError('imported')", more=more)
    assert opened(both)[1] == []
    assert opened(both, wing="ace")[1][0].hook == "import screens"


def test_what_a_manifest_describes_needs_no_module() -> None:
    """An agent, a theme and a loop come through the same hooks as code."""
    more = 'themes = ["t/tidy.toml"]\nloops = ["tidy.yaml"]\n[agents.tidy]\ncommand = "tidy --acp"\n'
    files = {"plugin.toml": MANIFEST.format(name="tidy", more=more).encode(), "t/tidy.toml": b"x", "tidy.yaml": b"y"}
    described = Bundle("tidy", files, origin="shipped", where="here")
    (kind,) = given(opened(described)[0])
    assert isinstance(kind, AgentKind)
    assert (kind.name, kind.program.command) == ("tidy", "tidy --acp")
    screens = opened(described, wing="ace")[0]
    assert [text.text for _, text in screens.gather("themes") + screens.gather("loops")] == ["x", "y"]


def test_what_is_imported_is_what_was_hashed() -> None:
    """Modules come from the bytes of the bundle, relative imports and packages included; other bytes are another."""
    files = {"a.py": b"from .inner.deep import VALUE\nfrom . import b\n", "inner/deep.py": b"VALUE = 1\n", "b.py": b""}
    first = Bundle("tidy", files, origin="repository", where="here")
    second = Bundle("tidy", {**files, "inner/deep.py": b"VALUE = 2\n"}, origin="repository", where="here")
    assert (load(first, "a").VALUE, load(second, "a").VALUE) == (1, 2)
    assert load(first, "a") is load(first, "a")
    assert load(first, "a").__name__.startswith("workbench_plugins.tidy_")


def test_a_plugin_cannot_shadow_other_modules() -> None:
    """Its `json` is its own; absolute imports find what everybody finds."""
    shadow = Bundle(
        "tidy", {"json.py": b"x = 1\n", "a.py": b"import json\nd = json.dumps\n"}, origin="shipped", where=""
    )
    assert load(shadow, "a").d.__module__ == "json"
