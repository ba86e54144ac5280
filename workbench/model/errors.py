"""The one exception tree; every class is something that a person can act on.

WorkbenchError
├── UsageError            the words of a call are off                                (exit 2)
├── ArtifactInvalid       a brief, loop, rule, policy ... has problems               (exit 1)
├── NotFound              an id, path or ref names nothing                           (exit 2)
├── Refused               the rules say no: wrong state, policy, already decided     (exit 1)
│   └── AlreadyResolved   somebody else answered first                               (exit 1)
├── NeedsHuman            a person is needed before this can go on                   (exit 3)
├── TimedOut              a wait or a limit ran out                                  (exit 5)
└── EnvironmentProblem    the machine, disk, git or sandbox cannot do it             (exit 4)
    ├── JournalProblem    the journal is locked, damaged, too new or unwritable      (exit 4)
    ├── SandboxProblem    no sandbox of the wanted level works here                  (exit 4)
    └── RepositoryProblem git or the repository is not in a usable state             (exit 4)
Conflict                  optimistic versions did not match; the caller reads again (never shown)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.model.problems import Problem

EXIT_DONE = 0
EXIT_NO = 1  # a check said no
EXIT_USAGE = 2
EXIT_NEEDS_HUMAN = 3
EXIT_ENVIRONMENT = 4
EXIT_TIMED_OUT = 5
EXIT_INTERRUPTED = 130


class WorkbenchError(Exception):
    """What went wrong (`title`, `message`), with which values (`data`), and what to do now (`hint`)."""

    title = "Workbench error"
    exit_code = EXIT_NO

    def __init__(self, message: str, *, hint: str = "", data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.data: dict[str, Any] = dict(data or {})

    @property
    def in_line(self) -> str:
        """What went wrong, and what to do now, where there is one line for both."""
        said = self.message.strip()
        return f"{said.rstrip('.')} - {self.hint}" if self.hint else said

    def as_dict(self) -> dict[str, Any]:
        """The shape that `--json` prints on stderr."""
        return {
            "schema": 1,
            "kind": "error",
            "id": type(self).__name__,
            "title": self.title,
            "message": self.message,
            "hint": self.hint,
            "exit_code": self.exit_code,
            "data": self.data,
        }


class UsageError(WorkbenchError):
    """The words of a call are off."""

    title = "Usage"
    exit_code = EXIT_USAGE


class NotFound(WorkbenchError):
    """An id, path or ref names nothing that exists."""

    title = "Not found"
    exit_code = EXIT_USAGE


class ArtifactInvalid(WorkbenchError):
    """An artifact has problems; `problems` lists all of them, with line, column and remedy."""

    title = "Invalid artifact"

    def __init__(self, message: str, problems: Sequence[Problem], *, hint: str = "") -> None:
        super().__init__(message, hint=hint, data={"problems": [p.as_dict() for p in problems]})
        self.problems = tuple(problems)


class Refused(WorkbenchError):
    """The rules say no: the wrong state, a policy, a missing reason."""

    title = "Refused"


class AlreadyResolved(Refused):
    """Somebody else resolved it first; `data` says who, when and how."""

    title = "Already answered"


class NeedsHuman(WorkbenchError):
    """Nothing goes on here without a person."""

    title = "A person is needed"
    exit_code = EXIT_NEEDS_HUMAN


class TimedOut(WorkbenchError):
    """A wait or a limit ran out."""

    title = "Timed out"
    exit_code = EXIT_TIMED_OUT


class EnvironmentProblem(WorkbenchError):
    """The machine, the disk or an installed program cannot do what is asked."""

    title = "Environment"
    exit_code = EXIT_ENVIRONMENT


class JournalProblem(EnvironmentProblem):
    """The journal is locked, damaged, too new, full or not writable."""

    title = "Journal"


class SandboxProblem(EnvironmentProblem):
    """No sandbox of the wanted level works here."""

    title = "Sandbox"


class RepositoryProblem(EnvironmentProblem):
    """Git, or the repository, is not in a usable state."""

    title = "Repository"


class Conflict(Exception):
    """Another writer got to a stream first; read it again and decide anew."""

    def __init__(self, stream: str, *, expected: int, actual: int) -> None:
        super().__init__(f"{stream}: expected version {expected}, found {actual}")
        self.stream = stream
        self.expected = expected
        self.actual = actual
