"""The store without a database: the protocol of `connector/store/base.py` over dictionaries.

Owns: one call of the protocol each, and that a change happens as a whole or not at all.
Never does: surviving its process. It passes the contract suite of the real stores, so that the
simulator may use it for speed (tests/contract/store/).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from connector.errors import StateError, Subject
from connector.mapping.values import Side, Value, ValueType
from connector.store.base import Scratch
from connector.store.images import SideCodec
from connector.store.record import Layout, Presence, Record, Wait
from connector.store.work import (
    Adoption,
    ChangeRow,
    Lease,
    MapRow,
    Position,
    RunRow,
    Work,
    World,
)
from tests.simulation.memory.audit import Audit
from tests.simulation.memory.leases import Leases
from tests.simulation.memory.records import Records, make_due
from tests.simulation.memory.retention import Retention
from tests.simulation.memory.scratch import MemoryScratch
from tests.simulation.memory.tables import Tables

Columns = Mapping[Side, tuple[tuple[str, ValueType], ...]]


class MemoryStore:
    """See `connector.store.base.Store`; several workers share `tables`."""

    def __init__(self, tables: Tables, clock: Callable[[], float]) -> None:
        self._tables = tables
        self._leases = Leases(tables, clock)
        self._records = Records(tables)
        self._audit = Audit(tables)
        self._retention = Retention(tables)
        self._current: dict[str, Layout] = {}
        self.by_ids = self._records.by_ids
        self.by_keys = self._records.by_keys
        self.by_numbers = self._records.by_numbers
        self.due = self._records.due
        self.needing = self._records.needing
        self.next_due = self._records.next_due
        self.unconfirmed = self._records.unconfirmed
        self.bound = self._records.bound
        self.counts = self._records.counts
        self.set_aside = self._records.set_aside
        self.open_conflicts = self._audit.open_conflicts
        self.conflict_rows = self._audit.conflict_rows
        self.written_by = self._audit.written_by
        self.deleted_since = self._audit.deleted_since
        self.forgotten = self._retention.forgotten
        self.renew = self._leases.renew
        self.release = self._leases.release
        self.numbers = self._leases.numbers

    @contextmanager
    def _transaction(self, lease: Lease) -> Iterator[None]:
        self._leases.hold(lease)
        before = self._tables.copy()
        try:
            yield
        except BaseException:
            self._tables.become(before)
            raise

    # ------------------------------------------------------------------------ worlds and maps

    def world(self, side: str) -> World | None:
        return self._tables.worlds.get(side)

    def bind_world(self, world: World) -> None:
        self._tables.worlds[world.side] = world

    def map_row(self, map: str) -> MapRow | None:
        return self._tables.maps.get(map)

    def map_rows(self) -> Sequence[MapRow]:
        return [row for _, row in sorted(self._tables.maps.items())]

    def described(self, map: str) -> str | None:
        return self._tables.descriptions.get(map)

    def layout(self, map: str, columns: Columns, *, keep: bool = True) -> Layout:
        layouts = self._tables.layouts
        for layout in layouts.values():
            if (layout.map, dict(layout.columns)) == (map, dict(columns)):
                break
        else:
            layout = Layout(len(layouts) + 1 if keep else -1, map, columns)
        if keep:
            layouts[layout.id] = self._current[map] = layout
        return layout

    # ------------------------------------------------------------------------ leases and runs

    def acquire(
        self,
        map: str,
        holder: str,
        seconds: float,
        gone: Callable[[str], bool] = lambda _holder: False,
    ) -> Lease:
        return self._leases.acquire(map, holder, seconds, gone)

    def start_run(self, command: str, map: str, fingerprint: str, at: float) -> int:
        number = self.numbers("run", 1)
        first = self._tables.sequences["change"]
        run = RunRow(number, command, map, fingerprint, at, first_change=first)
        self._tables.runs[number] = run
        return number

    def finish_run(
        self,
        run: int,
        at: float,
        outcome: str,
        counts: Mapping[str, int],
        error: Mapping[str, Any] | None = None,
    ) -> None:
        if run in self._tables.runs:
            self._tables.runs[run] = replace(
                self._tables.runs[run], ended=at, outcome=outcome, counts=dict(counts), error=error
            )

    def runs(self, map: str | None, limit: int) -> Sequence[RunRow]:
        newest = sorted(self._tables.runs.items(), reverse=True)
        return [run for _, run in newest if map in (None, run.map)][:limit]

    def run_row(self, number: int) -> RunRow | None:
        return self._tables.runs.get(number)

    # ------------------------------------------------------------------------ reading the state

    def positions(self, map: str) -> Mapping[tuple[Side, str], Position]:
        return {
            (side, kind): position
            for (of, side, kind), position in self._tables.positions.items()
            if of == map
        }

    def waits(self, map: str) -> Iterator[Wait]:
        targets = {
            (wait.side, wait.entity, wait.column, wait.value)
            for of, waits in self._tables.waits.values()
            if of == map
            for wait in waits
        }
        return (Wait("", *target) for target in sorted(targets))

    def history(self, record: int) -> Sequence[ChangeRow]:
        return self._audit.rows([record], None).get(record, [])

    def histories(
        self, records: Sequence[int], since: float | None = None
    ) -> Mapping[int, Sequence[ChangeRow]]:
        return self._audit.rows(records, since)

    def typed(self, layout: Layout, side: Side, values: Mapping[str, Any]) -> Mapping[str, Value]:
        return SideCodec(layout.columns[side]).typed(values)

    def audit_kept_since(self, map: str) -> float | None:
        return self._tables.audit_kept_since.get(map)

    def departed(self, map: str, key: str) -> Sequence[tuple[int, float]]:
        rows = self._tables.departed.items()
        found = [(number, at) for number, (of, k, at) in rows if (of, k) == (map, key)]
        return sorted(found, key=lambda row: (row[1], row[0]))

    def incidents(self, map: str, kind: str, since: float) -> int:
        return sum(
            count
            for (of, what, minute), count in self._tables.incidents.items()
            if (of, what) == (map, kind) and minute >= int(since // 60)
        )

    def alerted(self, map: str, rule: str) -> float | None:
        return self._tables.alerts.get((map, rule))

    # ------------------------------------------------------------------------ changing the state

    def commit(self, lease: Lease, work: Work) -> None:
        map, tables = lease.map, self._tables
        with self._transaction(lease):
            self._records.remove(map, work.removed)
            if work.updated or work.inserted:
                layout = self._layout_of(map)
                self._records.update(map, layout, work.updated)
                self._records.insert(map, layout, work.inserted)
            self._audit.insert(map, work)
            self._audit.complete(map, work.completions)
            for batch, outcome in work.completed_batches:
                self._audit.complete_batch(map, batch, outcome)
            for record, waits in work.waits.items():
                tables.waits[record] = (map, tuple(dict.fromkeys(waits)))
            self._audit.replace_conflicts(map, work.at, work.conflicts)
            self._audit.decide(map, work.at, work.decisions)
            if work.sweep is not None:
                self._records.sweep(map, work.sweep, work.at)
            self._move(map, work.positions)
            if work.map is not None:
                tables.maps[map] = work.map
            if work.described is not None:
                tables.descriptions[map] = work.described
            self._count(map, work)

    def _layout_of(self, map: str) -> Layout:
        if map not in self._current:
            raise StateError(
                "layout-unknown",
                "records were handed in before their layout",
                subject=Subject(map=map),
                remedy="this is a defect of the engine; please report it",
            )
        return self._current[map]

    def _move(self, map: str, positions: Sequence[Position]) -> None:
        for position in positions:
            key = (map, position.side, position.kind)
            if position.text is None:
                self._tables.positions.pop(key, None)
            else:
                self._tables.positions[key] = position

    def _count(self, map: str, work: Work) -> None:
        for kind, count in work.incidents.items():
            minute = (map, kind, int(work.at // 60))
            self._tables.incidents[minute] = self._tables.incidents.get(minute, 0) + count
        for rule, at in work.alerted.items():
            self._tables.alerts[map, rule] = at

    def adopt(
        self,
        lease: Lease,
        layout: Layout,
        side: Side,
        tick: int,
        rows: Sequence[Adoption],
        position: Position | None,
        run: int,
        at: float,
    ) -> Sequence[str]:
        try:
            with self._transaction(lease):
                refused = self._records.adopt(layout, side, tick, rows)
                if refused:
                    raise _Refused(refused)
                self._move(lease.map, [position] if position else [])
        except _Refused as error:
            return error.ids
        return ()

    def wake(self, lease: Lease, wait: Wait, at: float) -> int:
        with self._transaction(lease):
            wanted = replace(wait, group="")
            numbers = {
                record
                for record, (of, waits) in self._tables.waits.items()
                if of == lease.map and any(replace(one, group="") == wanted for one in waits)
            }

            def due(record: Record) -> None:
                record.due = at

            return self._records.change(lambda record: record.number in numbers, due)

    def reopen_intents(self, lease: Lease, run: int, at: float) -> int:
        with self._transaction(lease):
            intents = self._audit.open(lease.map)
            for side in Side:
                told = {t.change.record for _, t in intents if t.change.side is side}

                def doubt(record: Record, side: Side = side) -> None:
                    record.side(side).presence = Presence.UNKNOWN
                    record.attempts += 1
                    make_due(record, at)

                self._records.change(lambda record, of=told: record.number in of, doubt)  # type: ignore[misc]
            for number, one in intents:
                detail = one.detail or f"no reply was kept before run {run}"
                self._tables.changes[number] = replace(one, outcome="unknown", detail=detail)
            return len(intents)

    def forget(self, lease: Lease, record: int, key: str, at: float) -> Mapping[str, int]:
        with self._transaction(lease):
            return self._retention.forget(lease.map, record, key, at)

    def redact(self, lease: Lease, text: str) -> Mapping[str, int]:
        with self._transaction(lease):
            return self._retention.redact(lease.map, text)

    def purge(
        self,
        lease: Lease,
        at: float,
        *,
        audit_before: float,
        runs_before: float,
        tombstones_before: float,
        limit: int,
    ) -> Mapping[str, int]:
        with self._transaction(lease):
            return self._retention.purge(
                lease.map,
                at,
                audit_before=audit_before,
                runs_before=runs_before,
                tombstones_before=tombstones_before,
                limit=limit,
            )

    # ------------------------------------------------------------------------ scratch space

    @contextmanager
    def scratch(self, layout: Layout, side: Side) -> Iterator[Scratch]:
        yield MemoryScratch()

    def close(self) -> None:
        return None


class _Refused(Exception):
    """Rolls an adoption back."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__()
        self.ids = ids
