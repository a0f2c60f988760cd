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

from connector.errors import StateError, Subject
from connector.mapping.values import Side
from connector.store.database import Database, Hot, bound, run, word
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
        of_map = sa.select(records).where(c.map == sa.bindparam("map"))
        self._insert = db.hot(sa.insert(records).values(bound(NAMES)), *NAMES)
        same = (c.number == sa.bindparam("b_number"), c.map == sa.bindparam("b_map"))
        self._update = db.hot(
            sa.update(records).where(*same).values(bound(_PLAIN)), *_PLAIN, "b_number", "b_map"
        )
        # An UPDATE that names an indexed column rewrites the index entry, changed or not.
        old: dict[str, sa.BindParameter[Any]] = {
            name: sa.bindparam(f"b_{name}") for name in _INDEXED
        }
        changed = sa.or_(*(c[name].is_distinct_from(value) for name, value in old.items()))
        self._move = db.hot(
            sa.update(records).where(*same, changed).values(bound(_INDEXED)),
            *_INDEXED,
            "b_number",
            "b_map",
            *(f"b_{name}" for name in _INDEXED),
        )
        self._by_id = {
            side: db.hot(of_map.where(among(side_column(side, "id"), "ids")), "map", "ids")
            for side in Side
        }
        self._by_key = db.hot(
            of_map.where(among(c.key, "keys")).order_by(c.key, c.ordinal), "map", "keys"
        )
        # By number alone: beside a map, SQLite would rather walk an index of the whole map.
        self._by_number = db.hot(sa.select(records).where(among(c.number, "numbers")), "numbers")
        self._adopt = {side: db.hot(_adoption(side), *_ADOPTION) for side in Side}

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
        rows = self._db.read(self._by_number, (self._db.dialect.listed(numbers),))
        return {
            record.number: record
            for record in self._decoded([row for row in rows if row[1] == layout.map], layout)
        }

    def due(self, layout: Layout, now: float, after: int, limit: int) -> Sequence[Record]:
        """Records due at `now` with a number above `after`, by number."""
        c = records.c
        query = sa.select(records).where(
            c.map == layout.map, c.due.is_not(None), c.due <= now, c.number > after
        )
        return self._decoded(self._db.rows(query.order_by(c.number).limit(limit)), layout)

    def needing(
        self, layout: Layout, states: Sequence[State], after: int, limit: int
    ) -> Sequence[Record]:
        """Records in these states with a number above `after`, by number; no tombstones."""
        c = records.c
        query = sa.select(records).where(
            c.state.in_([state.value for state in states]), c.number > after, ~_TOMBSTONE
        )
        if _HELD.issuperset(states):
            query = query.where(c.map == layout.map, sa.text(NEEDS_A_PERSON))  # the partial index
        else:
            query = query.where(_walked(c.map) == layout.map)
        return self._decoded(self._db.rows(query.order_by(c.number).limit(limit)), layout)

    def next_due(self, map: str) -> float | None:
        """The earliest due time of the map."""
        c = records.c
        query = sa.select(sa.func.min(c.due)).where(c.map == map, c.due.is_not(None))
        due: float | None = self._db.scalar(query)
        return due

    def unconfirmed(self, map: str) -> int:
        """How many creates of ours wait for their first sight, parked ones left out."""
        waiting = self._count(records.c.map == map, sa.text("unconfirmed = 1"))
        if not waiting:
            return 0
        parked = records.c.state == State.PARKED.value
        return waiting - self._count(
            records.c.map == map, sa.text(NEEDS_A_PERSON), parked, records.c.unconfirmed != 0
        )

    def bound(self, map: str, side: Side) -> int:
        """How many records are believed present on this side."""
        there = side_column(side, "presence") == Presence.PRESENT.value
        return self._count(_walked(records.c.map) == map, there)

    def counts(self, map: str) -> Mapping[State, int]:
        """Records by state, every state named; tombstones not counted."""
        c = records.c
        query = (
            sa.select(c.state, sa.func.count())
            .where(_walked(c.map) == map, ~_TOMBSTONE)
            .group_by(c.state)
        )
        found = dict.fromkeys(State, 0)
        found.update({State(state): count for state, count in self._db.rows(query)})
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
        presence = side_column(sweep.side, "presence")
        connection.execute(
            sa.update(records)
            .where(
                records.c.map == map,
                presence == Presence.PRESENT.value,
                side_column(sweep.side, "tick") < sweep.tick,
            )
            .values({presence: Presence.UNKNOWN.value, "due": at, "state": pending_if_settled()})
        )

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
        c, among = records.c, self._db.dialect.among
        ids = [row.id for row in rows]
        query = sa.select(side_column(side, "id")).where(
            c.map == layout.map,
            among(side_column(side, "id"), "ids"),
            *_adoptable(side, sa.literal(tick), sa.literal(layout.id)),
        )
        found = {id for (id,) in self._db.rows(query.params(ids=self._db.dialect.listed(ids)))}
        refused: dict[str, None] = {}
        for id in ids:
            if id in found:
                found.discard(id)  # a second row of the same id is one too many
            else:
                refused[id] = None
        return list(refused)

    # ------------------------------------------------------------------------ private

    def _read(self, layout: Layout, query: Hot, values: Sequence[str]) -> list[Record]:
        rows = self._db.read(query, (layout.map, self._db.dialect.listed(values)))
        return self._decoded(rows, layout)

    def _count(self, *conditions: sa.ColumnElement[bool] | sa.TextClause) -> int:
        query = sa.select(sa.func.count()).select_from(records).where(*conditions)
        count: int = self._db.scalar(query)
        return count

    def _decoded(self, rows: Sequence[Any], layout: Layout) -> list[Record]:
        readers = {
            stored: self._layouts.readers(stored, layout) for stored in {row[4] for row in rows}
        }
        return [record_of(row, readers[row[4]]) for row in rows]


# ---------------------------------------------------------------------------- statements


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
        "version": sa.bindparam("b_version"),
        "tick": sa.bindparam("b_tick"),
        "modified_at": sa.bindparam("b_time"),
        "modifier": sa.bindparam("b_who"),
        "image": sa.bindparam("b_image"),
        "agreed": word(SAME),
    }
    until: sa.BindParameter[int] = sa.bindparam("b_until")
    layout: sa.BindParameter[int] = sa.bindparam("b_layout")
    return (
        sa.update(records)
        .where(
            records.c.map == sa.bindparam("b_map"),
            side_column(side, "id") == sa.bindparam("b_id"),
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
