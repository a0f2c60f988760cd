"""Where the state of one world after the other is kept.

Owns: the real store, opened once for all worlds of this process, with its tables in memory, the
clock of the simulated world, and backups of it.
Never does: faults; a process sees it through `mortal.py`.

One connection serves all processes of a world: they take turns, and none of them sleeps or dies
inside a transaction (a crash there is a crash before it).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from connector.store.base import Store
from connector.store.database import Database
from connector.store.opening import open_store
from connector.store.sql_store import SqlStore
from connector.store.sqlite import Sqlite
from tests.simulation.memory.audit import row_of
from tests.simulation.memory.store import MemoryStore
from tests.simulation.memory.tables import Tables

Clock = Callable[[], float]
Named = Mapping[str, Any]


class Audited(NamedTuple):
    """One audit row."""

    number: int
    record: int
    at: float
    kind: str
    side: str
    target: str | None
    before: Named
    after: Named
    outcome: str | None


class Stores(Protocol):
    """The state of one world."""

    def begin(self, clock: Clock) -> None:
        """A new world begins with an empty state, and tells the store the time."""
        ...

    def open(self) -> Store:
        """The store as a process opens it."""
        ...

    def backup(self) -> Callable[[], None]:
        """Keep the state as it is now; what is returned goes back to it."""
        ...

    def audit(self) -> list[Audited]:
        """Every audit row there ever was, also those that a restore threw away."""
        ...


class _SimulatedTime(Sqlite):
    """SQLite with the world's clock instead of its own."""

    def now(self) -> sa.ColumnElement[float]:
        return sa.literal_column("simulated_now()", sa.Double())


class SqlStores:
    """The real store on SQLite."""

    def __init__(self) -> None:
        self._clock: Clock = lambda: 0.0
        self._blank = _blank()
        self._state = sqlite3.connect(":memory:", cached_statements=500)
        self._state.create_function("simulated_now", 0, self._now)
        self._blank.backup(self._state)
        engine = sa.create_engine("sqlite://", creator=lambda: self._state, poolclass=sa.StaticPool)
        dialect = _SimulatedTime()
        dialect.prepare(engine)
        self._store = SqlStore(Database(engine, dialect))
        self._thrown_away: dict[tuple[int, float], Audited] = {}

    def _now(self) -> float:
        return self._clock()

    def begin(self, clock: Clock) -> None:
        """See `Stores`. The store remembers layouts, so that their numbers stay what they are."""
        layouts = self._state.execute("SELECT * FROM layouts").fetchall()
        if layouts:
            places = ", ".join("?" * len(layouts[0]))
            self._blank.executemany(f"INSERT OR IGNORE INTO layouts VALUES ({places})", layouts)
            self._blank.commit()
        self._clock = clock
        self._blank.backup(self._state)
        self._thrown_away = {}

    def open(self) -> Store:
        """See `Stores`."""
        return self._store

    def backup(self) -> Callable[[], None]:
        """See `Stores`."""
        kept = sqlite3.connect(":memory:")
        self._state.backup(kept)

        def restore() -> None:
            self._thrown_away |= {(row.number, row.at): row for row in self._rows()}
            kept.backup(self._state)

        return restore

    def audit(self) -> list[Audited]:
        """See `Stores`."""
        now = {(row.number, row.at): row for row in self._rows()}
        return list((self._thrown_away | now).values())

    def _rows(self) -> Iterable[Audited]:
        query = "SELECT number, record, at, kind, side, target, outcome, before, after FROM changes"
        for row in self._state.execute(query).fetchall():
            number, record, at, kind, side, target, outcome, before, after = row
            values = _named(before), _named(after)
            yield Audited(number, record, at, kind, side, target, *values, outcome)


def _blank() -> sqlite3.Connection:
    """An empty state with its schema; migrations are the slowest part of opening one."""
    blank = sqlite3.connect(":memory:")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "blank.db"
        open_store(f"sqlite:///{path}").close()
        made = sqlite3.connect(path)
        made.backup(blank)
        made.close()
    return blank


def _named(text: str | None) -> Named:
    values: Named = json.loads(text) if text else {}
    return values


class MemoryStores:
    """The in-memory twin: the same protocol, without a database."""

    def __init__(self) -> None:
        self.begin(lambda: 0.0)

    def begin(self, clock: Clock) -> None:
        """See `Stores`."""
        self._tables = Tables()
        self._store = MemoryStore(self._tables, clock)
        self._thrown_away: dict[tuple[int, float], Audited] = {}

    def open(self) -> Store:
        """See `Stores`."""
        return self._store

    def backup(self) -> Callable[[], None]:
        """See `Stores`."""
        kept = self._tables.copy()

        def restore() -> None:
            self._thrown_away |= {(row.number, row.at): row for row in self._rows()}
            self._tables.become(kept)

        return restore

    def audit(self) -> list[Audited]:
        """See `Stores`."""
        now = {(row.number, row.at): row for row in self._rows()}
        return list((self._thrown_away | now).values())

    def _rows(self) -> Iterable[Audited]:
        for number, told in self._tables.changes.items():
            row = row_of(number, told)
            yield Audited(
                number,
                row.record,
                row.at,
                row.kind.value,
                row.side.value,
                row.target,
                row.before or {},
                row.after or {},
                row.outcome,
            )


KINDS: Mapping[str, Callable[[], Stores]] = {"real": SqlStores, "memory": MemoryStores}
