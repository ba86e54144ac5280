"""The people of a repository and their roles, as policies and questions name them; it proves nobody's identity."""

from __future__ import annotations

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.editing import edited
from workbench.artifacts.files import ArtifactFile
from workbench.model.problems import Problem

PATH = ".workbench/people.yaml"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who decides. `email` is matched with git's `user.email`; `paths` are what they know best."""

    id: str
    name: str = ""
    email: str = ""
    roles: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who is known."""

    people: tuple[Person, ...] = ()

    def find(self, who: str) -> Person | None:
        """The person of that id or e-mail address."""
        return next((person for person in self.people if who and who in (person.id, person.email)), None)


def _table() -> f.Table:
    docs = {
        "id": "a short name",
        "name": "the name as people write it",
        "email": "as in git's user.email",
        "roles": "the roles that policies and questions name",
        "paths": "globs of what they know best",
    }
    kinds: dict[str, f.Kind | f.Shape] = {"id": f.ID, "name": f.LINE, "email": f.LINE, "roles": f.LINE, "paths": f.PATH}
    person = f.table(Person, docs=docs, kinds=kinds)
    return f.table(People, docs={"people": "who decides here"}, kinds={"people": f.ListOf(person, unique="id")})


FILE = ArtifactFile(People, _table, name="list of people")


def parse(text: str | bytes, path: str = ".workbench/people.yaml") -> People:
    """The list of people in a text. Raises ArtifactInvalid with all problems."""
    return FILE.parse(text, path)


def check(text: str | bytes, path: str = ".workbench/people.yaml") -> list[Problem]:
    """All problems of a list of people's text; never raises."""
    return FILE.check(text, path)


def render(people: People, *, original: str = "") -> str:
    """The text of a list of people; `original` changed as little as possible, if one is given."""
    return edited(FILE, people, original) if original else FILE.render(people)


def digest(people: People) -> str:
    """What a list of people says, as a digest: comments, key order and layout do not count."""
    return FILE.digest(people)
