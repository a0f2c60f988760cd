"""No call that the engine makes per page may cost more when the table grows.

Every statement of a working day is caught on its way to the database and explained: it has to find
its rows by a key or an index that narrows them, never by walking a table or a whole map.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connector.mapping.values import Side, ValueType
from connector.store.opening import open_store
from connector.store.record import Conflict, Record, State, Wait
from connector.store.sql_store import SqlStore
from connector.store.work import (
    Adoption,
    Change,
    ChangeKind,
    Completion,
    Lease,
    Position,
    Work,
)
from tests.postgresql import Server

COLUMNS = {Side.COMMERCE: (("a", ValueType.TEXT),), Side.DATAVERSE: (("b", ValueType.TEXT),)}
WAIT = Wait("g", Side.DATAVERSE, "e", "c", "v")
BIG = ("records", "changes", "waits", "conflicts", "departed")
NARROW = (
    "INTEGER PRIMARY KEY (rowid=?)",
    "INTEGER PRIMARY KEY (rowid<?)",
    "INDEX records_commerce_id (map=? AND commerce_id=?)",
    "INDEX records_dataverse_id (map=? AND dataverse_id=?)",
    "INDEX sqlite_autoindex_records_1 (map=? AND key=?)",
    "INDEX records_tombstones (map=?",
    "INDEX records_due (map=?",
    "COVERING INDEX records_due (map=?",
    "INDEX records_state (map=?",
    "COVERING INDEX records_unconfirmed (map=? AND unconfirmed=?)",
    "INDEX changes_record (record=?)",
    "INDEX changes_intents (map=?",
    "INDEX changes_deletes (map=? AND side=? AND at>?)",
    "INDEX waits_target (map=?",
    "COVERING INDEX waits_target (map=?",
    "INDEX departed_record (record=?)",
    "INDEX sqlite_autoindex_departed_1 (map=?",
    "COVERING INDEX sqlite_autoindex_departed_1 (map=?",
    "INDEX sqlite_autoindex_waits_1 (record=?)",
    "INDEX conflicts_record (record=?)",
    "INDEX conflicts_open (map=? AND number>?)",
)
"""Ways into a table whose cost is that of the rows asked for, or of the few that are open.

Counting the unconfirmed reads the index of all of them, but no record.
"""


@pytest.fixture
def caught() -> Iterator[list[tuple[str, Any]]]:
    statements: list[tuple[str, Any]] = []

    def catch(
        connection: Any, cursor: Any, sql: str, params: Any, context: Any, many: bool
    ) -> None:
        one = params[0] if many else params
        if sql.split(maxsplit=1)[0] in ("SELECT", "UPDATE", "DELETE"):
            statements.append((sql, one))

    sa.event.listen(sa.Engine, "before_cursor_execute", catch)
    yield statements
    sa.event.remove(sa.Engine, "before_cursor_execute", catch)


def a_working_day(store: SqlStore, map: str = "m", one: int = 1) -> Lease:
    """Every call the engine makes once per page or per round, about record `one` and the next."""
    two = one + 1
    layout = store.layout(map, COLUMNS)
    lease = store.acquire(map, "me", 60)
    intent = Change(one, one, ChangeKind.CREATE, Side.DATAVERSE, 1, "x", outcome=None)
    new = [Record(number, map, f"k{number}") for number in (one, two)]
    store.commit(lease, Work(1, 1.0, inserted=new, changes=[intent]))
    store.by_ids(layout, Side.COMMERCE, ["x"])
    store.by_ids(layout, Side.DATAVERSE, ["x"])
    store.by_keys(layout, [f"k{one}"])
    store.by_numbers(layout, [one])
    store.due(layout, 9.0, 0, 10)
    store.next_due(map)
    store.unconfirmed(map)
    store.needing(layout, [State.PARKED, State.CONFLICT], 0, 10)
    store.set_aside(map)
    list(store.waits(map))
    store.open_conflicts(map, 0, 10)
    store.history(one)
    store.histories([one, two], 0.5)
    store.conflict_rows(one)
    store.departed(map, f"k{one}")
    store.deleted_since(map, Side.DATAVERSE, 0.0)
    store.positions(map)
    work = Work(
        1, 1.0, updated=[Record(one, map, f"k{one}")], completions=[Completion(one, "applied")]
    )
    work.positions = [Position(Side.COMMERCE, "feed", None)]
    work.waits, work.conflicts = {one: (WAIT,)}, {one: (Conflict("g", {}, {}),)}
    work.completed_batches = [(1, "applied")]
    store.commit(lease, work)
    store.commit(lease, Work(1, 1.0, conflicts={one: ()}))
    row = Adoption("x", None, ("b",), None, None)
    assert store.adopt(lease, layout, Side.DATAVERSE, 1, [row], None, 1, 1.0) == ["x"]
    assert store.adopt(lease, layout, Side.COMMERCE, 1, [row], None, 1, 1.0) == ["x"]
    store.wake(lease, WAIT, 1.0)
    store.start_run("sync", map, "f", 5.0)
    store.reopen_intents(lease, 1, 1.0)
    return lease


def now_and_then(store: SqlStore, lease: Lease) -> None:
    """What a person asks for, or the end of a run: few calls, but about the same tables.

    What is older than the run of the day lies before its audit numbers.
    """
    store.forget(lease, 2, "k2", 1.0)
    times = {"audit_before": 1.0, "runs_before": 1.0, "tombstones_before": 2.0}
    assert store.purge(lease, 1.0, **times, limit=9)["records"] == 0


def of_a_working_day(url: str, caught: list[tuple[str, Any]]) -> dict[str, Any]:
    """The statements about the large tables, with parameters for each."""
    open_store(url).close()
    caught.clear()
    store = open_store(url)
    now_and_then(store, a_working_day(store))
    store.close()
    statements = {sql: params for sql, params in caught if any(table in sql for table in BIG)}
    assert len(statements) >= 20
    return statements


def test_every_statement_finds_its_rows_by_a_narrow_index(
    tmp_path: Path, caught: list[tuple[str, Any]]
) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    statements = of_a_working_day(url, caught)
    engine = sa.create_engine(url)
    wide = []
    with engine.connect() as connection:
        for sql, params in statements.items():
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", params):
                step = row[3]
                way = step.partition(" USING ")[2]
                if step.split()[1] in BIG and not way.startswith(NARROW):
                    wide.append((step, sql))
    engine.dispose()
    assert wide == []


def test_postgresql_has_an_index_for_every_statement_too(
    postgresql: Server, caught: list[tuple[str, Any]]
) -> None:
    url = postgresql.empty_state()
    statements = of_a_working_day(url, caught)
    engine = sa.create_engine(url, paramstyle="format")
    wide = []
    with engine.connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")  # small tables are walked otherwise
        for sql, params in statements.items():
            for (step,) in connection.exec_driver_sql(f"EXPLAIN {sql}", params):
                if any(f"Seq Scan on {table}" in step for table in BIG):
                    wide.append((step, sql))
    engine.dispose()
    assert wide == []


def test_every_statement_of_a_working_day_is_built_once(tmp_path: Path) -> None:
    """To build one takes SQLAlchemy several times as long as to run it."""
    seen: list[sa.ClauseElement] = []

    def see(_connection: Any, statement: sa.ClauseElement, *_how: Any) -> None:
        seen.append(statement)

    store = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    sa.event.listen(sa.Engine, "before_execute", see)
    a_working_day(store, "m", 1)
    first = len(seen)
    a_working_day(store, "n", 3)
    sa.event.remove(sa.Engine, "before_execute", see)
    store.close()
    known = {id(statement) for statement in seen[:first]}
    assert [str(statement) for statement in seen[first:] if id(statement) not in known] == []
