"""Records of the in-memory twin: how they are written, and every way they are read back.

Owns: records and their layouts.
Never does: deciding a state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from connector.errors import StateError, Subject
from connector.mapping.values import Image, Side
from connector.store.record import Layout, Presence, Record, State
from connector.store.work import Adoption, Sweep
from tests.simulation.memory.tables import Kept, Tables, copied


class Records:
    """See `connector.store.base.Store`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    # ------------------------------------------------------------------------ reading

    def by_ids(self, layout: Layout, side: Side, ids: Sequence[str]) -> Mapping[str, Record]:
        """Records by their id on one side; of several, the one still there, then the newest."""
        wanted = set(ids)
        found: dict[str, Record] = {}
        for record in self._of(layout, lambda r: r.side(side).id in wanted):
            id = record.side(side).id or ""
            other = found.get(id)
            if other is None or _rank(record, side) > _rank(other, side):
                found[id] = record
        return found

    def by_keys(self, layout: Layout, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """Records by normalised key, each key's in the order of their ordinals."""
        wanted = set(keys)
        found: dict[str, list[Record]] = {}
        for record in sorted(
            self._of(layout, lambda r: r.key in wanted), key=lambda r: (r.key, r.ordinal)
        ):
            found.setdefault(record.key, []).append(record)
        return found

    def by_numbers(self, layout: Layout, numbers: Sequence[int]) -> Mapping[int, Record]:
        """Records of the layout's map by number."""
        wanted = set(numbers)
        return {r.number: r for r in self._of(layout, lambda r: r.number in wanted)}

    def due(self, layout: Layout, now: float, after: int, limit: int) -> Sequence[Record]:
        """Records due at `now` with a number above `after`, by number."""
        return self._page(
            layout, after, limit, lambda record: record.due is not None and record.due <= now
        )

    def needing(
        self, layout: Layout, states: Sequence[State], after: int, limit: int
    ) -> Sequence[Record]:
        """Records in these states with a number above `after`, by number; no tombstones."""
        return self._page(layout, after, limit, lambda r: r.state in states and not is_tombstone(r))

    def set_aside(self, map: str) -> Mapping[State, int]:
        """Records that wait, are in conflict or parked, by state; tombstones not counted."""
        counts = self.counts(map)
        return {state: counts[state] for state in (State.WAITING, State.CONFLICT, State.PARKED)}

    def next_due(self, map: str) -> float | None:
        """The earliest due time of the map."""
        return min((r.due for r in self._living(map) if r.due is not None), default=None)

    def unconfirmed(self, map: str) -> int:
        """How many creates of ours wait for their first sight, parked ones left out."""
        return sum(r.unconfirmed and r.state is not State.PARKED for r in self._living(map))

    def bound(self, map: str, side: Side) -> int:
        """How many records are believed present on this side."""
        return sum(r.side(side).presence is Presence.PRESENT for r in self._living(map))

    def counts(self, map: str) -> Mapping[State, int]:
        """Records by state, every state named; tombstones not counted."""
        found = dict.fromkeys(State, 0)
        for record in self._living(map):
            found[record.state] += not is_tombstone(record)
        return found

    # ------------------------------------------------------------------------ writing

    def insert(self, map: str, layout: Layout, new: Sequence[Record]) -> None:
        """Add records."""
        for record in new:
            clash = record.number in self._tables.records or any(
                (other.key, other.ordinal) == (record.key, record.ordinal)
                for other in self._living(map)
            )
            if clash:
                raise StateError(
                    "state-contradiction",
                    "the sync state already holds another row where this one belongs",
                    remedy="run the command again; if it repeats, please report it",
                )
            self._put(map, layout, record)

    def remove(self, map: str, numbers: Sequence[int]) -> None:
        """Delete records of the map and what they waited for."""
        for number in numbers:
            kept = self._tables.records.get(number)
            if kept is not None and kept.record.map == map:
                del self._tables.records[number]
                self._tables.waits.pop(number, None)

    def update(self, map: str, layout: Layout, known: Sequence[Record]) -> None:
        """Replace records."""
        for record in known:
            kept = self._tables.records.get(record.number)
            if kept is None or kept.record.map != map:
                raise StateError(
                    "record-missing" if record.map == map else "map-mixed",
                    f"record {record.number} to update is not in the state",
                    subject=Subject(map=map),
                    remedy="run the command again; if it repeats, please report it",
                )
            self._put(map, layout, record)

    def change(self, fits: Callable[[Record], bool], change: Callable[[Record], None]) -> int:
        """Change the records that fit, each by itself; how many."""
        count = 0
        for number, kept in list(self._tables.records.items()):
            if fits(kept.record):
                record = copied(kept.record)
                change(record)
                self._tables.records[number] = replace(kept, record=record)
                count += 1
        return count

    def sweep(self, map: str, sweep: Sweep, at: float) -> None:
        """Make rows that a full scan did not meet unknown and due."""

        def missed(record: Record) -> bool:
            state = record.side(sweep.side)
            there = record.map == map and state.presence is Presence.PRESENT
            return there and state.tick < sweep.tick

        def doubt(record: Record) -> None:
            record.side(sweep.side).presence = Presence.UNKNOWN
            make_due(record, at)

        self.change(missed, doubt)

    def adopt(
        self, layout: Layout, side: Side, tick: int, rows: Sequence[Adoption]
    ) -> Sequence[str]:
        """Adopt the rows; the ids of those that cannot be."""
        refused: dict[str, None] = {}
        for row in rows:
            if not self._adopt(layout, side, tick, row):
                refused[row.id] = None
        return list(refused)

    def _adopt(self, layout: Layout, side: Side, tick: int, row: Adoption) -> bool:
        numbers = [n for n, kept in self._tables.records.items() if kept.layout.id == layout.id]

        def fits(record: Record) -> bool:
            state = record.side(side)
            return (
                (record.map, state.id, state.presence) == (layout.map, row.id, Presence.PRESENT)
                and record.number in numbers
                and state.image is None
                and record.unconfirmed
                and state.tick <= tick
            )

        def take(record: Record) -> None:
            state = record.side(side)
            state.version, state.tick, state.image, state.agreed = (
                row.version, tick, row.image, row.image,
            )  # fmt: skip
            state.modified_at, state.modifier = row.modified_at, row.modifier
            record.unconfirmed, record.attempts = False, 0

        return self.change(fits, take) > 0

    # ------------------------------------------------------------------------ private

    def _put(self, map: str, layout: Layout, record: Record) -> None:
        if record.map != map:
            raise StateError(
                "map-mixed",
                f"record {record.number} belongs to map {record.map!r}",
                subject=Subject(map=map),
                remedy="this is a defect of the engine; please report it",
            )
        for side in Side:
            for image in (record.side(side).image, record.side(side).agreed):
                if image is not None:
                    _check(image, len(layout.columns[side]))
        self._tables.records[record.number] = Kept(copied(record), layout)

    def _living(self, map: str) -> Iterator[Record]:
        return (kept.record for kept in self._tables.records.values() if kept.record.map == map)

    def _of(self, layout: Layout, fits: Callable[[Record], bool]) -> Iterator[Record]:
        for kept in self._tables.records.values():
            if kept.record.map == layout.map and fits(kept.record):
                yield _handed_out(kept, layout)

    def _page(
        self, layout: Layout, after: int, limit: int, fits: Callable[[Record], bool]
    ) -> Sequence[Record]:
        found = self._of(layout, lambda record: record.number > after and fits(record))
        return sorted(found, key=lambda record: record.number)[:limit]


def is_tombstone(record: Record) -> bool:
    """Whether the record is on neither side."""
    return record.commerce.presence is record.dataverse.presence is Presence.ABSENT


def make_due(record: Record, at: float) -> None:
    """Something is to be done; graver states stay."""
    record.due = at
    if record.state is State.SETTLED:
        record.state = State.PENDING


def _rank(record: Record, side: Side) -> tuple[bool, int]:
    return record.side(side).presence is not Presence.ABSENT, record.number


def _check(image: Image, width: int) -> None:
    if len(image) != width:
        raise StateError(
            "image-width",
            f"an image of {len(image)} values was handed in for {width} columns",
            remedy="this is a defect of the engine; please report it",
        )
    if any(isinstance(value, int) and not -(2**63) <= value < 2**64 for value in image):
        raise StateError(
            "value-unstorable",
            "a value cannot be kept in the sync state",
            remedy="this is a defect of the endpoint that read the value; please report it",
        )


def _handed_out(kept: Kept, wanted: Layout) -> Record:
    """A copy of the record, its images in the order of `wanted`."""
    record = copied(kept.record)
    if kept.layout.id != wanted.id:
        for side in Side:
            state = record.side(side)
            names = {column: place for place, column in enumerate(kept.layout.columns[side])}
            places = [names.get(column) for column in wanted.columns[side]]
            state.image = _reordered(state.image, places)
            state.agreed = _reordered(state.agreed, places)
    return record


def _reordered(image: Image | None, places: Sequence[int | None]) -> Image | None:
    if image is None:
        return None
    return tuple([None if place is None else image[place] for place in places])
