"""Owns the question whether a container is around us. Knows nothing of how jobs run in it."""

from __future__ import annotations

from pathlib import Path

MARKERS = ("/.dockerenv", "/run/.containerenv")
CGROUP_WORDS = ("docker", "containerd", "kubepods", "libpod", "lxc", "garden")


def container_evidence(root: Path = Path("/")) -> str:
    """What shows that we are inside a container; empty when nothing does."""
    for marker in MARKERS:
        if (root / marker.lstrip("/")).exists():
            return marker
    try:
        environment = (root / "proc/1/environ").read_bytes().split(b"\0")
    except OSError:
        environment = []
    if any(word.startswith(b"container=") for word in environment):
        return "container= in the environment of process 1"
    return _cgroup_evidence(root)


def _cgroup_evidence(root: Path) -> str:
    try:
        lines = (root / "proc/1/cgroup").read_text("utf-8", "replace")
    except OSError:
        return ""
    return next((f"/proc/1/cgroup names {word}" for word in CGROUP_WORDS if word in lines), "")
