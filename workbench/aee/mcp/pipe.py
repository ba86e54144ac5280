"""Runs in a driven agent's sandbox as the MCP server that it starts: its stdin and stdout, joined to our socket.

It is run as a script, by itself (`pipe.py SOCKET`), imports nothing of Workbench, and understands nothing: it starts in
a few hundredths of a second, because some agents do not wait for their tools in the first turn.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

PIECE = 1 << 16


def main(path: str) -> None:
    """Copy both ways until our side hangs up."""
    far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    far.connect(path)
    threading.Thread(target=send, args=(far,), daemon=True).start()
    while piece := far.recv(PIECE):
        while piece:
            piece = piece[os.write(1, piece) :]


def send(far: socket.socket) -> None:
    """What the agent says, to us."""
    while piece := os.read(0, PIECE):
        far.sendall(piece)
    far.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main(sys.argv[1])
