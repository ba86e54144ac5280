"""Owns the levels that confine nothing: `none`, and `container` where one around all of us does. Knows no namespaces.

Environment, limits of each process, wall clock and the end of every process hold here, too; files, network and other
processes are open to the job.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from workbench.aee.sandbox.pump import Pump
from workbench.aee.sandbox.streams import OnOutput
from workbench.aee.sandbox.tree import Tree, require_plain
from workbench.aee.sandbox.unstarted import failed_to_start
from workbench.ports import Completed, Job


class Unconfined:
    """The `Sandbox` of level `none` or `container`."""

    def __init__(self, level: Literal["none", "container"] = "none") -> None:
        self._level = level

    @property
    def level(self) -> Literal["none", "container"]:
        """The level's name, as packs show it."""
        return self._level

    @property
    def limitations(self) -> tuple[str, ...]:
        """What this level does not limit, one sentence each."""
        around = "beyond what the surrounding container hides" if self._level == "container" else "that you can reach"
        notes = [
            f"Commands read and write every file {around}, and use the network.",
            "Memory is limited for each process, not for the job.",
            "The number of processes is watched, not limited by the kernel.",
        ]
        if not Path("/proc/self/stat").exists():
            notes.append("Without /proc, only the command's own process group is ended for certain.")
        return tuple(notes)

    def run(
        self,
        job: Job,
        *,
        on_output: OnOutput | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completed:
        """See `workbench.ports.Sandbox.run`. Mounts have no effect here: every path is the host's own."""
        require_plain(job)
        tree = Tree(job)
        completed = Pump(tree, job, on_output=on_output, stop=stop).run(self._level)
        if tree.start_error:
            return failed_to_start(OSError(tree.start_error, os.strerror(tree.start_error)), job, level=self._level)
        return completed
