"""The store on SQL: the protocol of `base.py`, one call each, one transaction per commit.

Owns: the order in which the work of one commit is carried out, under the lease.
Never does: SQL of its own; each noun has its file.
Tested in: tests/contract/store/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager
from typing import Any

from connector.mapping.values import Side, Value, ValueType
from connector.store.audit import Audit
from connector.store.base import Scratch
from connector.store.bookkeeping import Bookkeeping
from connector.store.conflicts import Conflicts
from connector.store.database import Database
from connector.store.forgetting import Forgetting
from connector.store.incidents import Incidents
from connector.store.layouts import Layouts
from connector.store.leases import Leases
from connector.store.record import Layout, Record, State, Wait
from connector.store.records import Records
from connector.store.retention import Retention
from connector.store.scratch import SqlScratch
from connector.store.waits import Waits
from connector.store.work import (
    Adoption,
    ChangeRow,
    ConflictRow,
    Lease,
    MapRow,
    OpenConflict,
    Position,
    RunRow,
    Work,
    World,
)


class SqlStore:
    """See `connector.store.base.Store`; made by `connector.store.opening.open_store`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._layouts = Layouts(db)
        self._leases = Leases(db)
        self._books = Bookkeeping(db)
        self._records = Records(db, self._layouts)
        self._audit = Audit(db)
        self._waits = Waits(db)
        self._conflicts = Conflicts(db, self._layouts)
        self._incidents = Incidents(db)
        self._forgetting = Forgetting(db)
        self._retention = Retention(db, self._incidents)

    @property
    def database(self) -> Database:
        """The database under it, for `transfer.py`, which takes the state as a whole."""
        return self._db

    # ------------------------------------------------------------------------ worlds and maps

    def world(self, side: str) -> World | None:
        """The identity this state belongs to on one side."""
        return self._books.world(side)

    def bind_world(self, world: World) -> None:
        """Remember (or replace) the identity of a side."""
        self._books.bind_world(world)

    def map_row(self, map: str) -> MapRow | None:
        """What is kept of one map, None before its first run."""
        return self._books.map_row(map)

    def described(self, map: str) -> str | None:
        """What was last kept of a map's tables, None before its first run."""
        return self._books.described(map)

    def map_rows(self) -> Sequence[MapRow]:
        """All maps that ever ran, by name."""
        return self._books.map_rows()

    def layout(
        self,
        map: str,
        columns: Mapping[Side, tuple[tuple[str, ValueType], ...]],
        *,
        keep: bool = True,
    ) -> Layout:
        """The layout with these column lists.

        With `keep`, records committed from now on are kept in it.
        """
        return self._layouts.register(map, columns) if keep else self._layouts.find(map, columns)

    # ------------------------------------------------------------------------ leases and runs

    def acquire(
        self,
        map: str,
        holder: str,
        seconds: float,
        gone: Callable[[str], bool] = lambda _holder: False,
    ) -> Lease:
        """Take the lease, or raise LeaseHeldError `lease-held`."""
        return self._leases.acquire(map, holder, seconds, gone)

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Extend the lease, or raise LeaseHeldError `lease-lost`."""
        return self._leases.renew(lease, seconds)

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens if it was lost."""
        self._leases.release(lease)

    def numbers(self, name: str, count: int) -> int:
        """Reserve `count` numbers of a sequence for ever; the first of them, from 1 on."""
        return self._leases.numbers(name, count)

    def start_run(self, command: str, map: str, fingerprint: str, at: float) -> int:
        """Open a run; its number."""
        return self._books.start_run(command, map, fingerprint, at)

    def finish_run(
        self,
        run: int,
        at: float,
        outcome: str,
        counts: Mapping[str, int],
        error: Mapping[str, Any] | None = None,
    ) -> None:
        """Close a run with its figures."""
        self._books.finish_run(run, at, outcome, counts, error)

    def runs(self, map: str | None, limit: int) -> Sequence[RunRow]:
        """The newest runs first."""
        return self._books.runs(map, limit)

    def run_row(self, number: int) -> RunRow | None:
        """One run, None where there is none with this number."""
        return self._books.run_row(number)

    # ------------------------------------------------------------------------ reading the state

    def positions(self, map: str) -> Mapping[tuple[Side, str], Position]:
        """By (side, kind)."""
        return self._books.positions(map)

    def by_ids(self, layout: Layout, side: Side, ids: Sequence[str]) -> Mapping[str, Record]:
        """Records bound to these ids on this side; of several the living, then the newest."""
        return self._records.by_ids(layout, side, ids)

    def by_keys(self, layout: Layout, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """Records under these normalised keys, by ordinal."""
        return self._records.by_keys(layout, keys)

    def by_numbers(self, layout: Layout, numbers: Sequence[int]) -> Mapping[int, Record]:
        """Records by number."""
        return self._records.by_numbers(layout, numbers)

    def due(self, layout: Layout, now: float, after: int, limit: int) -> Sequence[Record]:
        """Records due at `now` with a number above `after`, by number."""
        return self._records.due(layout, now, after, limit)

    def next_due(self, map: str) -> float | None:
        """The earliest due time of the map."""
        return self._records.next_due(map)

    def unconfirmed(self, map: str) -> int:
        """How many creates of ours wait for their first sight."""
        return self._records.unconfirmed(map)

    def bound(self, map: str, side: Side) -> int:
        """How many records are believed present on this side."""
        return self._records.bound(map, side)

    def waits(self, map: str) -> Iterator[Wait]:
        """Distinct targets somebody waits for, `group` empty."""
        return self._waits.targets(map)

    def counts(self, map: str) -> Mapping[State, int]:
        """Records by state, every state named; tombstones not counted."""
        return self._records.counts(map)

    def set_aside(self, map: str) -> Mapping[State, int]:
        """Records that wait, are in conflict or parked, by state; tombstones not counted."""
        return self._records.set_aside(map)

    def needing(
        self, layout: Layout, states: Sequence[State], after: int, limit: int
    ) -> Sequence[Record]:
        """Records in these states with a number above `after`, by number; no tombstones."""
        return self._records.needing(layout, states, after, limit)

    def open_conflicts(self, map: str, after: int, limit: int) -> Sequence[OpenConflict]:
        """Conflicts not decided yet, by number."""
        return self._conflicts.open(map, after, limit)

    def conflict_rows(self, record: int) -> Sequence[ConflictRow]:
        """The open and the closed conflicts of one record, by number."""
        return self._conflicts.of_record(record)

    def history(self, record: int) -> Sequence[ChangeRow]:
        """All audit rows of one record, oldest first."""
        return self._audit.history(record)

    def histories(
        self, records: Sequence[int], since: float | None = None
    ) -> Mapping[int, Sequence[ChangeRow]]:
        """Audit rows of many records, each's oldest first."""
        return self._audit.histories(records, since)

    def written_by(self, run: int, after: int, limit: int) -> Sequence[int]:
        """Records that a run created, updated or deleted, ascending, above `after`."""
        return self._audit.written_by(run, after, limit)

    def typed(self, layout: Layout, side: Side, values: Mapping[str, Any]) -> Mapping[str, Value]:
        """Values of an audit row brought back to the layout's types."""
        return self._layouts.codec(layout.id).sides[side].typed(values)

    def deleted_since(self, map: str, side: Side, since: float) -> AbstractSet[int]:
        """Records whose delete we sent to one side since a time and that may have happened."""
        return self._audit.deleted_since(map, side, since)

    def audit_kept_since(self, map: str) -> float | None:
        """From when on the audit is complete; None while nothing was purged of it."""
        return self._retention.audit_kept_since(map)

    def departed(self, map: str, key: str) -> Sequence[tuple[int, float]]:
        """(record number, when purged) of tombstones under a normalised key, oldest first."""
        return self._retention.departed(map, key)

    def forgotten(self, map: str, key: str) -> float | None:
        """When a person's data under this normalised key was forgotten."""
        return self._forgetting.forgotten(map, key)

    def incidents(self, map: str, kind: str, since: float) -> int:
        """Errors of a kind in the minute `since` lies in and all later ones."""
        return self._incidents.since(map, kind, since)

    def alerted(self, map: str, rule: str) -> float | None:
        """When the rule's alert was last raised, None if never."""
        return self._incidents.alerted(map, rule)

    # ------------------------------------------------------------------------ changing the state

    def commit(self, lease: Lease, work: Work) -> None:
        """Make all of `work` durable in one transaction, or raise and change nothing.

        Removals and updates come before inserts, so that a new record may take a key that
        another gives up. Completions come before the statement about a whole batch, so that it
        means its intents that are still open.
        """
        map = lease.map
        with self._db.transaction() as connection:
            self._leases.hold(connection, lease)
            self._records.remove(connection, map, work.removed)
            self._waits.remove(connection, map, work.removed)
            self._records.update(connection, map, work.updated)
            self._records.insert(connection, map, work.inserted)
            self._audit.insert(connection, map, work.run, work.at, work.changes)
            self._audit.complete(connection, map, work.completions)
            self._audit.complete_batches(connection, map, work.completed_batches)
            self._waits.replace(connection, map, work.waits)
            self._conflicts.decide(connection, map, work.at, work.decisions)
            self._conflicts.replace(connection, map, work.run, work.at, work.conflicts)
            self._incidents.count(connection, map, work.at, work.incidents)
            self._incidents.raised(connection, map, work.alerted)
            if work.sweep is not None:
                self._records.sweep(connection, map, work.sweep, work.at)
            self._books.write_positions(connection, map, work.positions)
            if work.map is not None:
                self._books.write_map(connection, work.map)
            if work.described is not None:
                self._books.describe(connection, map, work.described)

    def adopt(
        self,
        lease: Lease,
        layout: Layout,
        side: Side,
        tick: int,
        rows: Sequence[Adoption],
        position: Position | None,
        run: int,  # noqa: ARG002 - of the protocol; an adoption leaves no audit row
        at: float,  # noqa: ARG002
    ) -> Sequence[str]:
        """Settle unconfirmed creates by their first sight, with the position, or change nothing.

        Returns the ids that could not be adopted, among them those of records whose images
        are kept under an older layout, and those that appear twice in `rows`.
        """
        try:
            with self._db.transaction() as connection:
                self._leases.hold(connection, lease)
                if not self._records.adopt(connection, layout, side, tick, rows):
                    raise _RefusedError
                self._books.write_positions(connection, lease.map, [position] if position else [])
        except _RefusedError:
            return self._records.not_adoptable(layout, side, tick, rows)
        return ()

    def wake(self, lease: Lease, wait: Wait, at: float) -> int:
        """Make the records that wait for this target due; how many."""
        with self._db.transaction() as connection:
            self._leases.hold(connection, lease)
            return self._waits.wake(connection, lease.map, wait, at)

    def reopen_intents(self, lease: Lease, run: int, at: float) -> int:
        """After a crash: end intents without outcome as `unknown`; how many."""
        with self._db.transaction() as connection:
            self._leases.hold(connection, lease)
            return self._audit.reopen(connection, lease.map, run, at)

    def forget(self, lease: Lease, record: int, key: str, at: float) -> Mapping[str, int]:
        """Delete a record and what is told of it, keep a keyed hash; rows touched, by table."""
        with self._db.transaction() as connection:
            self._leases.hold(connection, lease)
            return self._forgetting.forget(connection, lease.map, record, key, at)

    def redact(self, lease: Lease, text: str) -> Mapping[str, int]:
        """Take a text out of what is told of the map's past; rows touched, by table."""
        with self._db.transaction() as connection:
            self._leases.hold(connection, lease)
            return self._forgetting.redact(connection, lease.map, text)

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
        """Delete at most `limit` old rows of each kind; how many, by table."""
        with self._db.transaction() as connection:
            self._leases.hold(connection, lease)
            return self._retention.purge(
                connection,
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
        """A disk-backed table for one comparison, thrown away at the end."""
        with closing(SqlScratch(self._layouts.codec(layout.id).sides[side])) as scratch:
            yield scratch

    def close(self) -> None:
        """Release connections."""
        self._db.close()


class _RefusedError(Exception):
    """Rolls an adoption back."""
