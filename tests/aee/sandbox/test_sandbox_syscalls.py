"""System calls that no namespace covers."""

from __future__ import annotations

import platform
import struct
import subprocess
import sys

import pytest

from workbench.aee.sandbox import syscalls
from workbench.aee.sandbox.select import Selected

SECRET = "canary-5b1e"
# A child with a session keyring of its own puts a secret there, then lets a job look for it.
LOOK = f"""
import ctypes, sys
from workbench.aee.sandbox import syscalls
from workbench.aee.sandbox.select import select
from workbench.ports import Job
if sys.argv[1] == "open":
    syscalls.filter_program = lambda machine="": b""
add, _, keyctl = syscalls.MACHINES[sys.argv[2]][0][1][:3]
libc = ctypes.CDLL(None)
if libc.syscall(keyctl, 1, None) < 0 or libc.syscall(add, b"user", b"wb", b"{SECRET}", {len(SECRET)}, -3) < 0:
    sys.exit("no keyrings here")
script = (  # perl hands strings to system calls only from variables
    f'$t = "user"; $n = "wb"; $k = syscall({{keyctl}}, 10, -3, $t, $n, 0); '
    f'$b = "x"; $b .= $b x 99; syscall({{keyctl}}, 11, $k, $b, 99); print $b'
)
job = Job(argv=("perl", "-e", script), cwd="/", env={{"PATH": "/usr/bin:/bin"}})
print(select("bubblewrap", allow_none=False).run(job).stdout.text)
"""


def looked(how: str) -> str:
    words = [sys.executable, "-c", LOOK, how, platform.machine()]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    if "no keyrings here" in done.stderr:
        pytest.skip("this machine lets nobody use keyrings")
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.skipif(not syscalls.filter_program(), reason="no filter for this kind of machine")
def test_the_session_keyring_is_out_of_reach(bubblewrap: Selected) -> None:
    """E1: a key in the keyring of whoever started the job cannot be read; without the filter it can."""
    assert SECRET not in looked("filtered")
    assert SECRET in looked("open")


@pytest.mark.parametrize("machine", sorted(syscalls.MACHINES))
def test_every_listed_call_is_denied(machine: str) -> None:
    """On each kind of machine the filter denies exactly the listed numbers and x32, in each of its tables."""
    program = syscalls.filter_program(machine)
    for architecture, numbers in syscalls.MACHINES[machine]:
        denied = {n for n in range(600) if interpreted(program, architecture, n) == syscalls.DENY}
        assert denied == {*numbers, *syscalls.IO_URING}
        assert interpreted(program, architecture, syscalls.X32 | 1) == syscalls.DENY
        assert interpreted(program, architecture, 0) == syscalls.ALLOW
    assert interpreted(program, 0x1234, 0) == syscalls.KILL


def interpreted(program: bytes, architecture: int, number: int) -> int:
    """Run the filter as the kernel would."""
    at, loaded = 0, 0
    while True:
        code, then, otherwise, value = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        if code == syscalls.RETURN:
            return int(value)
        if code == syscalls.LOAD:
            loaded = {syscalls.NUMBER_AT: number, syscalls.ARCHITECTURE_AT: architecture}[value]
        else:
            holds = loaded == value if code == syscalls.JUMP_EQUAL else loaded >= value
            at += then if holds else otherwise


def test_an_unknown_machine_has_no_filter() -> None:
    """Where the numbers are unknown there is no filter, rather than a wrong one."""
    assert syscalls.filter_program("vax") == b""
