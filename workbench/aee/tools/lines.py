"""Lines as editors count them: only a line feed ends one, whatever Unicode says."""

from __future__ import annotations


def lines_of(data: bytes) -> list[str]:
    """The lines of a text file without their ends; undecodable bytes replaced."""
    lines = data.decode("utf-8", "replace").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]
