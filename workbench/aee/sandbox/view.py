"""Owns what a bubblewrap job sees of the machine besides its mounts. Knows nothing of jobs and how they run."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

HOME = "/home/agent"  # empty, in memory, writable
USER_ID = 1000  # inside; the same for everyone, so that a job's result does not depend on who ran it
TMP_BYTES = 1 << 30  # /tmp in memory; a job that fills it fails alone
HOME_BYTES = 512 << 20
SHM_BYTES = 512 << 20
ROOT_BYTES = 1 << 20  # the root directory itself: a few mountpoints

ROOT_LINKS = ("/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
SYSTEM = ("/usr", "/nix/store")
ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "java", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "localtime", "mime.types", "os-release", "pki/ca-trust", "pki/tls", "protocols", "services",
    "ssl/certs", "ssl/openssl.cnf", "timezone",
)  # fmt: skip
ETC_PATTERNS = ("java-*-openjdk",)

FILES = {
    "/etc/passwd": (
        f"root:x:0:0:root:/root:/usr/sbin/nologin\nagent:x:{USER_ID}:{USER_ID}:agent:{HOME}:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    ),
    "/etc/group": f"root:x:0:\nagent:x:{USER_ID}:\nnogroup:x:65534:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "/etc/hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "/etc/hostname": "sandbox\n",
}
# A job that root started still owns root's files, without any capability: the kernel's switches must not be writable.
PROC_READ_ONLY = ("acpi", "asound", "bus", "driver", "fs", "irq", "mtrr", "pressure", "scsi", "sys", "sysrq-trigger")
PROC_HIDDEN = ("kcore", "keys", "kmsg", "latency_stats", "sched_debug", "timer_list", "timer_stats")
NETWORK_ETC = ("resolv.conf",)


@functools.cache
def supported_options(bwrap: str) -> frozenset[str]:
    """The long options that this bubblewrap knows; older ones lack a few that we can do without."""
    shown = subprocess.run([bwrap, "--help"], capture_output=True, text=True, check=False, env={}, timeout=30)
    return frozenset(word for word in (shown.stdout + shown.stderr).split() if word.startswith("--"))


def namespace_arguments(options: frozenset[str], *, network: bool) -> list[str]:
    """New namespaces, no capabilities, no further user namespaces, an empty environment."""
    arguments = ["--unshare-all", "--unshare-user", "--cap-drop", "ALL", "--die-with-parent", "--new-session"]
    arguments += ["--uid", str(USER_ID), "--gid", str(USER_ID), "--hostname", "sandbox", "--clearenv"]
    if "--disable-userns" in options:
        arguments.append("--disable-userns")
    if network:
        arguments.append("--share-net")
    return arguments


def system_arguments(options: frozenset[str], *, network: bool) -> list[str]:
    """The minimal read-only system; the job's own mounts come after it."""
    return [
        *_tmpfs("/", options, size=ROOT_BYTES),
        *_binds(SYSTEM),
        *_root_links(),
        *_etc(network=network),
        *("--proc", "/proc", "--dev", "/dev"),
        *_proc_guards(),
        *_tmpfs("/dev/shm", options, size=SHM_BYTES, mode="1777"),
        *("--remount-ro", "/dev"),
        *_tmpfs("/tmp", options, size=TMP_BYTES, mode="1777"),
        *_tmpfs(HOME, options, size=HOME_BYTES),
        *("--dir", "/run", "--dir", "/var", "--symlink", "../tmp", "/var/tmp", "--symlink", "../run", "/var/run"),
    ]


def _proc_guards() -> list[str]:
    arguments = _binds(tuple(f"/proc/{name}" for name in PROC_READ_ONLY))
    for name in PROC_HIDDEN:
        if Path("/proc", name).exists():
            arguments += ["--ro-bind", "/dev/null", f"/proc/{name}"]
    return arguments


def _tmpfs(path: str, options: frozenset[str], *, size: int, mode: str = "0755") -> list[str]:
    sized = ["--size", str(size)] if "--size" in options else []
    return ["--perms", mode, *sized, "--tmpfs", path]


def _binds(paths: tuple[str, ...]) -> list[str]:
    return [word for path in paths if Path(path).exists() for word in ("--ro-bind", path, path)]


def _root_links() -> list[str]:
    arguments: list[str] = []
    for path in ROOT_LINKS:
        if Path(path).is_symlink():
            arguments += ["--symlink", str(Path(path).readlink()), path]
        elif Path(path).is_dir():
            arguments += ["--ro-bind", path, path]
    return arguments


def _etc(*, network: bool) -> list[str]:
    names = [*ETC, *(NETWORK_ETC if network else ())]
    names += [found.name for pattern in ETC_PATTERNS for found in sorted(Path("/etc").glob(pattern))]
    arguments = [word for path in ("/etc", "/etc/pki", "/etc/ssl") for word in ("--perms", "0755", "--dir", path)]
    for name in names:
        path = Path("/etc", name)
        if path.exists():
            arguments += ["--ro-bind", str(path.resolve()), str(path)]
    return arguments
