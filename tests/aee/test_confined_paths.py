"""F1: what a path may be, and what may stand at it. Both openers, real files."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.aee.confined import READ_BYTES, TEMPORARY, Confined
from workbench.aee.openat2 import Opener, best_opener, openat2, walk
from workbench.model.errors import NotFound, Refused, WorkbenchError

SECRET = b"the secret outside"
OPENERS = [pytest.param(openat2, id="openat2"), pytest.param(walk, id="walk")]


@pytest.fixture(params=OPENERS)
def opener(request: pytest.FixtureRequest) -> Opener:
    if request.param is openat2 and best_opener() is not openat2:
        pytest.skip("the kernel has no openat2, or a filter forbids it")
    chosen: Opener = request.param
    return chosen


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside" / "deep").mkdir(parents=True)
    (tmp_path / "outside" / "secret").write_bytes(SECRET)
    (tmp_path / "outside" / "deep" / "secret").write_bytes(SECRET)
    made = tmp_path / "root"
    (made / "sub" / "deep").mkdir(parents=True)
    (made / "file").write_bytes(b"inside")
    (made / "sub" / "file").write_bytes(b"inside")
    return made


@pytest.fixture
def confined(root: Path, opener: Opener) -> Iterator[Confined]:
    with Confined(root, opener=opener) as made:
        yield made


def _link(target: str, at: str = "x") -> Callable[[Path], None]:
    return lambda root: (root / at).symlink_to(target)


def _hard(root: Path) -> None:
    os.link(root.parent / "outside" / "secret", root / "x")


def _chain(root: Path) -> None:
    (root / "x").symlink_to("y")
    (root / "y").symlink_to("sub/z")
    (root / "sub" / "z").symlink_to("../../outside/secret")


def _nothing(_: Path) -> None:
    """The path alone is the attack."""


def _swapped_directory(root: Path) -> None:
    (root / "sub").rename(root / "old")
    (root / "sub").symlink_to(root.parent / "outside")


def _swapped_parent(root: Path) -> None:
    (root / "sub").rename(root / "old")
    (root / "sub").symlink_to("../outside")


def _swapped_file(root: Path) -> None:
    (root / "file").unlink()
    (root / "file").symlink_to("../outside/secret")


def _moved_link(root: Path) -> None:
    (root / "made").symlink_to("../outside")
    (root / "sub").rename(root / "away")
    (root / "made").rename(root / "sub")


def _hard_below(root: Path) -> None:
    os.link(root.parent / "outside" / "secret", root / "sub" / "x")


# name -> (what the agent prepares, the path that leads to the secret for a naive tool)
ESCAPES: dict[str, tuple[Callable[[Path], None], str]] = {
    "link to an absolute file": (lambda r: (r / "x").symlink_to(r.parent / "outside/secret"), "x"),
    "link to a relative file": (_link("../outside/secret"), "x"),
    "link to an absolute directory": (lambda r: (r / "x").symlink_to(r.parent / "outside"), "x/secret"),
    "link to a relative directory": (_link("../outside"), "x/secret"),
    "link to a directory above, two levels": (_link("../outside/deep"), "x/secret"),
    "link in a subdirectory": (_link("../../outside", "sub/x"), "sub/x/secret"),
    "link with a slash at its end": (_link("../outside/"), "x/secret"),
    "link through a dot": (_link("./../outside/./secret"), "x"),
    "link with doubled slashes": (_link("..//outside//secret"), "x"),
    "link through an inner directory and back": (_link("sub/../../outside/secret"), "x"),
    "chain of links": (_chain, "x"),
    "link to the parent": (_link(".."), "x/outside/secret"),
    "link to the root directory": (_link("/"), "x{outside}/secret"),
    "link to its own directory, then up": (_link("."), "x/../outside/secret"),
    "link to /proc/self/root": (_link("/proc/self/root"), "x{outside}/secret"),
    "link to /proc/self/cwd": (_link("/proc/self/cwd"), "x/" + "../" * 40 + "{outside}/secret"),
    "link to /proc/thread-self/root": (_link("/proc/thread-self/root"), "x{outside}/secret"),
    "link to a task's root": (_link("/proc/self/task/../root"), "x{outside}/secret"),
    "link to the descriptors, then the root": (_link("/proc/self/fd"), "x/../root{outside}/secret"),
    "link to the mounts' directory": (_link("/proc/self/map_files"), "x/../root{outside}/secret"),
    "link to /dev/fd": (_link("/dev/fd"), "x/../root{outside}/secret"),
    "link whose name has a newline": (_link("../outside/secret", "x\ny"), "x\ny"),
    "link whose name has a space": (_link("../outside", "x y"), "x y/secret"),
    "link whose name is not ASCII": (_link("../outside", "ö"), "ö/secret"),
    "link in a hidden directory's name": (_link("../outside", ".hidden"), ".hidden/secret"),
    "a directory swapped for a link": (_swapped_directory, "sub/secret"),
    "a parent swapped for a link": (_swapped_parent, "sub/deep/secret"),
    "a file swapped for a link": (_swapped_file, "file"),
    "a link moved to the name of a directory": (_moved_link, "sub/secret"),
    "hard link": (_hard, "x"),
    "hard link in a subdirectory": (_hard_below, "sub/x"),
    "absolute path": (_nothing, "{outside}/secret"),
    "absolute path with doubled slashes": (_nothing, "//{outside}/secret"),
    "dot-dot": (_nothing, "../outside/secret"),
    "dot-dot after a directory": (_nothing, "sub/../../outside/secret"),
    "dot-dot after a missing directory's sibling": (_nothing, "sub/deep/../../../outside/secret"),
    "dot-dot with dots between": (_nothing, "./.././outside/secret"),
    "dot-dot with doubled slashes": (_nothing, "..//outside//secret"),
    "/proc/self/root as a path": (_nothing, "/proc/self/root{outside}/secret"),
    "/proc/self/cwd as a path": (_nothing, "/proc/self/cwd/" + "../" * 40 + "{outside}/secret"),
    "dot-dot up to /proc": (_nothing, "../" * 40 + "proc/self/root{outside}/secret"),
    "dot-dot up to the root directory": (_nothing, "../" * 40 + "{outside}/secret"),
    "/dev/fd": (_nothing, "/dev/fd/../root{outside}/secret"),
}


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def _naive(root: Path, path: str) -> bytes:
    """What a tool without our rule does."""
    with open(f"{root}/{path}" if not path.startswith("/") else path, "rb") as file:
        return file.read()


@pytest.mark.parametrize("name", ESCAPES)
def test_no_byte_outside_is_read_or_written(name: str, root: Path, confined: Confined) -> None:
    """Whatever an agent prepares, a tool of ours neither reads, writes, moves nor deletes anything outside."""
    prepare, path = ESCAPES[name]
    prepare(root)
    path = path.format(outside=root.parent / "outside")
    assert _naive(root, path) == SECRET, "positive control: a naive tool reads the secret"
    with pytest.raises(WorkbenchError):
        confined.read(path)
    acts: list[Callable[[], object]] = [
        lambda: confined.stat(path),
        lambda: list(confined.walk(path)),
        lambda: confined.write(f"{path}.new", b"created"),
        lambda: confined.move("file", f"{path}.moved"),
        lambda: confined.write(path, b"overwritten"),
        lambda: confined.delete(path),
        lambda: confined.move(path, "taken"),
    ]
    for act in acts:
        with contextlib.suppress(WorkbenchError):
            act()
    outside = root.parent / "outside"
    assert (outside / "secret").read_bytes() == (outside / "deep" / "secret").read_bytes() == SECRET
    assert _names(outside) == ["deep", "secret"]


@pytest.mark.parametrize("path", ["a\0b", "\0", "", ".", "./", "/", "a/" * 3000, "a" * 5000, "\ud800", "x" * 300])
def test_what_is_no_path_is_refused(path: str, confined: Confined) -> None:
    """NUL, empty, endless and unwritable paths give an error with a remedy, never a crash."""
    with pytest.raises(WorkbenchError) as refused:
        confined.write(path, b"")
    assert refused.value.hint


def test_pipes_sockets_and_devices_are_refused_without_waiting(root: Path, confined: Confined) -> None:
    """A pipe without a writer, a socket or a device never holds a tool up."""
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        # A short relative name, as socket addresses are limited to about 100 bytes.
        descriptor = os.open(root, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{descriptor}/socket")
        os.close(descriptor)
        for path in ("pipe", "socket", "sub"):
            with pytest.raises(Refused):
                confined.read(path)
            with pytest.raises(Refused):
                confined.write(path, b"x")


def test_a_device_is_refused(root: Path, confined: Confined) -> None:
    """A device node is not read, although it would give bytes."""
    try:
        os.mknod(root / "zero", 0o666 | 0o020000, os.makedev(1, 5))
        _naive_zero(root)
    except PermissionError:
        pytest.skip("device nodes cannot be made or opened here")
    with pytest.raises(Refused, match="no regular file"):
        confined.read("zero")


def _naive_zero(root: Path) -> None:
    with open(root / "zero", "rb") as device:
        assert device.read(4) == b"\0\0\0\0"


def test_a_hard_link_is_not_written_through(root: Path, confined: Confined) -> None:
    """Writing to a name that shares its file with one outside gives the name a file of its own."""
    os.link(root.parent / "outside" / "secret", root / "x")
    confined.write("x", b"mine")
    assert (root / "x").read_bytes() == b"mine"
    assert (root.parent / "outside" / "secret").read_bytes() == SECRET


def test_a_sparse_file_is_cut_at_the_limit(root: Path, confined: Confined) -> None:
    """A terabyte that is not there costs no more than the limit, and the size is told."""
    with open(root / "big", "wb") as file:
        file.truncate(1 << 40)
    content = confined.read("big", limit=1000)
    assert (len(content.data), content.size, content.cut, content.binary) == (1000, 1 << 40, True, True)
    assert READ_BYTES < 1 << 24


def test_a_write_keeps_the_mode_and_leaves_nothing_behind(root: Path, confined: Confined) -> None:
    """An executable file stays one, set-user-id bits do not survive, and no temporary file is left."""
    (root / "file").chmod(0o4755)
    confined.write("file", b"new")
    confined.write("a/b/new", b"made", mode=0o4777)
    assert (root / "file").stat().st_mode & 0o7777 == 0o755
    assert (root / "a/b/new").stat().st_mode & 0o7777 == 0o755
    assert _names(root) == ["a", "file", "sub"]


def test_a_walk_ends_and_stays_inside(root: Path, confined: Confined) -> None:
    """Walking lists links without entering them, and does not enter `.git`."""
    (root / "loop").symlink_to(".")
    (root / ".git" / "hooks").mkdir(parents=True)
    seen = {entry.path: entry.kind for entry in confined.walk()}
    assert seen["loop"] == "link"
    assert ".git" in seen
    assert not any(path.startswith((".git/", "loop/")) for path in seen)


def test_a_missing_file_is_not_found(confined: Confined) -> None:
    """What is missing is told apart from what is refused."""
    with pytest.raises(NotFound):
        confined.read("nowhere/at/all")
    assert confined.stat("nowhere") is None


def test_a_closed_workspace_gives_its_descriptors_back(root: Path, opener: Opener) -> None:
    """Reading and refusing leave no descriptor open."""
    before = _open_descriptors()
    with Confined(root, opener=opener) as confined:
        for path in ("file", "sub/file", "missing", "../x", "sub"):
            for act in (confined.read, confined.stat, confined.list):
                with contextlib.suppress(WorkbenchError):
                    act(path)
    assert _open_descriptors() == before


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_killed_writes_left_can_be_cleared(root: Path) -> None:
    """Files on their way into place go, wherever they stand; nothing of the project does, and no link is followed."""
    left = [root / f"{TEMPORARY}0a", root / "sub" / "deep" / f"{TEMPORARY}0b"]
    for path in left:
        path.write_bytes(b"half")
    outside = root.parent / "outside" / f"{TEMPORARY}0c"
    outside.write_bytes(b"theirs")
    (root / "way").symlink_to(root.parent / "outside")
    with Confined(root) as files:
        files.clear_leftovers()
    assert [path.exists() for path in (*left, outside, root / "file")] == [False, False, True, True]
