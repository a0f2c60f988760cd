"""The watch over one map: incidents that were counted, alerts that are due.

Owns: looking at the rules after something went wrong, holding the map, telling of it.
Never does: deciding what is an incident; sending (`Ports.notify` does).
Tested in: tests/integration/engine/test_alerts.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connector.engine.ports import Ports
from connector.engine.runs.alerts import Notice, Rule, hold_of, notice_of, reached
from connector.errors import MapStoppedError, Problem
from connector.mapping.document import MapDocument
from connector.store.work import Lease, MapRow, Work


class Watch:
    """Rules over the incidents of one map, which the store counts over all runs."""

    def __init__(self, document: MapDocument, ports: Ports, rules: Sequence[Rule]) -> None:
        self._document = document
        self._ports = ports
        self._rules = [rule for rule in rules if rule.map in (None, document.map)]
        self._fresh: set[str] = set()

    def saw(self, incidents: Mapping[str, int]) -> None:
        """Incidents were counted in the store; the rules about them are looked at next."""
        self._fresh.update(incidents)

    def heed(self, lease: Lease, run: int) -> Problem | None:
        """Raise what was reached since the last look; why the map is held from now on, if it is.

        The hold is durable before anybody is told.
        """
        rules = [rule for rule in self._rules if rule.kind in self._fresh]
        self._fresh.clear()
        if not rules:
            return None
        store, name, now = self._ports.store, self._document.map, self._ports.clock()
        alerts = reached(
            rules,
            name,
            lambda kind, since: store.incidents(name, kind, since),
            lambda rule: store.alerted(name, rule),
            now,
        )
        if not alerts:
            return None
        hold = hold_of(alerts)
        work = Work(run, now, alerted={alert.rule.name: now for alert in alerts})
        if hold is not None:
            work.map = held_row(store.map_row(name), self._document, hold)
        store.commit(lease, work)
        for alert in alerts:
            self._ports.notify(notice_of(alert, now))
        return hold

    def stopped(self, error: MapStoppedError) -> None:
        """Tell that something other than an alert stopped the map in this run."""
        if error.code.startswith("alert-"):
            return  # told when it was raised
        name, now = self._document.map, self._ports.clock()
        notice = Notice("stopped", name, error.code, error.message, error.remedy, now)
        self._ports.notify(notice)


def held_row(row: MapRow | None, document: MapDocument, why: Problem) -> MapRow:
    """The row of a map that is held from now on, be it before its first run."""
    known = row or MapRow(document.map, document.fingerprint(), document.version)
    return replace(known, stopped=why)


def count(incidents: dict[str, int], *kinds: str, times: int = 1) -> None:
    """Add to the incidents of a transaction."""
    for kind in kinds:
        incidents[kind] = incidents.get(kind, 0) + times
