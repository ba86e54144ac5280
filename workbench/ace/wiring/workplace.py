"""The place a command works in: the repository around a directory, its journal and its settings, opened when asked for.

It opens and closes; it decides nothing and prints nothing.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from workbench.ace.wiring.unwritten import Ledger, Unwritten
from workbench.journal.clock import SystemClock
from workbench.model.errors import EnvironmentProblem, NotFound, RepositoryProblem
from workbench.model.text import one_line

if TYPE_CHECKING:
    from workbench.artifacts.configuration import Settings
    from workbench.journal.presence import Presence
    from workbench.journal.store import SqliteJournal
    from workbench.repository.locate import Located
    from workbench.repository.repository import GitRepository


def is_nowhere() -> bool:
    """Whether the directory that this process is in was deleted under it."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def nowhere() -> EnvironmentProblem:
    """What to say then."""
    return EnvironmentProblem(
        "The directory that you are in is gone: it was deleted or moved away.", hint="cd into one that exists"
    )


class Workplace:
    """Where one command works, from the directory it was called in."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = SystemClock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what was opened for the whole command: the repository's reader. A second call does nothing."""
        if "repository" in self.__dict__:
            self.repository.close()

    @cached_property
    def located(self) -> Located:
        """The repository's directories. Raises RepositoryProblem with the remedy when there is none."""
        from workbench.repository.locate import locate

        if not self.directory.is_dir():
            raise EnvironmentProblem(f"{self.directory} is no directory", hint="give an existing one with -C DIR")
        try:
            return locate(self.directory)
        except FileNotFoundError:
            if is_nowhere():
                raise nowhere() from None
            raise

    @cached_property
    def checkout(self) -> Path:
        """The working tree. Raises RepositoryProblem in a bare repository."""
        if self.located.checkout is None:
            raise RepositoryProblem(
                f"{self.located.common_dir} is bare: there is no checkout to work with",
                hint="run this in a clone with a checkout: git clone REPOSITORY",
            )
        return self.located.checkout

    @cached_property
    def journal_directory(self) -> Path:
        """Where this repository's journal is kept."""
        from workbench.journal.location import journal_directory

        return journal_directory(self.located.common_dir)

    @cached_property
    def repository(self) -> GitRepository:
        """The repository, read through git; `close` ends it."""
        from workbench.repository.repository import open_repository

        return open_repository(self.directory)

    def reading(self) -> Ledger:
        """The journal for reading; where there is none yet, one with nothing in it."""
        try:
            return self.existing()
        except NotFound:
            return Unwritten()

    def existing(self) -> SqliteJournal:
        """The journal itself, for reading. Raises NotFound when there is none yet."""
        from workbench.journal.store import open_journal

        return open_journal(self.journal_directory, clock=self.clock, read_only=True)

    def writing(self) -> SqliteJournal:
        """The journal for a person's decision."""
        from workbench.journal.store import open_journal

        return open_journal(self.journal_directory, clock=self.clock)

    def presence(self) -> Presence:
        """Who serves this journal."""
        from workbench.journal.presence import presence

        return presence(self.journal_directory)

    def settings(self) -> tuple[Settings, dict[str, str]]:
        """The settings in force, and where each comes from."""
        from workbench.repository.configuration import read_settings

        return read_settings(self.located.checkout, environment=os.environ)

    @cached_property
    def person(self) -> str:
        """Who decides here, as git knows them."""
        signature = self.repository.identity()
        return f"{signature.name} <{signature.email}>"

    @property
    def actor(self) -> str:
        """The person as the journal names actors, which must be printable."""
        return f"human:{one_line(self.person)}"
