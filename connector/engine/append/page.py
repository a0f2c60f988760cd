"""One page of the source on its way to the other side.

Owns: what was sent for it, and the transaction it becomes: position, rows that had to be kept.
Never does: sending, waiting, committing.
Tested in: tests/integration/engine/test_append.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from connector.endpoints.base import Create, Outcome, Row
from connector.engine.news.observe import begin
from connector.engine.runs.run import MapRun
from connector.engine.runs.watch import count
from connector.engine.settle import stand
from connector.mapping.values import Image
from connector.store.record import Record, State, Wait
from connector.store.work import Work


class Item(NamedTuple):
    """One row on its way: new from the source, or one that was kept."""

    operation: Create
    key: str
    image: Image
    row: Row | None
    record: Record | None


@dataclass(frozen=True, slots=True)
class Sending:
    """Rows that left together."""

    items: Sequence[Item]
    reply: Future[Sequence[Outcome]]
    sent: float
    """On our monotonic clock."""


@dataclass(slots=True)
class Taken:
    """A page that was taken in; it becomes durable when all that was sent for it is answered."""

    work: Work
    tick: int
    sendings: list[Sending] = field(default_factory=list)
    there: list[Item] = field(default_factory=list)
    """Rows that a look beforehand found on the other side."""
    new: list[Record] = field(default_factory=list)
    known: dict[int, Record] = field(default_factory=dict)

    def keep(self, run: MapRun, row: Row, key: str) -> Record:
        """A record for a row that cannot be written now."""
        source = run.map.document.followed[0]
        record = begin(run.numbers("record"), key, 0, row, run.witness(source, self.tick))
        record.due = None
        self.new.append(record)
        return record

    def record_of(self, run: MapRun, item: Item) -> Record:
        """The record that keeps a row from now on."""
        if item.record is not None:
            self.known[item.record.number] = item.record
            return item.record
        assert item.row is not None
        return self.keep(run, item.row, item.key)

    def forget(self, record: Record) -> None:
        """Keep nothing of a record any more."""
        self.known.pop(record.number, None)
        self.work.removed.append(record.number)

    def wait(self, record: Record, waits: Sequence[Wait]) -> None:
        """What a record waits for from now on."""
        if waits or record.waiting:
            self.work.waits[record.number] = tuple(waits)
        record.waiting = len(waits)

    def seal(self, run: MapRun) -> Work:
        """The transaction with every kept record in its final state."""
        self._number_twins(run)
        for record in (*self.new, *self.known.values()):
            before = record.state
            stand(record)
            if record.state is State.PARKED and before is not State.PARKED:
                assert record.problem is not None
                count(self.work.incidents, "parked", record.problem.code)
        self.work.inserted += self.new
        self.work.updated += self.known.values()
        return self.work

    def _number_twins(self, run: MapRun) -> None:
        """Several rows of one key may be kept; their ordinals tell them apart."""
        if not self.new:
            return
        kept = run.store.by_keys(run.layout, list(dict.fromkeys(one.key for one in self.new)))
        free = {key: 1 + max(r.ordinal for r in records) for key, records in kept.items()}
        for record in self.new:
            record.ordinal = free.get(record.key, 0)
            free[record.key] = record.ordinal + 1
