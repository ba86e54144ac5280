"""Which commits rest on an assumption that a person's later answer does not share; it reads no repository."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from workbench.core.state import ConsultationState
from workbench.model.text import one_line

TITLE_CELLS = 100


class CommitSince(msgspec.Struct, frozen=True, kw_only=True):
    """A commit made under the assumption. `cites`: it names the question; `touches`: what the question refers to."""

    commit: str
    title: str
    cites: bool = False
    touches: tuple[str, ...] = ()

    @property
    def is_marked(self) -> bool:
        """Whether it needs a look first."""
        return self.cites or bool(self.touches)


def differs(question: ConsultationState) -> bool:
    """Whether an advisory question was answered otherwise than the agent went on with.

    Only the option that the agent recommended is known to be its assumption; any other answer counts as different.
    """
    if question.mode != "advisory" or question.state != "resolved":
        return False
    recommended = question.document.get("recommendation")
    assumed = recommended.get("preferred_option") if isinstance(recommended, dict) else None
    return assumed is None or question.answer.get("option") != assumed


def commits_since(
    question: ConsultationState, messages: Mapping[str, str], paths: Mapping[str, Collection[str]]
) -> tuple[CommitSince, ...]:
    """The commits of `messages`, in its order, and what each has to do with the question; `paths`: what it changes."""
    referred = set(_paths(question.document.get("refs")))
    return tuple(
        CommitSince(
            commit=commit,
            title=one_line(message.partition("\n")[0], TITLE_CELLS),
            cites=question.id in message,
            touches=tuple(sorted(referred & set(paths.get(commit, ())))),
        )
        for commit, message in messages.items()
    )


def why_first(commit: Mapping[str, Any]) -> list[str]:
    """Why a commit, as plain values, needs a look before the others."""
    return [*(["cites it"] if commit["cites"] else []), *(f"touches {path}" for path in commit["touches"])]


def _paths(refs: object) -> Iterator[str]:
    """The files in `file:lines@blob`."""
    for ref in refs if isinstance(refs, list | tuple) else ():
        yield str(ref).partition("@")[0].partition(":")[0]
