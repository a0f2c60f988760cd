"""How long the past is kept: audit rows, runs, tombstones.

Owns: the table `departed`, the time from which a map's audit is complete, and every purge.
Never does: choosing a time; opening a transaction; touching a record somebody still needs.
Tested in: tests/contract/store/test_retention.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.store.database import Database
from connector.store.incidents import Incidents
from connector.store.schema import (
    NEEDS_A_PERSON,
    TOMBSTONE,
    changes,
    departed,
    incidents,
    maps,
    records,
    runs,
)

_INCIDENTS_SECONDS = 7 * 24 * 3600.0
"""How long errors are counted; alerts look back a few hours at most."""

_NOBODY_NEEDED = sa.text(f"NOT ({NEEDS_A_PERSON})")


class Retention:
    """Purges what is older than wanted, some rows at a time."""

    def __init__(self, db: Database, counted: Incidents) -> None:
        self._db = db
        self._incidents = counted
        d = departed.c
        self._of_key = (
            sa.select(d.record, d.at)
            .where(d.map == bindparam("map"), d.key == bindparam("key"))
            .order_by(d.at, d.record)
        )
        self._kept_since = sa.select(maps.c.audit_kept_since).where(maps.c.map == bindparam("map"))

    # ------------------------------------------------------------------------ reading

    def departed(self, map: str, key: str) -> Sequence[tuple[int, float]]:
        """(record number, when) of purged tombstones under a normalised key, oldest first."""
        return [tuple(row) for row in self._db.rows(self._of_key, map=map, key=key)]

    def audit_kept_since(self, map: str) -> float | None:
        """From when on the audit is complete; None while nothing was purged of it."""
        at: float | None = self._db.scalar(self._kept_since, map=map)
        return at

    # ------------------------------------------------------------------------ purging

    def purge(
        self,
        connection: sa.Connection,
        map: str,
        at: float,
        *,
        audit_before: float,
        runs_before: float,
        tombstones_before: float,
        limit: int,
    ) -> Mapping[str, int]:
        """At `at`, delete at most `limit` rows of each kind; how many, by table."""
        return {
            changes.name: self._changes(connection, map, audit_before, limit),
            departed.name: self._departed(connection, map, limit),
            records.name: self._tombstones(connection, map, at, tombstones_before, limit),
            runs.name: self._runs(connection, map, runs_before, limit),
            incidents.name: self._incidents.purge(connection, map, at - _INCIDENTS_SECONDS),
        }

    def _changes(self, connection: sa.Connection, map: str, before: float, limit: int) -> int:
        c = changes.c
        old = sa.select(c.number).where(
            c.map == map, c.outcome.is_not(None), c.at < before, *self._began(map, before)
        )
        gone = sa.delete(changes).where(c.number.in_(old.order_by(c.number).limit(limit)))
        count = connection.execute(gone).rowcount
        if count:
            since = sa.func.coalesce(maps.c.audit_kept_since, before)
            later = sa.case((since > before, since), else_=before)
            connection.execute(
                sa.update(maps).where(maps.c.map == map).values(audit_kept_since=later)
            )
        return count

    def _began(self, map: str, before: float) -> Sequence[sa.ColumnElement[bool]]:
        """Audit numbers below those of the first run that began later: no walk beyond them."""
        c = runs.c
        first: int | None = self._db.scalar(
            sa.select(sa.func.min(c.first_change)).where(c.map == map, c.started >= before)
        )
        return () if first is None else (changes.c.number < first,)

    def _tombstones(
        self, connection: sa.Connection, map: str, at: float, before: float, limit: int
    ) -> int:
        """Replace tombstones nothing was told of lately by their number and key."""
        c = records.c
        lately = sa.exists().where(changes.c.record == c.number, changes.c.at >= before)
        query = (
            sa.select(c.number, c.key)
            .where(c.map == map, sa.text(TOMBSTONE), c.due.is_(None), _NOBODY_NEEDED, ~lately)
            .order_by(c.number)
            .limit(limit)
        )
        old = connection.execute(query).all()
        if not old:
            return 0
        left = [{"map": map, "key": row.key, "record": row.number, "at": at} for row in old]
        connection.execute(sa.insert(departed), left)
        gone = sa.delete(records).where(self._db.dialect.among(c.number, "numbers"))
        numbers = self._db.dialect.listed([row.number for row in old])
        return connection.execute(gone, {"numbers": numbers}).rowcount

    def _departed(self, connection: sa.Connection, map: str, limit: int) -> int:
        """Forget the numbers of records of which the audit tells nothing any more."""
        c = departed.c
        told = sa.exists().where(changes.c.record == c.record)
        silent = sa.select(c.record).where(c.map == map, ~told).limit(limit)
        gone = sa.delete(departed).where(c.map == map, c.record.in_(silent))
        return connection.execute(gone).rowcount

    def _runs(self, connection: sa.Connection, map: str, before: float, limit: int) -> int:
        """The newest run stays, which may be at work; older ones without an end were killed.

        SQLite would also give the number of a newest run to the next one.
        """
        c, of_map = runs.c, runs.alias()
        newest = sa.select(sa.func.max(of_map.c.number)).where(of_map.c.map == map)
        old = sa.select(c.number).where(
            c.map == map, c.started < before, c.number < newest.scalar_subquery()
        )
        gone = sa.delete(runs).where(c.number.in_(old.order_by(c.number).limit(limit)))
        return connection.execute(gone).rowcount
