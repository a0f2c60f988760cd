"""A state of every released version is migrated, and is then what the same work makes today."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from connector.mapping.values import Side
from connector.store.opening import MIGRATIONS, open_store
from connector.store.record import State
from connector.store.schema import REVISION, metadata
from connector.store.sql_store import SqlStore
from connector.store.work import ChangeKind, Completion, Work
from tests.postgresql import Server
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


def sqlite_state(revision: str, folder: Path) -> str:
    """The URL of a state as that version left it."""
    file = folder / f"{revision}.db"
    connection = sqlite3.connect(file)
    connection.executescript((DUMPS / f"{revision}.sql").read_text(encoding="utf-8"))
    connection.close()
    return f"sqlite:///{file}"


def postgresql_state(revision: str, folder: Path, url: str) -> str:
    """The same rows in the tables of that version; numbers go on behind them."""
    rows, engine = sa.create_engine(sqlite_state(revision, folder)), sa.create_engine(url)
    with rows.connect() as old, engine.begin() as new:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = new
        command.upgrade(config, revision)
        tables = sa.MetaData()
        tables.reflect(new)
        for table in tables.sorted_tables:
            found = [dict(row) for row in old.execute(sa.select(table)).mappings()]
            new.execute(table.delete())  # what the migration put there
            if found:
                new.execute(table.insert(), found)
            for column in table.columns:
                if column.server_default is not None and column.primary_key:
                    sequence = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
                    new.exec_driver_sql(
                        f"SELECT setval({sequence}, max({column.name})) FROM {table.name}"
                    )
    rows.dispose()
    engine.dispose()
    return url


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


@dataclass(frozen=True)
class Places:
    """Where a state of a released version and an empty one of today are found."""

    revision: str
    old: str
    fresh: str


@pytest.fixture(params=sorted(path.stem for path in DUMPS.glob("*.sql")))
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, revision: str, tmp_path: Path) -> Places:
    if request.param == "sqlite":
        old = sqlite_state(revision, tmp_path)
        return Places(revision, old, f"sqlite:///{tmp_path / 'fresh.db'}")
    old = postgresql_state(revision, tmp_path, request.getfixturevalue("postgresql_url"))
    server: Server = request.getfixturevalue("postgresql")
    return Places(revision, old, server.empty_state())


def test_every_schema_before_the_newest_has_its_dump() -> None:
    dumped = sorted(path.stem for path in DUMPS.glob("*.sql"))
    assert dumped == [f"{number:04}" for number in range(1, int(REVISION))]
    assert set(dumped) <= set(STORIES)


def test_a_migrated_state_is_what_the_same_work_makes_today(places: Places) -> None:
    open_store(places.old).close()
    store = open_store(places.fresh)
    STORIES[places.revision](store)
    store.close()
    assert contents(places.old) == contents(places.fresh)
    with_rows = {table for table, rows in contents(places.old).items() if rows}
    assert {"records", "changes", "conflicts", "waits", "runs", "maps", "positions"} <= with_rows


@pytest.fixture
def store(places: Places) -> Iterator[SqlStore]:
    store = open_store(places.old)
    yield store
    store.close()


def test_a_migrated_state_reads_back(store: SqlStore, revision: str) -> None:
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
    assert three.anew == {}
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
    assert row.document == {"0003": '{"map":"loyalty-card"}'}.get(revision)


def test_work_goes_on_in_a_migrated_state(store: SqlStore, revision: str) -> None:
    store.layout(MAP, COLUMNS)
    lease = store.acquire(MAP, "host/2", 60.0, gone=lambda _holder: True)
    assert lease.fencing == 2
    run = store.start_run("sync", MAP, "f1", 300.0)
    told = {"0001": 6, "0002": 7, "0003": 7}[revision]
    assert store.numbers("change", 1) == told + 1
    work = Work(run, 301.0, updated=[record(1)], completions=[Completion(6, "applied")])
    work.conflicts, work.incidents = {1: ()}, {"throttled": 1}
    store.commit(lease, work)
    assert store.open_conflicts(MAP, 0, 9) == []
    purged = store.purge(
        lease, 400.0, audit_before=250.0, runs_before=250.0, tombstones_before=250.0, limit=99
    )
    assert (purged["changes"], purged["records"], purged["runs"]) == (told, 1, 2)


def test_keys_of_rows_without_one_can_move_to_another_database(tmp_path: Path) -> None:
    """They began with NUL, which PostgreSQL cannot keep."""
    url = sqlite_state("0001", tmp_path)
    file = sqlite3.connect(tmp_path / "0001.db")
    file.execute("UPDATE records SET key = ? WHERE number = 3", ("\x00row-3\x00\u20ac",))
    file.commit()
    file.close()
    store = open_store(url)
    layout = store.layout(MAP, COLUMNS)
    keys = {n: r.key for n, r in store.by_numbers(layout, [1, 3]).items()}
    store.close()
    assert keys == {1: record(1).key, 3: "\x01row-3\x00\u20ac"}
