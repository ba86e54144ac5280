"""Runs beside a driven agent, in its sandbox: starts it on our socket, and lets it reach its model on loopback.

It is run as a script, by itself (`inside.py ORDER`), and imports nothing of Workbench. It is as untrusted as the agent
that it starts: what it can do, the agent can do. ORDER is JSON: `argv`, `acp` and `model` (unix sockets), `env`, and
`before`, a shell script. In `env`, `{port}` stands for the port on which the model is reached.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading

PIECE = 1 << 16


def main(order: dict[str, object]) -> int:
    """Start the agent with the conversation as its stdin and stdout; its exit code."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = str(listener.getsockname()[1])
    if order["before"]:
        os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", str(order["before"])], os.environ), 0)
    talk = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    talk.connect(str(order["acp"]))
    argv = [str(word) for word in order["argv"]]  # type: ignore[attr-defined]  # a list, as the driver wrote it
    env = {**os.environ, **{name: value.replace("{port}", port) for name, value in order["env"].items()}}  # type: ignore[attr-defined]  # the same
    actions = [(os.POSIX_SPAWN_DUP2, talk.fileno(), 0), (os.POSIX_SPAWN_DUP2, talk.fileno(), 1)]
    pid = os.posix_spawnp(argv[0], argv, env, file_actions=actions)
    talk.close()
    threading.Thread(target=serve, args=(listener, str(order["model"])), daemon=True).start()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def serve(listener: socket.socket, model: str) -> None:
    """Hand each connection on to the model's socket."""
    while True:
        near, _ = listener.accept()
        try:
            far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            far.connect(model)
        except OSError:
            near.close()
            continue
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=copy, args=(source, target), daemon=True).start()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Move bytes one way until it ends."""
    try:
        while piece := source.recv(PIECE):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            try:  # noqa: SIM105 - importing contextlib would cost a third of our start
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
