"""A model of one system: rows, versions, a change feed, and what it does to values.

Owns: what a system holds and how it answers when nothing goes wrong.
Never does: faults, chance; `wire.py` and `world.py` do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

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
    Rejected,
    Row,
    Stale,
    Update,
)
from connector.errors import PositionExpiredError
from connector.mapping.values import Side, Value, normal_key
from tests.simulation.compare import Compared
from tests.simulation.maps import SHARED
from tests.simulation.told import Backup, Cell, Dropped, Stored, Written
from tests.simulation.traits import Traits

US = "dualwrite"
SOMEBODY = "somebody"
MASK = 0x5DEECE66D
"""Makes versions that cannot be ordered out of those that can."""


class System:
    """One side; every change has its place in one log, and the places are the versions."""

    def __init__(
        self,
        side: Side,
        columns: Sequence[Column],
        key: str,
        traits: Traits,
        clock: Callable[[], float],
        gave_way_to: dict[tuple[str, Value], set[Value]],
    ) -> None:
        self.side = side
        self.columns = {column.name: column for column in columns}
        self.key = key
        self.traits = traits
        self.clock = clock
        self.rows: dict[str, Stored] = {}
        self.targets: dict[str, str] = {}
        """Rows of the one table that references point to: the text of each by id."""
        self.log: list[str] = []
        self.forgotten = 0
        self.gave_way: list[Cell] = []
        """Values of people that a write of ours replaced."""
        self.writes: list[Written] = []
        self.late: set[int] = set()
        """The places of those that came when nobody waited for them any more."""
        self.dropped: list[Dropped] = []
        self.superseded: dict[tuple[str, str], set[Value]] = {}
        """By id and column: values that a person replaced while both sides agreed on the card."""
        self.gave_way_to = gave_way_to
        """By column and value, on whatever side: what a write of ours put in its place."""
        self.brought_back: list[Cell] = []
        """Values that a write of ours put in the place of the one they had given way to."""
        self.idle: list[Update] = []
        """Writes of ours that changed nothing."""
        self.compared = Compared(self)
        self.went_back: dict[tuple[str, str], Value] = {}
        """By id and column, where nobody has written since: what a restore took away."""
        self.unremembered: dict[tuple[str, str], set[Value]] = {}
        """By id and column: what writes of ours put there of which the state, that went back to a
        backup, does not know."""

    def describe(self, entity: str) -> Entity:
        """The table as live metadata tells of it."""
        traits = self.traits
        able = Capabilities(
            traits.preconditions,
            "at-least-once" if traits.ids == "allotted" else "once",
            traits.tells,
            traits.ordered,
            traits.feed,
            traits.batch,
            traits.ids,
        )
        return Entity(entity, entity, "id", self.columns, (Key("key", (self.key,)),), able)

    def id_for(self, values: Mapping[str, Value], proposed: str) -> str:
        """The id a row of these values comes by, as far as that is known before."""
        return f"{self.key}={values[self.key]!r}" if self.traits.ids == "key" else proposed

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
            old = Stored(dict.fromkeys(self.columns), 0, 0.0, by, by, frozenset())
        if by == US:
            given = {
                name for name in old.people.intersection(kept) if old.values[name] != kept[name]
            }
            self.gave_way += [Cell(self.side, id, n, old.values[n]) for n in sorted(given)]
            self._contest(id, old, kept, given)
            # Where a run is taken back, what a person had written is theirs again.
            theirs = {n for n, v in kept.items() if Cell(self.side, id, n, v) in self.gave_way}
            people = old.people - given | theirs
        else:
            people = old.people.union(kept)
        for name in kept:
            self.went_back.pop((id, name), None)
        self.log.append(id)
        self.rows[id] = Stored(
            {**old.values, **kept}, len(self.log), self.clock(), by, old.creator, people
        )

    def _contest(self, id: str, old: Stored, kept: Mapping[str, Value], given: set[str]) -> None:
        """Whether a write of ours takes back what a person, or an earlier write, decided."""
        for name in sorted(kept):
            now, then, column = kept[name], old.values[name], name.lower()
            if now is None or then is None or now == then or column in SHARED:
                continue
            replaced = name in given and now in self.superseded.get((id, name), ())
            if replaced or then in self.gave_way_to.get((column, now), ()):
                self.brought_back.append(Cell(self.side, id, name, now))
            if name in given:
                self.gave_way_to.setdefault((column, then), set()).add(now)

    def drop(self, id: str, by: str) -> None:
        """Delete a row."""
        row = self.rows.pop(id)
        self.log.append(id)
        key = normal_key(row.values[self.key]) or ""
        self.dropped.append(Dropped(len(self.log), id, key, by))
        if by == US:
            self.gave_way += [Cell(self.side, id, n, row.values[n]) for n in sorted(row.people)]

    def carry_out(
        self, columns: Sequence[str], operation: Operation, looked: int | None = None
    ) -> Outcome:
        """One operation of ours; a version that is not given is no condition.

        `looked` is where the log ended when the sender last looked at the row: only where there
        are no conditions it matters.
        """
        if (refused := self._refusal(operation)) is not None:
            return refused
        row, asked = self.rows.get(operation.id), operation.id
        before: Mapping[str, Value] = {}
        blind = self._overtaken(operation.id, looked)
        if blind and row is not None:
            # What a person wrote in between nobody saw, and nobody can tell of.
            lost = row.people if isinstance(operation, Delete) else set(operation.values)
            self.rows[operation.id] = row = replace(row, people=row.people.difference(lost))
        if isinstance(operation, Create) and self.traits.ids == "allotted":
            operation = replace(operation, id=f"a{len(self.log)}")
        if isinstance(operation, Delete):
            assert row is not None
            before = dict(row.values)
            self.drop(operation.id, US)
        else:
            if row is not None:
                before = {name: row.values[name] for name in operation.values}
            self.change(operation.id, operation.values, US)
        same = isinstance(operation, Update) and before == self._held(operation)
        if same and not blind and isinstance(operation, Update):
            self.idle.append(operation)
        self.writes.append(Written(len(self.log), operation, before, asked, blind, same))
        traits = self.traits
        shown = traits.sees_creates if isinstance(operation, Create) else traits.sees_updates
        if isinstance(operation, Delete) or not shown:
            return Applied(operation.id)
        return Applied(operation.id, self.row(operation.id, columns))

    def _held(self, operation: Update) -> Mapping[str, Value]:
        """What the written columns hold now."""
        return {name: self.rows[operation.id].values[name] for name in operation.values}

    def _overtaken(self, id: str, looked: int | None) -> bool:
        """Whether somebody wrote to a row since it was looked at, where nothing refuses ours."""
        row = self.rows.get(id)
        guarded = self.traits.preconditions != "none"
        return not guarded and row is not None and row.version > (looked or 0)

    def _refusal(self, operation: Operation) -> Outcome | None:
        """Why an operation is not carried out."""
        row = self.rows.get(operation.id)
        if isinstance(operation, Create):
            if row is not None:
                return Exists(operation.id)
            twin = self.twin(operation.values.get(self.key)) if self.traits.unique else None
            return self._dangling(operation.values) if twin is None else Exists(twin)
        if row is None:
            return Missing()
        guarded = self.traits.preconditions != "none"
        if guarded and operation.version not in (None, self.version(row)):
            return Stale()
        if isinstance(operation, Delete):
            return None
        if self.traits.ids == "key" and self.key in operation.values:
            return Rejected("key-fixed", "the key is the row's id", self.key)
        return self._dangling(operation.values)

    def _dangling(self, values: Mapping[str, Value]) -> Rejected | None:
        """A reference to a row that is gone is refused, as Dataverse does."""
        id = values.get("currency")
        if id is None or id in self.targets:
            return None
        return Rejected("0x80040217", f"there is no currency {id}", "currency")

    # ------------------------------------------------------------------ reading

    def version(self, row: Stored) -> str:
        """The row's version as it is told; a digest of what it holds where that is compared."""
        if self.traits.preconditions == "compare":
            return hashlib.sha256(repr(sorted(row.values.items())).encode()).hexdigest()
        return str(row.version if self.traits.ordered else row.version ^ MASK)

    def row(self, id: str, columns: Sequence[str]) -> Row:
        """One row as it is told."""
        row = self.rows[id]
        image = tuple([row.values[column] for column in columns])
        version = None if self.traits.preconditions == "none" else self.version(row)
        if not self.traits.tells:
            return Row(id, version, image)
        at = datetime.fromtimestamp(row.modified_at, UTC)
        return Row(id, version, image, at, row.modifier)

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
        A page hands out rows `again` that came before, as they are by then.
        """
        self.reach(head)
        ids = [
            id
            for id in sorted(self.rows)
            if id > after and not (self.rows[id].version > head and skipped(id))
        ]
        page, rest = ids[: self.traits.page], ids[self.traits.page :]
        told = [id for id in sorted(self.rows) if id <= after and again(id)]
        rows = [self.row(id, columns) for id in (*told, *page)]
        if rest:
            return Page(rows, resume=f"{page[-1]}@{head}")
        position = self._mark(columns, head) if self.traits.feed else None
        return Page(rows, position=position, last=True)

    def feed_page(
        self, columns: Sequence[str], position: str, again: Callable[[str], bool]
    ) -> Page:
        """One page of the change feed; it may tell `again` of what it told of before."""
        names, _, place = position.rpartition("@")
        since = int(place)
        if names != ",".join(columns):
            raise PositionExpiredError("position-expired", "other columns", remedy="scan")
        self.reach(since)
        head = min(len(self.log), since + self.traits.page)
        told = dict.fromkeys(id for id in self.log[max(0, since - 3) : since] if again(id))
        ids = list(dict.fromkeys([*told, *self.log[since:head]]))
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
            if by is None:
                if value in self.rows:
                    found[value] = [self.row(value, columns)]
                continue
            wanted = normal_key(value)
            for id, row in self.rows.items():
                if normal_key(row.values[by]) == wanted:
                    found.setdefault(value, []).append(self.row(id, columns))
        return dict(found)

    def read_targets(self, by: str | None, values: Sequence[str]) -> dict[str, Sequence[Row]]:
        """Rows that references point to, by id or by their text."""
        found: dict[str, list[Row]] = {}
        for value in values:
            for id, text in self.targets.items():
                if id == value if by is None else normal_key(text) == normal_key(value):
                    found.setdefault(value, []).append(Row(id, "1", (text,)))
        return dict(found)

    def newer(self, a: str, b: str) -> bool | None:
        """Whether one version is newer than another, where that can be told."""
        return int(a) > int(b) if self.traits.ordered else None

    def forget(self) -> None:
        """Every position given out so far expires."""
        self.forgotten = len(self.log)

    def reach(self, place: int) -> None:
        """Raise if the feed no longer, or not yet, reaches a place."""
        if not self.forgotten <= place <= len(self.log):
            raise PositionExpiredError("position-expired", "forgotten", remedy="scan")

    def _mark(self, columns: Sequence[str], place: int) -> str:
        return f"{','.join(columns)}@{place}"

    # ------------------------------------------------------------------ backups

    def unremember(self, first: int) -> None:
        """The state went back to where `first` of our writes had happened."""
        for write in self.writes[first:]:
            if not isinstance(write.operation, Delete):
                for name, value in write.operation.values.items():
                    self.unremembered.setdefault((write.operation.id, name), set()).add(value)

    def backup(self) -> Backup:
        """Everything it holds; rows are replaced, never changed, so they need no copy."""
        return Backup(dict(self.rows), tuple(self.log), dict(self.targets))

    def restore(self, backup: Backup) -> None:
        """Go back: rows, versions and feed are those of the backup, and go on from there."""
        for id in sorted(self.rows.keys() - backup.rows.keys()):
            key = normal_key(self.rows[id].values[self.key]) or ""
            self.dropped.append(Dropped(len(backup.log), id, key, SOMEBODY))
        for id, row in self.rows.items():
            then = backup.rows[id].values if id in backup.rows else row.values
            for name in [name for name, value in row.values.items() if value != then[name]]:
                self.went_back.setdefault((id, name), row.values[name])
        self.rows = dict(backup.rows)
        self.log = list(backup.log)
        self.targets = dict(backup.targets)
        self.forgotten = min(self.forgotten, len(self.log))
