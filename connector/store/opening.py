"""Opening a store: find or make the database, bring its schema up to date, or refuse it.

Owns: which databases are accepted, and running the migrations.
Never does: anything to a database that is newer than this program or is not a sync state.
Tested in: tests/unit/store/test_opening.py, tests/unit/store/test_migrations.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from connector.errors import ConfigError, StateError
from connector.store.database import Database, explained
from connector.store.dialect import Dialect
from connector.store.schema import REVISION
from connector.store.sql_store import SqlStore
from connector.store.sqlite import Sqlite, network_filesystem

MIGRATIONS = Path(__file__).parent / "migrations"

_VERSION = sa.text("SELECT version_num FROM alembic_version")


def open_store(url: str, password: str | None = None) -> SqlStore:
    """The sync state at `url`: `sqlite:///var/state.db` or `postgresql+psycopg://user@host/db`.

    A SQLite file is made if it does not exist, tables are made in an empty database. `password`
    is the one of the database user; without it libpq looks where it always does.

    Raises ConfigError `store-url` or `store-driver` when the URL cannot name a store; StateError
    `state-newer`, `state-foreign`, `state-encoding`, `state-network`, `state-read-only` or
    `state-unusable` when what is there cannot be used; AccessError `state-access` and
    UnreachableError `state-unreachable` when the database server cannot be worked with.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        dialect, engine, name = _sqlite(parsed)
    else:
        dialect, engine, name = _postgresql(parsed, password)
    dialect.prepare(engine)
    try:
        with explained(dialect):
            _bring_up_to_date(engine, dialect, name)
            return SqlStore(Database(engine, dialect))
    except BaseException:
        engine.dispose()
        raise


# ---------------------------------------------------------------------------- databases

_Place: TypeAlias = tuple[Dialect, sa.Engine, str]
"""A database nothing was asked of yet, and what it is called in messages."""


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise _unnamed(str(error)) from error
    if parsed.password is not None:
        raise _unnamed("a password is never written into a URL; store.password names its place")
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if parsed.database in (None, "", ":memory:"):
            raise _unnamed("a state in memory would be forgotten")
        return parsed
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        if not parsed.database:
            raise _unnamed("it names no database")
        return parsed.set(drivername="postgresql+psycopg")
    raise _unnamed(f"{parsed.drivername} is neither SQLite nor PostgreSQL through psycopg")


def _unnamed(cause: str) -> ConfigError:
    return ConfigError(
        "store-url",
        "this URL cannot name a store",
        cause=cause,
        remedy="write store.url like sqlite:///var/state.db or postgresql+psycopg://user@host/db",
    )


def _sqlite(url: sa.URL) -> _Place:
    path = Path(str(url.database))
    _make_folder(path)
    kind = network_filesystem(path)
    if kind is not None:
        raise StateError(
            "state-network",
            f"{path} is on a network file system ({kind}), where SQLite cannot lock",
            remedy="put the store on a local disk, or into PostgreSQL",
        )
    return Sqlite(path), sa.create_engine(url, hide_parameters=True), str(path)


def _postgresql(url: sa.URL, password: str | None) -> _Place:
    from connector.store.postgresql import CONNECTION, Postgresql  # its dialect: most use SQLite

    name = f"the database {url.database}" + (f" on {url.host}" if url.host else "")
    url = url.set(password=password).update_query_dict({**CONNECTION, **url.query})
    try:
        # Positional parameters: the hot statements bind tuples.
        engine = sa.create_engine(url, hide_parameters=True, paramstyle="format")
    except ImportError as error:
        raise ConfigError(
            "store-driver",
            "the driver for PostgreSQL is not installed",
            cause=str(error),
            remedy="pip install 'loyalty-dual-write[postgresql]'",
        ) from error
    return Postgresql(), engine, name


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(
            "state-unusable",
            f"the folder of {path} cannot be made",
            cause=str(error),
            remedy="choose another place as store.url, or correct the permissions",
        ) from error


# ---------------------------------------------------------------------------- schema


def _bring_up_to_date(engine: sa.Engine, dialect: Dialect, name: str) -> None:
    """Run migrations if the database is empty or older; the common case is one small query."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if _revision(connection, name) == REVISION:
            return
    with engine.begin() as connection:
        dialect.alone(connection)
        revision = _revision(connection, name)  # another process may have migrated meanwhile
        if revision is None:
            dialect.suits(connection, name)
        if revision != REVISION:
            _migrate(connection, revision, name)


def _revision(connection: sa.Connection, name: str) -> str | None:
    """The revision of the schema, None for an empty database."""
    tables = sa.inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables or "sequences" not in tables:
        raise StateError(
            "state-foreign",
            f"{name} is of something else: it holds {', '.join(sorted(tables)[:5])}",
            remedy="let store.url name another file or database",
        )
    revision: str | None = connection.execute(_VERSION).scalar()
    return revision


def _migrate(connection: sa.Connection, revision: str | None, name: str) -> None:
    # Alembic takes longer to import than a current database takes to open.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StateError(
            "state-newer",
            f"{name} was written by a newer version of this program (schema {revision})",
            remedy=f"update the program, which knows schemas up to {REVISION}",
        )
    command.upgrade(config, "head")
