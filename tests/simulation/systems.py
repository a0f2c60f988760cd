"""A model of one system: rows, versions, a change feed, and what it does to values.

Owns: what a system holds and how it answers when nothing goes wrong.
Never does: faults, time, chance; `wire.py` and `world.py` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from connector.endpoints.base import (
    Applied,
    Capabilities,
    Column,
    Create,
    Delete,
    Entity,
    Exists,
    Key,
    Missing,
    Operation,
    Outcome,
    Page,
    Row,
    Stale,
    Update,
)
from connector.errors import PositionExpiredError
from connector.mapping.values import Side, Value, normal_key

US = "dualwrite"
SOMEBODY = "somebody"
MASK = 0x5DEECE66D
"""Makes versions that cannot be ordered out of those that can."""


@dataclass(frozen=True)
class Traits:
    """How one system differs from another."""

    sees_creates: bool
    """Whether the reply to a create holds the row, as it does where creates are not bulk."""
    ordered: bool
    feed: bool
    unique: bool
    """Whether an alternate key keeps a second row of one key out."""
    page: int
    batch: int
    cut: Mapping[str, Callable[[Value], Value]] = field(default_factory=dict)
    """Columns that hold less than what is written to them."""


class Cell(NamedTuple):
    """One value somebody wrote, where it stood."""

    side: Side
    id: str
    column: str
    value: Value


@dataclass
class Stored:
    """One row as the system holds it; `people` are the columns a person wrote last."""

    values: dict[str, Value]
    version: int
    modified_at: float
    modifier: str
    creator: str
    people: set[str]


class System:
    """One side; every entity shares one change log, whose places are the versions."""

    def __init__(
        self, side: Side, columns: Sequence[Column], key: str, traits: Traits, clock: list[float]
    ) -> None:
        self.side = side
        self.columns = {column.name: column for column in columns}
        self.key = key
        self.traits = traits
        self.clock = clock
        self.rows: dict[str, Stored] = {}
        self.log: list[str] = []
        self.forgotten = 0
        self.gave_way: list[Cell] = []
        """Values of people that a write of ours replaced."""
        self.writes: list[Operation] = []
        self.dropped: dict[str, set[str]] = {}
        """By who dropped them: the keys of rows that went, as they are compared."""
        self.idle: list[Update] = []
        """Writes of ours that changed nothing."""

    def describe(self, entity: str) -> Entity:
        """The table as live metadata tells of it."""
        traits = self.traits
        able = Capabilities("version", "once", True, traits.ordered, traits.feed, traits.batch)
        return Entity(entity, entity, "id", self.columns, (Key("key", (self.key,)),), able)

    # ------------------------------------------------------------------ changing

    def twin(self, key: Value, but: str | None = None) -> str | None:
        """The id of a row that has this key already."""
        wanted = normal_key(key)
        for id, row in self.rows.items():
            if id != but and wanted is not None and normal_key(row.values[self.key]) == wanted:
                return id
        return None

    def change(self, id: str, values: Mapping[str, Value], by: str) -> None:
        """Create or change a row."""
        cut = self.traits.cut
        kept = {name: cut[name](v) if name in cut else v for name, v in values.items()}
        old = self.rows.get(id)
        if old is None:
            old = Stored(dict.fromkeys(self.columns), 0, 0.0, by, by, set())
        people = set(old.people)
        for name, value in kept.items():
            if by == US and name in people and old.values[name] != value:
                self.gave_way.append(Cell(self.side, id, name, old.values[name]))
                people.discard(name)
            elif by != US:
                people.add(name)
        self.log.append(id)
        self.rows[id] = Stored(
            {**old.values, **kept}, len(self.log), self.clock[0], by, old.creator, people
        )

    def drop(self, id: str, by: str) -> None:
        """Delete a row."""
        row = self.rows.pop(id)
        self.log.append(id)
        self.dropped.setdefault(by, set()).add(normal_key(row.values[self.key]) or "")
        if by == US:
            self.gave_way += [Cell(self.side, id, n, row.values[n]) for n in sorted(row.people)]

    def carry_out(self, columns: Sequence[str], operation: Operation) -> Outcome:
        """One operation of ours; a version that is not given is no condition."""
        row = self.rows.get(operation.id)
        match operation:
            case Create():
                if row is not None:
                    return Exists(operation.id)
                twin = self.twin(operation.values.get(self.key)) if self.traits.unique else None
                if twin is not None:
                    return Exists(twin)
                self.change(operation.id, operation.values, US)
            case Update() | Delete() if row is None:
                return Missing()
            case Update() | Delete() if operation.version not in (None, self.version(row)):
                return Stale()
            case Update():
                self.change(operation.id, operation.values, US)
                if self.rows[operation.id].values == row.values:
                    self.idle.append(operation)
            case Delete():
                self.drop(operation.id, US)
        self.writes.append(operation)
        silent = isinstance(operation, Create) and not self.traits.sees_creates
        if isinstance(operation, Delete) or silent:
            return Applied(operation.id)
        return Applied(operation.id, self.row(operation.id, columns))

    # ------------------------------------------------------------------ reading

    def version(self, row: Stored) -> str:
        """The row's version as it is told."""
        return str(row.version if self.traits.ordered else row.version ^ MASK)

    def row(self, id: str, columns: Sequence[str]) -> Row:
        """One row as it is told."""
        row = self.rows[id]
        image = tuple([row.values[column] for column in columns])
        at = datetime.fromtimestamp(row.modified_at, UTC)
        return Row(id, self.version(row), image, at, row.modifier)

    def scan_page(
        self,
        columns: Sequence[str],
        after: str,
        head: int,
        skipped: Callable[[str], bool],
        again: Callable[[str], bool],
    ) -> Page:
        """One page of a scan that began at `head`.

        A row that changed since may be `skipped`: it moved to where the scan had been already.
        The last page hands out rows `again`, as they are by then.
        """
        self.reach(head)
        ids = [
            id
            for id in sorted(self.rows)
            if id > after and not (self.rows[id].version > head and skipped(id))
        ]
        page, rest = ids[: self.traits.page], ids[self.traits.page :]
        rows = [self.row(id, columns) for id in page]
        if rest:
            return Page(rows, resume=f"{page[-1]}@{head}")
        rows += [self.row(id, columns) for id in sorted(self.rows) if id <= after and again(id)]
        position = self._mark(columns, head) if self.traits.feed else None
        return Page(rows, position=position, last=True)

    def feed_page(self, columns: Sequence[str], position: str) -> Page:
        """One page of the change feed."""
        names, _, place = position.rpartition("@")
        since = int(place)
        if names != ",".join(columns):
            raise PositionExpiredError("position-expired", "other columns", remedy="scan")
        self.reach(since)
        head = min(len(self.log), since + self.traits.page)
        ids = list(dict.fromkeys(self.log[since:head]))
        rows = [self.row(id, columns) for id in ids if id in self.rows]
        deleted = [id for id in ids if id not in self.rows]
        last = head == len(self.log)
        text = self._mark(columns, head)
        return Page(rows, deleted, text, text if last else None, last)

    def read(
        self, columns: Sequence[str], by: str | None, values: Sequence[str]
    ) -> dict[str, Sequence[Row]]:
        """Rows by id, or by a text column without regard to case."""
        found: dict[str, list[Row]] = {}
        for value in values:
            for id, row in self.rows.items():
                same = id == value
                if by is not None:
                    same = normal_key(row.values[by]) == normal_key(value)
                if same:
                    found.setdefault(value, []).append(self.row(id, columns))
        return dict(found)

    def newer(self, a: str, b: str) -> bool | None:
        """Whether one version is newer than another, where that can be told."""
        return int(a) > int(b) if self.traits.ordered else None

    def forget(self) -> None:
        """Every position given out so far expires."""
        self.forgotten = len(self.log)

    def reach(self, place: int) -> None:
        """Raise if the feed no longer reaches back to a place."""
        if place < self.forgotten:
            raise PositionExpiredError("position-expired", "forgotten", remedy="scan")

    def _mark(self, columns: Sequence[str], place: int) -> str:
        return f"{','.join(columns)}@{place}"
