"""What the model is told of a tool's outcome: bounded, and every line of it data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from workbench.ports import ToolResult

SHOWN = 40_000  # characters of one outcome, half from its start and half from its end
NOT_DONE = "not carried out: it came behind a question or a delivery in the same reply"
BROKEN_OFF = "not carried out: the person who coaches you interrupted, and says why below"
ANSWER_FIELDS = ("decision", "option", "alternative", "rationale", "conditions", "decided_by", "applies_to", "at")


def told(result: ToolResult, *, limit: int = SHOWN) -> str:
    """The outcome in words: state and summary, then each value; texts of several lines as they are."""
    lines = [f"{result.state}: {result.summary}"]
    for name, value in result.data.items():
        if isinstance(value, str) and "\n" in value:
            lines += [f"{name}:", value.rstrip("\n")]
        else:
            lines.append(f"{name}: {value if isinstance(value, str) else msgspec.json.encode(value).decode()}")
    return cut("\n".join(lines), limit)


def told_answer(question: str, answer: Mapping[str, Any]) -> str:
    """A person's answer, word for word."""
    return f"A person answered {question}. Go by it.\n{_kept(answer)}"


def told_late(question: str, answer: Mapping[str, Any], *, assumption: str) -> str:
    """The answer to a question under whose assumption the work has gone on, word for word."""
    went_on = f" You went on under the assumption: {assumption}" if assumption else ""
    return (
        f"A person answered {question}.{went_on}\nGo by the answer from now on, and change what you did if it rests on "
        f"something else.\n{_kept(answer)}"
    )


def _kept(answer: Mapping[str, Any]) -> str:
    return msgspec.json.encode({name: answer[name] for name in ANSWER_FIELDS if answer.get(name)}).decode()


def cut(text: str, limit: int) -> str:
    """Head and tail of `text`, with a line between them that states the cut."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters cut ...]\n{text[-half:]}"
