"""Output in bounded memory."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.aee.sandbox.select import Selected
from workbench.aee.sandbox.streams import Capture, Live

GROWTH_KIB = 64 << 10  # R2's limit of memory growth
MEASURE = """
import sys
from workbench.aee.sandbox.select import select
from workbench.ports import Job, Limits
level, command = sys.argv[1:]
sandbox = select(level, allow_none=True)
env = {"PATH": "/usr/bin:/bin"}
def run(script):
    return sandbox.run(Job(argv=("/bin/sh", "-c", script), cwd="/", env=env), on_output=lambda name, chunk: None)
def peak():  # of this program alone: ru_maxrss would begin with that of whoever started it
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
run("true")
before = peak()
done = run(command)
after = peak()
print(done.stdout.full_bytes, after - before, len(done.stdout.data), done.stdout.data[:4].hex(), done.exit_code)
"""


@given(st.lists(st.binary(max_size=40)), st.integers(2, 60))
def test_head_and_tail_are_exact(chunks: list[bytes], limit: int) -> None:
    """However output was cut into chunks, its first and last halves of the limit are kept and its size is exact."""
    capture = Capture(limit)
    for chunk in chunks:
        capture.add(chunk)
    whole, kept, half = b"".join(chunks), capture.stream(), limit // 2
    assert kept.full_bytes == len(whole)
    assert kept.head == whole[:half]
    assert kept.tail == whole[half:][-half:]
    if len(whole) <= 2 * half:
        assert kept.data == whole


def test_without_a_limit_all_is_kept() -> None:
    """A limit of 0 keeps everything."""
    capture = Capture(0)
    capture.add(b"a" * 1000)
    capture.add(b"b")
    assert capture.stream().data == b"a" * 1000 + b"b"


def test_live_output_is_coalesced() -> None:
    """What comes within a tenth of a second is one chunk; the first comes at once, the rest at the end."""
    chunks: list[tuple[str, bytes]] = []
    live = Live("stdout", on_output=lambda name, chunk: chunks.append((name, chunk)), now=0.0)
    for at in (0.0, 0.01, 0.02, 0.11, 0.12):
        live.add(memoryview(b"x"), now=at)
    live.flush()
    assert chunks == [("stdout", b"x"), ("stdout", b"xxx"), ("stdout", b"x")]


@pytest.mark.parametrize("level", ["bubblewrap", "none"])
@pytest.mark.parametrize(
    ("command", "size"),
    [
        ("head -c 500000000 /dev/zero", 500_000_000),  # one line without an end
        ("yes | head -c 200000000", 200_000_000),
        ("head -c 100000000 /dev/urandom", 100_000_000),
    ],
)
def test_a_flood_does_not_fill_memory(request: pytest.FixtureRequest, level: str, command: str, size: int) -> None:
    """R2: half a gigabyte in one line, many lines or noise cost less than 64 MB of memory; size and head are exact."""
    if level == "bubblewrap":
        sandbox: Selected = request.getfixturevalue("bubblewrap")
        assert sandbox.level == level
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, level, command], capture_output=True, text=True, check=True, timeout=100
    )
    full, growth, kept, _, code = measured.stdout.split()
    assert (int(full), int(code)) == (size, 0)
    assert int(growth) < GROWTH_KIB
    assert int(kept) <= (1 << 20) + 100


def test_keeping_everything_would_fill_memory() -> None:
    """The control for floods: with no limit on what is kept, the same output is all in memory."""
    script = MEASURE.replace("env=env)", "env=env, limits=Limits(output_bytes=0))")
    measured = subprocess.run(
        [sys.executable, "-c", script, "none", "head -c 200000000 /dev/zero"],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    assert int(measured.stdout.split()[1]) > GROWTH_KIB
