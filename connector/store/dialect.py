"""What differs between the databases a store can lie in.

Owns: the protocol each of them is wrapped in, and the errors they have in common.
Never does: knowing a table, or a database (`sqlite.py`, `postgresql.py`).
Tested in: tests/contract/store/, tests/unit/store/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from connector.errors import DualWriteError, StateError

LOCK_WAIT_MS = 30_000
"""How long a writer waits for another one to commit."""


class Dialect(Protocol):
    """One database behind the store."""

    def prepare(self, engine: sa.Engine) -> None:
        """Set up connections: what is committed survives a power cut; no wait is endless."""
        ...

    def begin(self, connection: sa.Connection) -> None:
        """Begin a transaction that writes; whoever else does waits."""
        ...

    def alone(self, connection: sa.Connection) -> None:
        """Begin a transaction that keeps every other process from migrating until it ends."""
        ...

    def suits(self, connection: sa.Connection, name: str) -> None:
        """Raise StateError where a new state should not be made in this empty database."""
        ...

    def still(self, connection: sa.Connection) -> None:
        """Begin a transaction that only reads, and sees one moment until it ends."""
        ...

    def count_on(self, connection: sa.Connection, column: sa.Column[Any]) -> None:
        """Let a column that numbers its own rows go on after the rows that were put there."""
        ...

    def now(self) -> sa.ColumnElement[float]:
        """The store's clock: seconds since the epoch, as the database sees them."""
        ...

    def insert(self, table: sa.Table) -> Any:
        """An INSERT that offers `on_conflict_do_update` and `on_conflict_do_nothing`."""
        ...

    def among(self, column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
        """`column` is one of the values bound as `name`, however many, in one statement."""
        ...

    def listed(self, values: Sequence[str] | Sequence[int]) -> Any:
        """The values of an `among`, as its parameter takes them."""
        ...

    def explained(self, error: DBAPIError) -> DualWriteError:
        """A driver's error as ours; parameters and details never show, they may be cards."""
        ...


def contradiction(cause: str) -> StateError:
    """A row that is there already."""
    return StateError(
        "state-contradiction",
        "the sync state already holds another row where this one belongs",
        cause=cause,
        remedy="run the command again; if it repeats, please report it",
    )


def busy(cause: str) -> StateError:
    """Somebody else was in the way for too long."""
    return StateError(
        "state-busy",
        "another process kept the sync state locked",
        cause=cause,
        remedy="run the command again when the other process has finished",
    )
