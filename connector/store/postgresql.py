"""The store in a PostgreSQL database.

Owns: PostgreSQL's clock, upserts, value lists, session settings and errors.
Never does: knowing a table; creating databases, roles or schemas.
Tested in: tests/contract/store/, tests/unit/store/{test_postgresql,test_postgresql_races}.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, OperationalError

from connector.errors import AccessError, DualWriteError, StateError, UnreachableError
from connector.store.dialect import LOCK_WAIT_MS, busy, contradiction

SESSION = {
    "lock_timeout": f"{LOCK_WAIT_MS}ms",
    "statement_timeout": "10min",
    # A worker that is suspended inside a commit must not hold the others up for ever.
    "idle_in_transaction_session_timeout": "60s",
}
"""No wait is endless. A migration waits for other migrations as long as for a statement."""

CONNECTION = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "fallback_application_name": "dualwrite",
}
"""What libpq is told unless the URL says otherwise: a silent server is noticed in a minute."""

_MIGRATING = 0x64_75_61_6C  # "dual": the number of our advisory lock

_CONFIGURE = "SELECT " + ", ".join(f"set_config('{name}', %s, false)" for name in SESSION)
_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off'
"""

_NOT_NOW = ("starting up", "shutting down", "recovery", "too many", "connection slots")
"""Refusals at the door that pass by themselves."""


class Postgresql:
    """PostgreSQL 12 or newer, through psycopg with positional parameters.

    Transactions read what is committed; everything a commit relies on hangs on the row of the
    lease, which it locks first.
    """

    def prepare(self, engine: sa.Engine) -> None:
        """Give every session its time limits, and commits that are on disk when they return."""
        sa.event.listen(engine, "connect", _prepare)

    def begin(self, connection: sa.Connection) -> None:
        """Nothing to do: the driver begins it with the first statement."""

    def alone(self, connection: sa.Connection) -> None:
        """An advisory lock: it needs no table, and ends with the transaction or the session."""
        limit = SESSION["statement_timeout"]
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{limit}'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")

    def suits(self, connection: sa.Connection, name: str) -> None:
        """Keys are compared as text: every character of both sides must have its place."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise StateError(
                "state-encoding",
                f"{name} is encoded in {encoding}, which cannot hold every card",
                remedy="CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8', "
                "and let store.url name it",
            )

    def still(self, connection: sa.Connection) -> None:
        """One snapshot for all statements."""
        connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def count_on(self, connection: sa.Connection, column: sa.Column[Any]) -> None:
        """The sequence behind the column hands out the number after the highest."""
        sequence = sa.func.pg_get_serial_sequence(column.table.name, column.name)
        highest = sa.select(sa.func.max(column)).scalar_subquery()
        following = sa.func.coalesce(highest, 0) + 1
        connection.execute(sa.select(sa.func.setval(sequence, following, sa.false())))

    def now(self) -> sa.ColumnElement[float]:
        """The time of the statement, not of the transaction it may have waited in."""
        clock = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"
        return sa.literal_column(clock, sa.Double())

    def insert(self, table: sa.Table) -> postgresql.Insert:
        """PostgreSQL's own INSERT."""
        return postgresql.insert(table)

    def among(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """One array instead of n parameters: the statement is the same for every n."""
        return column == sa.any_(sa.bindparam(name, type_=postgresql.ARRAY(column.type)))

    def listed(self, values: Sequence[str] | Sequence[int]) -> list[Any]:
        """The values as a list, which the driver turns into an array."""
        return list(values)

    def explained(self, error: DBAPIError) -> DualWriteError:
        """By SQLSTATE; before a session exists there is none, and the server's words decide."""
        original: Any = error.orig
        code: str | None = original.sqlstate
        if code is None:
            if not isinstance(error, OperationalError):  # the driver itself would not send it
                return _unusable(str(original))
            if original.pgconn is not None:
                return _refused(str(original), original.pgconn)
            return _lost(str(original))
        # Never the detail beside it, which quotes the row.
        cause = f"{original.diag.message_primary} (SQLSTATE {code})"
        for codes, told in _TOLD.items():
            if code.startswith(codes):
                return told(cause)
        return _unusable(cause)


def _prepare(connection: Any, _record: object) -> None:
    # Outside a transaction: one that is rolled back would take the settings with it.
    before, connection.autocommit = connection.autocommit, True
    connection.execute(_CONFIGURE, tuple(SESSION.values()))
    connection.execute(_DURABLE)
    connection.autocommit = before


# ---------------------------------------------------------------------------- errors


def _refused(cause: str, pgconn: Any) -> DualWriteError:
    """No session came about: nobody answers, or the server does not let us in."""
    answered = "FATAL" in cause or pgconn.needs_password or pgconn.used_password
    if answered and not any(passing in cause for passing in _NOT_NOW):
        return _no_access(cause)
    return UnreachableError(
        "state-unreachable",
        "the database server of the sync state cannot be reached",
        cause=cause,
        remedy="check host and port in store.url, and that the server runs",
    )


def _lost(cause: str) -> UnreachableError:
    return UnreachableError(
        "state-unreachable",
        "the connection to the sync state was lost; what was not committed is not done",
        cause=cause,
        remedy="run the command again when the database server is back",
    )


def _read_only(cause: str) -> StateError:
    return StateError(
        "state-read-only",
        "the database takes no writes: it is a standby, or set to read only",
        cause=cause,
        remedy="let store.url name the primary server",
    )


def _unusable(cause: str) -> StateError:
    return StateError(
        "state-unusable",
        "the sync state cannot be read or written",
        cause=cause,
        remedy="see the log of the database server; when it is in order, run the command again",
    )


def _no_access(cause: str) -> AccessError:
    return AccessError(
        "state-access",
        "the database of the sync state does not let this user in",
        cause=cause,
        remedy="check user and database in store.url, the secret store.password names, and that "
        "the user may create tables there",
    )


_TOLD: Mapping[tuple[str, ...], Callable[[str], DualWriteError]] = {
    ("23",): contradiction,
    ("55P03", "57014", "40"): busy,
    ("08", "57P", "25P03"): _lost,
    ("25006",): _read_only,
    ("28", "42501"): _no_access,
}
"""By the beginning of the SQLSTATE (PostgreSQL: Appendix A, error codes)."""
