"""The state as a dry run would leave it, in memory over a store that stays as it is.

Owns: the records a dry run touched, which hide what is stored.
Never does: changing the store.
Tested in: tests/integration/engine/test_rehearse.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.engine.news.absorb import Absorbed
from connector.mapping.values import Side
from connector.store.base import Store
from connector.store.record import Layout, Presence, Record, State

_PAGE = 1000


class Overlay:
    """Answers like the store, for the questions that absorbing a page asks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._touched: dict[int, Record] = {}
        self._by_id: dict[tuple[Side, str], Record] = {}
        self._new: dict[str, list[Record]] = {}

    def keep(self, absorbed: Absorbed) -> None:
        """What a page changed; what it found as expected is dropped again."""
        for record in absorbed.records:
            if record.number not in self._touched:
                if record.number > 0 and _as_expected(record):
                    continue
                if record.number < 0:
                    self._new.setdefault(record.key, []).append(record)
            self._touched[record.number] = record
            for side in Side:
                id = record.side(side).id
                if id is not None:
                    self._by_id[side, id] = record

    def put(self, record: Record) -> None:
        """Another version of a stored record."""
        self._touched[record.number] = record

    def doubt(self, layout: Layout, side: Side, seen: set[str], now: float) -> None:
        """After a full scan: rows believed present that were not seen are to be read."""
        after = 0
        while records := self._store.needing(layout, list(State), after, _PAGE):
            after = records[-1].number
            for stored in records:
                record = self._touched.get(stored.number, stored)
                state = record.side(side)
                if state.presence is Presence.PRESENT and state.id not in seen:
                    state.presence = Presence.UNKNOWN
                    record.due = now
                    self._touched[record.number] = record

    def by_ids(self, layout: Layout, side: Side, ids: Sequence[str]) -> Mapping[str, Record]:
        """As `Store.by_ids`."""
        stored = self._store.by_ids(layout, side, ids)
        found: dict[str, Record] = {}
        for id in ids:
            record = self._by_id.get((side, id)) or stored.get(id)
            if record is None:
                continue
            record = self._touched.get(record.number, record)
            if record.side(side).id == id:  # else a dry run has tied it to another row since
                found[id] = record
        return found

    def by_keys(self, layout: Layout, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """As `Store.by_keys`."""
        found = {
            key: [self._touched.get(r.number, r) for r in records]
            for key, records in self._store.by_keys(layout, keys).items()
        }
        for key in keys:
            if key in self._new:
                found.setdefault(key, []).extend(self._new[key])
        return found

    def due(self, layout: Layout, now: float) -> Iterator[Record]:
        """Every record that is due, stored or touched."""
        after = 0
        while records := self._store.due(layout, now, after, _PAGE):
            after = records[-1].number
            for record in records:
                if record.number not in self._touched:
                    yield record
        yield from [r for r in self._touched.values() if r.due is not None and r.due <= now]


def _as_expected(record: Record) -> bool:
    """Whether a stored record that was seen on both sides gives nothing to do."""
    there = record.commerce.presence is record.dataverse.presence is Presence.PRESENT
    return there and record.due is None and record.problem is None
