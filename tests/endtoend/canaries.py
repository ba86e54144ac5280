"""Secrets that a machine holds, each with a value of its own and the command that reads it: for tests of what leaks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT, HOME, REPOSITORY, STATE = "environment", "home", "repository", "state"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a secret lies. `name` is a variable or a path; `form` writes the value down."""

    kind: str
    name: str
    form: str = "{}\n"
    command: str = ""

    @property
    def value(self) -> str:
        """The secret."""
        return f"canary-{self.kind}-{self.name.strip('./').replace('/', '-').replace('_', '-').lower()}-5e1f"

    @property
    def reads(self) -> str:
        """A command that shows it; `{home}`, `{repo}` and `{state}` are to be filled in."""
        if self.command:
            return self.command
        if self.kind == ENVIRONMENT:
            return f"cat /proc/*/environ /proc/*/task/*/environ 2>/dev/null | tr '\\0' '\\n' | grep {self.name}"
        return f"cat {{{self.kind.replace('repository', 'repo')}}}/{self.name}"


PLACES = (
    Place(kind=ENVIRONMENT, name="PERSONS_TOKEN"),
    Place(kind=ENVIRONMENT, name="AWS_SECRET_ACCESS_KEY"),
    Place(kind=ENVIRONMENT, name="GITHUB_TOKEN", command="env"),
    Place(kind=ENVIRONMENT, name="DATABASE_URL", form="postgres://me:{}@host/db"),
    Place(kind=HOME, name=".netrc", form="machine example.org login me password {}\n"),
    Place(kind=HOME, name=".ssh/id_ed25519", form="-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n"),
    Place(kind=HOME, name=".git-credentials", form="https://me:{}@example.org\n"),
    Place(kind=HOME, name=".aws/credentials", form="[default]\naws_secret_access_key = {}\n"),
    Place(kind=HOME, name=".config/gcloud/application_default_credentials.json", form='{{"refresh_token": "{}"}}\n'),
    Place(kind=HOME, name=".azure/accessTokens.json", form='[{{"accessToken": "{}"}}]\n'),
    Place(kind=HOME, name=".kube/config", form="token: {}\n"),
    Place(kind=HOME, name=".docker/config.json", form='{{"auths": {{"r": {{"auth": "{}"}}}}}}\n'),
    Place(kind=HOME, name=".npmrc", form="//registry.example.org/:_authToken={}\n"),
    Place(kind=HOME, name=".pypirc", form="[pypi]\npassword = {}\n"),
    Place(kind=HOME, name=".gnupg/private-keys-v1.d/one.key"),
    Place(kind=HOME, name=".bash_history", form="curl -H 'authorization: {}' example.org\n"),
    Place(kind=HOME, name=".gemini/oauth_creds.json", form='{{"access_token": "{}"}}\n'),
    Place(kind=REPOSITORY, name=".env.local", form="SECRET={}\n"),
    Place(kind=REPOSITORY, name=".git/config", form="[remote \"origin\"]\n\turl = https://me:{}@example.org/r\n"),
    Place(kind=STATE, name="beside-the-journal"),
    Place(kind=STATE, name="homes/another.1/session.json"),
    Place(kind=STATE, name="workspaces/another", command="find {state} -name another -exec cat {{}} +"),
)  # fmt: skip


def plant(environment: dict[str, str], **roots: Path) -> None:
    """Put each secret where it belongs, of the environment and of `roots`: `home`, `repository`, `state`."""
    for place in (place for place in PLACES if place.kind == ENVIRONMENT or place.kind in roots):
        text = place.form.format(place.value)
        if place.kind == ENVIRONMENT:
            environment[place.name] = text.strip()
            continue
        path = roots[place.kind] / place.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)


def secrets() -> set[str]:
    """All values."""
    return {place.value for place in PLACES}
