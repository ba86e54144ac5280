"""Calls something again when it fails."""

from collections.abc import Callable


def retry(call: Callable[[], str], attempts: int = 3) -> str:
    """What `call` returns, after at most `attempts` tries; the last error when all of them fail."""
    problem: Exception | None = None
    for _ in range(attempts + 1):
        try:
            return call()
        except OSError as error:
            problem = error
    raise problem or ValueError("attempts must be positive")
