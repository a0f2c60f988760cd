"""Steps two to five of the cycle: plan, intend, apply, settle.

Owns: that every write is announced in the audit before it leaves, leaves in batches under a
lease that outlives the request, and is settled by its own reply.
Never does: reading feeds; asking again what a reply meant.
Tested in: tests/integration/engine/.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from connector.endpoints.base import (
    Applied,
    Outcome,
    Page,
    Rejected,
)
from connector.engine.agreement import halves
from connector.engine.batches import Batch, Item, completion_of, created_unseen, operation_of
from connector.engine.beforehand import Look
from connector.engine.faults import handling_of
from connector.engine.guard import Deletes, allowance, stop_reason
from connector.engine.lookups import resolve
from connector.engine.news.absorb import Absorbed, reread
from connector.engine.plan import Action, Kind, Write, plan
from connector.engine.runs.epochs import remembering
from connector.engine.runs.run import MapRun, stopped
from connector.engine.runs.watch import count, held_row
from connector.engine.settle import intend_create, note, settle
from connector.engine.wars import end_wars
from connector.errors import DualWriteError
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.values import Image, Side
from connector.store.record import Presence, Record, State
from connector.store.work import Change, ChangeKind, Work

T = TypeVar("T")

Planner = Callable[[Record, CompiledMap], Action]
"""Says what one record needs next, as `plan` does."""


class Applier:
    """Carries planned records through; at most `limits.in_flight` batches are out at once."""

    def __init__(self, run: MapRun) -> None:
        self.run = run
        self._out: deque[Batch] = deque()
        self._unread: dict[Side, list[Record]] = {side: [] for side in Side}
        self._deletes: dict[Side, Deletes] = {}

    # ------------------------------------------------------------------ plan and intend

    def push(self, absorbed: Absorbed, planned: Planner | None = None) -> None:
        """Plan the absorbed records that are due, commit everything at once, send the writes.

        `planned` is another plan where a person decided what these records need.
        """
        run = self.run
        self._land(absorbed)
        due = [record for record in absorbed.records if record.due is not None]
        run.doubt(due)
        resolve(run.map, run.ports.endpoints, due)
        items: dict[Side, list[tuple[Record, Write]]] = {side: [] for side in Side}
        actions = [(record, (planned or plan)(record, run.map)) for record in due]
        if planned is None:
            end_wars(run.store, run.layout, run.now(), actions)
        for record, action in actions:
            if _blind(action, run.whole) or not self._within_guard(absorbed.work, record, action):
                continue
            self._take(absorbed.work, record, action)
            for write in action.writes:
                items[write.side].append((record, write))
        batches = [
            self._intend(absorbed.work, side, chunk)
            for side, pairs in items.items()
            for chunk in chunks(pairs, run.pacer.rows(side) if pairs else 1)
        ]
        run.commit(absorbed.seal(run))
        for number, side, chunk in batches:
            self._send(number, side, chunk)
        if any(deletes.held_back for deletes in self._deletes.values()):
            self._halt()
        held = run.heed()
        if held is not None:
            self.drain()
            raise held

    def _land(self, absorbed: Absorbed) -> None:
        """Settle what is out for records the page tells of, and have them read anew.

        The page took them from the state as they were before their write was settled.
        """
        out = {item.record.number for batch in self._out for item in batch.items}
        early = [record for record in absorbed.known if record.number in out]
        if not early:
            return
        self.drain()
        run = self.run
        settled = run.store.by_numbers(run.layout, [record.number for record in early])
        for record in early:
            landed = settled[record.number]
            landed.due = run.now()
            landed.problem = record.problem
            for side in Side:
                kept, told = landed.side(side), record.side(side)
                # A row our write just deleted is gone, unless the page tells of another one.
                if kept.presence is not Presence.ABSENT or told.tick > kept.tick:
                    kept.presence = Presence.UNKNOWN
            absorbed.replace(landed)

    def _take(self, work: Work, record: Record, action: Action) -> None:
        """Take over what planning found, with the audit rows that belong to it."""
        run = self.run
        had_waits, had_conflicts = record.waiting, record.conflicts
        old, parked = record.problem, record.state is State.PARKED
        note(record, action, run.map)
        for side in action.reads:
            self._unread[side].append(record)
        if action.reads:
            return
        if had_waits or action.waits:
            work.waits[record.number] = tuple(action.waits)
        if had_conflicts or action.conflicts:
            work.conflicts[record.number] = tuple(action.conflicts)
        if len(action.conflicts) > had_conflicts:
            names = ", ".join(conflict.group for conflict in action.conflicts)
            run.note(work, record, ChangeKind.CONFLICT, run.map.master, detail=names)
            count(work.incidents, "conflict", times=len(action.conflicts) - had_conflicts)
        if action.problem is not None and (action.problem != old or not parked):
            self.run.note_parked(work, record, action.problem)
        if action.again:
            record.due = run.now()
        run.tell("waiting", max(0, len(action.waits) - had_waits))

    def _intend(
        self, work: Work, side: Side, pairs: Sequence[tuple[Record, Write]]
    ) -> tuple[int, Side, list[Item]]:
        run = self.run
        versioned = run.entities[side].capabilities.preconditions == "version"
        endpoint, entity = run.endpoint(side), run.map.entity(side)
        batch = run.numbers("batch")
        first = run.numbers("change", len(pairs))
        items: list[Item] = []
        for number, (record, write) in enumerate(pairs, first):
            # Nothing leaves unconditionally where the side can compare versions.
            assert write.kind is Kind.CREATE or write.version is not None or not versioned
            id = write.id or run.ports.new_id()
            if write.kind is Kind.CREATE:
                id = endpoint.id_for(entity, write.values, id)
            agreed = halves(record, write.groups if write.kind is Kind.UPDATE else run.map.groups)
            if write.kind is Kind.CREATE:
                self._announce(record, write, id)
                record.side(side).epoch = run.worlds[side].epoch
            operation = operation_of(write, id)
            items.append(Item(record, write, operation, number))
            work.changes.append(
                Change(
                    number,
                    record.number,
                    _NOTED[write.kind],
                    side,
                    batch,
                    id,
                    write.version,
                    write.before,
                    write.values or None,
                    None,
                    write.reason,
                    agreed,
                )
            )
        return batch, side, items

    def _announce(self, record: Record, write: Write, id: str) -> None:
        """Remember a create in its record before it leaves."""
        intend_create(record, write, id, self.run.map)

    # ------------------------------------------------------------------ the delete guard

    def _within_guard(self, work: Work, record: Record, action: Action) -> bool:
        """Take a delete from what the hour allows, then from what a person released."""
        for side in [write.side for write in action.writes if write.kind is Kind.DELETE]:
            if side not in self._deletes:
                self._deletes[side] = deletes_left(self.run, side)
            if not self._deletes[side].take(record.number, lambda: self._release(work, -1)):
                return False
        return True

    def _release(self, work: Work, by: int) -> bool:
        """Take a delete from what a person released, or give it back, if there is one."""
        row = work.map or self.run.store.map_row(self.run.map.name)
        if row is None or row.allowed_deletes + by < 0:
            return False
        work.map = replace(row, allowed_deletes=row.allowed_deletes + by)
        return True

    def _halt(self) -> None:
        """Settle what is out, hold the map, and say why."""
        self.drain()
        run = self.run
        side, deletes = next((s, d) for s, d in self._deletes.items() if d.held_back)
        problem = stop_reason(run.map.name, side, len(deletes), deletes.held_back)
        work = run.work()
        work.map = held_row(run.store.map_row(run.map.name), run.map.document, problem)
        run.commit(work)
        raise stopped(run.map.name, problem)

    # ------------------------------------------------------------------ apply

    def _send(self, number: int, side: Side, items: Sequence[Item]) -> None:
        run = self.run
        while len(self._out) >= run.pacer.calls(side, run.limits.in_flight):
            self._settle_oldest()
        run.pacer.stand_still(side, self._may_wait)
        run.hold()
        endpoint = run.endpoint(side)
        entity, columns = run.map.entity(side), run.map.column_names(side)
        operations = [item.operation for item in items]
        look = Look.needed(run.sides[side], run.map, side, run.entities[side].capabilities)
        sent = run.ports.monotonic()
        if look is None:
            reply = run.ports.executor.submit(endpoint.write, entity, columns, operations)
        else:
            reply = run.ports.executor.submit(look.write, operations, _known(side, items))
        self._out.append(Batch(number, side, items, reply, sent))

    def _may_wait(self) -> bool:
        self.run.hold()
        return not self.run.out_of_time()

    def drain(self) -> None:
        """Settle everything that is out; the first error is raised when all is settled."""
        failure: DualWriteError | None = None
        while self._out:
            try:
                self._settle_oldest()
            except DualWriteError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def read_unknown(self) -> int:
        """Read what planning found unknown; how many records became known and due."""
        run, count = self.run, 0
        for side, records in self._unread.items():
            for chunk in chunks([record.number for record in records], run.limits.page):
                run.hold()
                # What was read just now may have changed them: the last twin takes up its rows.
                now = run.store.by_numbers(run.layout, chunk)
                run.commit(reread(run, side, [now[n] for n in chunk if n in now]).seal(run))
                count += len(chunk)
            records.clear()
        return count

    # ------------------------------------------------------------------ settle

    def _settle_oldest(self) -> None:
        """Settle what left first, and what is back by then: creates in one transaction."""
        work = self.run.work()
        back = [self._back(self._out.popleft())]
        while self._told_nothing(*back[-1]) and self._out and _ended_well(self._out[0]):
            back.append(self._back(self._out.popleft()))
        kinds: list[Mapping[str, int]] = []
        for batch, outcomes in back:
            if self._told_nothing(batch, outcomes):
                # The records hold already what such a reply tells: see `intend_create`.
                work.completed_batches.append((batch.number, "applied"))
                self.run.tell(f"created {batch.side}", len(batch.items))
                kinds.append({Kind.CREATE.value: len(batch.items)})
            else:
                self._settle_each(work, batch, outcomes)
                kinds.append(Counter(item.write.kind.value for item in batch.items))
        self.run.commit(work)
        for (batch, _), written in zip(back, kinds, strict=True):
            self.run.pacer.settled(batch.side, written, batch.sent)

    def _told_nothing(self, batch: Batch, outcomes: Sequence[Outcome]) -> bool:
        """Whether the records of a batch hold all of its reply, and the feed tells the rest."""
        return batch.side not in self.run.asked and created_unseen(batch, outcomes)

    def _back(self, batch: Batch) -> tuple[Batch, Sequence[Outcome]]:
        """A batch with its outcomes, as soon as they are there."""
        outcomes = self.run.wait(batch.reply)
        if len(outcomes) != len(batch.items):
            raise AssertionError(
                f"{len(batch.items)} operations left, {len(outcomes)} outcomes came back"
            )
        return batch, outcomes

    def _settle_each(self, work: Work, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        run = self.run
        reply = run.reply()
        self._remember(work, batch.side, outcomes)
        for item, outcome in zip(batch.items, outcomes, strict=True):
            record, write = item.record, item.write
            settle(record, write, outcome, reply)
            kind = handling_of(outcome).incident
            if kind is not None:
                count(work.incidents, kind)
            work.updated.append(record)
            completion = completion_of(item, outcome)
            work.completions.append(completion)
            if write.kind is Kind.DELETE:
                deletes = self._deletes[batch.side]
                if deletes.settle(record.number, completion.outcome):
                    self._release(work, +1)
            if isinstance(outcome, Applied):
                run.tell(f"{write.kind}d {write.side}", 1)
                self._note_losses(work, item)
            elif isinstance(outcome, Rejected) or record.problem is not None:
                assert record.problem is not None
                self.run.note_parked(work, record, record.problem)

    def _remember(self, work: Work, side: Side, outcomes: Sequence[Outcome]) -> None:
        """Our own writes make a side newer too, before a feed or a scan has told of them.

        On a side this run did not look at, they would hide that it went back in time before.
        """
        if side not in self.run.looked:
            return
        rows = [o.row for o in outcomes if isinstance(o, Applied) and o.row is not None]
        positions = self.run.store.positions(self.run.map.name) if rows else {}
        for (of_side, _kind), position in positions.items():
            if of_side is side and position.text is not None:
                work.positions.append(remembering(self.run, position, Page(rows)))

    def _note_losses(self, work: Work, item: Item) -> None:
        """The edits that gave way, with their values."""
        if not item.write.lost or item.write.before is None:
            return
        columns = {f.column(item.write.side) for group in item.write.lost for f in group.fields}
        before = {name: v for name, v in item.write.before.items() if name in columns}
        names = ", ".join(group.name for group in item.write.lost)
        self.run.note(
            work,
            item.record,
            ChangeKind.LOST,
            item.write.side,
            before=before,
            after={name: item.write.values.get(name) for name in before},
            detail=names,
        )
        self.run.tell("lost", 1)


_NOTED = {
    Kind.CREATE: ChangeKind.CREATE,
    Kind.UPDATE: ChangeKind.UPDATE,
    Kind.DELETE: ChangeKind.DELETE,
}


def _known(side: Side, items: Sequence[Item]) -> Mapping[str, Image]:
    """The rows the operations were planned from, by id."""
    states = [item.record.side(side) for item in items]
    return {state.id: state.image for state in states if state.id and state.image is not None}


def _ended_well(batch: Batch) -> bool:
    """Whether a batch is back with outcomes; an error is met in its own turn."""
    return batch.reply.done() and batch.reply.exception() is None


def deletes_left(run: MapRun, side: Side) -> Deletes:
    """What the deletes of the last hour leave of those the guard allows.

    All may go where the map says that what it writes is nobody's work.
    """
    if not run.map.document.delete_guard:
        return Deletes(sys.maxsize, frozenset())
    sent = run.store.deleted_since(run.map.name, side, run.now() - run.guard.window)
    bound = run.store.bound(run.map.name, side)
    return Deletes(allowance(run.guard, bound, len(sent)), sent)


def _blind(action: Action, whole: Collection[Side]) -> bool:
    """Whether it creates where a row with the key may be that was never seen: `load` goes on."""
    return any(w.kind is Kind.CREATE and w.side not in whole for w in action.writes)


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Consecutive slices of at most `size` items."""
    return [items[at : at + size] for at in range(0, len(items), size)]
