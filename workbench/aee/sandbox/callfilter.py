"""Owns the system calls of a Landlock job: which are denied, which are asked about. Knows nothing of how jobs run.

Landlock covers files, and TCP, signals and abstract sockets on newer kernels. The rest of what namespaces would hold
back is held back here: other networks, other processes, mounts, shared memory, keys, and doors into the kernel.
The format is classic BPF over `struct seccomp_data` (seccomp(2)).
"""

from __future__ import annotations

import errno
import platform
import struct

import msgspec

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, MASK, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16  # in struct seccomp_data; words of arguments are little-endian
ALLOW, KILL, ASK, ERROR = 0x7FFF0000, 0x80000000, 0x7FC00000, 0x00050000
DENY, ABSENT, UNSUPPORTED = ERROR | errno.EPERM, ERROR | errno.ENOSYS, ERROR | errno.EOPNOTSUPP
RETURNED = {"deny": DENY, "absent": ABSENT, "unsupported": UNSUPPORTED, "ask": ASK, "kill": KILL}
X32 = 0x40000000  # numbers from here on are x86_64's second table, which nobody uses and filters forget

# By the machine's name: its audit architecture, and its column in the tables below.
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1), "riscv64": (0xC00000F3, 1)}

# Numbers on x86_64, and on machines with the generic table; None where a machine never had the call.
DENIED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "move_pages": (279, 239), "migrate_pages": (256, 238),
    # keys, and wide doors to the kernel
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "modify_ldt": (154, None),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "lookup_dcookie": (212, 18), "uselib": (134, None),
    # mounts and namespaces, and files by handle
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429),
    "open_tree": (428, 428), "open_tree_attr": (467, 467), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "setns": (308, 268),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    # the machine
    "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266), "acct": (163, 89),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "syslog": (103, 116), "sethostname": (170, 161),
    "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None), "vhangup": (153, 58),
    # what of a file Landlock does not cover
    "file_setattr": (469, 469),
    # shared memory, queues and semaphores have no namespace of their own here
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192),
    "semctl": (66, 191), "mq_open": (240, 180), "mq_unlink": (241, 181),
}  # fmt: skip
# Attributes of files, which Landlock does not cover either: programs take this for a file system without them.
UNSUPPORTED_CALLS: dict[str, tuple[int | None, int | None]] = {
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466),
}  # fmt: skip
CONDITIONAL = {
    "unshare": (272, 97),
    "clone": (56, 220),
    "prlimit64": (302, 261),
    "ioctl": (16, 29),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
}
ASKED: dict[str, tuple[int | None, int | None]] = {
    "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "chown": (92, None), "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "utimensat": (280, 88),
}  # fmt: skip
SOCKETS = ("connect", "bind", "listen")  # not asked about with the network
# Older and newer ways to do what is asked about; programs fall back to the one that is.
ABSENT_CALLS: dict[str, tuple[int | None, int | None]] = {
    "clone3": (435, 435), "fchmodat2": (452, 452), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None),
}  # fmt: skip

NAMESPACES = 0x7E020080  # CLONE_NEW*: user, pid, net, ipc, uts, cgroup, mount, time
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
STREAM, SEQPACKET, KIND = 1, 5, 0xF  # SOCK_*, without SOCK_NONBLOCK and SOCK_CLOEXEC
TCP = 6
FAST_OPEN = 0x20000000  # MSG_FASTOPEN: a connect in disguise
REQUESTS = (0x5412, 0x541C, 0x40086602, 0x401C5820)  # typing into a terminal; attributes of files (FS_IOC_*)

Block = list[tuple[int, int, str, str]]  # (code, value, label if it holds, label if not); "" goes on


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    """What a job may do with sockets. `loopback`: TCP sockets, whose every address is asked about."""

    network: bool = False
    loopback: bool = False


def numbers(machine: str = "") -> dict[str, int]:
    """The numbers of the calls that are asked about, by name."""
    column = MACHINES[machine or platform.machine()][1]
    return {name: number for name, pair in ASKED.items() if (number := pair[column]) is not None}


def filter_program(calls: Calls, machine: str = "") -> bytes:
    """The filter for this machine; empty for one whose numbers we do not know."""
    known = MACHINES.get(machine or platform.machine())
    if known is None:
        return b""
    architecture, column = known
    program: Block = [
        (LOAD, ARCHITECTURE_AT, "", ""),
        (JUMP_EQUAL, architecture, "", "kill"),
        (LOAD, NUMBER_AT, "", ""),
        (JUMP_AT_LEAST, X32, "deny", ""),
    ]
    labels: dict[str, int] = {}
    blocks = _blocks(calls)
    program += [(JUMP_EQUAL, CONDITIONAL[name][column], name, "") for name in blocks]
    asked = {name: pair for name, pair in ASKED.items() if not calls.network or name not in SOCKETS}
    tables = {"ask": asked, "absent": ABSENT_CALLS, "unsupported": UNSUPPORTED_CALLS, "deny": DENIED}
    for label, table in tables.items():
        numbered = [number for pair in table.values() if (number := pair[column]) is not None]
        program += [(JUMP_EQUAL, number, label, "") for number in numbered]
    program.append((RETURN, ALLOW, "", ""))
    for label, value in RETURNED.items():
        labels[label] = len(program)
        program.append((RETURN, value, "", ""))
    for name, block in blocks.items():
        labels[name] = len(program)
        program += block
    return _assembled(program, labels)


def _blocks(calls: Calls) -> dict[str, Block]:
    """What decides about a call by its arguments. A block ends by returning: jumps lead only forward."""
    return {
        "unshare": _without_bits(0, NAMESPACES),
        "clone": _without_bits(0, NAMESPACES),
        "prlimit64": [_argument(0), *_one_of((0,))],  # of itself only: Landlock does not know this call
        "ioctl": [_argument(1), *_none_of(REQUESTS)],
        "socket": _sockets(calls),
        "socketpair": [_argument(0), *_require((UNIX,)), _argument(1), _masked(KIND), *_one_of((STREAM, SEQPACKET))],
        "sendto": [_end(ALLOW)] if calls.network else _without_bits(3, FAST_OPEN),
        "sendmsg": [_end(ALLOW)] if calls.network else _without_bits(2, FAST_OPEN),
        "sendmmsg": [_end(ALLOW)] if calls.network else _without_bits(3, FAST_OPEN),
    }


def _sockets(calls: Calls) -> Block:
    """Unix sockets only without the network: with it nobody is asked where a connection goes. No datagrams there,
    for each of these names its receiver by itself.
    """
    if calls.network:
        return [_argument(0), *_one_of((INET, INET6, NETLINK))]
    kind: Block = [_argument(1), _masked(KIND)]
    unix = [*kind, *_one_of((STREAM, SEQPACKET))]
    if not calls.loopback:
        return [_argument(0), *_require((UNIX,)), *unix]
    tcp = [*kind, *_require((STREAM,)), _argument(2), *_one_of((0, TCP))]
    return [_argument(0), *_if((UNIX,), unix), *_require((INET, INET6)), *tcp]


def _end(value: int) -> tuple[int, int, str, str]:
    return (RETURN, value, "", "")


def _argument(index: int) -> tuple[int, int, str, str]:
    return (LOAD, ARGUMENTS_AT + 8 * index, "", "")


def _masked(bits: int) -> tuple[int, int, str, str]:
    return (MASK, bits, "", "")


def _without_bits(index: int, bits: int) -> Block:
    return [_argument(index), (JUMP_ANY_BIT, bits, "+1", ""), _end(ALLOW), _end(DENY)]


def _one_of(values: tuple[int, ...]) -> Block:
    return [*_require(values), _end(ALLOW)]


def _none_of(values: tuple[int, ...]) -> Block:
    return [
        *((JUMP_EQUAL, value, f"+{len(values) - at}", "") for at, value in enumerate(values)),
        _end(ALLOW),
        _end(DENY),
    ]


def _require(values: tuple[int, ...]) -> Block:
    """Go on behind the block if the loaded word is one of the values; deny else."""
    return [*((JUMP_EQUAL, value, f"+{len(values) - at}", "") for at, value in enumerate(values)), _end(DENY)]


def _if(values: tuple[int, ...], block: Block) -> Block:
    """Enter the block, which returns, if the loaded word is one of the values; else skip it."""
    last = len(values) - 1
    jumps: Block = [
        (JUMP_EQUAL, value, f"+{last - at}", f"+{len(block)}" if at == last else "") for at, value in enumerate(values)
    ]
    return [*jumps, *block]


def _assembled(program: Block, labels: dict[str, int]) -> bytes:
    def distance(label: str, at: int) -> int:
        if not label:
            return 0
        return int(label) if label.startswith("+") else labels[label] - at - 1

    return b"".join(
        struct.pack("=HBBI", code, distance(then, at), distance(otherwise, at), value)
        for at, (code, value, then, otherwise) in enumerate(program)
    )
