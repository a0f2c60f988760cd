"""A state of every released version is migrated, and is then what the same work makes today."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connector.mapping.values import Side
from connector.store.opening import open_store
from connector.store.record import State
from connector.store.schema import REVISION, metadata
from connector.store.sql_store import SqlStore
from connector.store.work import ChangeKind, Completion, Work
from tests.unit.store.released.stories import (
    COLUMNS,
    MAP,
    PARKED,
    STORIES,
    commerce,
    dataverse,
    record,
)

DUMPS = Path(__file__).parent / "released"


def released(revision: str, folder: Path) -> str:
    """The URL of a state as that version left it."""
    file = folder / f"{revision}.db"
    connection = sqlite3.connect(file)
    connection.executescript((DUMPS / f"{revision}.sql").read_text(encoding="utf-8"))
    connection.close()
    return f"sqlite:///{file}"


def contents(url: str) -> dict[str, list[Any]]:
    """Every row of every table, by table; when a lease expires depends on the day."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: sorted(
                tuple(row)
                for row in connection.execute(
                    sa.select(*(c for c in table.columns if c.name != "expires"))
                )
            )
            for table in metadata.sorted_tables
        }
    engine.dispose()
    return found


@pytest.fixture(params=sorted(path.stem for path in DUMPS.glob("*.sql")))
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_schema_before_the_newest_has_its_dump() -> None:
    dumped = sorted(path.stem for path in DUMPS.glob("*.sql"))
    assert dumped == [f"{number:04}" for number in range(1, int(REVISION))]
    assert set(dumped) <= set(STORIES)


def test_a_migrated_state_is_what_the_same_work_makes_today(revision: str, tmp_path: Path) -> None:
    old = released(revision, tmp_path)
    open_store(old).close()
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    store = open_store(fresh)
    STORIES[revision](store)
    store.close()
    assert contents(old) == contents(fresh)
    with_rows = {table for table, rows in contents(old).items() if rows}
    assert {"records", "changes", "conflicts", "waits", "runs", "maps", "positions"} <= with_rows


@pytest.fixture
def store(revision: str, tmp_path: Path) -> Any:
    store = open_store(released(revision, tmp_path))
    yield store
    store.close()


def test_a_migrated_state_reads_back(store: SqlStore) -> None:
    layout = store.layout(MAP, COLUMNS)
    assert store.counts(MAP) == {
        State.SETTLED: 0,
        State.PENDING: 0,
        State.WAITING: 1,
        State.CONFLICT: 1,
        State.PARKED: 1,
    }
    one, _two, three = (store.by_numbers(layout, [n])[n] for n in (1, 2, 3))
    assert (one.commerce, one.dataverse) == (record(1).commerce, record(1).dataverse)
    assert (one.commerce.agreed, one.dataverse.image) == (commerce(1), dataverse(1))
    assert three.problem == PARKED
    assert not three.accepted
    (conflict,) = store.open_conflicts(MAP, 0, 9)
    assert (conflict.record, conflict.revision) == (1, 1)
    assert [wait.value for wait in store.waits(MAP)] == ["EUR"]
    feed = store.positions(MAP)[Side.DATAVERSE, "feed"]
    assert (feed.text, feed.high_id) == ("token", None)
    syncing, loading = store.runs(MAP, 9)
    assert (loading.first_change, syncing.first_change) == (1, 5)
    assert store.written_by(loading.number, 0, 9) == [1, 2, 3, 4]
    assert [row.kind for row in store.history(1)] == [ChangeKind.CREATE, ChangeKind.LOST]
    row = store.map_row(MAP)
    assert row is not None
    assert (row.stopped, row.allowed_deletes) == (PARKED, 7)


def test_work_goes_on_in_a_migrated_state(store: SqlStore) -> None:
    store.layout(MAP, COLUMNS)
    lease = store.acquire(MAP, "host/2", 60.0, gone=lambda _holder: True)
    assert lease.fencing == 2
    run = store.start_run("sync", MAP, "f1", 300.0)
    assert store.numbers("change", 1) == 7
    work = Work(run, 301.0, updated=[record(1)], completions=[Completion(6, "applied")])
    work.conflicts, work.incidents = {1: ()}, {"throttled": 1}
    store.commit(lease, work)
    assert store.open_conflicts(MAP, 0, 9) == []
    purged = store.purge(
        lease, 400.0, audit_before=250.0, runs_before=250.0, tombstones_before=250.0, limit=99
    )
    assert (purged["changes"], purged["records"], purged["runs"]) == (6, 1, 2)
