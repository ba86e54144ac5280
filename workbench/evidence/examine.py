"""Runs all collectors over one change under a limit and a guard and seals what they bring; it knows none of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import msgspec

from workbench.core.admission import sealed
from workbench.model.evidence import Criterion, Evidence, EvidenceState, Finding
from workbench.ports import Change, Clock, Collected, Collector

DEFAULT_LIMIT_S = 3600.0  # of one collector; the commands that it runs have limits of their own
MAX_TEXT = 2_000  # characters of a summary or of a finding's text


def examine(
    change: Change,
    collectors: Sequence[Collector],
    *,
    clock: Clock,
    limit_s: float = DEFAULT_LIMIT_S,
    stop: Callable[[], None] = lambda: None,
    on_collected: Callable[[str, Collected], None] = lambda _name, _collected: None,
) -> Collected:
    """Everything that the collectors bring, in their order, sealed, with unique ids.

    A collector that raises or exceeds `limit_s` becomes evidence with state `error` or `timed-out`; after a
    time-out `stop` is called, so that what it still runs can be ended.
    """
    evidence: list[Evidence] = []
    findings: list[Finding] = []
    for collector in collectors:
        collected = _guarded(change, collector, clock, limit_s, stop)
        on_collected(collector.name, collected)
        evidence += collected.evidence
        findings += collected.findings
    renamed = _unique(evidence)
    return Collected(evidence=tuple(sealed(item) for item in renamed), findings=tuple(map(_short, findings)))


def not_checked(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """One line for each thing that was not checked or whose check came to nothing, for a reader's first look."""
    return tuple(f"{item.kind}: {item.summary}" for item in evidence if item.state not in ("passed", "failed"))


def _guarded(change: Change, collector: Collector, clock: Clock, limit_s: float, stop: Callable[[], None]) -> Collected:
    """Run in a thread of its own, which stays until its commands have ended, as some sandboxes need."""
    begun = clock.now()
    brought: list[Collected] = []

    def work() -> None:
        try:
            brought.append(collector.collect(change))
        except Exception as error:  # noqa: BLE001  # the plugin edge: what a collector raises becomes evidence
            reason = f"the collector broke: {type(error).__name__}: {error}"
            brought.append(_failed(change, collector.name, "error", reason, begun))

    thread = threading.Thread(target=work, name=f"collector-{collector.name}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if not brought:
        stop()
        return _failed(change, collector.name, "timed-out", f"the collector did not end within {limit_s:.0f} s", begun)
    return brought[0]


def _failed(change: Change, name: str, state: EvidenceState, reason: str, begun: str) -> Collected:
    criterion, kinds = PROMISED.get(name, ("verification", (f"collector.{name}",)))
    inputs = {"base": change.base, "head": change.head, "result": change.result, "tree": change.tree}
    return Collected(
        evidence=tuple(
            Evidence(
                id=kind,
                kind=kind,
                criterion=criterion,
                grade="executed",
                state=state,
                summary=reason[:MAX_TEXT],
                inputs=inputs,
                collector=name,
                started_at=begun,
            )
            for kind in kinds
        )
    )


# What is missing when one of these breaks: a required kind then stands in the pack with its state, not as a gap.
PROMISED: Mapping[str, tuple[Criterion, tuple[str, ...]]] = {
    "tests": ("verification", ("tests.base", "tests.result", "tests.base-on-result")),
    "coverage": ("verification", ("coverage.changed",)),
    "mutation": ("verification", ("mutation.changed",)),
    "lint": ("hygiene", ("lint.new",)),
    "types": ("hygiene", ("types.new",)),
    "tampering": ("verification", ("tampering",)),
    "secrets": ("hygiene", ("secrets",)),
    "dependencies": ("hygiene", ("dependencies",)),
    "dangerous": ("hygiene", ("dangerous",)),
    "growth": ("hygiene", ("growth",)),
    "text": ("hygiene", ("text",)),
    "size": ("hygiene", ("size",)),
    "structure": ("hygiene", ("structure",)),
    "rationale": ("rationale", ("rationale",)),
}


def _unique(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The same with ids that occur once each; a second one of an id gets `#2`."""
    seen: dict[str, int] = {}
    unique = []
    for item in evidence:
        seen[item.id] = seen.get(item.id, 0) + 1
        name = item.id if seen[item.id] == 1 else f"{item.id}#{seen[item.id]}"
        unique.append(msgspec.structs.replace(item, id=name, summary=item.summary[:MAX_TEXT]))
    return unique


def _short(finding: Finding) -> Finding:
    return finding if len(finding.text) <= MAX_TEXT else msgspec.structs.replace(finding, text=finding.text[:MAX_TEXT])
