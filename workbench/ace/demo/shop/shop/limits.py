"""Limits how often an API key may call."""


class Unlimited:
    """Lets every request through."""

    def allow(self, key: str, now: float) -> bool:
        """Whether the request of `key` at `now` (seconds) may pass."""
        return True
