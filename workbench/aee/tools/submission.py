"""`submit_merge_readiness`: commit what is there and deliver it. All that the agent says about it is a claim."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from workbench.aee.confined import TEMPORARY
from workbench.aee.tools.checked import Arguments, CheckedTool, plain
from workbench.aee.tools.git_commands import git, line_of
from workbench.aee.tools.place import Place
from workbench.model.errors import Refused
from workbench.ports import ToolResult

# What tools leave behind and nobody delivers; told in the result when something was left out.
LEFT_OUT = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "node_modules")
_EXCLUDED = (*(f":(exclude,glob)**/{name}/**" for name in LEFT_OUT), f":(exclude,glob)**/{TEMPORARY}*")
Text = Annotated[str, Meta(max_length=100_000)]


class Rationale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the change is as it is, in the agent's words."""

    approach: Text = ""
    trade_offs: Annotated[tuple[Text, ...], Meta(max_length=50)] = ()
    test_plan: Annotated[tuple[Text, ...], Meta(max_length=200)] = ()
    notes: Text = ""


class SubmitArguments(Arguments, frozen=True, kw_only=True):
    """The commit's message, and the rationale for the pack."""

    message: Annotated[str, Meta(min_length=1, max_length=20_000, description="Commit message; first line: why.")]
    rationale: Rationale = Rationale()


class SubmitTool(CheckedTool[SubmitArguments]):
    """Commits on the run's branch, inside the sandbox; repeating it makes no second commit."""

    name = "submit_merge_readiness"
    description = "Commit everything in the workspace and deliver it for a merge-readiness pack. Ends your turn."
    arguments = SubmitArguments

    def __init__(self, place: Place, *, branch: str, run: str, agent: str) -> None:
        self._place, self._branch, self._run = place, branch, run
        self._author = " ".join(agent.replace("<", " ").replace(">", " ").split()) or "agent"

    def act(self, arguments: SubmitArguments, call_id: str) -> ToolResult:
        """Stage, refuse when nothing differs from the base, commit, deliver."""
        self._check_branch(call_id)
        self._git(call_id, "add", "-A", "--", ".", *_EXCLUDED, what="staging")
        tree = self._git(call_id, "write-tree", what="writing the tree")
        base = self._place.workspace.base_commit
        if tree == self._git(call_id, "rev-parse", "--verify", f"{base}^{{tree}}", what="reading the base"):
            raise Refused("nothing differs from the base", hint="Make the change first, or end the turn.")
        if tree != self._git(call_id, "rev-parse", "--verify", "HEAD^{tree}", what="reading HEAD"):
            self._commit(call_id, arguments.message)
        head = self._git(call_id, "rev-parse", "--verify", "HEAD", what="reading HEAD")
        data = {
            "head": head,
            "branch": self._branch,
            "rationale": plain(arguments.rationale),
            "left_out": self._left_out(call_id),
        }
        return ToolResult(state="ok", summary=f"delivered {head[:12]}", data=data, finish=True)

    def _git(self, call: str, *argv: str, what: str) -> str:
        return line_of(git(self._place, argv, call=call), what=what)

    def _check_branch(self, call: str) -> None:
        done = git(self._place, ("symbolic-ref", "-q", "HEAD"), call=call)
        on = done.stdout.text.strip()
        if on != f"refs/heads/{self._branch}":
            text = f"HEAD is on {on or 'no branch'}, not on {self._branch}"
            raise Refused(text, hint=f"Check out {self._branch} with your commits on it.")
        base = self._place.workspace.base_commit
        if git(self._place, ("merge-base", "--is-ancestor", base, "HEAD"), call=call).exit_code != 0:
            raise Refused("HEAD does not descend from the base", hint=f"Rebase your commits on {base}.")

    def _commit(self, call: str, message: str) -> None:
        email = f"{self._run}@agents.workbench.invalid"
        name = f"{self._author} (Workbench agent)"
        env = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
        }
        argv = ("commit", "--quiet", "--no-verify", "--cleanup=whitespace", "-F", "-")
        trailer = ("--trailer", f"Workbench-Run: {self._run}")
        done = git(self._place, (*argv, *trailer), call=call, stdin=message.encode("utf-8", "replace"), env=env)
        line_of(done, what="committing")

    def _left_out(self, call: str) -> list[str]:
        done = git(self._place, ("ls-files", "-z", "--others", "--exclude-standard", "--directory"), call=call)
        return [path for path in done.stdout.head.decode("utf-8", "replace").split("\0")[:100] if path]
