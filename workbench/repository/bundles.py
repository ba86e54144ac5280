"""A store's objects and refs as one file, and back; it must not know what is backed up with them."""

from __future__ import annotations

import shutil
from pathlib import Path

from workbench.model.errors import RepositoryProblem
from workbench.repository.git import Git
from workbench.repository.store import Store

REFS = "refs/workbench/*"
SHALLOW = ".shallow"  # added to a bundle's name: where the histories of a shallow store end
# A store took these objects once, each with the checks that its own way in asks for.
_AS_THEY_ARE = "fetch.fsckObjects=false"


def bundle(store: Path, target: Path) -> bool:
    """Write everything that a ref of the store reaches into `target`; False: there is no store, or nothing in it."""
    git = Git(store)
    if not (store / "HEAD").is_file() or not git.text("for-each-ref", "--count=1", REFS.rstrip("*")):
        return False
    git.run("bundle", "create", "--quiet", str(target), f"--glob={REFS}")
    if (store / "shallow").is_file():
        shutil.copyfile(store / "shallow", f"{target}{SHALLOW}")
    return True


def unbundle(source: Path, store: Path, *, repository: Path, aside: Path) -> None:
    """Bring a bundle's objects into the store and let its refs stand where they stood; other refs stay.

    A store that is damaged is moved to `aside` and made anew. `repository` is the common directory of the person's.
    """
    try:
        _take(source, store, repository)
    except RepositoryProblem:
        if not store.exists():
            raise
        aside.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        store.rename(aside)
        _take(source, store, repository)


def _take(source: Path, store: Path, repository: Path) -> None:
    ends = Path(f"{source}{SHALLOW}")
    with Store.open(store, source=repository, object_format=_format(source)) as opened, opened.locked():
        if ends.is_file() and not (store / "shallow").exists():
            shutil.copyfile(ends, store / "shallow")
        git = opened.git.with_settings(_AS_THEY_ARE)
        git.run("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", str(source), f"+{REFS}:{REFS}")


def _format(bundle: Path) -> str:
    """The object format that a bundle declares (gitformat-bundle(5))."""
    with bundle.open("rb") as file:
        head = file.read(400)
    return "sha256" if b"\n@object-format=sha256\n" in head else "sha1"
