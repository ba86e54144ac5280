"""Hostile text from every source through every verb: nothing that steers a terminal or hides leaves us.

Each verb is called twice in the same story: as it is, and with the one choke point for text removed. The second is the
control: a verb that leaks nothing then was never shown anything hostile.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ace_world import Call, Said, World, git

from workbench.artifacts.mergepack import Change, CriterionResult, PlanItem, Rationale
from workbench.core.decide.decision import Decision
from workbench.model import events as e
from workbench.model import text
from workbench.model.evidence import Evidence, Finding

# ESC, OSC 52 and 8, a title, C1 CSI, DCS, a status request, bidirectional, zero-width and tag characters, BEL, CR, NUL.
EVIL = (
    "a\x1b[2Jb\x1b]52;c;cHduZWQ=\x07c\x1b]8;;http://evil.example\x1b\\d\x1b]0;t\x07e\x9b31mf\x90q\x9cg\x1b[6nh"
    "\u202ei\u2066j\u200bk\U000e0041l\x08m\rn\x7fo\x85p\u2028q\ufeffr"
)
FILE_EVIL = EVIL.replace("/", "-")  # a file may be called anything but this
REF_EVIL = "feature\u202ee\u200b\x9bm"  # what git takes in the name of a branch
NOUNS = {"brief", "loop", "mentor", "mrp", "journal", "config", "aee"}
SHOWING = {
    "inbox", "missions", "runs", "mrp list", "mrp show", "log", "show", "brief show", "loop show", "mentor show",
    "journal export", "answer", "approve", "request-changes", "pause", "resume", "stop",
}  # fmt: skip


class Story:
    """A repository in which everything that can be said is hostile."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.repository = world.repository
        (self.asked, self.delivered) = world.mission("prices", runs=2, agent=EVIL)
        self.question = world.question(self.asked, **_question())
        self.pack = world.pack(self.delivered, **_pack())
        self._said()
        self._files()

    def _said(self) -> None:
        said: list[e.Payload] = [
            e.ThoughtRecorded(run=self.delivered, text=EVIL),
            e.ToolCalled(run=self.delivered, call="c1", tool=EVIL, title=EVIL, arguments={EVIL: EVIL}),
            e.OutputStreamed(run=self.delivered, call="c1", text=EVIL),
            e.ToolReturned(run=self.delivered, call="c1", tool=EVIL, state="ok", summary=EVIL, data={"test": EVIL}),
        ]
        proposed = [
            e.Proposed(stream=f"run/{self.delivered}", payload=each, actor=f"agent:{self.delivered}") for each in said
        ]
        self.world.append(Decision(events=tuple(proposed)))

    def _files(self) -> None:
        (self.repository / FILE_EVIL).write_text("x")
        (self.repository.parent / "robin.yaml").write_text("agent: robin\nsteps:\n  - think: hello\n")
        for noun, suffix in (("briefs", ".md"), ("loops", ".yaml"), ("mentor", ".md")):
            directory = self.repository / ".workbench" / noun
            directory.mkdir(parents=True)
            (directory / f"evil{suffix}").write_text(
                f"---\nid: evil\ntitel: {json.dumps(EVIL)}\n{EVIL}: 1\n---\n{EVIL}"
            )
        (self.repository / ".workbench/config.toml").write_text(f"[run]\nagent = {json.dumps(EVIL)}\n[evil]\nx = 1\n")
        git(self.repository, "branch", REF_EVIL)

    def verbs(self) -> Iterator[list[str]]:
        """Every verb, in an order in which each has something to say."""
        vcr = f"VCR-{self.question}"
        yield from (["inbox"], ["missions"], ["runs"], ["mrp", "list"], ["log", self.delivered], ["log", self.asked])
        yield from (["show", name] for name in ("prices", self.asked, self.question, self.pack, "evil", EVIL))
        yield from (["mrp", "show", self.pack], ["mrp", "show", self.pack, "--md"], ["mrp", "verify", EVIL])
        yield from ([noun, verb] for noun in ("brief", "loop", "mentor") for verb in ("list", "check"))
        yield from ([noun, "show", "evil"] for noun in ("brief", "loop", "mentor"))
        yield from (["config", "show", "--origin"], ["doctor"], ["journal", "export"], [EVIL], ["run", f"--{EVIL}"])
        yield ["run", f"Do {EVIL}", "--script", str(self.repository.parent / "robin.yaml"), "--no-start"]
        yield from (["mrp", "build", "--base", "main", "--head", EVIL], ["mrp", "build", EVIL])
        yield from (["answer", self.question, "--option", EVIL, "--why", EVIL], ["answer", EVIL, "--why", "x"])
        yield ["answer", self.question, "--alternative", EVIL, "--why", EVIL, "--condition", EVIL]
        yield from (["answer", self.question, "--option", "A", "--why", "x"], ["show", vcr])
        yield from (["pause", self.delivered, "--why", EVIL], ["resume", self.delivered, "--why", EVIL])
        yield from (["wait", "--no-start", "--timeout", "0"], ["wait", EVIL, "--no-start"])
        yield ["approve", self.pack, "--why", EVIL, "--condition", EVIL]
        yield from (["request-changes", self.pack, "--why", EVIL, "--change", EVIL], ["merge", EVIL], ["undo", EVIL])
        yield from (["stop", self.asked, "--why", EVIL], ["reject", EVIL, "--why", EVIL])
        yield from (["schema"], ["completion", "bash"], ["aee", "status"], ["aee", "stop"])


def _question() -> dict[str, Any]:
    return {
        "summary": EVIL,
        "details": EVIL,
        "category": EVIL,
        "options": [
            {"id": "A", "label": EVIL, "pros": [EVIL], "cons": [EVIL], "risk": EVIL},
            {"id": EVIL, "label": "x"},
        ],
        "recommendation": {"preferred_option": EVIL, "reasoning": EVIL, "confidence": EVIL},
        "refs": [EVIL],
        "attempts": [EVIL],
    }


def _pack() -> dict[str, Any]:
    return {
        "title": EVIL,
        "reasons": (EVIL,),
        "not_checked": (EVIL,),
        "agent": EVIL,
        "criteria": (CriterionResult(name="hygiene", state="failed", summary=EVIL),),
        "evidence": (
            Evidence(
                id="E1", kind="tests.result", criterion="verification", grade="executed", state="failed", summary=EVIL
            ),
        ),
        "findings": (Finding(kind=EVIL, path=EVIL, line=1, severity="high", text=EVIL),),
        "changes": (Change(path=EVIL, entities=(EVIL,)),),
        "test_plan": (PlanItem(item=EVIL, test=EVIL),),
        "new_tests": (EVIL,),
        "rationale": Rationale(approach=EVIL, trade_offs=(EVIL,), notes=EVIL),
    }


@pytest.fixture
def story(world: World) -> Story:
    return Story(world)


def leaks(said: Said) -> str:
    """The first character that could steer or hide, as JSON; empty when there is none."""
    for stream in (said.out, said.err):
        if (at := ALL_HIDDEN.search(stream)) is not None:
            return json.dumps(stream[max(0, at.start() - 30) : at.end() + 10])
    return ""


ALL_HIDDEN = text._HIDDEN


def test_no_verb_lets_a_steering_character_out(story: Story, call: Call, home: Path) -> None:
    """Not to people, not as JSON, not in errors; and JSON says exactly what was meant."""
    (home / ".gitconfig").write_text('[user]\n\tname = "Ada \x9b\u202e\x1b[2J Coach"\n\temail = ada@example.org\n')
    for words in story.verbs():
        for form in ([*words, "--json"], words) if words[0] not in ("completion",) else ([*words],):
            said = call(*form)
            assert not leaks(said), (form, leaks(said))
            assert "unexpected" not in said.err, (form, said.err)
    assert call("show", story.question, "--json").one["summary"] == EVIL


def test_the_control_every_verb_leaks_without_the_choke_point(
    story: Story, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing hidden recognised, the verbs that show what others wrote let it out; others quote it besides."""
    monkeypatch.setattr(text, "_HIDDEN", re.compile(r"(?!)"))
    leaking: dict[str, bool] = {}
    for words in story.verbs():
        verb = " ".join(words[:2]) if words[0] in NOUNS else words[0]
        leaking[verb] = any(leaks(call(*form)) for form in ([*words, "--json"], words)) or leaking.get(verb, False)
    assert {verb for verb, leaked in leaking.items() if leaked} >= SHOWING
