"""Owns the system calls that a bubblewrap job may not make, as a seccomp filter. Knows nothing of bubblewrap.

Namespaces do not cover everything: a process inherits its starter's session keyring, with the Kerberos tickets and
disk keys in it. The other calls listed are wide doors to the kernel that no build or test needs. The format is classic
BPF over `struct seccomp_data` (seccomp(2)).
"""

from __future__ import annotations

import errno
import platform
import struct

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER_AT, ARCHITECTURE_AT = 0, 4  # in struct seccomp_data
ALLOW, KILL = 0x7FFF0000, 0x80000000
DENY = 0x00050000 | errno.EPERM
X32 = 0x40000000  # numbers from here on are x86_64's second table, which nobody uses and filters forget

IO_URING = (425, 426, 427)  # the same everywhere: setup, enter, register
# add_key, request_key, keyctl, perf_event_open, open_by_handle_at, bpf, userfaultfd, kexec_load
GENERIC = (217, 218, 219, 241, 265, 280, 282, 104)
X86_64, I386 = (248, 249, 250, 298, 304, 321, 323, 246), (286, 287, 288, 336, 342, 357, 374, 283)
ARM = (309, 310, 311, 364, 371, 386, 388, 347)

# By the machine's name: (audit architecture, denied numbers), first the machine's own, then its 32-bit relative.
MACHINES = {
    "x86_64": ((0xC000003E, X86_64), (0x40000003, I386)),
    "aarch64": ((0xC00000B7, GENERIC), (0x40000028, ARM)),
    "riscv64": ((0xC00000F3, GENERIC),),
}


def filter_program(machine: str = "") -> bytes:
    """The filter for this machine; empty for one whose numbers we do not know."""
    tables = MACHINES.get(machine or platform.machine())
    if not tables:
        return b""
    program = _instruction(LOAD, ARCHITECTURE_AT)
    for architecture, numbers in tables:
        block = _block((*numbers, *IO_URING))
        program += _instruction(JUMP_EQUAL, architecture, otherwise=len(block) // 8) + block
    return program + _instruction(RETURN, KILL)


def _block(numbers: tuple[int, ...]) -> bytes:
    """Deny the numbers and x32, allow the rest. Jumps count instructions to the last one, which denies."""
    program = _instruction(LOAD, NUMBER_AT) + _instruction(JUMP_AT_LEAST, X32, then=len(numbers) + 1)
    for left, number in zip(range(len(numbers), 0, -1), numbers, strict=True):
        program += _instruction(JUMP_EQUAL, number, then=left)
    return program + _instruction(RETURN, ALLOW) + _instruction(RETURN, DENY)


def _instruction(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)
