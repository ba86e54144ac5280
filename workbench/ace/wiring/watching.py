"""Tells when something below a directory changed; it does not say what, and reads nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

_READING = ("opened", "closed_no_write")  # what reading the files ourselves gives


class Watch:
    """Watches until it is ended. `told` is called in a thread of its own."""

    def __init__(self, directory: Path, told: Callable[[], None]) -> None:
        self._directory, self._told = directory, told
        self._observer: Any = None

    def begin(self) -> bool:
        """Whether it is watched: not where there is no directory, or the system can watch no more."""
        from watchdog.events import FileSystemEvent, FileSystemEventHandler
        from watchdog.observers import Observer

        told = self._told

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                if event.event_type not in _READING:
                    told()

        observer = Observer()
        observer.daemon = True
        try:
            observer.schedule(Handler(), str(self._directory), recursive=True)
            observer.start()
        except OSError:  # no directory, or the limit of inotify
            return False
        self._observer = observer
        return True

    def end(self) -> None:
        """Watch no more; returns at once."""
        if self._observer is not None:
            self._observer.stop()
            self._observer = None
