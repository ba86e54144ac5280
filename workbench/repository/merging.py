"""Merging where the checkout is: results made as objects, refs moved by compare-and-swap, uncommitted work untouched.

The order is intent, effect, outcome: `plan` touches no branch, the caller records the plan, `carry_out` moves the ref,
and after a crash `stands` and `finish` tell from the plan alone what happened. It must not know the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from workbench.model.errors import Refused, RepositoryProblem, UsageError
from workbench.model.ids import is_id
from workbench.repository import checkouts, objects
from workbench.repository.git import checked_ref
from workbench.repository.index import clear_ref_locks, guarded
from workbench.repository.objects import Conflicted, Signature
from workbench.repository.repository import GitRepository
from workbench.repository.store import MERGES, Store, fetch_flags

Mode = Literal["fast-forward", "merge", "squash"]
Standing = Literal["old", "new", "beyond", "elsewhere"]
RESOLUTIONS = ".workbench/resolutions/"  # the only files that a merge commit may add


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Moving `ref` from `old` to `new`. `mode` is a Mode, or how an undo does it: `move-back` or `revert`."""

    ref: str
    old: str
    new: str
    mode: str
    reason: str = ""  # of an undo: why it is not simply moved back


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """The ref stands at `new`; `updated` names the checkouts whose files went along."""

    ref: str
    new: str
    updated: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Where a base branch stands against the commit that was pinned. `rewritten`: it no longer contains it."""

    current: str
    ahead: int
    rewritten: bool


def drift(repository: GitRepository, base_ref: str, base_commit: str) -> Drift:
    """How far `base_ref` went on since `base_commit`."""
    current = repository.resolve(base_ref)
    if current == base_commit:
        return Drift(current=current, ahead=0, rewritten=False)
    ahead = int(repository.git.text("rev-list", "--count", "--end-of-options", f"{base_commit}..{current}"))
    return Drift(current=current, ahead=ahead, rewritten=not repository.is_ancestor(base_commit, current))


def bring(repository: GitRepository, store: Store, ref: str) -> None:
    """Bring a ref of the store, with its history, into the person's repository, where it has the same name."""
    repository.require_writable()
    repository.git.run("fetch", *fetch_flags(store.path), "--", str(store.path), f"+{ref}:{ref}")


def message_for(
    subject: str, *, pack: str, run: str = "", digest: str = "", decisions: Sequence[str] = (), body: str = ""
) -> str:
    """A commit message with the trailers by which a merge is found again, and held to its proof."""
    first = " ".join(subject.split()) or f"Merge {pack}"
    named = [("Pack", pack), ("Run", run), ("Pack-Digest", digest), *(("Decision", each) for each in decisions)]
    lines = [f"Workbench-{name}: {value}" for name, value in named if value]
    # A line of the body that looks like one of ours would count as one.
    quoted = "\n".join(f"> {line}" if line.lower().startswith("workbench-") else line for line in body.splitlines())
    return "\n\n".join(part for part in (first, quoted.strip(), "\n".join(lines)) if part) + "\n"


def trailers(repository: GitRepository, commit: str) -> dict[str, list[str]]:
    """The trailers of ours in a commit's message, in its last paragraph: name to values."""
    # Not `git show`, which runs the program that the repository names to check a signature, if it says so.
    raw = repository.git.run("cat-file", "commit", commit).out
    message = raw.partition(b"\n\n")[2].decode("utf-8", "replace")
    found: dict[str, list[str]] = {}
    for line in message.rstrip().rpartition("\n\n")[2].splitlines():
        name, _, value = line.partition(": ")
        if name.startswith("Workbench-"):
            found.setdefault(name, []).append(value)
    return found


class Merger:
    """Merges and undoes in one repository, with objects made in its store."""

    def __init__(self, repository: GitRepository, store: Store) -> None:
        self._repository = repository
        self._store = store

    def plan(
        self,
        *,
        pack: str,
        ref: str,
        base_commit: str,
        head: str,
        tree: str,
        mode: Mode,
        message: str,
        by: Signature,
        files: Mapping[str, bytes] | None = None,
    ) -> Plan:
        """Make the merge of `head` as objects, here and in the store; no branch moves.

        `tree` is what was examined: anything else is refused, as is a `ref` that no longer stands at `base_commit`.
        `files` (resolutions) enter merge and squash commits; a fast-forward makes no commit that could hold them.
        """
        _require_branch(ref)
        _require_resolutions(files or {})
        self._require_standing(ref, base_commit)
        self._store.pin(base_commit)
        self._require_examined(base_commit, head, tree)
        if mode == "fast-forward":
            new = self._fast_forward(base_commit, head)
        else:
            parents = (base_commit, head) if mode == "merge" else (base_commit,)
            git = self._store.git
            with_files = objects.tree_with(git, tree, files) if files else tree
            new = objects.commit_tree(git, with_files, parents=parents, message=message, author=by)
        self._bring(pack, new)
        return Plan(ref=ref, old=base_commit, new=new, mode=mode)

    def carry_out(self, plan: Plan, *, by: Signature, log: str) -> Moved:
        """Move the ref from `old` to `new`, if it still stands there, and clean checkouts of it along.

        Raises Refused, and has moved nothing, when the ref moved or a checkout holds uncommitted work.
        """
        self._repository.require_writable()
        with guarded(self._repository.common_dir):
            return self._carry_out(plan, by=by, log=log)

    def _carry_out(self, plan: Plan, *, by: Signature, log: str) -> Moved:
        present = checkouts.on_branch(self._repository, plan.ref)
        self._require_standing(plan.ref, plan.old)
        for checkout in present:
            checkouts.require_movable(self._repository, checkout, old=plan.old, new=plan.new)
        self._swap(plan.ref, plan.old, plan.new, by=by, log=log)
        done: list[checkouts.Checkout] = []
        try:
            for checkout in present:
                checkouts.move(self._repository, checkout, old=plan.old, new=plan.new)
                done.append(checkout)
        except RepositoryProblem as problem:
            self._take_back(plan, done, by=by)
            raise Refused(f"nothing was merged: {problem.message}", hint=problem.hint) from problem
        return Moved(ref=plan.ref, new=plan.new, updated=tuple(str(c.path) for c in done), notes=self._notes(plan))

    def stands(self, plan: Plan) -> Standing:
        """Where the ref of a recorded plan stands: before it, at it, beyond it (later commits), or elsewhere."""
        current = self._current(plan.ref)
        if current in (plan.old, plan.new):
            return "old" if current == plan.old else "new"
        if current and self._knows(plan.new) and self._repository.is_ancestor(plan.new, current):
            return "beyond"
        return "elsewhere"

    def finish(self, plan: Plan) -> Moved:
        """After a crash with the ref at `new`: let checkouts follow that did not yet. Raises Refused if one cannot."""
        with guarded(self._repository.common_dir):
            present = checkouts.on_branch(self._repository, plan.ref)
            updated = [c for c in present if checkouts.finish(self._repository, c, old=plan.old, new=plan.new)]
        return Moved(ref=plan.ref, new=plan.new, updated=tuple(str(checkout.path) for checkout in updated))

    def plan_undo(self, merge: Plan, *, pack: str, message: str, by: Signature) -> Plan:
        """How to take a merge back: the branch moves back if nobody else can have it, else a revert commit is made.

        Nothing moves yet. `reason` says why a revert is offered.
        """
        standing = self.stands(merge)
        if standing not in ("new", "beyond"):
            raise Refused(f"{merge.ref} no longer contains the merge", hint="there is nothing to undo on this branch")
        remote = self._repository.has_remote_with(merge.new)
        if standing == "new" and not remote:
            return Plan(ref=merge.ref, old=merge.new, new=merge.old, mode="move-back")
        tip = self._repository.resolve(merge.ref)
        self._store.pin(tip)
        made = objects.revert(self._store.git, tip=tip, merged=merge.new, before=merge.old, message=message, author=by)
        self._bring(f"{pack}.undo", made)
        reason = f"{remote} has the merge" if remote else f"{merge.ref} has later commits"
        return Plan(ref=merge.ref, old=tip, new=made, mode="revert", reason=reason)

    def _fast_forward(self, base: str, head: str) -> str:
        if not self._store.is_ancestor(base, head):
            raise Refused("the branch does not start at the current base", hint="merge it with mode merge or squash")
        return head

    def _require_standing(self, ref: str, commit: str) -> None:
        current = self._current(ref)
        if current != commit:
            raise Refused(
                f"{ref} moved from {commit[:12]} to {current[:12] or 'nothing'}",
                hint="build the evidence again on the new base, then decide",
                data={"ref": ref, "expected": commit, "current": current},
            )

    def _require_examined(self, base: str, head: str, tree: str) -> None:
        if self._store.is_ancestor(head, base):
            raise Refused("the branch holds nothing that its base does not have", hint="there is nothing to merge")
        merged = self._store.merge(base, head)
        if isinstance(merged, Conflicted):
            raise Refused("the branch conflicts with its base", hint="request changes", data={"paths": merged.paths})
        if merged.tree != tree:
            raise Refused("the merge would give other files than were examined", hint="build the evidence again")

    def _bring(self, pack: str, commit: str) -> None:
        """Bring a commit and its history into the person's repository, kept there by a ref of ours."""
        if not is_id(pack):
            raise UsageError(f"{pack!r} is no pack", hint="workbench inbox lists them")
        self._repository.require_writable()
        ref = f"{MERGES}/{pack}"
        self._store.keep(ref, commit)
        bring(self._repository, self._store, ref)

    def _swap(self, ref: str, old: str, new: str, *, by: Signature, log: str) -> None:
        words = ("update-ref", "-m", " ".join(log.split()), ref, new, old)
        env = by.as_env("COMMITTER")
        answer = self._repository.git.run(*words, ok=(0, 1, 128), env=env)
        if answer.code and clear_ref_locks(self._repository.located.git_dir, self._repository.common_dir, ref, new):
            answer = self._repository.git.run(*words, ok=(0, 1, 128), env=env)
        if answer.code:
            said = answer.err.decode("utf-8", "replace").strip()
            self._require_standing(ref, old)  # says so when somebody was faster
            raise RepositoryProblem(
                f"{ref} cannot be moved: {said}",
                hint="try again in a few seconds; if no git is at work, remove the lock that it names",
            )

    def _take_back(self, plan: Plan, done: list[checkouts.Checkout], *, by: Signature) -> None:
        for checkout in done:
            checkouts.move(self._repository, checkout, old=plan.new, new=plan.old)
        self._swap(plan.ref, plan.new, plan.old, by=by, log="workbench: take back")

    def _notes(self, plan: Plan) -> tuple[str, ...]:
        raw = self._repository.git.run("diff-tree", "-r", "-z", "--no-commit-id", "--raw", plan.old, plan.new).fields
        if any("160000" in entry.split(" ")[:2] or entry.startswith(":160000") for entry in raw):
            return ("submodules changed: run git submodule update --init",)
        return ()

    def _knows(self, commit: str) -> bool:
        return self._repository.git.run("cat-file", "-e", f"{commit}^{{commit}}", ok=(0, 1, 128)).code == 0

    def _current(self, ref: str) -> str:
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", checked_ref(ref))
        return self._repository.git.run(*words, ok=(0, 1, 128)).text


def _require_branch(ref: str) -> None:
    if not checked_ref(ref).startswith("refs/heads/"):
        raise UsageError(f"{ref} is no branch to merge into", hint="name a branch: --into main")


def _require_resolutions(files: Mapping[str, bytes]) -> None:
    for path in files:
        if not path.startswith(RESOLUTIONS):
            raise Refused(f"a merge commit may not add {path}", hint=f"only {RESOLUTIONS} enters with the merge")
