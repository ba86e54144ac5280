"""The header: which repository, how many runs in which state, what was spent, and whether an AEE serves it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from workbench.ace.tui.bridge import Moment
from workbench.ace.tui.concerning import concerns_of
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.text import line, piece
from workbench.ace.tui.widgets.bar import Part
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import RunState
from workbench.core.status import run_status
from workbench.model.errors import WorkbenchError


class Heading(msgspec.Struct, frozen=True):
    """What the header tells: `waiting` as the inbox counts, `today_usd` for the runs queued today (UTC)."""

    branch: str = ""
    running: int = 0
    waiting: int = 0
    ready: int = 0
    today_usd: float = 0.0
    sandbox: str = ""
    aee: str = ""


def heading_view(moment: Moment) -> Heading:
    """The heading of this moment."""
    live = [run for run in moment.mirror.runs.values() if not run.outcome]
    statuses = [run_status(run) for run in live]
    packs = moment.mirror.packs
    return Heading(
        branch=_branch(moment.place),
        running=statuses.count("running"),
        waiting=len(concerns_of(moment)),
        ready=sum(1 for run in live if run.to_decide and (pack := packs.get(run.pack)) and pack.verdict == "ready"),
        today_usd=sum(run.cost_usd for run in moment.mirror.runs.values() if run.queued_at[:10] == moment.now[:10]),
        sandbox=_sandbox(live),
        aee=moment.presence.state,
    )


def heading_parts(value: Heading | None, place: Workplace, glyphs: Glyphset) -> tuple[list[Part], list[Part]]:
    """The header's left and right."""
    try:
        name = place.located.checkout.name if place.located.checkout else place.located.common_dir.name
    except WorkbenchError:
        name = place.directory.name
    if value is None:
        return [Part(line(piece(name, "strong")))], []
    where = line(piece(name, "strong"), piece(f"/{value.branch}" if value.branch else "", "dim"))
    running, waiting, ready = (glyphs.sign(state) for state in ("running", "waiting-human", "ready"))
    left = [
        Part(where),
        Part(line(running, f" {value.running} running"), spare=1),
        Part(line(waiting, piece(f" {value.waiting} need you", waiting.role if value.waiting else "plain"))),
        Part(line(ready, f" {value.ready} ready"), spare=1),
    ]
    right = [
        Part(line(piece(f"${value.today_usd:.2f} today", "dim")), spare=4),
        Part(
            line(piece(f"sandbox {value.sandbox}", "failed" if value.sandbox == "none" else "dim")),
            spare=3 if value.sandbox != "none" else 0,
        ),
        Part(line(piece(f"AEE {value.aee}", "dim" if value.aee == "running" else "needs-you")), spare=2),
    ]
    return left, [part for part in right if part.words[-1].text.strip() not in ("sandbox", "AEE")]


def _sandbox(runs: Iterable[RunState]) -> str:
    levels = {run.sandbox for run in runs if run.sandbox}
    return "none" if "none" in levels else ", ".join(sorted(levels))


def _branch(place: Workplace) -> str:
    """The branch that is checked out, from git's own file, so that the header starts no git."""
    try:
        head = (place.located.git_dir / "HEAD").read_text(encoding="utf-8", errors="replace").strip()
    except (OSError, WorkbenchError):
        return ""
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: ") else head[:12]
