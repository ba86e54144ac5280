"""What goes to the terminal besides the picture: the clipboard, a bell, a notification. It knows no screen.

Only text that passed `safe` is ever put into a sequence, in base64 or stripped of what could end it, so that nothing
which an agent wrote can begin a sequence of its own.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping

from workbench.ace.tui.text import Safe

MOST_COPIED = 74_000  # bytes: what common terminals take in one OSC 52 (xterm's limit is about 100 kB of base64)
MOST_NOTIFIED = 200  # characters
BELL = "\a"


def clipboard(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The sequence that copies `text` (OSC 52), wrapped for tmux and screen; empty when it is too long for one."""
    data = text.encode("utf-8", "replace")
    if len(data) > MOST_COPIED:
        return ""
    return wrapped(f"\x1b]52;c;{base64.b64encode(data).decode()}\a", environment)


def notification(title: Safe, words: Safe, environment: Mapping[str, str] | None = None) -> str:
    """The sequences for a notification on the desktop: OSC 9 (iTerm2, kitty, WezTerm) and OSC 777 (urxvt, foot)."""
    subject, body = _plain(title), _plain(words)
    nine = wrapped(f"\x1b]9;{subject}: {body}\a", environment)
    return nine + wrapped(f"\x1b]777;notify;{subject};{body}\a", environment)


def wrapped(sequence: str, environment: Mapping[str, str] | None = None) -> str:
    """`sequence` as tmux (with allow-passthrough) or GNU screen hand it on to the terminal around them."""
    variables = os.environ if environment is None else environment
    if variables.get("TMUX"):
        inner = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{inner}\x1b\\" + (sequence if sequence.startswith("\x1b]52") else "")
    if variables.get("TERM", "").startswith("screen"):
        return f"\x1bP{sequence}\x1b\\"
    return sequence


def _plain(words: Safe) -> str:
    return words.replace(";", ",").replace("\\", "/")[:MOST_NOTIFIED]
