"""How the ledger talks to its database: connections, transactions, chunked queries.

Owns: SQLite's settings, the one place where a driver's error becomes ours.
Never does: knowing a table.
Tested in: tests/unit/ledger/test_ledger.py, tests/integration/test_ledger_feed.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    NoSuchModuleError,
    OperationalError,
)

from connector.errors import ConfigError, RecordError, UnreachableError

LOCK_WAIT_MS = 15_000
"""How long a writer waits for another one to commit."""

CACHE_KIB = 16_384
"""Pages a connection keeps in memory: what tills touch all day."""

WAL_PAGES = 8_000
"""Pages of the write-ahead log, 32 MB, after which it is written back: a page that many sales
changed is written once."""

IN_CHUNK = 500
"""Values per IN list: below every database's limit of bound parameters."""


def engine_for(url: str, *, create: bool) -> sa.Engine:
    """An engine for `url`; with `create`, the folder of an SQLite file is made.

    Raises ConfigError `ledger-url` when the URL cannot name a ledger, `ledger-missing` when
    there is no such file and none shall be made.
    """
    try:
        parsed = sa.make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        if sqlite and parsed.database in (None, "", ":memory:"):
            raise ArgumentError("a ledger in memory would be gone with its first connection")
        if sqlite and create:
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(parsed)
    except (ArgumentError, NoSuchModuleError, ImportError, OSError) as error:
        raise ConfigError(
            "ledger-url",
            "this URL cannot name a ledger",
            cause=str(error),
            remedy="write it like sqlite:///var/ledger.db",
        ) from error
    if sqlite:
        if not create and not Path(str(parsed.database)).exists():
            raise missing_ledger(parsed)
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def missing_ledger(url: sa.URL) -> ConfigError:
    """There is no ledger at `url`, and none shall be made."""
    return ConfigError(
        "ledger-missing",
        f"there is no ledger at {url.render_as_string(hide_password=True)}",
        remedy="check the URL, or make a ledger with `dualwrite ledger import`",
    )


@contextmanager
def transaction(engine: sa.Engine, *, write: bool) -> Iterator[sa.Connection]:
    """One transaction: committed at the end, rolled back by any exception.

    A reader sees one state throughout. Raises UnreachableError `ledger-busy` when another
    writer does not finish in time, `ledger-unreachable` when the database cannot be used, and
    RecordError `text-invalid` for a text or a number that no database takes, whoever hands it in.
    """
    try:
        with engine.connect() as connection:
            sqlite = engine.dialect.name == "sqlite"
            if not write and not sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                if sqlite:
                    _begin_sqlite(connection, write=write)
                yield connection
    except OperationalError as error:
        raise _unreachable(error, engine) from error
    except (UnicodeEncodeError, OverflowError, DataError) as error:
        raise _unstorable() from error
    except DatabaseError as error:
        # Its subclasses are our own mistakes (a violated constraint, bad SQL): not translated.
        if type(error) is not DatabaseError:
            raise
        raise ConfigError(
            "ledger-unusable",
            f"{_where(engine)} is no ledger, or is damaged",
            cause=str(error.orig),
            remedy="check the URL; restore the file from a backup if it was a ledger",
        ) from error


def looking(engine: sa.Engine) -> sa.Connection:
    """A connection that begins no transaction: each statement sees the newest commit."""
    connection = engine.connect()
    if engine.dialect.name == "sqlite":
        return connection  # where nobody begins one, `_prepare_sqlite`
    return connection.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def reached(engine: sa.Engine) -> Iterator[None]:
    """Turn an error outside of a transaction, also the driver's own, into UnreachableError."""
    try:
        yield
    except (OperationalError, engine.dialect.loaded_dbapi.Error) as error:
        raise _unreachable(error, engine) from error


def add_columns(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Add the columns that tables of an older version lack; each may be null."""
    looked = sa.inspect(connection)
    types = connection.dialect.type_compiler_instance
    prepared = connection.dialect.identifier_preparer
    for table in metadata.sorted_tables:
        have = {one["name"] for one in looked.get_columns(table.name)}
        for column in table.columns:
            if column.name not in have:
                name, type_ = prepared.format_column(column), types.process(column.type)
                where = prepared.format_table(table)
                connection.execute(sa.text(f"ALTER TABLE {where} ADD COLUMN {name} {type_}"))


def rows_in(
    connection: sa.Connection,
    select: Sequence[sa.ColumnElement[Any]],
    column: sa.ColumnElement[Any],
    values: Sequence[str] | Sequence[int],
    *where: sa.ColumnElement[bool],
    group_by: Sequence[sa.ColumnElement[Any]] = (),
) -> Iterator[Sequence[Any]]:
    """The rows whose `column` is one of `values`, asked for in chunks; `where` as well.

    What is grouped is grouped within a chunk, so `column` is part of `group_by`.
    """
    if not values:
        return
    of = tuple(select), column, where, tuple(group_by)
    if len(values) == 1:  # what tills ask for; an IN list is written anew each time
        yield from connection.execute(_query(*of, one=True), {"wanted": values[0]}).all()
        return
    query = _query(*of, one=False)
    for start in range(0, len(values), IN_CHUNK):
        yield from connection.execute(query, {"wanted": values[start : start + IN_CHUNK]})


@lru_cache(maxsize=512)
def _query(
    select: tuple[sa.ColumnElement[Any], ...],
    column: sa.ColumnElement[Any],
    where: tuple[sa.ColumnElement[bool], ...],
    group_by: tuple[sa.ColumnElement[Any], ...],
    *,
    one: bool,
) -> sa.Select[Any]:
    """The statement of `rows_in`: building one takes longer than a small table answers it."""
    if one:
        wanted = column == sa.bindparam("wanted")
    else:
        wanted = column.in_(sa.bindparam("wanted", expanding=True))
    return sa.select(*select).where(wanted, *where).group_by(*group_by)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN is switched off: `transaction` says which kind it is. A listener of
    # SQLAlchemy's would slow every statement down, not only BEGIN.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # The ledger is a book of record: a commit must survive a power cut.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection, *, write: bool) -> None:
    # A writer takes the lock at once: one that reads first and upgrades later would be refused
    # with "database is locked" instead of waiting.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _where(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _unstorable() -> RecordError:
    # Without the driver's words: they quote the value, which may be a card's number.
    return RecordError(
        "text-invalid",
        "a value that was given holds a broken character, or is too large for the ledger",
        remedy="correct it; a text that was typed in another encoding has to become UTF-8 first",
    )


def _unreachable(error: Exception, engine: sa.Engine) -> UnreachableError:
    cause = str(error.orig if isinstance(error, OperationalError) else error)
    if "locked" in cause:
        return UnreachableError(
            "ledger-busy",
            f"another process has been writing to {_where(engine)} for {LOCK_WAIT_MS // 1000} s",
            cause=cause,
            remedy="try again when it has finished",
        )
    return UnreachableError(
        "ledger-unreachable",
        f"the ledger {_where(engine)} cannot be opened",
        cause=cause,
        remedy="check that the path or server exists and that you may write to it",
    )
