"""The narrow protocol the engine keeps the sync state through.

Owns: the store protocol: one transaction per `commit`, fenced by the lease.
Never does: deciding anything; a store applies exactly the work it is handed. The values that
travel are in `record.py` and `work.py`.
Tested in: tests/contract/store/ (one suite, every store).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from typing import Any, Protocol

from connector.mapping.values import Image, Side, Value, ValueType
from connector.store.record import Layout, Record, State, Wait
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


class Scratch(Protocol):
    """A disk-backed table of (key, id, image) that lives as long as one comparison."""

    def put(self, rows: Iterable[tuple[str, str, Image]]) -> None:
        """Add rows; several rows may share one key."""
        ...

    def take(self, keys: Sequence[str]) -> Mapping[str, Sequence[tuple[str, Image]]]:
        """The (id, image) rows under these keys; they count as taken from then on."""
        ...

    def rest(self) -> Iterator[tuple[str, str, Image]]:
        """The rows never taken, streamed."""
        ...

    def __len__(self) -> int: ...


class Store(Protocol):
    """Durable sync state. Used from one thread at a time.

    Every call may raise `StateError`; one that is handed a lease and changes something raises
    `LeaseHeldError` when the lease is no longer ours.
    """

    # worlds and maps
    def world(self, side: str) -> World | None:
        """The identity this state belongs to in the system of this name."""
        ...

    def bind_world(self, world: World) -> None:
        """Remember (or replace) the identity of a side."""
        ...

    def map_row(self, map: str) -> MapRow | None:
        """What is kept of one map, None before its first run."""
        ...

    def map_rows(self) -> Sequence[MapRow]:
        """All maps that ever ran."""
        ...

    def described(self, map: str) -> str | None:
        """What `Work.described` last kept of a map's tables, None before that."""
        ...

    def layout(
        self,
        map: str,
        columns: Mapping[Side, tuple[tuple[str, ValueType], ...]],
        *,
        keep: bool = True,
    ) -> Layout:
        """The layout with these column lists, registered if new.

        Without `keep` a new one is good for reading only and leaves nothing in the store.
        """
        ...

    # leases and runs
    def acquire(
        self,
        map: str,
        holder: str,
        seconds: float,
        gone: Callable[[str], bool] = lambda _holder: False,
    ) -> Lease:
        """Take the lease; raises `LeaseHeldError` naming the holder and when it expires.

        The lease of a holder that `gone` says has died is taken over before it expires.
        """
        ...

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Extend the lease."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back; nothing happens if it was lost."""
        ...

    def numbers(self, name: str, count: int) -> int:
        """Reserve `count` numbers of a sequence for ever; the first of them, from 1 on.

        Sequences: `record`, `change`, `batch`, `tick`.
        """
        ...

    def start_run(self, command: str, map: str, fingerprint: str, at: float) -> int:
        """Open a run; its number."""
        ...

    def finish_run(
        self,
        run: int,
        at: float,
        outcome: str,
        counts: Mapping[str, int],
        error: Mapping[str, Any] | None = None,
    ) -> None:
        """Close a run with its figures."""
        ...

    def runs(self, map: str | None, limit: int) -> Sequence[RunRow]:
        """The newest runs first."""
        ...

    def run_row(self, number: int) -> RunRow | None:
        """One run, None where there is none with this number."""
        ...

    # reading the state
    def positions(self, map: str) -> Mapping[tuple[Side, str], Position]:
        """By (side, kind)."""
        ...

    def by_ids(self, layout: Layout, side: Side, ids: Sequence[str]) -> Mapping[str, Record]:
        """Records bound to these ids on this side."""
        ...

    def by_keys(self, layout: Layout, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """Records under these normalised keys, by ordinal."""
        ...

    def by_numbers(self, layout: Layout, numbers: Sequence[int]) -> Mapping[int, Record]:
        """Records by number."""
        ...

    def due(self, layout: Layout, now: float, after: int, limit: int) -> Sequence[Record]:
        """Records due at `now` with a number above `after`, by number."""
        ...

    def next_due(self, map: str) -> float | None:
        """The earliest due time of the map."""
        ...

    def unconfirmed(self, map: str) -> int:
        """How many creates of ours wait for their first sight.

        Parked ones are left out: they may never be seen, and a person looks at them.
        """
        ...

    def bound(self, map: str, side: Side) -> int:
        """How many records are believed present on this side."""
        ...

    def waits(self, map: str) -> Iterator[Wait]:
        """Distinct targets somebody waits for, `group` empty."""
        ...

    def counts(self, map: str) -> Mapping[State, int]:
        """Records by state, every state named; tombstones not counted."""
        ...

    def set_aside(self, map: str) -> Mapping[State, int]:
        """Of `counts`, the records that need something else: waiting, conflict, parked.

        Counted from the few there are, however large the map.
        """
        ...

    def needing(
        self, layout: Layout, states: Sequence[State], after: int, limit: int
    ) -> Sequence[Record]:
        """Records in these states with a number above `after`, by number."""
        ...

    def open_conflicts(self, map: str, after: int, limit: int) -> Sequence[OpenConflict]:
        """Conflicts not closed yet, by number."""
        ...

    def conflict_rows(self, record: int) -> Sequence[ConflictRow]:
        """The open and the closed conflicts of one record, by number."""
        ...

    def history(self, record: int) -> Sequence[ChangeRow]:
        """All audit rows of one record, oldest first."""
        ...

    def histories(
        self, records: Sequence[int], since: float | None = None
    ) -> Mapping[int, Sequence[ChangeRow]]:
        """Audit rows of many records, each's oldest first; those without any are left out."""
        ...

    def written_by(self, run: int, after: int, limit: int) -> Sequence[int]:
        """Records that a run created, updated or deleted, ascending, above `after`.

        Whatever the outcome. Every call walks the whole audit of the run: take large pages.
        """
        ...

    def typed(self, layout: Layout, side: Side, values: Mapping[str, Any]) -> Mapping[str, Value]:
        """Values of an audit row, which have the types of JSON, brought back to the layout's.

        A column the layout does not have keeps the type it has.
        """
        ...

    def deleted_since(self, map: str, side: Side, since: float) -> AbstractSet[int]:
        """Records whose delete we sent to one side since a time, over all runs.

        Those whose delete surely did not happen (`NOT_DONE`) are left out.
        """
        ...

    def audit_kept_since(self, map: str) -> float | None:
        """From when on the map's audit is complete; None while nothing was purged of it."""
        ...

    def departed(self, map: str, key: str) -> Sequence[tuple[int, float]]:
        """(record number, when purged) of tombstones under a normalised key, oldest first."""
        ...

    def forgotten(self, map: str, key: str) -> float | None:
        """When a person's data under this normalised key was forgotten, None if it was not."""
        ...

    def incidents(self, map: str, kind: str, since: float) -> int:
        """Errors of a kind in the minute `since` lies in and all later ones."""
        ...

    def alerted(self, map: str, rule: str) -> float | None:
        """When the rule's alert was last raised, None if never."""
        ...

    # changing the state
    def commit(self, lease: Lease, work: Work) -> None:
        """Make all of `work` durable in one transaction, or raise and change nothing."""
        ...

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
        """Settle unconfirmed creates by their first sight, set-based, with the position.

        A row is adopted where a record of the map is bound to its id on `side`, present,
        unconfirmed and established at or before `tick`: image, agreed half, version, tick and
        modifier become the row's and the record is confirmed. Returns the ids that were not
        adopted; when there are any, nothing is changed and the position is not moved.
        """
        ...

    def wake(self, lease: Lease, wait: Wait, at: float) -> int:
        """Make the records that wait for this target due; how many."""
        ...

    def reopen_intents(self, lease: Lease, run: int, at: float) -> int:
        """After a crash: end intents without outcome as `unknown`; how many.

        Their sides become unknown and their records due, with one attempt more.
        """
        ...

    def forget(self, lease: Lease, record: int, key: str, at: float) -> Mapping[str, int]:
        """Delete a record, living or departed, and empty its audit; rows touched, by table.

        What remains: that changes happened, and a keyed hash of `key`, the normalised one. The
        caller has made sure that nobody needs the record any more.
        """
        ...

    def redact(self, lease: Lease, text: str) -> Mapping[str, int]:
        """Take a text, whatever its case, out of everything that is told of the leased map's past.

        Values of the audit that are this text become empty, details and errors of runs that name
        it are emptied, closed conflicts that hold it go; rows touched, by table. Under `records`
        stands how many hold it now, untouched: they are not past.
        """
        ...

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
        """Delete old rows of the leased map, at most `limit` of each kind; how many, by table.

        Audit rows with an outcome; runs but the newest; tombstones (absent on both sides, not
        due, nobody needed, no audit row since), whose number and key go to `departed`; departed
        ones the audit no longer tells of; counted errors older than a week.
        """
        ...

    # scratch space
    def scratch(self, layout: Layout, side: Side) -> AbstractContextManager[Scratch]:
        """A disk-backed table for one comparison, thrown away at the end."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
