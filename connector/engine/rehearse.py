"""The dry run: what the next run would write, without a lease, a position or an observation.

Owns: going through capture and planning on copies that are thrown away.
Never does: writing to a side or to the state.
Tested in: tests/integration/engine/test_rehearse.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.endpoints.base import Row
from connector.engine.absorb import Absorbed, absorb
from connector.engine.lookups import resolve
from connector.engine.observe import begin
from connector.engine.pairs import Couple, couples
from connector.engine.plan import Action, Kind, plan
from connector.engine.run import MapRun
from connector.errors import PositionExpiredError
from connector.mapping.values import Side, Value
from connector.store.base import Layout, Record, Store

LISTED = 1000
"""Planned changes kept for showing; all are counted."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing the next run would do."""

    key: str
    record: int | None
    what: str
    """create | update | delete | conflict | wait | park"""
    side: Side | None
    field: str | None
    before: Mapping[str, Value] | None
    after: Mapping[str, Value] | None
    reason: str | None


@dataclass(slots=True)
class Rehearsal:
    """What the next run would do: counts by kind and side, and the first changes."""

    counts: Counter[str] = field(default_factory=Counter)
    planned: list[Planned] = field(default_factory=list)
    first_load: bool = False

    def add(self, planned: Planned) -> None:
        """Count one change and keep it while there is room."""
        name = planned.what if planned.side is None else f"{planned.what} {planned.side}"
        self.counts[name] += 1
        if len(self.planned) < LISTED:
            self.planned.append(planned)

    @property
    def writes(self) -> int:
        """How many writes it would take."""
        kinds = tuple(kind.value for kind in Kind)
        return sum(n for name, n in self.counts.items() if name.startswith(kinds))


class _Overlay:
    """The store as it would be: what this dry run touched hides what is stored."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._touched: dict[int, Record] = {}
        self._new: dict[str, list[Record]] = {}

    def keep(self, absorbed: Absorbed) -> None:
        for record in absorbed.records:
            if record.number < 0 and record.number not in self._touched:
                self._new.setdefault(record.key, []).append(record)
            self._touched[record.number] = record

    def by_ids(self, layout: Layout, side: Side, ids: Sequence[str]) -> Mapping[str, Record]:
        found = dict(self._store.by_ids(layout, side, ids))
        for id, record in found.items():
            found[id] = self._touched.get(record.number, record)
        wanted = set(ids)
        for record in self._touched.values():
            id_ = record.side(side).id
            if id_ in wanted:
                found[id_] = record
        return found

    def by_keys(self, layout: Layout, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        found = {
            key: [self._touched.get(r.number, r) for r in records]
            for key, records in self._store.by_keys(layout, keys).items()
        }
        for key in keys:
            if key in self._new:
                found.setdefault(key, []).extend(self._new[key])
        return found

    def due(self, layout: Layout, now: float) -> Iterator[Record]:
        after = 0
        while records := self._store.due(layout, now, after, 1000):
            after = records[-1].number
            for record in records:
                if record.number not in self._touched:
                    yield record
        yield from [r for r in self._touched.values() if r.due is not None and r.due <= now]


class DryRun(MapRun):
    """A run that reserves no numbers and commits nothing."""

    _next = 0

    def numbers(self, name: str, count: int = 1) -> int:
        """Numbers below zero, good for this dry run only; ticks are later than any stored."""
        self._next += count
        return 2**62 + self._next if name == "tick" else -self._next


def rehearse(run: DryRun, only: str | None = None) -> Rehearsal:
    """What `load` or `sync` would do now; `only` limits it to one normalised key."""
    rehearsal = Rehearsal()
    row = run.store.map_row(run.map.name)
    rehearsal.first_load = row is None or row.loaded_at is None
    records = _all_records(run) if rehearsal.first_load else _changed_records(run)
    batch: list[Record] = []
    for record in records:
        if only is not None and record.key != only:
            continue
        batch.append(record)
        if len(batch) == run.limits.page:
            _plan_batch(run, batch, rehearsal)
            batch = []
    _plan_batch(run, batch, rehearsal)
    return rehearsal


def _changed_records(run: DryRun) -> Iterator[Record]:
    overlay = _Overlay(run.store)
    positions = run.store.positions(run.map.name)
    store, run.store = run.store, overlay  # type: ignore[assignment]
    try:
        for side in Side:
            feed = positions.get((side, "feed"))
            if feed is None or feed.text is None:
                continue
            pages = run.endpoint(side).changes(run.map.entity(side), feed.columns, feed.text)
            try:
                for page in pages:
                    run.ports.progress(f"read {side}", len(page.rows))
                    overlay.keep(absorb(run, side, run.numbers("tick"), page))
            except PositionExpiredError:
                run.tell(f"{side} feed expired", 1)
    finally:
        run.store = store
    return overlay.due(run.layout, run.now())


def _all_records(run: DryRun) -> Iterator[Record]:
    with run.store.scratch(run.layout, Side.DATAVERSE) as scratch:
        for batch in couples(run.map, run.ports.endpoints, scratch, run.ports.progress):
            for couple in batch:
                yield _first_sight(run, couple)


def _first_sight(run: DryRun, couple: Couple) -> Record:
    record: Record | None = None
    for side in Side:
        held = couple.held(side)
        if held is None:
            continue
        row = Row(held.id, None, held.image)
        seen = begin(run.numbers("record"), couple.key, 0, row, run.witness(side, 1))
        if record is None:
            record = seen
        elif side is Side.DATAVERSE:
            record.dataverse = seen.dataverse
    assert record is not None
    return record


def _plan_batch(run: DryRun, batch: Sequence[Record], rehearsal: Rehearsal) -> None:
    resolve(run.map, run.ports.endpoints, batch)
    for record in batch:
        for planned in _describe(record, plan(record, run.map)):
            rehearsal.add(planned)


def _describe(record: Record, action: Action) -> Iterator[Planned]:
    key = record.commerce.key or record.dataverse.key or record.key
    number = record.number if record.number > 0 else None
    for side in action.reads:
        yield Planned(key, number, "read", side, None, None, None, "its state is unknown")
    for write in action.writes:
        names = ", ".join(group.name for group in write.groups) or None
        if write.kind is not Kind.UPDATE:
            names = None
        yield Planned(
            key,
            number,
            write.kind.value,
            write.side,
            names,
            write.before,
            write.values,
            write.reason,
        )
    for conflict in action.conflicts:
        commerce, dataverse = (conflict.seen.get(side) for side in Side)
        yield Planned(
            key,
            number,
            "conflict",
            None,
            conflict.group,
            commerce,
            dataverse,
            "both sides were edited; a person decides",
        )
    for wait in action.waits:
        reason = f"{wait.value} is not in {wait.entity} yet"
        yield Planned(key, number, "wait", None, wait.group, None, None, reason)
    if action.problem is not None:
        reason = f"{action.problem.code}: {action.problem.message}"
        field_name = action.problem.subject.field
        yield Planned(key, number, "park", None, field_name, None, None, reason)
