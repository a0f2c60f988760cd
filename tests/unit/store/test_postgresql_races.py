"""A state in PostgreSQL: several processes at once, and what dies in between."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.errors import (
    DualWriteError,
    LeaseHeldError,
    StateError,
    UnreachableError,
)
from connector.mapping.values import Side, ValueType
from connector.store import opening
from connector.store.opening import open_store
from connector.store.postgresql import SESSION
from connector.store.record import Conflict, Record, Wait
from connector.store.sql_store import SqlStore
from connector.store.work import Change, ChangeKind, Decided, Position, Work
from tests.postgresql import Server

COLUMNS = {Side.COMMERCE: (("a", ValueType.TEXT),), Side.DATAVERSE: (("b", ValueType.TEXT),)}


@pytest.fixture
def state(postgresql: Server) -> str:
    """The URL of an empty state."""
    return postgresql.empty_state()


@pytest.fixture
def store(state: str) -> Iterator[SqlStore]:
    store = open_store(state)
    yield store
    store.close()


def database(url: str) -> str:
    return str(sa.make_url(url).database)


# ---------------------------------------------------------------------------- several at once


def start(url: str) -> subprocess.Popen[bytes]:
    code = (
        "from connector.store.opening import open_store;"
        f"store = open_store({url!r}); store.numbers('record', 1); store.close()"
    )
    root = str(Path(__file__).parents[3])
    return subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": root})


def test_processes_that_open_an_empty_database_at_once_migrate_it_once(postgresql_url: str) -> None:
    assert [process.wait(60) for process in [start(postgresql_url) for _ in range(3)]] == [0, 0, 0]
    store = open_store(postgresql_url)
    assert store.numbers("record", 1) == 4
    store.close()


def test_a_second_migrator_waits_for_the_first(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrated: list[str] = []
    migrate, inside = opening._migrate, threading.Event()

    def slowly(connection: sa.Connection, revision: str | None, name: str) -> None:
        inside.set()
        time.sleep(0.3)
        migrate(connection, revision, name)
        migrated.append(threading.current_thread().name)

    monkeypatch.setattr(opening, "_migrate", slowly)
    first = threading.Thread(target=lambda: open_store(postgresql_url).close(), name="first")
    first.start()
    assert inside.wait(60)
    open_store(postgresql_url).close()
    first.join()
    assert migrated == ["first"]


def test_leases_are_counted_by_the_clock_of_the_server(
    postgresql: Server, state: str, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = store.acquire("m", "first", 600)
    ((now,),) = postgresql.execute("SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8")
    assert lease.expires == pytest.approx(now + 600, abs=5)
    monkeypatch.setattr(time, "time", lambda: now + 86_400)  # the second worker lives tomorrow
    second = open_store(state)
    with pytest.raises(LeaseHeldError):
        second.acquire("m", "second", 600)
    second.close()


class _Suspended:
    """A worker that stops in the middle of a commit, with the lease's row locked."""

    def __init__(self, url: str) -> None:
        self.store = open_store(url)
        self.lease = self.store.acquire("m", "first", 2.0)
        self.inside, self.resume = threading.Event(), threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._commit)
        sa.event.listen(self.store._db._engine, "commit", self._stop)
        self._thread.start()
        assert self.inside.wait(60)

    def _stop(self, connection: sa.Connection) -> None:
        self.inside.set()
        self.resume.wait(60)

    def _commit(self) -> None:
        try:
            self.store.commit(self.lease, Work(1, 1.0, incidents={"x": 1}))
        except DualWriteError as error:
            self.error = error

    def outlive_lease(self) -> None:
        """Wait until its lease has expired."""
        time.sleep(max(0.0, self.lease.expires - time.time()) + 0.1)

    def end(self) -> None:
        self.resume.set()
        self._thread.join()
        self.store.close()


def test_nobody_takes_an_expired_lease_while_its_holder_commits(state: str) -> None:
    first = _Suspended(state)
    second, taken = open_store(state), threading.Event()

    def take() -> None:
        second.acquire("m", "second", 60)
        taken.set()

    thread = threading.Thread(target=take)
    thread.start()
    first.outlive_lease()
    assert not taken.is_set()
    first.end()
    thread.join()
    assert first.error is None
    assert second.incidents("m", "x", 0.0) == 1
    second.close()


def test_maps_do_not_wait_for_each_other(state: str) -> None:
    first, second = _Suspended(state), open_store(state)
    lease = second.acquire("other-map", "second", 60)
    layout = second.layout("other-map", COLUMNS)
    second.commit(lease, Work(2, 1.0, inserted=[Record(1, "other-map", "c1")]))
    assert first.inside.is_set()
    assert not first.resume.is_set()
    assert list(second.by_keys(layout, ["c1"])) == ["c1"]
    second.close()
    first.end()


def test_numbers_reserved_at_the_same_time_never_overlap(state: str) -> None:
    found: list[int] = []

    def reserve() -> None:
        store = open_store(state)
        for _ in range(25):
            first = store.numbers("record", 3)
            found.extend(range(first, first + 3))
        store.close()

    threads = [threading.Thread(target=reserve) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 4 * 25 * 3 + 1))


def test_a_worker_that_waits_too_long_is_told_who_is_in_the_way(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _Suspended(state)
    monkeypatch.setitem(SESSION, "lock_timeout", "100ms")
    second = open_store(state)
    with pytest.raises(StateError) as caught:
        second.acquire("m", "second", 60)
    assert caught.value.code == "state-busy"
    second.close()
    first.end()


def test_a_worker_suspended_in_a_commit_loses_it_to_the_next(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SESSION, "idle_in_transaction_session_timeout", "300ms")
    first = _Suspended(state)
    first.outlive_lease()
    second = open_store(state)
    assert second.acquire("m", "second", 60).fencing == 2
    first.end()
    assert isinstance(first.error, UnreachableError)
    assert second.incidents("m", "x", 0.0) == 0
    second.close()


# ---------------------------------------------------------------------------- what dies


def everything(store: SqlStore) -> Work:
    """A commit that touches every table it can."""
    pair = {Side.COMMERCE: {"a": "1"}, Side.DATAVERSE: {}}
    work = Work(1, 1.0, inserted=[Record(2, "m", "c2")], updated=[Record(1, "m", "c1", attempts=9)])
    work.changes = [Change(1, 1, ChangeKind.CREATE, Side.DATAVERSE, 1, "x", outcome=None)]
    work.completed_batches = [(1, "applied")]
    work.waits = {1: (Wait("g", Side.DATAVERSE, "e", "c", "v"),)}
    work.conflicts = {1: (Conflict("g", pair, pair),)}
    work.decisions = [Decided(1, "commerce", "ada")]
    work.positions = [Position(Side.COMMERCE, "feed", "token")]
    work.incidents, work.alerted = {"x": 1}, {"rule": 1.0}
    return work


def kill(server: Server, connection: sa.Connection) -> None:
    """End the server process behind a connection, as an administrator or a crash does."""
    backend = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
    server.execute(f"SELECT pg_terminate_backend({backend}, 5000)")


def test_a_backend_killed_at_any_statement_of_a_commit_leaves_nothing_of_it(
    postgresql: Server, store: SqlStore
) -> None:
    layout, lease = store.layout("m", COLUMNS), store.acquire("m", "me", 600)
    pair = {Side.COMMERCE: {"a": "0"}, Side.DATAVERSE: {}}
    begun = Work(1, 1.0, inserted=[Record(1, "m", "c1")])
    begun.conflicts = {1: (Conflict("g", pair, pair),)}
    store.commit(lease, begun)
    left, died = 0, 0

    def count_down(connection: sa.Connection, *_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            kill(postgresql, connection)

    engine = store._db._engine
    sa.event.listen(engine, "before_cursor_execute", count_down)
    sa.event.listen(engine, "commit", count_down)
    for at in range(1, 100):
        left = at
        try:
            store.commit(lease, everything(store))
        except UnreachableError:
            died += 1
        else:
            left = 0
            break
        assert store.by_numbers(layout, [1, 2]) == {1: Record(1, "m", "c1")}
        assert store.history(1) == []
        assert store.incidents("m", "x", 0.0) == 0
        assert not store.positions("m")
        (conflict,) = store.conflict_rows(1)
        assert (conflict.revision, conflict.decision) == (1, None)
    assert died > 10
    assert store.by_numbers(layout, [1])[1].attempts == 9
    assert [row.outcome for row in store.history(1)] == ["applied"]


def test_a_killed_reader_is_told_once_and_then_connected_again(
    postgresql: Server, store: SqlStore
) -> None:
    for _ in range(2):
        kill(postgresql, store._db._reader)
        with pytest.raises(UnreachableError) as caught:
            store.map_rows()
        assert caught.value.code == "state-unreachable"
        assert list(store.map_rows()) == []
    assert store._db._reader.connection.dbapi_connection.autocommit  # type: ignore[union-attr]


def test_a_server_that_stays_away_is_told_each_time_until_it_is_back(
    postgresql: Server, store: SqlStore, state: str
) -> None:
    name = database(state)
    lease = store.acquire("m", "me", 600)
    postgresql.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        kill(postgresql, store._db._reader)
        kill(postgresql, store._db._writer)
        for _ in range(3):
            for use in (store.map_rows, partial(store.renew, lease, 600)):
                with pytest.raises(DualWriteError) as caught:
                    use()
                assert caught.value.code in ("state-unreachable", "state-access")
    finally:
        postgresql.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert list(store.map_rows()) == []
    assert store.renew(lease, 600).fencing == lease.fencing


def test_commits_are_durable_although_the_server_would_not_have_it(
    postgresql: Server, postgresql_url: str
) -> None:
    postgresql.execute(f"ALTER DATABASE {database(postgresql_url)} SET synchronous_commit = off")
    store = open_store(postgresql_url)
    assert store._db.scalar(sa.text("SHOW synchronous_commit")) == "on"
    assert store._db.scalar(sa.text("SHOW lock_timeout")) == "30s"
    store.close()
