"""The filter of system calls of a Landlock job, run as the kernel would run it, for each kind of machine."""

from __future__ import annotations

import struct

import pytest

from workbench.aee.sandbox import callfilter
from workbench.aee.sandbox.callfilter import Calls

MACHINES = sorted(callfilter.MACHINES)
WAYS = {"alone": Calls(), "loopback": Calls(loopback=True), "network": Calls(network=True)}
FREE = ("unshare", "clone", "prlimit64", "ioctl", "sendto", "sendmsg", "sendmmsg")  # with all arguments 0
EPERM, ENOSYS, EOPNOTSUPP = 0x50001, 0x50026, 0x5005F


def interpreted(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the filter answers, by the rules of classic BPF."""
    words = (number, architecture, 0, 0, *(part for value in (*arguments, *[0] * 6)[:6] for part in (value, 0)))
    at, loaded = 0, 0
    while True:
        code, then, otherwise, value = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        if code == callfilter.RETURN:
            return int(value)
        if code == callfilter.LOAD:
            loaded = words[value // 4]
        elif code == callfilter.MASK:
            loaded &= value
        else:
            holds = {
                callfilter.JUMP_EQUAL: loaded == value,
                callfilter.JUMP_AT_LEAST: loaded >= value,
                callfilter.JUMP_ANY_BIT: bool(loaded & value),
            }[code]
            at += then if holds else otherwise


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_is_answered_as_listed(machine: str, way: str) -> None:
    """Of all numbers, exactly the listed ones are denied, absent or asked about; the rest is let through."""
    architecture, column = callfilter.MACHINES[machine]
    calls = WAYS[way]
    program = callfilter.filter_program(calls, machine)
    asked = {n: p for n, p in callfilter.ASKED.items() if not (calls.network and n in callfilter.SOCKETS)}
    expected = dict.fromkeys(range(600), callfilter.ALLOW)
    tables = ((callfilter.DENIED, EPERM), (callfilter.ABSENT_CALLS, ENOSYS), (callfilter.UNSUPPORTED_CALLS, EOPNOTSUPP))
    for table, answer in (*tables, (asked, callfilter.ASK)):
        expected |= {number: answer for pair in table.values() if (number := pair[column]) is not None}
    expected |= {callfilter.CONDITIONAL[name][column]: EPERM for name in callfilter.CONDITIONAL if name not in FREE}
    assert {number: interpreted(program, architecture, number) for number in range(600)} == expected
    assert interpreted(program, architecture, callfilter.X32 | 1) == EPERM
    assert interpreted(program, 0x40000003, 0) == callfilter.KILL


UNIX, INET, INET6, NETLINK, PACKET = 1, 2, 10, 16, 17
SOCKETS = [  # family, kind, protocol, and the ways in which it is let through
    (UNIX, 1, 0, "alone loopback"), (UNIX, 5 | 0x80000, 0, "alone loopback"), (UNIX, 2, 0, ""), (UNIX, 3, 0, ""),
    (INET, 1, 0, "loopback network"), (INET6, 1 | 0x800, 6, "loopback network"), (INET, 1, 262, "network"),
    (INET, 2, 0, "network"), (INET, 2 | 0x80000, 17, "network"), (INET, 3, 1, "network"), (NETLINK, 3, 0, "network"),
    (PACKET, 3, 0, ""), (0, 1, 0, ""), (40, 1, 0, ""),
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_sockets_are_let_through_by_family_and_kind(way: str) -> None:
    """Without the network: streams by path, and TCP where each address is asked about. With it: no unix sockets."""
    program = callfilter.filter_program(WAYS[way], "x86_64")
    for family, kind, protocol, ways in SOCKETS:
        answer = interpreted(program, 0xC000003E, 41, family, kind, protocol)
        assert (answer == callfilter.ALLOW) == (way in ways.split()), (family, kind)
        assert answer in (callfilter.ALLOW, EPERM)


ARGUMENTS = {  # by call: arguments that are let through, and arguments that are not
    "unshare": ((0x400,), (0x10000000,)),
    "clone": ((0x1200011,), (0x10000000 | 17,)),
    "prlimit64": ((0, 7), (4711, 7)),
    "ioctl": ((1, 0x5401), (1, 0x5412)),
    "socketpair": ((UNIX, 1), (UNIX, 2)),
    "sendto": ((3, 0, 0, 0x4000), (3, 0, 0, 0x20000000)),
    "sendmsg": ((3, 0, 0x4000), (3, 0, 0x20000000)),
    "sendmmsg": ((3, 0, 0, 0x4000), (3, 0, 0, 0x20000000)),
}


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("machine", MACHINES)
def test_arguments_decide(machine: str, name: str) -> None:
    """A call that has good uses is denied only for the bad ones."""
    architecture, column = callfilter.MACHINES[machine]
    program = callfilter.filter_program(Calls(loopback=True), machine)
    number = callfilter.CONDITIONAL[name][column]
    good, bad = ARGUMENTS[name]
    assert interpreted(program, architecture, number, *good) == callfilter.ALLOW
    assert interpreted(program, architecture, number, *bad) == EPERM


def test_an_unknown_machine_has_no_filter() -> None:
    """Where the numbers are unknown there is no filter, rather than a wrong one."""
    assert callfilter.filter_program(Calls(), "vax") == b""
