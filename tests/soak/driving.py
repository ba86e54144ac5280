"""Driving the demo to its end as a person would: look, answer, approve, merge, send back, stop; again after a kill."""

from __future__ import annotations

import random
import shutil
import time
from typing import Any

from tests.soak.person import Person, Said

MISSIONS = {"payments-limit": "limiter", "parser-fix": "parser", "flaky-retry": "shortcut"}
ENDED = ("done", "stopped")
ROUND_S = 240.0  # a demo that takes longer does not finish


class Driver:
    """Plays the person's part; what was acknowledged stays in `told`."""

    def __init__(self, person: Person, rng: random.Random) -> None:
        self.person, self._rng = person, rng
        self.told: list[Said] = []
        self.odd: list[str] = []
        self._sent_back: set[str] = set()

    def begin(self) -> None:
        """Have the demo laid out and all its missions started, whatever was killed meanwhile."""
        person = self.person
        person.root.mkdir(parents=True, exist_ok=True)
        while True:
            self._tell(person.call("demo", "--no-tui", "--json", str(person.repository), at=person.root))
            if person.repository.exists() and person.git("rev-parse", "--verify", "-q", "HEAD").returncode == 0:
                break
            shutil.rmtree(person.repository, ignore_errors=True)
            shutil.rmtree(person.state, ignore_errors=True)  # nothing was acknowledged yet
        while missing := set(MISSIONS) - self._known():
            mission = sorted(missing)[0]
            self._tell(person.call("run", mission, "--agent", MISSIONS[mission], "--json"))

    def drive(self) -> bool:
        """Whether every mission came to its end in time."""
        until = time.monotonic() + ROUND_S
        while time.monotonic() < until:
            missions = self.person.rows("missions")
            if len(missions) >= len(MISSIONS) and all(row["status"] in ENDED for row in missions):
                return True
            self._act(self.person.rows("inbox"))
        self.odd.append(f"not finished: {[(row['id'], row['status']) for row in self.person.rows('missions')]}")
        return False

    def _known(self) -> set[str]:
        while (said := self.person.call("missions", "--json")).code < 0:
            pass
        return {row["id"] for row in said.rows}

    def _act(self, inbox: list[dict[str, Any]]) -> None:
        if self._rng.random() < 0.1:
            self._pause_one()
        if not inbox:
            self.person.call("wait", "--any", "--timeout", "5")
            return
        row = self._rng.choice(inbox)
        {"crp": self._answer, "mrp": self._judge, "alert": self._attend}[row["kind"]](row)

    def _answer(self, row: dict[str, Any]) -> None:
        option = "allow" if row["category"] == "permission" else self._rng.choice("AB")
        self._tell(self.person.call("answer", row["id"], "--option", option, "--why", "the brief says so", "--json"))

    def _judge(self, row: dict[str, Any]) -> None:
        pack, chance = row["id"], self._rng.random()
        if row["category"] == "not-ready":
            self._say("reject" if chance < 0.6 else "request-changes", pack)
        elif chance < 0.12 and pack not in self._sent_back:
            self._sent_back.add(pack)
            self._say("request-changes", pack)
        else:
            self._say("approve", pack)
            self._merge(pack)

    def _merge(self, pack: str) -> None:
        for _ in range(3):
            said = self.person.call("merge", pack, "--json")
            self._tell(said)
            if said.code == 0 or "merged already" in said.err:
                return
        if said.code > 0:
            self._say("request-changes", pack)

    def _attend(self, row: dict[str, Any]) -> None:
        """A run that rests has nothing more to say; one that failed should not have."""
        if row["category"] == "failed":
            self.odd.append(f"{row['run']} failed: {row['title']}")
        if row["category"] == "aee-down":
            self.person.call("aee", "start", "--json")
        elif row["category"] in ("resting", "failed"):
            self.person.call("stop", row["run"], "--why", "enough", "--json")
        else:
            self.person.call("resume", row["run"], "--json")

    def _pause_one(self) -> None:
        runs = [row["id"] for row in self.person.rows("runs") if row["status"] in ("running", "queued")]
        if not runs:
            return
        run = self._rng.choice(runs)
        self.person.call("pause", run, "--json")
        while self.person.call("resume", run, "--json").code < 0:
            pass

    def _say(self, verb: str, pack: str) -> None:
        self._tell(self.person.call(verb, pack, "--why", "as the evidence shows", "--json"))

    def _tell(self, said: Said) -> None:
        if said.is_acknowledged:
            self.told.append(said)
