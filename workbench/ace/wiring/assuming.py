"""The commits of a run that rest on an assumption which a person's answer does not share, read from the store."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.ace.wiring.workplace import Workplace
from workbench.core.assumptions import CommitSince, commits_since, differs
from workbench.core.state import ConsultationState, PackState, RunState
from workbench.model.errors import RepositoryProblem
from workbench.ports import States
from workbench.repository.git import Git
from workbench.repository.history import commit_ids, read_commit
from workbench.repository.locate import STORE
from workbench.repository.reader import ObjectReader

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")


def since_assumption(place: Workplace, question: ConsultationState, run: RunState | None) -> tuple[CommitSince, ...]:
    """Newest first; empty where the answer shares the assumption, or the run has fetched nothing since."""
    store = place.journal_directory / STORE
    if run is None or not differs(question) or not run.head or not (store / "HEAD").exists():
        return ()
    stood = str(question.document.get("head", ""))
    base = stood if _COMMIT.match(stood) else run.base_commit
    git = Git(store)
    ids, _ = commit_ids(git, base, run.head)
    with ObjectReader(git) as reader:
        messages = {commit: read_commit(reader, commit).message for commit in ids}
    return commits_since(question, messages, {commit: _changed(git, commit) for commit in ids})


def rows(place: Workplace, questions: Sequence[ConsultationState], run: RunState | None) -> list[dict[str, Any]]:
    """One row for each question whose answer differs: the question, the resolution and the commits since.

    What the store no longer has is said as the row's `problem`.
    """
    return [_row(place, question, run) for question in questions if differs(question)]


def _row(place: Workplace, question: ConsultationState, run: RunState | None) -> dict[str, Any]:
    row = {
        "consultation": question.id,
        "resolution": question.resolution,
        "assumption": str(question.document.get("assumption", "")),
    }
    try:
        found = since_assumption(place, question, run)
    except RepositoryProblem as problem:
        return {**row, "commits": [], "problem": problem.message}
    commits = [{**msgspec.to_builtins(commit), "is_marked": commit.is_marked} for commit in found]
    return {**row, "commits": commits, "problem": ""}


def of_pack(place: Workplace, states: States, pack: PackState) -> list[dict[str, Any]]:
    """The same for all questions of a pack's run."""
    asked = states.consultations(run=pack.run) if pack.run else []
    return rows(place, asked, states.run(pack.run)) if asked else []


def _changed(git: Git, commit: str) -> list[str]:
    words = ("diff-tree", "-r", "-m", "--root", "--no-commit-id", "--name-only", "--no-renames", "-z")
    out = git.run(*words, "--no-ext-diff", "--no-textconv", commit).out
    return [name.decode("utf-8", "replace") for name in out.split(b"\0") if name]
