"""What the application and the routes ask of every screen of ours, so that neither needs to know the screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.screen import Screen

from workbench.ace.tui.bridge import Arrived
from workbench.ace.tui.text import Role

if TYPE_CHECKING:
    from workbench.model.errors import WorkbenchError


class Frame(Screen[Any]):
    """A screen that takes values from the bridge and keys, and can tell a person something."""

    where: ClassVar[str] = ""
    main: ClassVar[str] = ""  # selector of the pane that keys go to first

    def take(self, arrived: Arrived) -> None:
        """A value from the bridge, if it is for this screen."""
        raise NotImplementedError

    def press(self, key: str, character: str | None) -> bool:
        """A key was pressed; whether it was one of ours."""
        raise NotImplementedError

    def settle(self) -> None:
        """Something changed under a person's fingers: for a moment no key decides anything."""
        raise NotImplementedError

    def tell(self, words: str, role: Role = "plain") -> None:
        """One line for the person; an empty text takes it away."""
        raise NotImplementedError

    def tell_problem(self, problem: WorkbenchError) -> None:
        """What went wrong, and what to do about it."""
        raise NotImplementedError
