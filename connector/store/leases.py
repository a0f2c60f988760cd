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
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.errors import LeaseHeldError, StateError, Subject
from connector.store.database import Database
from connector.store.schema import leases, sequences
from connector.store.work import Lease

_NOBODY = 0
"""No lease has this fencing number: they begin with 1."""


class Leases:
    """Leases of maps, and durable sequences."""

    def __init__(self, db: Database) -> None:
        self._db = db
        c, now = leases.c, db.dialect.now()
        expires = now + bindparam("seconds")
        insert = db.dialect.insert(leases)
        self._take = (
            insert.values(
                map=bindparam("map"), holder=bindparam("holder"), fencing=1, expires=expires
            )
            .on_conflict_do_update(
                index_elements=[c.map],
                set_={
                    "holder": insert.excluded.holder,
                    "fencing": c.fencing + 1,
                    "expires": expires,
                },
                where=sa.or_(c.expires <= now, c.fencing == bindparam("dead")),
            )
            .returning(c.fencing, c.expires)
        )
        ours = (
            c.map == bindparam("b_map"),
            c.holder == bindparam("b_holder"),
            c.fencing == bindparam("b_fencing"),
            c.expires > now,
        )
        self._renew = sa.update(leases).where(*ours).values(expires=expires).returning(c.expires)
        self._release = sa.update(leases).where(*ours).values(expires=0.0)
        self._hold = sa.select(c.map).where(*ours).with_for_update()
        self._holder = sa.select(leases, (c.expires > now).label("held")).where(
            c.map == bindparam("map")
        )
        self._reserve = (
            sa.update(sequences)
            .where(sequences.c.name == bindparam("b_name"))
            .values(next=sequences.c.next + bindparam("count"))
            .returning(sequences.c.next)
        )

    def acquire(self, map: str, holder: str, seconds: float, gone: Callable[[str], bool]) -> Lease:
        """Take a free or expired lease, or that of a dead holder, by compare-and-set."""
        asked = {"map": map, "holder": holder, "seconds": seconds, "dead": _NOBODY}
        with self._db.transaction() as connection:
            row = connection.execute(self._take, asked).first()
            if row is None:
                held = connection.execute(self._holder, {"map": map}).one()
                if gone(held.holder):
                    row = connection.execute(self._take, {**asked, "dead": held.fencing}).first()
            if row is None:
                raise self._held(connection, map)
        return Lease(map, holder, row.fencing, row.expires)

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Extend a lease that is still ours."""
        with self._db.transaction() as connection:
            row = connection.execute(self._renew, {**_ours(lease), "seconds": seconds}).first()
            if row is None:
                raise self._held(connection, lease.map, lost=True)
        return Lease(lease.map, lease.holder, lease.fencing, row.expires)

    def release(self, lease: Lease) -> None:
        """Let the lease expire now; the row stays, because its fencing number must grow."""
        with self._db.transaction() as connection:
            connection.execute(self._release, _ours(lease))

    def hold(self, connection: sa.Connection, lease: Lease) -> None:
        """Inside a transaction: nobody can take the lease before it ends, or LeaseHeldError."""
        if connection.execute(self._hold, _ours(lease)).first() is None:
            raise self._held(connection, lease.map, lost=True)

    def numbers(self, name: str, count: int) -> int:
        """Reserve `count` numbers for ever; the first of them."""
        with self._db.transaction() as connection:
            reserved = connection.execute(self._reserve, {"b_name": name, "count": count})
            following: int | None = reserved.scalar()
            if following is None or count < 1:
                raise StateError(
                    "sequence-unknown",
                    f"{count} numbers of a sequence {name!r} cannot be reserved",
                    remedy="this is a defect of the engine; please report it",
                )
        return following - count

    def _held(self, connection: sa.Connection, map: str, *, lost: bool = False) -> LeaseHeldError:
        row = connection.execute(self._holder, {"map": map}).first()
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


def _ours(lease: Lease) -> dict[str, Any]:
    """The parameters that say which lease is ours."""
    return {"b_map": lease.map, "b_holder": lease.holder, "b_fencing": lease.fencing}
