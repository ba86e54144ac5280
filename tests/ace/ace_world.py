"""What happens in a repository before a person looks, and what a command answered."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from workbench.core.decide import consultation as consult
from workbench.core.decide import mission as missions
from workbench.core.decide.decision import Decision
from workbench.journal.store import SqliteJournal
from workbench.model import events as e
from workbench.model.ids import branch_of

PERSON = "Ada Coach <ada@example.org>"


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def one(self) -> dict[str, Any]:
        (row,) = self.rows
        return row

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.err.splitlines()[-1])
        return found


Call = Callable[..., Said]


def git(path: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=path, check=True, capture_output=True, text=True).stdout.strip()


class World:
    """What the AEE would have made happen, appended by the same decisions."""

    def __init__(self, journal: SqliteJournal, repository: Path) -> None:
        self.journal = journal
        self.base = git(repository, "rev-parse", "HEAD")

    def append(self, decision: Decision) -> None:
        self.journal.append(decision.events, expect=decision.expect)

    def mission(self, name: str = "prices", *, runs: int = 1, agent: str = "robin") -> list[str]:
        started = e.MissionStarted(
            mission=name,
            title=f"Do {name}",
            brief=e.Pin(id=name),
            base_ref="refs/heads/main",
            base_commit=self.base,
            into="refs/heads/main",
        )
        names = [f"{name}.{number}" for number in range(1, runs + 1)]
        queued = [
            e.RunQueued(
                run=run,
                mission=name,
                agent=agent,
                driver="scripted",
                branch=branch_of(name, run),
                base_commit=self.base,
            )
            for run in names
        ]
        self.append(missions.start(started, queued, actor="human:ada"))
        return names

    def question(self, run: str, number: int = 1, *, mode: str = "blocking", **changes: Any) -> str:
        name = f"CRP-{run}-{number}"
        document: dict[str, Any] = {
            "id": name,
            "summary": "Cents or euros?",
            "mode": mode,
            "category": "trade-off",
            "options": [
                {"id": "A", "label": "Cents", "pros": ["exact"], "cons": ["long"]},
                {"id": "B", "label": "Euros", "pros": ["short"], "cons": ["rounding"]},
            ],
            "recommendation": {"preferred_option": "A", "reasoning": "Exact.", "confidence": 0.8},
        } | changes
        raised = e.ConsultationRaised(
            consultation=name,
            mission=run.rpartition(".")[0],
            run=run,
            mode=mode,
            category=str(document["category"]),
            title=str(document["summary"]),
            options=tuple(option["id"] for option in document["options"]),
            document=document,
        )
        self.append(consult.raise_consultation(raised))
        return name
