"""A pack shown to people: the verdict first, then what was not checked, and nothing in it is live."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from workbench.artifacts import mergepack
from workbench.artifacts.mergepack import MergePack
from workbench.artifacts.pack_report import inert
from workbench.model.text import hidden_at

EVIL = "x | y](https://evil.example) <script> `a` \x1b]0;t\x07 \u202e @team\n# Ready to merge"


def test_sections_come_in_the_order_of_need(pack: MergePack) -> None:
    """A reader meets the verdict, what was not checked, the reasons, the criteria, the evidence, then findings."""
    lines = mergepack.render(pack).splitlines()
    headings = [line for line in lines if line.startswith("#")]
    assert headings[:7] == [
        "# A person must decide: Rate limiting per API key",
        "## Not checked",
        "## Reasons",
        "## Criteria",
        "## Evidence",
        "## Findings",
        "## Rationale (claimed by the agent)",
    ]


def test_hostile_text_stays_text(pack: MergePack) -> None:
    """Text of an agent cannot add a heading, a link, a cell or a control character to the report."""
    evidence = replace(pack.evidence[0], summary=EVIL, command=(EVIL,), kind=EVIL)
    finding = replace(pack.findings[0], text=EVIL, path=EVIL, kind=EVIL)
    hostile = replace(
        pack,
        title=EVIL,
        reasons=(EVIL,),
        not_checked=(EVIL,),
        rationale=replace(pack.rationale, approach=EVIL),
        evidence=(evidence,),
        findings=(finding,),
    )
    shown = mergepack.render(hostile)
    assert hidden_at(shown) < 0
    assert not re.search(r"(?<!\\)[<\[`]|https:", shown)
    plain = mergepack.render(pack)
    assert _shape(shown) == _shape(plain)


def _shape(text: str) -> tuple[int, int]:
    """How many headings and unescaped table bars there are."""
    headings = sum(line.startswith("#") for line in text.splitlines())
    return headings, text.replace("\\|", "").count("|")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_inert_text_is_one_safe_line(text: str) -> None:
    """Whatever comes in, one line without control characters or live markup goes out."""
    line = inert(text)
    assert "\n" not in line and hidden_at(line) < 0
    bare = line.replace("\\\\", "")
    assert all(bare[at - 1] == "\\" for at, char in enumerate(bare) if char in "|<>`[]*_")
