"""What happens in a repository before a person looks, and what a command answered."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from workbench.artifacts.mergepack import MergePack
from workbench.core.decide import consultation as consult
from workbench.core.decide import mission as missions
from workbench.core.decide import pack as packs
from workbench.core.decide import run as runs
from workbench.core.decide.decision import Decision
from workbench.journal.store import SqliteJournal
from workbench.model import events as e
from workbench.model.digests import canonical, digest_of
from workbench.model.ids import branch_of, pack_id
from workbench.repository.objects import Merged
from workbench.repository.store import Store

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
        self.repository = repository
        self.base = git(repository, "rev-parse", "HEAD")
        self._held: list[e.Proposed] | None = None

    def append(self, decision: Decision) -> None:
        if self._held is not None:
            self._held += decision.events
        else:
            self.journal.append(decision.events, expect=decision.expect)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What happens within is appended in one go: nobody sees the half of it."""
        held: list[e.Proposed] = []
        self._held = held
        yield
        self._held = None
        self.journal.append(held)

    def mission(self, name: str = "prices", *, runs: int = 1, agent: str = "robin", on: str = "") -> list[str]:
        """A mission into main with its runs, which stand on the run `on` or on main."""
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
                on=on,
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

    def at_work(self, run: str, step: str = "turn") -> None:
        """The AEE handed out a step of the run."""
        state = self.journal.run(run)
        assert state is not None
        started = e.StepStarted(
            run=run, step=step, number=state.steps + 1, attempt=1, epoch=state.epoch + 1, aee="test"
        )
        self.append(Decision(events=(e.Proposed(stream=f"run/{run}", payload=started, actor="aee"),)))

    def ended(self, run: str, *, outcome: str = "ended", detail: str = "it gave up") -> None:
        """The run's turn ended."""
        self.at_work(run)
        state = self.journal.run(run)
        assert state is not None
        self.append(runs.finish_step(state, outcome=outcome, detail=detail))

    def commit(self, branch: str, files: dict[str, str], message: str = "Change", *, at: str = "main") -> str:
        """A commit on a branch of its own, which starts at main or `at`; main is checked out again."""
        git(self.repository, "checkout", "-q", "-B", branch, at)
        for name, content in files.items():
            (self.repository / name).write_text(content)
        git(self.repository, "add", "-A")
        git(self.repository, "commit", "-qm", message)
        head = git(self.repository, "rev-parse", "HEAD")
        git(self.repository, "checkout", "-q", "main")
        return head

    def pack(
        self,
        run: str,
        *,
        verdict: str = "ready",
        files: dict[str, str] | None = None,
        revision: int = 1,
        claimed: dict[str, Any] | None = None,
        on: str = "",
        **fields: Any,
    ) -> str:
        """A delivery of the run with what its agent claims, and its assembled pack, which says what `fields` say.

        It stands on the head of the run `on`, or else on main.
        """
        mission = self.journal.mission(run.rpartition(".")[0])
        assert mission is not None
        below = self.journal.run(on)
        base = below.head if below is not None else mission.base_commit
        files = files or {"shop.py": f"PRICE = {revision + 1}\n"}
        work = f"work-{run}-{revision}"
        head = self.commit(work, files, at=base) if on else self.commit(work, files)
        tree = self._result(run, base, head)
        stands = {"on": on, "authority": self.base if on else ""}
        name = pack_id(run, revision)
        mrp = MergePack(
            id=name,
            verdict=verdict,  # type: ignore[arg-type]  # a word of the table
            base=base,
            head=head,
            tree=tree,
            policy_digest="sha256:policy",
            reasons=("the suite was not run",),
            not_checked=("types",),
            title="Raise the price",
        )
        mrp = msgspec.structs.replace(mrp, **(stands | fields))
        blob = self.journal.blobs.put(canonical(mrp))
        asked = e.PackRequested(
            pack=name,
            mission=mission.id,
            run=run,
            revision=revision,
            base_ref=mission.base_ref,
            base_commit=base,
            head=head,
            into=mission.into,
            rationale=claimed or {},
        )
        done = e.PackSubmitted(
            pack=name,
            mission=mission.id,
            run=run,
            revision=revision,
            verdict=verdict,
            base_commit=base,
            head=head,
            tree=tree,
            policy_digest="sha256:policy",
            brief_digest="",
            digest=digest_of(mrp),
            blob=blob,
            title=mrp.title,
            headline=mrp.reasons[0],
            **stands,
        )
        delivered = e.DeliverySubmitted(run=run, head=head)
        self.append(Decision(events=(e.Proposed(stream=f"run/{run}", payload=delivered, actor=f"agent:{run}"),)))
        self.append(packs.request_pack(asked))
        self.append(packs.submit_pack(done, []))
        return name

    def _result(self, run: str, base: str, head: str) -> str:
        path = self.journal.directory / "store.git"
        with Store.open(path, source=self.repository / ".git") as store:
            store.pin(base)
            store.pin(head)
            store.set_run(run, head)
            merged = store.merge(base, head)
        assert isinstance(merged, Merged)
        return merged.tree
