"""Records: how they are written, and every way they are read back.

Owns: the table `records`; the values of its rows are translated by `rows.py`.
Never does: deciding a state; opening a transaction (it is handed the connection).
Tested in: tests/contract/store/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from connector.errors import StateError, Subject
from connector.mapping.values import Side
from connector.store.database import Database, bound, run, word
from connector.store.layouts import Layouts
from connector.store.record import Layout, Presence, Record, State
from connector.store.rows import BODY, NAMES, body_of, record_of
from connector.store.schema import NEEDS_A_PERSON, SAME, records
from connector.store.work import Adoption, Sweep

_INDEXED = ("key", "ordinal", "commerce_id", "dataverse_id")
"""What the large indexes hold; it hardly ever changes."""
_PLAIN = tuple(name for name in BODY if name not in _INDEXED)
_pick_indexed = itemgetter(*(BODY.index(name) for name in _INDEXED))
_pick_plain = itemgetter(*(BODY.index(name) for name in _PLAIN))
_HELD = frozenset((State.WAITING, State.CONFLICT, State.PARKED))
_NEEDS_A_PERSON = sa.text(NEEDS_A_PERSON)
"""Spelled as in the partial index."""
_TOMBSTONE = (records.c.commerce_presence == Presence.ABSENT.value) & (
    records.c.dataverse_presence == Presence.ABSENT.value
)


def side_column(side: Side, name: str) -> sa.Column[Any]:
    """A column of `records` that tells of one side."""
    return records.c[f"{side.value}_{name}"]


def _walked(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """A column that no index is used for: most rows match, so walk the table in its own order."""
    return sa.func.coalesce(column, "")


def pending_if_settled() -> sa.ColumnElement[str]:
    """The state of a record that becomes due: something is to be done, graver states stay."""
    return sa.case(
        (records.c.state == State.SETTLED.value, State.PENDING.value), else_=records.c.state
    )


class Records:
    """The records of every map."""

    def __init__(self, db: Database, layouts: Layouts) -> None:
        self._db = db
        self._layouts = layouts
        c, among = records.c, db.dialect.among
        of_map = sa.select(records).where(c.map == bindparam("map"))
        self._insert = db.hot(sa.insert(records).values(bound(NAMES)), *NAMES)
        same = (c.number == bindparam("b_number"), c.map == bindparam("b_map"))
        self._update = db.hot(
            sa.update(records).where(*same).values(bound(_PLAIN)), *_PLAIN, "b_number", "b_map"
        )
        # An UPDATE that names an indexed column rewrites the index entry, changed or not.
        old: dict[str, sa.BindParameter[Any]] = {name: bindparam(f"b_{name}") for name in _INDEXED}
        changed = sa.or_(*(c[name].is_distinct_from(value) for name, value in old.items()))
        self._move = db.hot(
            sa.update(records).where(*same, changed).values(bound(_INDEXED)),
            *_INDEXED,
            "b_number",
            "b_map",
            *(f"b_{name}" for name in _INDEXED),
        )
        self._adopt = {side: db.hot(_adoption(side), *_ADOPTION) for side in Side}
        self._adoptable = {
            side: sa.select(side_column(side, "id")).where(
                c.map == bindparam("map"),
                among(side_column(side, "id"), "ids"),
                *_adoptable(side, bindparam("tick"), bindparam("layout")),
            )
            for side in Side
        }
        self._sweep = {side: _sweep(side) for side in Side}
        self._remove = sa.delete(records).where(
            c.map == bindparam("map"), among(c.number, "numbers")
        )
        self._by_id = {side: of_map.where(among(side_column(side, "id"), "asked")) for side in Side}
        self._by_key = of_map.where(among(c.key, "asked")).order_by(c.key, c.ordinal)
        # By number alone: beside a map, SQLite would rather walk an index of the whole map.
        self._by_number = sa.select(records).where(among(c.number, "asked"))
        self._due = _page(of_map.where(c.due.is_not(None), c.due <= bindparam("now")))
        in_states = sa.select(records).where(among(c.state, "states"), ~_TOMBSTONE)
        self._held = _page(in_states.where(c.map == bindparam("map"), _NEEDS_A_PERSON))
        self._in_states = _page(in_states.where(_walked(c.map) == bindparam("map")))
        self._next_due = sa.select(sa.func.min(c.due)).where(
            c.map == bindparam("map"), c.due.is_not(None)
        )
        self._unconfirmed = _count(c.map == bindparam("map"), sa.text("unconfirmed = 1"))
        self._parked_unconfirmed = _count(
            c.map == bindparam("map"),
            _NEEDS_A_PERSON,
            c.state == State.PARKED.value,
            c.unconfirmed != 0,
        )
        self._bound = {
            side: _count(
                _walked(c.map) == bindparam("map"),
                side_column(side, "presence") == Presence.PRESENT.value,
            )
            for side in Side
        }
        self._counts = (
            sa.select(c.state, sa.func.count())
            .where(_walked(c.map) == bindparam("map"), ~_TOMBSTONE)
            .group_by(c.state)
        )
        self._set_aside = (
            sa.select(c.state, sa.func.count())
            .where(c.map == bindparam("map"), _NEEDS_A_PERSON, ~_TOMBSTONE)
            .group_by(c.state)
        )

    # ------------------------------------------------------------------------ reading

    def by_ids(self, layout: Layout, side: Side, ids: Sequence[str]) -> Mapping[str, Record]:
        """Records by their id on one side; of several, the one still there, then the newest."""
        found: dict[str, Record] = {}
        for record in self._read(layout, self._by_id[side], ids):
            id = record.side(side).id
            assert id is not None  # the query asked for it
            other = found.setdefault(id, record)
            if other is not record and _rank(record, side) > _rank(other, side):
                found[id] = record
        return found

    def by_keys(self, layout: Layout, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """Records by normalised key, each key's in the order of their ordinals."""
        found: dict[str, list[Record]] = {}
        for record in self._read(layout, self._by_key, keys):
            found.setdefault(record.key, []).append(record)
        return found

    def by_numbers(self, layout: Layout, numbers: Sequence[int]) -> Mapping[int, Record]:
        """Records of the layout's map by number."""
        rows = self._db.rows(self._by_number, asked=self._db.dialect.listed(numbers))
        return {
            record.number: record
            for record in self._decoded([row for row in rows if row[1] == layout.map], layout)
        }

    def due(self, layout: Layout, now: float, after: int, limit: int) -> Sequence[Record]:
        """Records due at `now` with a number above `after`, by number."""
        rows = self._db.rows(self._due, map=layout.map, now=now, after=after, limit=limit)
        return self._decoded(rows, layout)

    def needing(
        self, layout: Layout, states: Sequence[State], after: int, limit: int
    ) -> Sequence[Record]:
        """Records in these states with a number above `after`, by number; no tombstones."""
        query = self._held if _HELD.issuperset(states) else self._in_states
        listed = self._db.dialect.listed([state.value for state in states])
        rows = self._db.rows(query, map=layout.map, states=listed, after=after, limit=limit)
        return self._decoded(rows, layout)

    def next_due(self, map: str) -> float | None:
        """The earliest due time of the map."""
        due: float | None = self._db.scalar(self._next_due, map=map)
        return due

    def unconfirmed(self, map: str) -> int:
        """How many creates of ours wait for their first sight, parked ones left out."""
        waiting: int = self._db.scalar(self._unconfirmed, map=map)
        if not waiting:
            return 0
        parked: int = self._db.scalar(self._parked_unconfirmed, map=map)
        return waiting - parked

    def bound(self, map: str, side: Side) -> int:
        """How many records are believed present on this side."""
        count: int = self._db.scalar(self._bound[side], map=map)
        return count

    def counts(self, map: str) -> Mapping[State, int]:
        """Records by state, every state named; tombstones not counted."""
        found = dict.fromkeys(State, 0)
        for state, count in self._db.rows(self._counts, map=map):
            found[State(state)] = count
        return found

    def set_aside(self, map: str) -> Mapping[State, int]:
        """Records that wait, are in conflict or parked, by state; from their partial index."""
        found = dict.fromkeys((State.WAITING, State.CONFLICT, State.PARKED), 0)
        for state, count in self._db.rows(self._set_aside, map=map):
            found[State(state)] = count
        return found

    # ------------------------------------------------------------------------ writing

    def insert(self, connection: sa.Connection, map: str, new: Sequence[Record]) -> None:
        """Add records."""
        if not new:
            return
        codec = self._layouts.current(map)
        body = body_of(codec)
        rows = [(record.number, _same_map(record, map), *body(record)) for record in new]
        run(connection, self._insert, rows)

    def remove(self, connection: sa.Connection, map: str, numbers: Sequence[int]) -> None:
        """Delete records of the map; those that are gone already are passed over."""
        if numbers:
            listed = self._db.dialect.listed(numbers)
            connection.execute(self._remove, {"map": map, "numbers": listed})

    def update(self, connection: sa.Connection, map: str, known: Sequence[Record]) -> None:
        """Replace records; raises StateError `record-missing` when one is not there."""
        if not known:
            return
        body = body_of(self._layouts.current(map))
        moved, rows = [], []
        for record in known:
            values, same = body(record), (record.number, _same_map(record, map))
            indexed = _pick_indexed(values)
            moved.append((*indexed, *same, *indexed))
            rows.append((*_pick_plain(values), *same))
        run(connection, self._move, moved)
        touched = run(connection, self._update, rows)
        if touched != len(rows):
            raise StateError(
                "record-missing",
                f"{len(rows) - touched} of {len(rows)} records to update are not in the state",
                subject=Subject(map=map),
                remedy="run the command again; if it repeats, please report it",
            )

    def sweep(self, connection: sa.Connection, map: str, sweep: Sweep, at: float) -> None:
        """Make rows that a full scan did not meet unknown and due."""
        values = {"b_map": map, "b_tick": sweep.tick, "due": at}
        connection.execute(self._sweep[sweep.side], values)

    def adopt(
        self,
        connection: sa.Connection,
        layout: Layout,
        side: Side,
        tick: int,
        rows: Sequence[Adoption],
    ) -> bool:
        """Adopt all rows; False when some could not be, and the caller must roll back."""
        # Two unconfirmed records never share an id, which was chosen for one: rows touched are rows
        # adopted.
        encode = self._layouts.codec(layout.id).sides[side].encode
        # The id comes from the feed, and so does everything that is set.
        params = [
            (
                row.version, tick, row.modified_at, row.modifier, encode(row.image),
                layout.map, row.id, tick, layout.id,
            )
            for row in rows
        ]  # fmt: skip
        return run(connection, self._adopt[side], params) == len(rows)

    def not_adoptable(
        self, layout: Layout, side: Side, tick: int, rows: Sequence[Adoption]
    ) -> Sequence[str]:
        """The ids that `adopt` cannot settle: no such record, or one that appears twice."""
        ids = [row.id for row in rows]
        listed = self._db.dialect.listed(ids)
        found = {
            id
            for (id,) in self._db.rows(
                self._adoptable[side], map=layout.map, ids=listed, tick=tick, layout=layout.id
            )
        }
        refused: dict[str, None] = {}
        for id in ids:
            if id in found:
                found.discard(id)  # a second row of the same id is one too many
            else:
                refused[id] = None
        return list(refused)

    # ------------------------------------------------------------------------ private

    def _read(self, layout: Layout, query: sa.Select[Any], values: Sequence[str]) -> list[Record]:
        asked = self._db.dialect.listed(values)
        return self._decoded(self._db.rows(query, map=layout.map, asked=asked), layout)

    def _decoded(self, rows: Sequence[Any], layout: Layout) -> list[Record]:
        readers = {
            stored: self._layouts.readers(stored, layout) for stored in {row[4] for row in rows}
        }
        return [record_of(row, readers[row[4]]) for row in rows]


# ---------------------------------------------------------------------------- statements


def _page(query: sa.Select[Any]) -> sa.Select[Any]:
    """Some records of many, by number."""
    after = records.c.number > bindparam("after")
    return query.where(after).order_by(records.c.number).limit(bindparam("limit"))


def _count(*conditions: sa.ColumnElement[bool] | sa.TextClause) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(records).where(*conditions)


def _sweep(side: Side) -> sa.Update:
    presence = side_column(side, "presence")
    return (
        sa.update(records)
        .where(
            records.c.map == bindparam("b_map"),
            presence == Presence.PRESENT.value,
            side_column(side, "tick") < bindparam("b_tick"),
        )
        .values(
            {
                presence: Presence.UNKNOWN.value,
                records.c.due: bindparam("due"),
                records.c.state: pending_if_settled(),
            }
        )
    )


def _adoptable(
    side: Side, tick: sa.ColumnElement[int], layout: sa.ColumnElement[int]
) -> tuple[sa.ColumnElement[bool] | sa.TextClause, ...]:
    """A create of ours on `side` that was not seen since; images of both sides in `layout`."""
    # `<> 0`, not `= 1`: the partial index of all unconfirmed records would look as good as the
    # one on the id, and with it every row adopted costs a walk over all that wait.
    return (
        side_column(side, "presence") == word(Presence.PRESENT.value),
        side_column(side, "image").is_(None),
        records.c.unconfirmed != sa.literal_column("0"),
        side_column(side, "tick") <= tick,
        records.c.layout == layout,
    )


_ADOPTION = (
    "b_version", "b_tick", "b_time", "b_who", "b_image", "b_map", "b_id", "b_until", "b_layout",
)  # fmt: skip


def _adoption(side: Side) -> sa.Update:
    new: dict[str, sa.ColumnElement[Any]] = {
        "version": bindparam("b_version"),
        "tick": bindparam("b_tick"),
        "modified_at": bindparam("b_time"),
        "modifier": bindparam("b_who"),
        "image": bindparam("b_image"),
        "agreed": word(SAME),
    }
    until: sa.BindParameter[int] = bindparam("b_until")
    layout: sa.BindParameter[int] = bindparam("b_layout")
    return (
        sa.update(records)
        .where(
            records.c.map == bindparam("b_map"),
            side_column(side, "id") == bindparam("b_id"),
            *_adoptable(side, until, layout),
        )
        .values({side_column(side, name): value for name, value in new.items()})
        .values(
            {
                records.c.unconfirmed: sa.literal_column("0"),
                records.c.attempts: sa.literal_column("0"),
            }
        )
    )


def _same_map(record: Record, map: str) -> str:
    """The record's map, which must be the leased one."""
    if record.map != map:
        raise StateError(
            "map-mixed",
            f"record {record.number} belongs to map {record.map!r}",
            subject=Subject(map=map),
            remedy="this is a defect of the engine; please report it",
        )
    return map


def _rank(record: Record, side: Side) -> tuple[bool, int]:
    """Which of two records under one id is meant: the one still there, then the newer."""
    return record.side(side).presence is not Presence.ABSENT, record.number
