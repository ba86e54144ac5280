"""The projection tables: which columns a folded state gets, and the queries that read it; the folds are `core`'s."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from workbench.core.state import ConsultationState, MissionState, PackState, RunState, State
from workbench.journal.plan import Head
from workbench.model.digests import canonical
from workbench.model.errors import JournalProblem

FOLD_VERSION = 2  # grows whenever a fold or a state changes its meaning; a smaller one in a journal means: rebuild

StateT = TypeVar("StateT", MissionState, RunState, ConsultationState, PackState)


class Table(NamedTuple):
    """One projection: every table has `id`, `born`, the columns named here, and `folded`, the state as JSON."""

    name: str
    state_type: type[Any]
    columns: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    decoder: msgspec.json.Decoder[Any]

    @property
    def all_columns(self) -> tuple[str, ...]:
        """In the order of `row`."""
        return ("id", "born", *self.columns, "folded")

    def row(self, state: State, born: int) -> tuple[Any, ...]:
        """The row of a state."""
        return (state.id, born, *self.values(state), encoded(state))

    @property
    def upsert(self) -> str:
        """The statement that keeps a row current."""
        columns = self.all_columns
        marks = ", ".join("?" * len(columns))
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns[2:])
        return (
            f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changes}"
        )


def encoded(state: State) -> str:
    """A state as its row keeps it."""
    return canonical(state).decode()


def _table(name: str, state_type: type[Any], columns: tuple[str, ...], values: Callable[[Any], Any]) -> Table:
    return Table(name, state_type, columns, values, msgspec.json.Decoder(state_type))


TABLES: dict[str, Table] = {
    "mission": _table("missions", MissionState, ("outcome",), lambda mission: (mission.outcome,)),
    "run": _table("runs", RunState, ("mission", "live"), lambda run: (run.mission, int(not run.outcome))),
    "consultation": _table(
        "consultations", ConsultationState, ("run", "is_open"), lambda asked: (asked.run, int(asked.state == "open"))
    ),
    "pack": _table("packs", PackState, ("run", "state"), lambda pack: (pack.run, pack.state)),
}
_UPDATES = {table.name: f"UPDATE {table.name} SET folded = ? WHERE id = ?" for table in TABLES.values()}
TABLE_OF: dict[type[Any], Table] = {table.state_type: table for table in TABLES.values()}
_UPSERTS = {table.name: table.upsert for table in TABLES.values()}


def write(
    connection: sqlite3.Connection, heads: Mapping[str, Head], *, before: Mapping[str, Head] | None = None
) -> None:
    """Bring the rows of these streams up to their heads, within the caller's transaction.

    `before` holds heads as the database has them: where an indexed column did not change, no index is touched.
    """
    before = before or {}
    whole: dict[str, list[tuple[Any, ...]]] = {}
    folded: dict[str, list[tuple[str, str]]] = {}
    for stream, head in heads.items():
        state = head.state
        if state is None:
            continue
        table, stored = TABLE_OF[type(state)], before.get(stream)
        if stored is not None and stored.state is not None and table.values(stored.state) == table.values(state):
            folded.setdefault(table.name, []).append((encoded(state), state.id))
        else:
            whole.setdefault(table.name, []).append(table.row(state, head.born))
    for name, rows in whole.items():
        connection.executemany(_UPSERTS[name], rows)
    for name, changes in folded.items():
        connection.executemany(_UPDATES[name], changes)


def fold_version(connection: sqlite3.Connection) -> int:
    """The version of the folds that wrote the rows; 0 when nobody noted it."""
    found = connection.execute("SELECT value FROM notes WHERE name = 'fold_version'").fetchone()
    return int(found[0]) if found else 0


def note_fold_version(connection: sqlite3.Connection) -> None:
    """Say, within the caller's transaction, that this version's folds wrote the rows."""
    connection.execute("INSERT OR REPLACE INTO notes VALUES ('fold_version', ?)", (str(FOLD_VERSION),))


def clear(connection: sqlite3.Connection) -> None:
    """Empty all projections, within the caller's transaction."""
    for table in TABLES.values():
        connection.execute(f"DELETE FROM {table.name}")


def load(connection: sqlite3.Connection, stream: str) -> tuple[State | None, int]:
    """The state of a stream and the seq at which it was born."""
    kind, _, name = stream.partition("/")
    table = TABLES.get(kind)
    if table is None:
        return None, 0
    found = connection.execute(f"SELECT folded, born FROM {table.name} WHERE id = ?", (name,)).fetchone()
    return (decoded(table, found[0]), found[1]) if found else (None, 0)


def select(table: Table, where: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    """The query for the folded states that match, oldest first, and its arguments."""
    clause = " AND ".join(f"{column} = ?" for column in where)
    return (
        f"SELECT folded FROM {table.name}{' WHERE ' + clause if clause else ''} ORDER BY born, id",
        tuple(where.values()),
    )


def decoded(table: Table, folded: str) -> Any:
    """The state in a row. Raises JournalProblem when this version cannot read it."""
    try:
        return table.decoder.decode(folded)
    except (msgspec.MsgspecError, UnicodeError, TypeError) as error:
        message = f"a row of the {table.name} projection cannot be read: {error}"
        raise JournalProblem(message, hint="run `workbench journal rebuild`; the events are not affected") from error


def dump(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all projections in a fixed order: two equal journals give equal dumps."""
    return {table.name: _all_rows(connection, table) for table in TABLES.values()}


def _all_rows(connection: sqlite3.Connection, table: Table) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT {', '.join(table.all_columns)} FROM {table.name} ORDER BY id").fetchall()


def expected(heads: Iterable[tuple[str, Head]]) -> dict[str, list[tuple[Any, ...]]]:
    """The dump that a journal with these heads must give."""
    rows: dict[str, list[tuple[Any, ...]]] = {table.name: [] for table in TABLES.values()}
    for stream, head in heads:
        if head.state is not None:
            table = TABLES[stream.partition("/")[0]]
            rows[table.name].append(table.row(head.state, head.born))
    return {name: sorted(of_table, key=lambda row: str(row[0])) for name, of_table in rows.items()}
