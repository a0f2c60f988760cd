"""Errors counted by the minute, and the alerts they raised.

Owns: the tables `incidents` and `alerts`.
Never does: knowing a threshold, or telling anybody.
Tested in: tests/contract/store/test_incidents.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.store.database import Database, bound
from connector.store.schema import alerts, incidents

_MINUTE = 60


class Incidents:
    """How often what went wrong, by map, kind and minute."""

    def __init__(self, db: Database) -> None:
        self._db = db
        c, a = incidents.c, alerts.c
        self._since = sa.select(sa.func.coalesce(sa.func.sum(c["count"]), 0)).where(
            c.map == bindparam("map"), c.kind == bindparam("kind"), c.minute >= bindparam("minute")
        )
        insert = db.dialect.insert(incidents).values(bound(("map", "kind", "minute", "count")))
        self._count = insert.on_conflict_do_update(
            index_elements=[c.map, c.kind, c.minute],
            set_={"count": c["count"] + insert.excluded["count"]},
        )
        self._alerted = sa.select(a.raised_at).where(
            a.map == bindparam("map"), a.rule == bindparam("rule")
        )
        self._raise = db.upsert(alerts)

    def since(self, map: str, kind: str, since: float) -> int:
        """Errors of a kind in the minute `since` lies in and all later ones."""
        minute = int(since // _MINUTE)
        return int(self._db.scalar(self._since, map=map, kind=kind, minute=minute))

    def alerted(self, map: str, rule: str) -> float | None:
        """When the rule's alert was last raised, None if never."""
        at: float | None = self._db.scalar(self._alerted, map=map, rule=rule)
        return at

    def count(
        self, connection: sa.Connection, map: str, at: float, by_kind: Mapping[str, int]
    ) -> None:
        """Add to the counts of the minute `at` lies in."""
        for kind, count in by_kind.items():
            row = {"map": map, "kind": kind, "minute": int(at // _MINUTE), "count": count}
            connection.execute(self._count, row)

    def raised(self, connection: sa.Connection, map: str, by_rule: Mapping[str, float]) -> None:
        """Remember when alerts were raised."""
        for rule, at in by_rule.items():
            connection.execute(self._raise, {"map": map, "rule": rule, "raised_at": at})

    def purge(self, connection: sa.Connection, map: str, before: float) -> int:
        """Delete the counts of minutes that ended before a time; how many rows."""
        c = incidents.c
        old = sa.delete(incidents).where(c.map == map, c.minute < int(before // _MINUTE))
        return connection.execute(old).rowcount
