"""One commit pushed to one branch of a remote: the person's own `git push`, with their settings, hooks and credentials.

Everywhere else git runs with nothing of theirs. Here it must, since only they may speak to their remote; what is
pushed, and where to, is named in full, so that no setting adds to it. It must not know packs.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec

from workbench.model.errors import EnvironmentProblem, NotFound, Refused, RepositoryProblem
from workbench.repository.git import STDERR_SHOWN, TIMEOUT_S, checked_ref, git_program, is_commit_id
from workbench.repository.repository import GitRepository

# What names another repository than the one that is asked, where it is inherited.
_PLACES = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_INTERNAL_SUPER_PREFIX",
)  # fmt: skip
_NO_LOGIN = (
    "Authentication failed", "could not read Username", "could not read Password", "Permission denied",
    "Host key verification failed", "terminal prompts disabled", "HTTP 401", "HTTP 403",
)  # fmt: skip
_NOT_THERE = ("does not appear to be a git repository", "not found", "Could not resolve host", "Could not read from")


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """`commit` to `ref` of `remote`. `known`: what of ours stands there; nothing else is written over."""

    remote: str
    ref: str
    commit: str
    known: str = ""


def remotes(repository: GitRepository) -> list[str]:
    """The names of the repository's remotes."""
    return repository.git.text("remote").splitlines()


def remote_url(repository: GitRepository, remote: str) -> str:
    """The address of a remote that is configured here. Raises NotFound; an address or an option is never a name."""
    known = remotes(repository)
    if remote not in known or remote.startswith("-"):
        which = f"one of {', '.join(known)}" if known else "none is configured; git remote add origin URL makes one"
        raise NotFound(f"There is no remote {remote!r}.", hint=f"Name a remote: {which}.")
    urls = repository.git.run("config", "--null", "--get-all", f"remote.{remote}.url", ok=(0, 1)).fields
    return urls[0] if urls else ""


def push(repository: GitRepository, order: Push) -> bool:
    """Push, as the person would; whether the remote had it already.

    A branch that somebody else moved, or that was there before us, stays as it is. Raises Refused where the remote
    says no, and EnvironmentProblem where it is not had.
    """
    remote_url(repository, order.remote)
    if not is_commit_id(order.commit) or not checked_ref(order.ref).startswith("refs/heads/"):
        raise RepositoryProblem(f"{order.commit} cannot be pushed to {order.ref}", hint="name a branch: --branch NAME")
    words = (
        "push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no",
        f"--force-with-lease={order.ref}:{order.known}", "--", order.remote, f"{order.commit}:{order.ref}",
    )  # fmt: skip
    try:
        done = subprocess.run(
            [git_program(), "-C", str(repository.checkout or repository.common_dir), *words],
            env=personal_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EnvironmentProblem(
            f"git push to {order.remote} did not end within {TIMEOUT_S:.0f} s",
            hint="look at the network and at your pre-push hook, then try again: what was pushed is recognised",
        ) from None
    flag, summary = _told(done.stdout.decode("utf-8", "replace"), order.ref)
    if done.returncode == 0:
        return flag == "="
    raise _problem(order, flag, summary, done.stderr.decode("utf-8", "replace").strip()[-STDERR_SHOWN:])


def personal_environment() -> dict[str, str]:
    """The person's environment, in plain English, and without what would point git at another repository."""
    kept = {name: value for name, value in os.environ.items() if name not in _PLACES}
    return {**kept, "LC_ALL": "C", "LANGUAGE": "C"}


def program(name: str, repository: GitRepository) -> Path | None:
    """A program of the person's PATH; never one that lies in the repository, whatever PATH says."""
    within = [place.resolve() for place in (repository.checkout, repository.common_dir) if place is not None]
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        found = Path(directory) / name
        if not found.is_absolute() or not found.is_file() or not os.access(found, os.X_OK):
            continue
        real = found.resolve()
        if not any(path.is_relative_to(place) for path in (found, real) for place in within):
            return found
    return None


def _told(said: str, ref: str) -> tuple[str, str]:
    """(flag, summary) of the line about `ref`: `FLAG TAB FROM:TO TAB SUMMARY`."""
    for line in said.splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and parts[1].endswith(f":{ref}"):
            return parts[0], parts[2]
    return "", ""


def _problem(order: Push, flag: str, summary: str, said: str) -> Refused | EnvironmentProblem:
    branch, remote = order.ref.removeprefix("refs/heads/"), order.remote
    if flag == "!" and ("stale info" in summary or "fetch first" in summary or "non-fast-forward" in summary):
        return Refused(
            f"{remote} has another {branch} already: {summary}.",
            hint=f"git fetch {remote} shows it; deliver under another name with --branch NAME",
        )
    if flag == "!":
        return Refused(
            f"{remote} refused {branch}: {summary}. {said}".strip(),
            hint="its rules say why; --branch NAME delivers under another name",
        )
    if any(words in said for words in _NO_LOGIN):
        return EnvironmentProblem(
            f"{remote} does not let you in: {said}", hint=f"log in as for git push {remote}, then deliver again"
        )
    if any(words in said for words in _NOT_THERE):
        return EnvironmentProblem(
            f"{remote} cannot be reached: {said}",
            hint=f"git remote -v shows its address; git ls-remote {remote} tries it",
        )
    return Refused(
        f"git push to {remote} failed: {said or 'it said nothing'}",
        hint="nothing was pushed; is there a pre-push hook that says no?",
    )
