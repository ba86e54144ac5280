"""Write the reference anew: `python -m tests.docs`."""

from __future__ import annotations

import sys

from tests.docs.reference import write

if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}\n" for name in write()))
