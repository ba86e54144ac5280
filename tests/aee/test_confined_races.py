"""F2: an agent swaps directories and files for links while our tools read and write.

`WORKBENCH_SOAK_SWAPS=1000000` makes it long.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.aee.confined import Confined
from workbench.aee.openat2 import Opener, best_opener, openat2, walk
from workbench.model.errors import WorkbenchError

SECRET = b"the secret outside"
INSIDE = b"inside"
SWAPS = int(os.environ.get("WORKBENCH_SOAK_SWAPS", "200000")) // 4  # in each of four shapes
_SWAPPER = """
import ctypes, sys
exchange = ctypes.CDLL(None, use_errno=True).renameat2
a, b, count = sys.argv[1].encode(), sys.argv[2].encode(), int(sys.argv[3])
done = sum(exchange(-100, a, -100, b, 2) == 0 for _ in range(count))  # AT_FDCWD, RENAME_EXCHANGE
print(done)
"""


@pytest.fixture(params=[pytest.param(openat2, id="openat2"), pytest.param(walk, id="walk")])
def opener(request: pytest.FixtureRequest) -> Opener:
    if request.param is openat2 and best_opener() is not openat2:
        pytest.skip("the kernel has no openat2, or a filter forbids it")
    chosen: Opener = request.param
    return chosen


@pytest.fixture(params=["directory", "file"])
def swapped(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str, str]:
    """(root, the path that is swapped, the path of the file in it)."""
    if not hasattr(ctypes.CDLL(None), "renameat2"):
        pytest.skip("no renameat2 here to swap names with")
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (root / "sub").mkdir(parents=True)
    for directory, content in ((outside, SECRET), (root / "sub", INSIDE)):
        (directory / "file").write_bytes(content)
    if request.param == "directory":
        (root / "swap").symlink_to(outside)
        return root, "sub", "sub/file"
    (root / "swap").symlink_to(outside / "file")
    return root, "sub/file", "sub/file"


@contextmanager
def swapping(root: Path, name: str) -> Iterator[Callable[[], bool]]:
    """Whether the other process still swaps; all swaps must have happened at the end."""
    argv = [sys.executable, "-S", "-c", _SWAPPER, str(root / name), str(root / "swap"), str(SWAPS)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as swapper:
        yield lambda: swapper.poll() is None
        done, _ = swapper.communicate()
    assert int(done) == SWAPS


def test_no_byte_leaves_or_enters_while_names_are_swapped(swapped: tuple[Path, str, str], opener: Opener) -> None:
    """However often an agent swaps a name for a link, reads give what is inside and writes stay inside."""
    root, name, path = swapped
    seen: dict[bytes, int] = {}
    with Confined(root, opener=opener) as confined, swapping(root, name) as goes_on:
        while goes_on():
            seen_now = _read_and_write(confined, path)
            seen[seen_now] = seen.get(seen_now, 0) + 1
    assert set(seen) <= {INSIDE, b"", b"written"}
    assert seen.keys() & {INSIDE, b"written"}, "the race was no race: nothing was ever read"
    assert [p.name for p in (root.parent / "outside").iterdir()] == ["file"]
    assert (root.parent / "outside" / "file").read_bytes() == SECRET


def _read_and_write(confined: Confined, path: str) -> bytes:
    try:
        confined.write(f"{path}.new", b"written")
        return confined.read(path).data
    except WorkbenchError:
        return b""


def test_a_naive_tool_escapes_under_the_same_race(swapped: tuple[Path, str, str]) -> None:
    """Positive control: joining the path and opening it reads the secret, and writes outside."""
    root, name, path = swapped
    seen: set[bytes] = set()
    with swapping(root, name) as goes_on:
        while goes_on():
            try:
                seen.add((root / path).read_bytes())
                if (root / path).read_bytes() == SECRET:
                    with open(root / path, "ab") as file:
                        file.write(b"!")
            except OSError:
                continue
    assert SECRET in {content.rstrip(b"!") for content in seen}
    assert (root.parent / "outside" / "file").read_bytes().startswith(SECRET + b"!")


def test_checking_first_is_no_defence(swapped: tuple[Path, str, str]) -> None:
    """Positive control: resolving the path, finding it inside, and then opening it still reads the secret."""
    root, name, path = swapped
    escaped = False
    with swapping(root, name) as goes_on:
        while goes_on():
            try:
                inside = (root / path).resolve().is_relative_to(root.resolve())
                escaped = escaped or (inside and (root / path).read_bytes() == SECRET)
            except OSError:
                continue
    assert escaped
