"""Whether the journal at a repository's path tells of another repository, one that stood there before; changes nothing.

A journal belongs to a path. Where a repository was made anew at that path, its commits share no root with those that
the journal's runs started from.
"""

from __future__ import annotations

import shlex

from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EnvironmentProblem
from workbench.repository.git import Git, is_commit_id
from workbench.repository.locate import STORE
from workbench.repository.repository import GitRepository
from workbench.repository.store import Store

LOOKED_AT = 10  # newest runs; one commit of theirs that is here is enough


def is_inherited(place: Workplace, ledger: Ledger) -> bool:
    """Whether no run of the journal has anything to do with this repository. Where that cannot be told, it is not so.

    Usually this costs one question to git.
    """
    bases = [run.base_commit for run in reversed(ledger.runs()[-LOOKED_AT:]) if is_commit_id(run.base_commit)]
    repository = place.repository
    if not bases or repository.is_shallow or any(holds(repository.git, base) for base in bases):
        return False
    roots = _roots(place, repository, bases)  # a clone that was made again may lack what was never pushed
    return bool(roots) and not any(holds(repository.git, root) for root in roots)


def told(place: Workplace, ledger: Ledger) -> str:
    """What is wrong then; empty if nothing is."""
    if not is_inherited(place, ledger):
        return ""
    count = len(ledger.missions())
    missions = f"{count} mission{'' if count == 1 else 's'}"
    return f"the journal of this path is another repository's: no commit that its {missions} began from is known here"


def require_own(place: Workplace, ledger: Ledger) -> None:
    """Raise EnvironmentProblem where what is begun now would be mixed with another repository's missions."""
    if words := told(place, ledger):
        raise EnvironmentProblem(words, hint=remedy(place))


def remedy(place: Workplace) -> str:
    """How this repository gets a journal of its own, and the other one stays readable."""
    here, aside = (shlex.quote(f"{place.journal_directory}{end}") for end in ("", "-before"))
    return (
        f"keep the old one aside: workbench aee stop && mv {here} {aside}; "
        f"WORKBENCH_JOURNAL={aside} workbench missions still reads it"
    )


def holds(git: Git, commit: str) -> bool:
    """Whether the repository has the commit."""
    return git.run("cat-file", "-e", f"{commit}^{{commit}}", ok=(0, 1, 128)).code == 0


def _roots(place: Workplace, repository: GitRepository, bases: list[str]) -> list[str]:
    """The first commits of the journal's own copies; empty where it has none any more, or only a part."""
    path = place.journal_directory / STORE
    if not (path / "HEAD").is_file() or (path / "shallow").is_file():
        return []
    with Store(path, source=repository.common_dir) as store:
        kept = [base for base in dict.fromkeys(bases) if store.has(base)]
        return store.git.text("rev-list", "--max-parents=0", *kept).splitlines() if kept else []
