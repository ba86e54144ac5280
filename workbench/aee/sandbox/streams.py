"""Owns how output is kept in bounded memory: head, tail and the exact size. Knows nothing of processes or sandboxes."""

from __future__ import annotations

from collections.abc import Callable

from workbench.ports import Stream

LIVE_INTERVAL_S = 0.1  # at most one live chunk per stream in this time
LIVE_BYTES = 64 << 10  # of one live chunk; what is over is cut, and the cut is stated in the chunk

OnOutput = Callable[[str, bytes], None]


class Capture:
    """Keeps the first and the last `limit / 2` bytes of what is added, and counts all; limit 0 keeps everything."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2 if limit else 0
        self._unlimited = limit == 0
        self._head = bytearray()
        self._tail = bytearray()
        self.full_bytes = 0

    def add(self, chunk: bytes | memoryview) -> None:
        """Count the chunk, and keep of it what belongs to the head or, for now, to the tail."""
        self.full_bytes += len(chunk)
        if self._unlimited:
            self._head += chunk
            return
        room = self._half - len(self._head)
        if room > 0:
            self._head += chunk[:room]
            chunk = chunk[room:]
        self._keep_tail(chunk)

    def _keep_tail(self, chunk: bytes | memoryview) -> None:
        if not self._half:
            return
        if len(chunk) >= self._half:
            self._tail[:] = chunk[-self._half :]
            return
        self._tail += chunk
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    def stream(self) -> Stream:
        """What was kept."""
        tail = bytes(self._tail[-self._half :]) if self._half else b""
        return Stream(head=bytes(self._head), tail=tail, full_bytes=self.full_bytes)


class Live:
    """Hands output on while it comes: coalesced, bounded in rate and size, with each cut stated in place."""

    def __init__(self, name: str, *, on_output: OnOutput, now: float) -> None:
        self._name = name
        self._on_output = on_output
        self._pending = Capture(LIVE_BYTES)
        self._due_at = now

    def add(self, chunk: memoryview, *, now: float) -> None:
        """Take what was read."""
        self._pending.add(chunk)
        self.flush_if_due(now)

    def flush_if_due(self, now: float) -> None:
        """Hand on what is pending, unless the last chunk is too recent."""
        if self._pending.full_bytes and now >= self._due_at:
            self._due_at = now + LIVE_INTERVAL_S
            self.flush()

    def flush(self) -> None:
        """Hand on what is pending now."""
        if not self._pending.full_bytes:
            return
        data = self._pending.stream().data
        self._pending = Capture(LIVE_BYTES)
        self._on_output(self._name, data)
