"""Which changed files change more than code: schemas, migrations, configuration. By their paths, and a look inside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workbench.code.impact_model import FileKind, Special
from workbench.code.model import FileChange, FileSides

LOOKED_AT = 1_000_000  # bytes of a file in which dangerous words are looked for
_KINDS: tuple[tuple[FileKind, re.Pattern[str]], ...] = (
    (
        "migration",
        re.compile(
            r"(^|/)(migrations?|alembic/versions|db/migrate|flyway|liquibase)/(?!__init__\.py$)[^/]+$"
            r"|(^|/)[VUR]\d[\w.]*__[^/]+\.sql$",
            re.IGNORECASE,
        ),
    ),
    (
        "schema",
        re.compile(
            r"\.(sql|ddl|proto|graphqls?|gql|avsc|xsd|thrift|prisma|fbs)$|(^|/)(schema|openapi|swagger)[^/]*\.(json|ya?ml|rb|sql|py|ts)$|\.schema\.json$",
            re.IGNORECASE,
        ),
    ),
    ("rules", re.compile(r"^\.workbench/|(^|/)(\.importlinter|CODEOWNERS|\.pre-commit-config\.yaml|\.editorconfig)$")),
    (
        "dependencies",
        re.compile(
            r"(^|/)(pyproject\.toml|setup\.(py|cfg)|requirements[^/]*\.(txt|in)|constraints[^/]*\.txt|Pipfile(\.lock)?"
            r"|package(-lock)?\.json|pnpm-lock\.yaml|go\.(mod|sum)|Cargo\.(toml|lock)|[^/]+\.lock)$"
        ),
    ),
    (
        "pipeline",
        re.compile(
            r"^\.(github/workflows|circleci|buildkite)/|(^|/)(\.gitlab-ci[^/]*\.ya?ml|Jenkinsfile|azure-pipelines[^/]*"
            r"|\.travis\.yml|Makefile|justfile|tox\.ini|noxfile\.py|Dockerfile[^/]*|[^/]*\.dockerfile|(docker-)?compose[^/]*\.ya?ml)$"
        ),
    ),
    (
        "configuration",
        re.compile(
            r"\.(toml|ini|cfg|conf|ya?ml|properties|env|tf|tfvars)$|(^|/)\.env[^/]*$|(^|/)(config|settings)[^/]*\.(py|json|[jt]s)$",
            re.IGNORECASE,
        ),
    ),
)
_LOSES = re.compile(
    rb"\b(DROP\s+(TABLE|COLUMN|SCHEMA|DATABASE)|TRUNCATE|DELETE\s+FROM|ALTER\s+COLUMN)\b|\b(drop_table|drop_column|remove_column|DeleteModel|RemoveField)\b",
    re.IGNORECASE,
)


def special_files(files: Sequence[FileChange], sides: Sequence[FileSides]) -> Iterator[Special]:
    """Those of a change, the gravest kinds first."""
    contents = {each.path: each for each in sides}
    found = [(kind, each) for each in files if (kind := kind_of(each.path) or kind_of(each.old_path)) is not None]
    order = [kind for kind, _ in _KINDS]
    for kind, each in sorted(found, key=lambda pair: (order.index(pair[0]), pair[1].path)):
        yield Special(
            kind=kind,
            path=each.path,
            status=each.status,
            detail="; ".join(_details(kind, each, contents.get(each.path))),
        )


def kind_of(path: str) -> FileKind | None:
    """What else a file of this path changes; None for code, prose and data."""
    return next((kind for kind, pattern in _KINDS if pattern.search(path)), None)


def _details(kind: FileKind, file: FileChange, sides: FileSides | None) -> Iterator[str]:
    if kind == "migration" and file.status in ("M", "R"):
        yield "one that may have run already is edited"
    if kind == "migration" and file.status == "D":
        yield "one that may have run already is deleted"
    if kind in ("migration", "schema") and sides is not None and sides.new is not None:
        before = {found.lower() for found in _words(sides.old)}
        lost = sorted({found for found in _words(sides.new) if found.lower() not in before})
        if lost:
            yield f"can lose data: {', '.join(lost)}"


def _words(data: bytes | None) -> list[str]:
    return [" ".join(found[0].decode().split()) for found in _LOSES.finditer((data or b"")[:LOOKED_AT])]
