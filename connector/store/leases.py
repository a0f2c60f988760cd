"""Who may work a map, and numbers that are handed out once.

Owns: the tables `leases` and `sequences`.
Never does: waiting; a held lease is an error that says whose it is.
Tested in: tests/contract/store/.

All times are the store's own clock, so that two workers with different clocks agree on who
holds the lease. Every acquisition raises the fencing number; a worker that slept through its
lease finds another number and commits nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from connector.errors import LeaseHeldError, StateError, Subject
from connector.store.database import Database
from connector.store.schema import leases, sequences
from connector.store.work import Lease


class Leases:
    """Leases of maps, and durable sequences."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._now = db.dialect.now()

    def acquire(self, map: str, holder: str, seconds: float, gone: Callable[[str], bool]) -> Lease:
        """Take a free or expired lease, or that of a dead holder, by compare-and-set."""
        with self._db.transaction() as connection:
            row = connection.execute(self._take(map, holder, seconds)).first()
            if row is None:
                held = connection.execute(sa.select(leases).where(leases.c.map == map)).one()
                if gone(held.holder):
                    same = leases.c.fencing == held.fencing
                    row = connection.execute(self._take(map, holder, seconds, same)).first()
            if row is None:
                raise self._held(connection, map)
        return Lease(map, holder, row.fencing, row.expires)

    def _take(
        self, map: str, holder: str, seconds: float, *unless_free: sa.ColumnElement[bool]
    ) -> sa.Executable:
        """The statement that takes a lease that is free, or fits `unless_free`."""
        expires = self._now + seconds
        insert = self._db.dialect.insert(leases)
        statement: sa.Executable = (
            insert.values(map=map, holder=holder, fencing=1, expires=expires)
            .on_conflict_do_update(
                index_elements=[leases.c.map],
                set_={"holder": holder, "fencing": leases.c.fencing + 1, "expires": expires},
                where=sa.or_(leases.c.expires <= self._now, *unless_free),
            )
            .returning(leases.c.fencing, leases.c.expires)
        )
        return statement

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Extend a lease that is still ours."""
        statement = (
            sa.update(leases)
            .where(*self._ours(lease))
            .values(expires=self._now + seconds)
            .returning(leases.c.expires)
        )
        with self._db.transaction() as connection:
            row = connection.execute(statement).first()
            if row is None:
                raise self._held(connection, lease.map, lost=True)
        return Lease(lease.map, lease.holder, lease.fencing, row.expires)

    def release(self, lease: Lease) -> None:
        """Let the lease expire now; the row stays, because its fencing number must grow."""
        with self._db.transaction() as connection:
            connection.execute(sa.update(leases).where(*self._ours(lease)).values(expires=0.0))

    def hold(self, connection: sa.Connection, lease: Lease) -> None:
        """Inside a transaction: nobody can take the lease before it ends, or LeaseHeldError."""
        query = sa.select(leases.c.map).where(*self._ours(lease)).with_for_update()
        if connection.execute(query).first() is None:
            raise self._held(connection, lease.map, lost=True)

    def numbers(self, name: str, count: int) -> int:
        """Reserve `count` numbers for ever; the first of them."""
        statement = (
            sa.update(sequences)
            .where(sequences.c.name == name)
            .values(next=sequences.c.next + count)
            .returning(sequences.c.next)
        )
        with self._db.transaction() as connection:
            following: int | None = connection.execute(statement).scalar()
            if following is None or count < 1:
                raise StateError(
                    "sequence-unknown",
                    f"{count} numbers of a sequence {name!r} cannot be reserved",
                    remedy="this is a defect of the engine; please report it",
                )
        return following - count

    def _ours(self, lease: Lease) -> tuple[sa.ColumnElement[bool], ...]:
        return (
            leases.c.map == lease.map,
            leases.c.holder == lease.holder,
            leases.c.fencing == lease.fencing,
            leases.c.expires > self._now,
        )

    def _held(self, connection: sa.Connection, map: str, *, lost: bool = False) -> LeaseHeldError:
        query = sa.select(leases, (leases.c.expires > self._now).label("held"))
        row = connection.execute(query.where(leases.c.map == map)).first()
        if row is None or not row.held:
            cause = "it expired, and nobody has taken it since"
        else:
            until = datetime.fromtimestamp(row.expires, UTC)
            cause = f"{row.holder} holds it until {until:%Y-%m-%d %H:%M:%S} UTC"
        return LeaseHeldError(
            "lease-lost" if lost else "lease-held",
            "the lease is no longer ours, nothing was written"
            if lost
            else "another run works this map",
            subject=Subject(map=map),
            cause=cause,
            remedy="wait for it to finish, then run the command again",
        )
