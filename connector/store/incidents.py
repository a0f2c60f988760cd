"""Errors counted by the minute, and the alerts they raised.

Owns: the tables `incidents` and `alerts`.
Never does: knowing a threshold, or telling anybody.
Tested in: tests/contract/store/test_incidents.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from connector.store.database import Database
from connector.store.schema import alerts, incidents

_MINUTE = 60


class Incidents:
    """How often what went wrong, by map, kind and minute."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def since(self, map: str, kind: str, since: float) -> int:
        """Errors of a kind in the minute `since` lies in and all later ones."""
        c = incidents.c
        query = sa.select(sa.func.coalesce(sa.func.sum(c["count"]), 0)).where(
            c.map == map, c.kind == kind, c.minute >= int(since // _MINUTE)
        )
        return int(self._db.scalar(query))

    def alerted(self, map: str, rule: str) -> float | None:
        """When the rule's alert was last raised, None if never."""
        query = sa.select(alerts.c.raised_at).where(alerts.c.map == map, alerts.c.rule == rule)
        at: float | None = self._db.scalar(query)
        return at

    def count(
        self, connection: sa.Connection, map: str, at: float, by_kind: Mapping[str, int]
    ) -> None:
        """Add to the counts of the minute `at` lies in."""
        for kind, count in by_kind.items():
            insert = self._db.dialect.insert(incidents).values(
                map=map, kind=kind, minute=int(at // _MINUTE), count=count
            )
            more = {"count": incidents.c["count"] + count}
            key = ["map", "kind", "minute"]
            connection.execute(insert.on_conflict_do_update(index_elements=key, set_=more))

    def raised(self, connection: sa.Connection, map: str, by_rule: Mapping[str, float]) -> None:
        """Remember when alerts were raised."""
        for rule, at in by_rule.items():
            insert = self._db.dialect.insert(alerts).values(map=map, rule=rule, raised_at=at)
            key = ["map", "rule"]
            connection.execute(
                insert.on_conflict_do_update(index_elements=key, set_={"raised_at": at})
            )

    def purge(self, connection: sa.Connection, map: str, before: float) -> int:
        """Delete the counts of minutes that ended before a time; how many rows."""
        c = incidents.c
        old = sa.delete(incidents).where(c.map == map, c.minute < int(before // _MINUTE))
        return connection.execute(old).rowcount
