"""How the shop's database is reached: connections, transactions, and what its errors mean.

Owns: the engine for SQLite, PostgreSQL and SQL Server; the one place where a driver's error becomes
ours.
Never does: knowing a table.
Tested in: tests/unit/endpoints/dynamicweb/test_database.py.

SQL Server is reached with pyodbc, the extra `sqlserver`; there is no server to test against, so
that its statements are only checked as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)

from connector.endpoints.subjects import about
from connector.errors import AccessError, ConfigError, Subject, UnreachableError

_WRITES = "shop_writes"
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql", "mssql": "sqlserver"}
"""Databases that are known, with the extra their driver comes with."""


class Database:
    """One shop's database; `section` is that of the config, for who has to mend something."""

    def __init__(
        self,
        url: str,
        password: str | None = None,
        timeout: float = 60.0,
        section: str = "commerce",
    ) -> None:
        """Reach nothing yet; raises `ConfigError` (`shop-url`, `shop-driver`)."""
        self.section = section
        self.engine = _engine(_parsed(url, password, section), timeout, section)

    @property
    def side(self) -> str:
        """What the config calls this side."""
        return self.section.removeprefix("sides.")

    @property
    def name(self) -> str:
        """Which database this is, in words that do not depend on who signs in, or how."""
        url = self.engine.url
        if url.get_backend_name() == "sqlite":
            return f"sqlite:{Path(str(url.database)).resolve()}"
        port = f":{url.port}" if url.port else ""
        host = url.host or url.query.get("host", "")
        return f"{url.get_backend_name()}://{host}{port}/{url.database}"

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[sa.Connection]:
        """One transaction: committed at the end, rolled back by any exception.

        Raises `UnreachableError` (`shop-unreachable`, `shop-busy`) and `AccessError`
        (`shop-refused`).
        """
        try:
            with about(self.side), self.engine.connect() as connection:
                connection = connection.execution_options(**{_WRITES: write})
                with connection.begin():
                    yield connection
        except (OperationalError, InterfaceError) as error:
            raise self._unreachable(error) from error
        except DBAPIError as error:
            raise AccessError(
                "shop-refused",
                "the shop's database refuses a statement",
                subject=Subject(side=self.side),
                cause=cause_of(error),
                remedy="give this user SELECT on the loyalty tables, and INSERT and UPDATE on "
                f"those that are written; check their names in [{self.section}.tables]",
            ) from error

    def close(self) -> None:
        """Release all connections."""
        self.engine.dispose()

    def _unreachable(self, error: DBAPIError) -> UnreachableError:
        cause = cause_of(error)
        busy = "locked" in cause or "timeout" in cause.lower()
        return UnreachableError(
            "shop-busy" if busy else "shop-unreachable",
            f"the shop's database {self.name} does not answer",
            subject=Subject(side=self.side),
            cause=cause,
            remedy="try again; check the address, the server and the network if it stays so",
        )


def cause_of(error: DBAPIError) -> str:
    """What the driver said, without the statement and the values it was about."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _parsed(url: str, password: str | None, section: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise _wrong_url(None, section) from error
    if parsed.get_backend_name() not in _DRIVERS:
        raise _wrong_url(f"{parsed.get_backend_name()} is not known", section)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).is_file():
        raise _wrong_url(f"there is no file {parsed.database}", section)
    return parsed if password is None else parsed.set(password=password)


def _wrong_url(cause: str | None, section: str) -> ConfigError:
    return ConfigError(
        "shop-url",
        "this URL names no shop's database",
        subject=Subject(field=f"{section}.url"),
        cause=cause,
        remedy="write it like mssql+pyodbc://USER@HOST/NAME?driver=ODBC+Driver+18+for+SQL+Server, "
        "postgresql+psycopg://USER@HOST/NAME or sqlite:///PATH",
    )


def _engine(url: sa.URL, timeout: float, section: str) -> sa.Engine:
    backend, seconds = url.get_backend_name(), max(1, round(timeout))
    arguments: dict[str, dict[str, Any]] = {
        "sqlite": {"timeout": timeout},
        "postgresql": {
            "connect_timeout": seconds,
            "options": f"-c statement_timeout={1000 * seconds}",
        },
        "mssql": {"timeout": seconds},
    }
    try:
        engine = sa.create_engine(
            url, connect_args=arguments[backend], pool_timeout=timeout, pool_pre_ping=True
        )
    except (ImportError, NoSuchModuleError) as error:
        raise _no_driver(url, error, section) from error
    if backend == "sqlite":
        sa.event.listen(engine, "connect", _leave_begin_to_us)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _no_driver(url: sa.URL, error: Exception, section: str) -> ConfigError:
    remedy = f"pip install 'loyalty-dual-write[{_DRIVERS[url.get_backend_name()]}]'"
    if isinstance(error, ImportError) and not isinstance(error, ModuleNotFoundError):
        # The module is there, and a library of the system that it needs is not.
        remedy = "install what the cause names: for SQL Server unixODBC (on Debian and Ubuntu: apt "
        remedy += "install unixodbc) and Microsoft's ODBC driver"
    return ConfigError(
        "shop-driver",
        f"the driver `{url.drivername}` cannot be used",
        subject=Subject(field=f"{section}.url"),
        cause=str(error),
        remedy=remedy,
    )


def _leave_begin_to_us(connection: Any, _record: object) -> None:
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    # A writer takes the lock at once: one that reads first would be refused instead of waiting.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
