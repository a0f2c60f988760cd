"""A real PostgreSQL server for tests, from the `pgserver` wheel.

Owns: one server per test process, started when the first test asks for it; empty databases, and
one with the tables of an empty state, which costs a hundredth of a migration to empty again.
Never does: the tests; `tests/conftest.py` hands its fixtures to all of them.

Where no wheel exists for this Python or platform, the tests that ask are skipped and say so.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connector.store.opening import open_store
from connector.store.schema import metadata

_FAST = """
fsync = off
full_page_writes = off
"""
"""No test cuts the power: what a commit survives is a killed process or backend."""

_ALLOWED = """
local all guarded scram-sha-256
local all all trust
"""
"""The role `guarded` has to give a password, as on a server of the world."""

_EMPTY = "; ".join(
    [
        *(f"DELETE FROM {table}" for table in metadata.tables if table != "sequences"),
        "UPDATE sequences SET next = 1",
        *(
            f"SELECT setval('{table.name}_{table.autoincrement_column.name}_seq', 1, false)"
            for table in metadata.tables.values()
            if table.autoincrement_column is not None
        ),
    ]
)


class Server:
    """A running server that only this process can find."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder = folder
        """Of the server's socket."""
        self._admin = sa.create_engine(
            sa.make_url(uri).set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
        )
        self._made = 0
        self._state: str | None = None

    def url(self, database: str, user: str = "postgres") -> str:
        """The URL of a database, as store.url takes it."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def execute(self, *statements: str, database: str = "postgres") -> list[Any]:
        """Run statements as administrator; the rows of the last one."""
        engine = self._admin
        if database != "postgres":
            engine = sa.create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        rows: list[Any] = []
        with engine.connect() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement)
                rows = list(result.fetchall()) if result.returns_rows else []
        if engine is not self._admin:
            engine.dispose()
        return rows

    def database(self, options: str = "") -> str:
        """The name of a new, empty database."""
        self._made += 1
        name = f"state_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}")
        return name

    def empty_state(self) -> str:
        """The URL of a state that holds nothing: one database, emptied by every call."""
        if self._state is None:
            self._state = self.database()
            open_store(self.url(self._state)).close()
        else:
            self.execute(_EMPTY, database=self._state)
        return self.url(self._state)

    def drop(self, name: str) -> None:
        """Throw a database away, whoever is still connected."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def running(settings: str = _FAST) -> Iterator[Server]:
    """A server that is stopped and deleted at the end; skips the test where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the library that looks for its folders
        pgserver = pytest.importorskip(
            "pgserver", reason="pgserver has no wheel for this Python and platform"
        )
        # A short path, as that of a socket must be, which the server's own user may enter.
        folder = Path(tempfile.mkdtemp(prefix="pg-"))
        folder.chmod(0o755)
        data = folder / "data"
        # The folder is ours alone. Behind the library's lock, which is one for the whole machine,
        # a start that hangs would hold up the tests of every other process.
        pgserver.PostgresServer._lock = threading.Lock()
        started = pgserver.get_server(data, cleanup_mode="stop")
    try:
        with (data / "postgresql.auto.conf").open("a") as file:
            file.write(settings)
        (data / "pg_hba.conf").write_text(_ALLOWED)
        server = Server(data, started.get_uri())
        server.execute("CREATE ROLE guarded LOGIN PASSWORD 'correct horse'")
        server.execute("SELECT pg_reload_conf()")
        yield server
    finally:
        started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def store_url(place: str, folder: Path) -> Iterator[str]:
    """The URL of an empty state for a bench: `sqlite`, `postgresql`, or any URL as it is."""
    if place == "postgresql":
        with running(settings="") as server:  # as durable as a server of the world
            yield server.empty_state()
    else:
        yield f"sqlite:///{folder / 'state.db'}" if place == "sqlite" else place


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The running server of this test process."""
    with running() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: Server) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database, as store.url takes it; dropped afterwards.

    Tests that need one are skipped where pgserver has no wheel.
    """
    name = postgresql.database()
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for a ledger, on each of the databases."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return str(request.getfixturevalue("postgresql_url"))
