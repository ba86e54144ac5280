"""The folded states as this process last read them, kept current by reading only what changed. It knows no screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from workbench.ace.wiring.unwritten import Ledger
from workbench.core.forecast import FORECAST_STREAM, NOTHING, Forecast, newest
from workbench.core.plugins import PLUGIN_STREAM, Failing, standing
from workbench.core.stack import Footing, footing_of
from workbench.core.state import ConsultationState, MissionState, PackState, RunState

T = TypeVar("T")


class Mirror:
    """All missions, runs, questions and packs by id, oldest first."""

    def __init__(self) -> None:
        self.seq = -1  # newest event that is in here; -1: nothing was read yet
        self.missions: dict[str, MissionState] = {}
        self.runs: dict[str, RunState] = {}
        self.consultations: dict[str, ConsultationState] = {}
        self.packs: dict[str, PackState] = {}
        self.plugins: dict[str, Failing] = {}  # those that failed, by name
        self.forecast: Forecast = NOTHING  # as the AEE last saw it, of branches of which some may be merged by now
        self._kept: dict[str, tuple[object, Any]] = {}

    def once(self, name: str, key: object, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all views of a moment: kept under `name` until `key` is another."""
        known = self._kept.get(name)
        if known is None or known[0] != key:
            known = self._kept[name] = (key, make())
        value: T = known[1]
        return value

    def refresh(self, ledger: Ledger) -> frozenset[str]:
        """Read what changed; the streams that did. The first time everything is read, and `*` stands for it."""
        if self.seq < 0:
            self.seq = ledger.last_seq()  # states may be newer than that: they are read again then, which is harmless
            self._read_all(ledger)
            return frozenset(("*",))
        self.seq, streams = ledger.streams_since(self.seq)
        for stream in streams:
            self._read(ledger, stream)
        return frozenset(streams)

    def _read_all(self, ledger: Ledger) -> None:
        self.missions = {state.id: state for state in ledger.missions()}
        self.runs = {state.id: state for state in ledger.runs()}
        self.consultations = {state.id: state for state in ledger.consultations()}
        self.packs = {state.id: state for state in ledger.packs()}
        self._read(ledger, PLUGIN_STREAM)
        self._read(ledger, FORECAST_STREAM)

    def _read(self, ledger: Ledger, stream: str) -> None:
        kind, _, name = stream.partition("/")
        if kind == "run" and (run := ledger.run(name)) is not None:
            self.runs[name] = run
        elif kind == "mission" and (mission := ledger.mission(name)) is not None:
            self.missions[name] = mission
        elif kind == "consultation" and (question := ledger.consultation(name)) is not None:
            self.consultations[name] = question
        elif kind == "pack" and (pack := ledger.pack(name)) is not None:
            self.packs[name] = pack
        elif stream == FORECAST_STREAM:
            self.forecast = newest(ledger.read_newest(FORECAST_STREAM, limit=1))
        elif stream == PLUGIN_STREAM:
            self.plugins = standing((), ledger.read(PLUGIN_STREAM)).failing

    def runs_of(self, mission: str) -> list[RunState]:
        """The runs of a mission, oldest first."""
        return [run for run in self.runs.values() if run.mission == mission]

    def below(self, name: str) -> Footing:
        """How a run stands, for what stands on it."""
        return footing_of(name, self.runs.get, self.packs.get)

    def open_questions(self) -> Iterable[ConsultationState]:
        """What nobody answered yet."""
        return [question for question in self.consultations.values() if question.state == "open"]
