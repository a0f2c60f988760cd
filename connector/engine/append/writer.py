"""Rows on their way to the side they are added to.

Owns: translating a page, sending it in batches, and making it durable when every row was answered,
one page after the other.
Never does: reading the source; deciding what a refusal means (`kept.py`).
Tested in: tests/integration/engine/test_append.py.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from connector.endpoints.base import Applied, Create, Exists, Outcome, Page, Row
from connector.engine.append.ids import id_of
from connector.engine.append.page import Item, Sending, Taken
from connector.engine.append.refusals import not_done
from connector.engine.append.restored import written_mark
from connector.engine.append.there import meet
from connector.engine.apply import chunks
from connector.engine.lookups import resolve_images
from connector.engine.news.observe import keyless_problem, twin_problem
from connector.engine.news.twins import KEYLESS
from connector.engine.plan import Kind, Write, plan
from connector.engine.runs.run import MapRun
from connector.engine.settle import note
from connector.errors import DualWriteError
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Side, Value
from connector.store.record import Record
from connector.store.work import Position

_TWIN = (
    "give the row a key of its own, it then travels by itself; or leave it out: "
    "`dualwrite failures discard`"
)


class Writer:
    """Carries pages through; a `with` block that ends well has settled all of them."""

    def __init__(self, run: MapRun, *, look: bool = False) -> None:
        self.run = run
        (self.source,) = run.map.document.followed
        self.target: Side = self.source.other
        self.crowded = False
        """Whether so many rows wait for their next try that no more should be read."""
        self._look = look
        """Whether rows of the next page are likely to be there: asked for before they are sent."""
        self._out: deque[Taken] = deque()
        self._calls: deque[Sending] = deque()
        """What may be under way, in the order it left."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if kind is None:
            self.drain()
        else:
            self._abandon()

    # ------------------------------------------------------------------ what is taken in

    def push(self, page: Page, tick: int, positions: Sequence[Position] = ()) -> None:
        """Send what is new in a page of the source; `positions` hold when all of it is done."""
        run = self.run
        taken = Taken(run.work(), tick)
        taken.work.positions += positions
        rows = {row.id: row for row in page.rows}
        kept = run.store.by_ids(run.layout, self.source, [*rows, *page.deleted])
        for id, record in kept.items():
            if id in rows and record.side(self.source).image == rows[id].image:
                del rows[id]  # told once more: it keeps to its own time
            else:
                taken.forget(record)  # gone, or another row than the one that was kept
        self._resolve([row.image for row in rows.values()])
        self._send(taken, list(self._items(taken, rows.values())))

    def push_kept(self, records: Sequence[Record], tick: int) -> None:
        """Send rows that were kept, as far as they can be sent now."""
        taken = Taken(self.run.work(), tick)
        self._send(taken, list(self._replanned(taken, records)))

    def _items(self, taken: Taken, rows: Iterable[Row]) -> Iterable[Item]:
        """Rows that can be sent; the others are kept."""
        run, met = self.run, dict[str, str]()
        for row in rows:
            if not run.map.takes(self.source, row.image):
                continue
            key = run.map.key_of(self.source, row.image)
            if key is None:
                record = taken.keep(run, row, f"{KEYLESS}{row.id}")
                record.problem = keyless_problem(record, self.source, run.map)
                continue
            first = met.setdefault(key, row.id)
            if first != row.id:
                record = taken.keep(run, row, key)
                twin = twin_problem(record, self.source, (first, row.id))
                record.problem = replace(twin, remedy=_TWIN)
                continue
            try:
                values = run.map.creations[self.target].values(row.image)
            except (TargetMissing, Untranslatable):
                self._planned(taken, taken.keep(run, row, key))
                continue
            yield self._item(key, values, row, None)

    def _replanned(self, taken: Taken, records: Sequence[Record]) -> Iterable[Item]:
        """Kept rows that can be sent now."""
        images = [record.side(self.source).image for record in records]
        self._resolve([image for image in images if image is not None])
        for record in records:
            taken.known[record.number] = record
            for write in self._planned(taken, record):
                yield self._item(record.key, write.values, None, record)

    def _planned(self, taken: Taken, record: Record) -> Sequence[Write]:
        """What is to be sent for a kept record; else why not is kept with it."""
        action = plan(record, self.run.map)
        if action.ignored and not record.accepted:
            taken.forget(record)  # outside the map's filter
            return ()
        taken.wait(record, action.waits)
        note(record, action, self.run.map)
        return [write for write in action.writes if write.kind is Kind.CREATE]

    def _item(
        self, key: str, values: Mapping[str, Value], row: Row | None, record: Record | None
    ) -> Item:
        run = self.run
        known = record.side(self.source) if record is not None else row
        assert known is not None
        there, image = known.id, known.image
        assert there is not None
        assert image is not None
        own = id_of(run.map.name, run.worlds[self.source].identity, there)
        id = run.endpoint(self.target).id_for(run.map.entity(self.target), values, own)
        return Item(Create(id, values), key, image, row, record)

    def _resolve(self, images: Sequence[Image]) -> None:
        pairs = [(i, None) if self.source is Side.COMMERCE else (None, i) for i in images]
        resolve_images(self.run.map, self.run.ports.endpoints, pairs)

    # ------------------------------------------------------------------ sending

    def _send(self, taken: Taken, items: Sequence[Item]) -> None:
        run, side = self.run, self.target
        if self._look and items:
            items = self._not_there(taken, items)
        endpoint, entity = run.endpoint(side), run.map.entity(side)
        columns = run.map.column_names(side)
        for chunk in chunks(items, run.pacer.rows(side) if items else 1):
            self._make_room()
            run.pacer.stand_still(side, self._may_wait)
            run.hold()
            operations = [item.operation for item in chunk]
            sent = run.ports.monotonic()
            reply = run.ports.executor.submit(endpoint.write, entity, columns, operations)
            taken.sendings.append(Sending(chunk, reply, sent))
            self._calls.append(taken.sendings[-1])
        self._out.append(taken)
        while len(self._out) > 1 or (self._out and _answered(self._out[0])):
            self._settle_oldest()

    def _not_there(self, taken: Taken, items: Sequence[Item]) -> list[Item]:
        """The items without those whose row is there already."""
        run, side = self.run, self.target
        ids = [item.operation.id for item in items]
        entity, columns = run.map.entity(side), run.map.column_names(side)
        found = run.endpoint(side).read(entity, columns, by=None, values=ids).rows
        taken.there = [item for item in items if item.operation.id in found]
        return [item for item in items if item.operation.id not in found]

    def _make_room(self) -> None:
        """Wait until another call may be under way."""
        run = self.run
        while len(self._calls) >= run.pacer.calls(self.target, run.limits.in_flight):
            with suppress(DualWriteError):  # met in its own turn, when its page is settled
                run.wait(self._calls[0].reply)
            self._calls.popleft()

    def _may_wait(self) -> bool:
        self.run.hold()
        return not self.run.out_of_time()

    # ------------------------------------------------------------------ settling

    def drain(self) -> None:
        """Settle every page that is out; what comes after one that failed is not made durable."""
        while self._out:
            self._settle_oldest()

    def _abandon(self) -> None:
        """What is under way ends unheard; the next run sends it again and is told it is there."""
        self._calls.clear()
        self._out.clear()

    def _settle_oldest(self) -> None:
        run, taken = self.run, self._out[0]
        met: list[tuple[Item, Exists]] = [(one, Exists(one.operation.id)) for one in taken.there]
        failed: list[tuple[Item, Outcome]] = []
        made: list[Item] = []
        for sending in taken.sendings:
            outcomes = run.wait(sending.reply)
            assert len(outcomes) == len(sending.items), "one outcome each"
            for item, outcome in zip(sending.items, outcomes, strict=True):
                if isinstance(outcome, Applied):
                    made.append(item)
                elif isinstance(outcome, Exists):
                    met.append((item, outcome))
                else:
                    failed.append((item, outcome))
        failed += meet(run, taken, met)
        self._look = (self._look and bool(taken.there)) or len(met) > len(taken.there)
        for item in made:
            if item.record is not None:
                taken.forget(item.record)
        not_done(run, taken, failed)
        if made:
            taken.work.positions.append(written_mark(run, made[-1].operation.id))
        run.commit(taken.seal(run))
        self._out.popleft()
        self._told(taken, len(made))
        if failed:
            waiting = run.store.due(run.layout, math.inf, 0, run.limits.page)
            self.crowded = len(waiting) >= run.limits.page
        self._heed()

    def _told(self, taken: Taken, made: int) -> None:
        run = self.run
        run.tell(f"created {self.target}", made)
        for sending in taken.sendings:
            kinds = {Kind.CREATE.value: len(sending.items)}
            run.pacer.settled(self.target, kinds, sending.sent)

    def _heed(self) -> None:
        """End the run where an alert holds the map from now on."""
        held = self.run.heed()
        if held is not None:
            self.drain()
            raise held


def _answered(taken: Taken) -> bool:
    return all(one.reply.done() for one in taken.sendings)
