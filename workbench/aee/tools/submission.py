"""`submit_merge_readiness`: commit what is there and deliver it. All that the agent says about it is a claim.

It is one script in the sandbox: whatever state the agent left its clone in, and whatever its configuration makes git do
there, it ends in a commit on the run's branch or in a reason why not.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from workbench.aee.confined import TEMPORARY
from workbench.aee.tools.checked import Arguments, CheckedTool, plain
from workbench.aee.tools.git_commands import GIT_ENV, WALL_S
from workbench.aee.tools.place import Place
from workbench.model.errors import Refused
from workbench.model.text import one_line, visible
from workbench.ports import Completed, ToolResult

# What tools leave behind and nobody delivers; told in the result when something was left out.
LEFT_OUT = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "node_modules")
LEFT_OUT_TOLD = 100  # paths
_EXCLUDED = (*(f":(exclude,glob)**/{name}/**" for name in LEFT_OUT), f":(exclude,glob)**/{TEMPORARY}*")
Text = Annotated[str, Meta(max_length=100_000)]


class PlannedTest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An item of the test plan with the test that carries it out (`tests/test_a.py::test_b`)."""

    item: Text
    test: Text = ""


class Addressed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done about one comment of a person, by the id in its brackets."""

    comment: Text
    how: Text


class Rationale(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why the change is as it is, in the agent's words."""

    approach: Text = ""
    trade_offs: Annotated[tuple[Text, ...], Meta(max_length=50)] = ()
    test_plan: Annotated[
        tuple[Text | PlannedTest, ...],
        Meta(max_length=200, description="What is tested; name the test of an item: {item, test}."),
    ] = ()
    addressed: Annotated[
        tuple[Addressed, ...],
        Meta(max_length=500, description="What you did about each comment that you were sent: {comment, how}."),
    ] = ()
    notes: Text = ""


class SubmitArguments(Arguments, frozen=True, kw_only=True):
    """The commit's message, and the rationale for the pack."""

    message: Annotated[str, Meta(min_length=1, max_length=20_000, description="Commit message; first line: why.")]
    rationale: Rationale = Rationale()


# Arguments: branch, base, run, then what is left out. It tells `name=value` records, each ended by NUL; the commit's
# message comes on stdin. No process of an earlier command is alive, so that locks are leftovers of one that was killed.
_SCRIPT = """
branch=$1 base=$2 run=$3; shift 3
tell() { printf '%s=%s\\0' "$1" "$2"; }
no() { tell refused "$1"; exit 3; }
dir=$(git rev-parse --absolute-git-dir </dev/null) || no repository
on=$(git symbolic-ref -q HEAD </dev/null); tell on "$on"
[ "$on" = "refs/heads/$branch" ] || no branch
rm -f -- "$dir/index.lock" "$dir/HEAD.lock" "$dir/refs/heads/$branch.lock"
old=$(git rev-parse --verify "$base^{tree}" </dev/null) || no base
git merge-base --is-ancestor "$base" HEAD </dev/null || no history
git add -A -- . "$@" </dev/null || no staging
tree=$(git write-tree </dev/null) || no tree
[ "$tree" != "$old" ] || no unchanged
if [ "$tree" != "$(git rev-parse --verify 'HEAD^{tree}' </dev/null)" ]; then
  git commit --quiet --no-verify --cleanup=whitespace -F - --trailer "Workbench-Run: $run" || no commit
fi
head=$(git rev-parse --verify HEAD </dev/null) || no commit
tell head "$head"
git ls-files -z --others --exclude-standard --directory </dev/null | head -c 100000
"""
_HINT = "Mend it with `run`, then deliver again."
_REFUSALS = {
    "repository": ("git finds no repository in the workspace: {said}", _HINT),
    "branch": ("HEAD is on {on}, not on {branch}", "Check out {branch} with your commits on it."),
    "base": ("the base is not in this repository: {said}", "Work on in the clone that you were given."),
    "history": ("HEAD does not descend from the base", "Rebase your commits on {base}."),
    "staging": ("staging failed: {said}", _HINT),
    "tree": ("writing the tree failed: {said}", _HINT),
    "unchanged": ("nothing differs from the base", "Make the change first, or end the turn."),
    "commit": ("committing failed: {said}", _HINT),
}
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class SubmitTool(CheckedTool[SubmitArguments]):
    """Commits on the run's branch, inside the sandbox; repeating it makes no second commit."""

    name = "submit_merge_readiness"
    description = "Commit everything in the workspace and deliver it for a merge-readiness pack. Ends your turn."
    arguments = SubmitArguments

    def __init__(
        self, place: Place, *, branch: str, run: str, agent: str, comments: Callable[[], Collection[str]] = tuple
    ) -> None:
        self._place, self._branch, self._run = place, branch, run
        self._comments = comments  # ids of people's comments that the agent was sent and has not spoken of
        self._author = one_line(agent.replace("<", " ").replace(">", " ")) or "agent"

    def act(self, arguments: SubmitArguments, call_id: str) -> ToolResult:  # noqa: ARG002 - the tool interface
        """Stage, refuse when nothing differs from the base or a comment is passed over, commit, deliver."""
        answered = {one.comment for one in arguments.rationale.addressed if one.how.strip()}
        if silent := [comment for comment in self._comments() if comment not in answered]:
            raise Refused(
                f"a person commented, and you do not say what you did about it: {', '.join(silent[:20])}",
                hint="Deliver again with rationale.addressed: [{comment, how}]; `how` may say why you did nothing.",
            )
        argv = ("/bin/sh", "-c", _SCRIPT, "submit", self._branch, self._place.workspace.base_commit, self._run)
        message = visible(arguments.message.replace("\r\n", "\n")).encode("utf-8", "replace")
        # Under no call's name: what it prints is between it and us, and no output of the agent's.
        done = self._place.run((*argv, *_EXCLUDED), stdin=message, env=self._environment(), wall_s=WALL_S)
        told, rest = _records(done.stdout.head)
        head = told.get("head", "")
        if done.state != "exited" or "refused" in told or not _COMMIT.fullmatch(head):
            raise self._why_not(done, told)
        data = {
            "head": head,
            "branch": self._branch,
            "rationale": plain(arguments.rationale),
            "left_out": rest[:LEFT_OUT_TOLD],
        }
        return ToolResult(state="ok", summary=f"delivered {head[:12]}", data=data, finish=True)

    def _environment(self) -> dict[str, str]:
        name, email = f"{self._author} (Workbench agent)", f"{self._run}@agents.workbench.invalid"
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in
               (("NAME", name), ("EMAIL", email))}  # fmt: skip
        above = posixpath.dirname(self._place.workspace.cwd)
        return {**GIT_ENV, **who, "GIT_CEILING_DIRECTORIES": above, "GIT_NO_REPLACE_OBJECTS": "1"}

    def _why_not(self, done: Completed, told: dict[str, Any]) -> Refused:
        said = " ".join(done.stderr.text.split())[-400:]
        if done.state != "exited" or told.get("refused") not in _REFUSALS:
            return Refused(f"delivering did not end ({done.state}, exit {done.exit_code}): {said}", hint=_HINT)
        text, hint = _REFUSALS[told["refused"]]
        on = told.get("on", "")[:200] or "no branch"
        known = {"said": said, "on": on, "branch": self._branch, "base": self._place.workspace.base_commit}
        return Refused(text.format(**known), hint=hint.format(**known))


def _records(output: bytes) -> tuple[dict[str, str], list[str]]:
    """What the script told, and the paths behind it."""
    told: dict[str, str] = {}
    pieces = output.decode("utf-8", "replace").split("\0")[:-1]
    while pieces and "head" not in told:
        name, _, value = pieces.pop(0).partition("=")
        told[name] = value
    return told, pieces
