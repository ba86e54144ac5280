"""Owns the outcome of a command that could not be started at all. Knows nothing of why a sandbox fails."""

from __future__ import annotations

from workbench.ports import Completed, Job, SandboxLevel, Stream

NOT_EXECUTABLE = 126  # as shells report it
NOT_FOUND = 127


def failed_to_start(error: OSError, job: Job, *, level: SandboxLevel) -> Completed:
    """The completed job for an error of spawning: nothing ran, the reason is on its stderr."""
    name = job.argv[0] if job.argv else ""
    words = f"{name}: {error.strerror or error}\n".encode("utf-8", "backslashreplace")
    return Completed(
        state="failed-to-start",
        exit_code=NOT_EXECUTABLE if isinstance(error, PermissionError) else NOT_FOUND,
        stdout=Stream(),
        stderr=Stream(head=words, full_bytes=len(words)),
        duration_ms=0,
        level=level,
    )
