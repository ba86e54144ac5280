"""A structural change in lines for people: one for each thing that became something else. It compares nothing.

The text is as hostile as the code that it names; whoever paints it makes it safe first.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.code.model import EntityChange, FileChange, StructuralDiff, Summary


def entity_line(change: EntityChange) -> str:
    """Such as `renamed function bar, was foo (body)`."""
    words = [f"{change.change} {change.kind} {change.name}"]
    if change.old_name and change.old_name != change.name:
        words.append(f"was {change.old_name}")
    if change.old_path:
        words.append(f"from {change.old_path}:{change.old_line}")
    aspects = f" ({', '.join(change.aspects)})" if change.aspects else ""
    return ", ".join(words) + aspects


def file_lines(file: FileChange) -> Iterator[str]:
    """What became of the file's entities, then what is folded, then what could not be told."""
    yield from (entity_line(change) for change in file.entities if change.kind != "import")
    folded = file.folded_added + file.folded_removed
    if folded:
        yield f"{folded} of {file.added + file.removed} lines are mechanical"
    if file.fallback:
        yield f"compared line by line: {file.fallback}"
    for span in file.damaged:
        yield f"lines {span.first} to {span.last} do not parse"


MOST_PLACES = 3  # that are named in a line


def summary_line(summary: Summary) -> str:
    """Such as `12 files, 340 lines, 210 mechanical lines folded`."""
    lines = summary.added + summary.removed
    folded = f", {summary.folded} mechanical lines folded" if summary.folded else ""
    return f"{summary.files} file{'' if summary.files == 1 else 's'}, {lines} lines{folded}"


def surface_lines(diff: StructuralDiff) -> Iterator[str]:
    """Public names, callers that were left as they are, new needs and rings."""
    for change in diff.api:
        said = f": {change.before} became {change.after}" if change.change == "signature" else ""
        yield f"public {change.kind} {change.name} {_API[change.change]}{said} ({change.path}:{change.line})"
    for sites in diff.calls:
        if sites.untouched:
            places = ", ".join(f"{place.path}:{place.line}" for place in sites.untouched[:MOST_PLACES])
            more = ", ..." if len(sites.untouched) > MOST_PLACES else ""
            yield f"{sites.name}: {len(sites.untouched)} calls in changed files were left as they are ({places}{more})"
        if sites.unresolved:
            yield f"{sites.name}: {len(sites.unresolved)} calls of that name could not be told apart"
    for edge in diff.dependencies.added:
        yield f"{edge.module} now needs {edge.needs} ({edge.path}:{edge.line})"
    for edge in diff.dependencies.removed:
        yield f"{edge.module} no longer needs {edge.needs}"
    for ring in diff.dependencies.cycles:
        yield f"a new ring of modules: {' needs '.join([*ring, ring[0]])}"


_API = {"added": "is new", "removed": "is gone", "signature": "is called otherwise"}
