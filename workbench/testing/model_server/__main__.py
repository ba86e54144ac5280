"""`python -m workbench.testing.model_server SCRIPT.yaml`: a model that plays a script, for trying agents offline."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from workbench.model.errors import ArtifactInvalid
from workbench.testing.model_server.messages import PATH, messages_route
from workbench.testing.model_server.script import parse
from workbench.testing.model_server.server import Server


def main() -> int:
    """Serve the script until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m workbench.testing.model_server", description=__doc__)
    parser.add_argument("script", type=Path, help="a YAML list of replies")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    wanted = parser.parse_args()
    try:
        steps = parse(wanted.script.read_text(encoding="utf-8"), str(wanted.script))
    except (OSError, ArtifactInvalid) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    with Server({PATH: messages_route(steps)}, port=wanted.port) as server, contextlib.suppress(KeyboardInterrupt):
        sys.stdout.write(f"export ANTHROPIC_BASE_URL={server.url}\n")
        sys.stdout.flush()
        server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
