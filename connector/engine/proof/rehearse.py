"""The dry run: what the next run would write, without a lease, a position or an observation.

Owns: going through capture and planning on copies that are thrown away.
Never does: writing to a side or to the state.
Tested in: tests/integration/engine/test_rehearse.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector.endpoints.base import Row
from connector.engine.append.there import not_there
from connector.engine.lookups import resolve
from connector.engine.news.absorb import absorb, reread
from connector.engine.news.observe import begin
from connector.engine.plan import Action, Kind, plan
from connector.engine.proof.overlay import Overlay
from connector.engine.proof.pairs import Couple, couples
from connector.engine.runs.epochs import Sight, look
from connector.engine.runs.run import MapRun
from connector.engine.runs.stock import refuse_lost
from connector.engine.runs.turnover import columns_read, concerned_records, mark, turn_of
from connector.engine.wars import end_wars
from connector.errors import PositionExpiredError
from connector.mapping.values import Side, Value
from connector.store.record import Record

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
    grouped: Counter[tuple[str, Side | None, str | None]] = field(default_factory=Counter)
    """Records by what, side, and field or group; a record counts in each of its fields."""
    planned: list[Planned] = field(default_factory=list)
    first_load: bool = False
    restored: bool = False
    """A side was found restored from a backup."""
    report: Callable[[Planned], None] = lambda _planned: None
    """Told of every change."""

    def add(self, planned: Planned) -> None:
        """Count one change and keep it while there is room."""
        name = planned.what if planned.side is None else f"{planned.what} {planned.side}"
        self.counts[name] += 1
        for of in planned.field.split(", ") if planned.field else (None,):
            self.grouped[planned.what, planned.side, of] += 1
        self.report(planned)
        if len(self.planned) < LISTED:
            self.planned.append(planned)

    @property
    def writes(self) -> int:
        """How many writes it would take."""
        kinds = tuple(kind.value for kind in Kind)
        return sum(n for name, n in self.counts.items() if name.startswith(kinds))


class DryRun(MapRun):
    """A run that reserves no numbers and commits nothing."""

    keeps = False
    _next = 0

    def numbers(self, name: str, count: int = 1) -> int:
        """Numbers below zero, good for this dry run only; ticks are later than any stored."""
        self._next += count
        return 2**62 + self._next if name == "tick" else -self._next


def rehearse(
    run: DryRun, only: str | None = None, report: Callable[[Planned], None] = lambda _planned: None
) -> Rehearsal:
    """What `load` or `sync` would do now; `only` limits it to one normalised key.

    Raises `MapStoppedError` where it would do nothing but stop (`runs/stock.py`).
    """
    refuse_lost(run)
    rehearsal = Rehearsal(report=report)
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
    rehearsal.restored = run.counts["epoch"] > 0
    return rehearsal


def _changed_records(run: DryRun) -> Iterator[Record]:
    overlay = Overlay(run.store)
    _turn_over(run, overlay)
    store, run.store = run.store, overlay  # type: ignore[assignment]
    try:
        for side in run.map.document.followed:
            try:
                _follow(run, side, overlay)
            except PositionExpiredError:
                _scan(run, side, overlay)
    finally:
        run.store = store
    return overlay.due(run.layout, run.now())


def _turn_over(run: DryRun, overlay: Overlay) -> None:
    """A run would have the records planned anew that a change of the map concerns."""
    row = run.store.map_row(run.map.name)
    turn = turn_of(row, run.map, columns_read(run.store, run.map.name)) if row else None
    if turn is None:
        return
    for page in concerned_records(run.store, run.layout, run.map, turn, run.limits.page):
        for record, groups in page:
            mark(record, run.map, turn, groups, run.now())
            overlay.put(record)


def _follow(run: DryRun, side: Side, overlay: Overlay) -> None:
    feed = run.ports.store.positions(run.map.name).get((side, "feed"))
    columns = run.map.column_names(side)
    fits = feed is not None and (feed.epoch, feed.columns) == (run.worlds[side].epoch, columns)
    if feed is None or feed.text is None or not fits:
        raise PositionExpiredError("position-none", "the feed was never begun", remedy="scan")
    sight = look(run, side, feed)
    told = sight is Sight.SAME
    for page in run.endpoint(side).changes(run.map.entity(side), columns, feed.text):
        told = told or feed.high_id in page.deleted
        run.ports.progress(f"read {side}", len(page.rows))
        overlay.keep(absorb(run, side, run.numbers("tick"), page))
    if sight is Sight.OLDER or not told:
        run.begin_epoch(side)
        raise PositionExpiredError("position-ahead", "the side went back in time", remedy="scan")


def _scan(run: DryRun, side: Side, overlay: Overlay) -> None:
    """A run would read the whole side as well, and read what is absent once more."""
    seen: set[str] = set()
    columns = run.map.column_names(side)
    for page in run.endpoint(side).scan(run.map.entity(side), columns, None):
        run.ports.progress(f"read {side}", len(page.rows))
        overlay.keep(absorb(run, side, run.numbers("tick"), page))
        seen.update(row.id for row in page.rows)
    overlay.doubt(run.layout, side, seen, run.now())


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
    run.doubt(batch)
    for side in Side:
        unknown = [record for record in batch if side in plan(record, run.map).reads]
        if unknown:
            reread(run, side, unknown)
    resolve(run.map, run.ports.endpoints, batch)
    actions = [(record, plan(record, run.map)) for record in batch]
    if run.map.document.appends_to is not None:
        actions = list(not_there(run, actions))
    end_wars(run.store, run.layout, run.now(), actions)
    for record, action in actions:
        for planned in described(record, action):
            rehearsal.add(planned)


def described(record: Record, action: Action) -> Iterator[Planned]:
    """What is shown of an action."""
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
