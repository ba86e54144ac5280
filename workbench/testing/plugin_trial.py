"""Tries a plugin out: its manifest, its modules, its collectors on changes that break things, and its own tests.

Run as `python -m workbench.testing.plugin_trial DIRECTORY`, which prints one object a line; inside a sandbox, as it
runs whatever the plugin holds.
"""

from __future__ import annotations

import functools
import io
import sys
import tempfile
import unittest
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec

from workbench.pluginhost import hookspecs
from workbench.pluginhost.bundle import Bundle, read_directory
from workbench.pluginhost.collecting import HOOK as COLLECTORS
from workbench.pluginhost.collecting import collectors, wrong_with
from workbench.pluginhost.guard import guarded
from workbench.pluginhost.hookspecs import Workshop
from workbench.pluginhost.host import Failure, Host, Source
from workbench.pluginhost.loading import load
from workbench.pluginhost.manifest import Manifest, Wing
from workbench.pluginhost.roster import Plugin, examined
from workbench.ports import Change
from workbench.testing.changes import TreeChange
from workbench.testing.plugin import plain_rig
from workbench.testing.plugin_words import wrong_words

TESTS_S = 300.0  # for one file of tests
TOLD = 4_000  # characters of what failed
WINGS: tuple[Wing, ...] = ("aee", "ace")

# What no collector may trip over: nothing at all, bytes that are no text, odd names, files that went.
CHANGES: dict[str, tuple[dict[str, bytes], dict[str, bytes]]] = {
    "nothing changed": ({"a.py": b"x = 1\n"}, {"a.py": b"x = 1\n"}),
    "binary and undecodable files": ({"b": b"\0\1"}, {"b": b"\0\2", "latin.txt": b"\xe9\n", "empty": b""}),
    "odd names": ({}, {"-rf": b"1\n", "a b/$(x).py": b"1\n", "new\nline.py": b"1\n", "ü\u202e.py": b"1\n"}),
    "files that went": ({"gone.py": b"x = 1\n", "dir/too.js": b"1\n"}, {}),
    "a long line": ({"long.py": b"1\n"}, {"long.py": b"x = '" + b"a" * 200_000 + b"'\n"}),
}


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one look at the plugin."""

    id: str
    state: Literal["ok", "warn", "fail"]
    text: str
    kind: str = "check"
    schema: int = 1


def main() -> int:
    """Try the plugin of the directory that is named; exit 1 where something failed."""
    failed = False
    for tried in trial(read_directory(Path(sys.argv[1]), origin="directory")):
        failed = failed or tried.state == "fail"
        sys.__stdout__.buffer.write(msgspec.json.encode(tried) + b"\n")  # type: ignore[union-attr]  # a process has one
        sys.__stdout__.buffer.flush()  # type: ignore[union-attr]
    return int(failed)


def trial(bundle: Bundle) -> Iterator[Tried]:
    """Everything that can be tried without a repository."""
    manifest, problems = examined(bundle)
    if manifest is None or problems:
        yield from (Tried(id="manifest", state="fail", text=str(problem)) for problem in problems)
        return
    yield Tried(id="manifest", state="ok", text=f"{manifest.name} {manifest.version}: {', '.join(manifest.offers)}")
    plugin = Plugin(bundle, state="ready", manifest=manifest)
    for wing in WINGS:
        yield from _wing(wing, plugin, manifest)
    yield from (Tried(id="words", state="fail", text=text) for text in wrong_words(bundle))
    yield from _tests(bundle, manifest.modules.aee)


def _wing(wing: Wing, plugin: Plugin, manifest: Manifest) -> Iterator[Tried]:
    failures: list[Failure] = []
    host = Host(wing, record=failures.append)
    host.admit([plugin])
    names = getattr(manifest.modules, wing)
    if not failures and names:
        yield Tried(id=f"modules ({wing})", state="ok", text=", ".join(names))
        yield from _hooks(wing, plugin, names)
    if wing == "aee" and not failures:
        for name, (base, result) in CHANGES.items():
            yield from _collected(host, failures, name, TreeChange(base, result))
    elif not failures:
        for hook in (hook for hook, whose in hookspecs.WINGS.items() if whose == wing):
            host.gather(hook)
    yield from (Tried(id=failure.hook, state="fail", text=f"{failure.state}: {failure.reason}") for failure in failures)


def _hooks(wing: Wing, plugin: Plugin, names: tuple[str, ...]) -> Iterator[Tried]:
    """Which hooks the modules implement: one of the other wing would never be asked."""
    marked = [
        hook
        for name in names
        for hook in hookspecs.WINGS
        if hasattr(getattr(load(plugin.bundle, name), hook, None), f"{hookspecs.PROJECT}_impl")
    ]
    for hook in marked:
        if (asked := hookspecs.WINGS[hook]) != wing:
            yield Tried(id=f"hook {hook}", state="fail", text=f"it is asked in {asked}, never in {wing}")
    if not marked:
        text = f"none of {', '.join(names)} implements a hook: is it marked with @hookimpl?"
        yield Tried(id=f"hooks ({wing})", state="fail", text=text)


def _collected(host: Host, failures: list[Failure], name: str, change: TreeChange) -> Iterator[Tried]:
    with tempfile.TemporaryDirectory(prefix="trial-") as directory:
        rig = plain_rig(Path(directory), change)

        def workshop(_source: Source, _is_over: Any) -> dict[str, Any]:
            return {"workshop": Workshop(rig=rig)}

        before = len(failures)
        for collector in collectors(host, workshop):
            collector.collect(change)
            if len(failures) == before:
                yield Tried(id=collector.name, state="ok", text=name)


def _tests(bundle: Bundle, modules: Sequence[str]) -> Iterator[Tried]:
    """The plugin's own tests: `unittest` in every `test_*.py`, what its collectors bring looked at as in a pack."""
    files = sorted(p for p in bundle.files if p.rpartition("/")[2].startswith("test_") and p.endswith(".py"))
    if not files:
        yield Tried(id="tests", state="warn", text="it has no test_*.py")
    if files:
        guarded(partial(_look_at, bundle, modules), limit_s=hookspecs.HOOK_S, name="look-at")  # told above if it fails
    for file in files:
        found = guarded(partial(_run, bundle, file), limit_s=TESTS_S, name=file)
        if found.state != "ok":
            yield Tried(id=file, state="fail", text=f"{found.state}: {found.reason}")
        else:
            yield found.value


def _look_at(bundle: Bundle, modules: Sequence[str]) -> None:
    """Let the collectors that tests make say at once what the host would refuse."""
    for module in (load(bundle, name) for name in modules):
        if callable(hook := getattr(module, COLLECTORS, None)):
            setattr(module, COLLECTORS, _looked_at(hook))


def _looked_at(hook: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(hook)
    def made(*args: Any, **options: Any) -> list[_LookedAt]:
        return [_LookedAt(collector) for collector in hook(*args, **options)]

    return made


class _LookedAt:
    """A collector, and a look at what it brings."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def collect(self, change: Change) -> Any:
        """What it brings. Raises AssertionError where the host would refuse it."""
        brought = self._inner.collect(change)
        if wrong := wrong_with(brought):
            raise AssertionError(f"the host would refuse what the collector brought: {wrong}")
        return brought


def _run(bundle: Bundle, file: str) -> Tried:
    module = load(bundle, file.removesuffix(".py").replace("/", "."))
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    said = io.StringIO()
    result = unittest.TextTestRunner(stream=said).run(suite)
    if not result.testsRun:
        return Tried(id=file, state="warn", text="it holds no tests")
    if result.wasSuccessful():
        skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
        return Tried(id=file, state="ok", text=f"{result.testsRun} tests passed{skipped}")
    return Tried(id=file, state="fail", text=said.getvalue()[-TOLD:])


if __name__ == "__main__":
    sys.exit(main())
