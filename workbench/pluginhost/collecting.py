"""Collectors of plugins, each under a guard and a limit; what they bring is stamped with who made it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from workbench.model.allowed import with_allowed
from workbench.model.evidence import GRADES, Evidence, EvidenceState, Finding
from workbench.model.text import one_line
from workbench.pluginhost.guard import guarded
from workbench.pluginhost.hookspecs import HOOK_S
from workbench.pluginhost.host import Host, Source
from workbench.pluginhost.roster import NAME_CELLS, Plugin
from workbench.ports import Change, Collected, Collector

HOOK = "collectors"
MOST_EVIDENCE = 50  # of one collector of a plugin
MOST_FINDINGS = 500
MAX_FACTS = 64 << 10  # bytes of the facts of one piece of evidence
MADE_BY = "plugin "  # before a plugin's name among the inputs of its evidence, with its digest
HIGHEST = GRADES.index("executed")  # `verified` takes a second method, which no plugin alone has

# The arguments of the hook for one plugin; the second argument says whether its time is over.
Prepare = Callable[[Source, Callable[[], bool]], dict[str, Any]]


def collectors(host: Host, prepare: Prepare) -> list[Collector]:
    """All collectors: ours as they are, those of plugins under a guard."""
    overruns: dict[str, threading.Event] = {}

    def given(source: Source) -> dict[str, Any]:
        return prepare(source, overruns.setdefault(source.plugin, threading.Event()).is_set)

    return [
        thing if source.is_ours else GuardedCollector(host, source, thing, overruns[source.plugin])
        for source, thing in host.gather(HOOK, given)
    ]


class Unasked:
    """Port Collector of our own: says of each plugin that might have looked at the change why it was not asked."""

    name = "plugins"

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self._plugins = [plugin for plugin in plugins if plugin.manifest is None or plugin.manifest.modules.aee]

    def collect(self, change: Change) -> Collected:
        """A piece of evidence, `not-checked`, for each of the first ones."""
        inputs = {"base": change.base, "head": change.head, "result": change.result, "tree": change.tree}
        named = {plugin.name: plugin for plugin in self._plugins[:MOST_EVIDENCE]}
        return Collected(
            evidence=tuple(
                Evidence(
                    id=f"plugin.{name}",
                    kind=f"plugin.{name}",
                    criterion="auditability",
                    grade="executed",
                    state="not-checked",
                    summary=self._why(plugin),
                    inputs={**inputs, f"{MADE_BY}{name}": plugin.digest},
                    collector=self.name,
                )
                for name, plugin in named.items()
            )
        )

    def _why(self, plugin: Plugin) -> str:
        if plugin.state == "untrusted":
            return f"the plugin was not asked: nobody trusts its content (workbench plugin trust {plugin.name})"
        return f"the plugin was not asked: {plugin.problems[0]}" if plugin.problems else "the plugin was not asked"


class GuardedCollector:
    """Port Collector: one of a plugin. Once one of its plugin overran, none of that plugin is asked any more."""

    def __init__(self, host: Host, source: Source, inner: Any, overrun: threading.Event) -> None:
        self.source = source
        self._host, self._inner, self._overrun = host, inner, overrun
        said = guarded(lambda: one_line(str(inner.name), NAME_CELLS), limit_s=HOOK_S, name=f"{source.plugin}-name")
        self.name = f"{source.plugin}/{said.value if said.state == 'ok' else 'collector'}"

    def collect(self, change: Change) -> Collected:
        """What it brings, stamped; where it fails, evidence that says so."""
        if self._overrun.is_set():
            return self._failed(change, "not-checked", "another collector of the plugin overran")
        limit_s = self.source.timeout_s
        found = guarded(lambda: self._inner.collect(change), limit_s=limit_s, name=f"collector-{self.name}")
        state: EvidenceState
        if found.state == "ok":
            wrong = wrong_with(found.value)
            if not wrong:
                return self._stamped(change, found.value)
            state, reason = "error", wrong
        else:
            state, reason = found.state, found.reason
        if state == "timed-out":
            self._overrun.set()
        told = "timed-out" if state == "timed-out" else "error"
        self._host.fail(self.source, f"collect {self.name}", state=told, reason=reason)  # type: ignore[arg-type]
        return self._failed(change, state, reason)

    def _failed(self, change: Change, state: EvidenceState, reason: str) -> Collected:
        kind = f"{self.source.plugin}.collector"
        bare = Evidence(id=kind, kind=kind, criterion="verification", grade="executed", state=state, summary=reason)
        return Collected(evidence=(self._of_plugin(bare, change),))

    def _stamped(self, change: Change, brought: Collected) -> Collected:
        evidence = [self._of_plugin(piece, change) for piece in brought.evidence[:MOST_EVIDENCE]]
        findings = [self._finding(finding) for finding in brought.findings[:MOST_FINDINGS]]
        left = max(0, len(brought.evidence) - MOST_EVIDENCE) + max(0, len(brought.findings) - MOST_FINDINGS)
        if left:
            (cut,) = self._failed(change, "not-checked", f"{left} more pieces than a plugin may bring").evidence
            evidence.append(msgspec.structs.replace(cut, kind=f"{self.source.plugin}.cut", id="cut"))
        return Collected(evidence=tuple(evidence), findings=tuple(findings))

    def _of_plugin(self, piece: Evidence, change: Change) -> Evidence:
        """The piece under the plugin's name, bound to the change, of a grade that it may have, proving no clause."""
        source = self.source
        bound = {"base": change.base, "head": change.head, "result": change.result, "tree": change.tree}
        inputs = {name: digest for name, digest in piece.inputs.items() if not name.startswith(MADE_BY)}
        facts = piece.facts if len(msgspec.json.encode(piece.facts)) <= MAX_FACTS else {"left out": "too large"}
        kind = self._named(piece.kind)
        return msgspec.structs.replace(
            piece,
            id=kind,
            kind=kind,
            collector=self.name,
            clauses=(),
            grade=GRADES[min(HIGHEST, GRADES.index(piece.grade))],
            inputs={**inputs, **bound, f"{MADE_BY}{source.plugin}": source.digest},
            facts={**facts, "plugin": {"name": source.plugin, "version": source.version, "origin": source.origin}},
            digest="",
        )

    def _finding(self, finding: Finding) -> Finding:
        evidence = self._named(finding.evidence) if finding.evidence else ""
        return msgspec.structs.replace(finding, kind=self._named(finding.kind), evidence=evidence)

    def _named(self, kind: str) -> str:
        own = f"{self.source.plugin}."
        return kind if kind.startswith(own) else f"{own}{kind}"


def wrong_with(brought: object) -> str:
    """What is wrong with the shape of an answer, empty if nothing; a plugin need not be type-checked."""
    if not isinstance(brought, Collected):
        return f"collect gave {type(brought).__name__}, not Collected"
    try:
        msgspec.convert(msgspec.to_builtins(brought), Collected)
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as problem:
        return f"collect gave values of a wrong kind: {with_allowed(problem, Collected)}"
    return ""
