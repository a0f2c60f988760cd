"""One page of news, turned into observations.

Owns: which record a row belongs to: by bound id first, by normalised key only where no record
is bound.
Never does: committing, moving positions, planning.
Tested in: tests/integration/engine/test_capture.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connector.endpoints.base import Page, Row
from connector.engine.lookups import resolve
from connector.engine.news.departures import deleting_in_doubt, note_gone, tell_apart
from connector.engine.news.doubt import as_sent, in_doubt
from connector.engine.news.emptied import refuse_unreadable
from connector.engine.news.in_the_way import Strays, in_the_way
from connector.engine.news.observe import (
    begin,
    bind,
    identify,
    is_older,
    keyless_problem,
    observe,
    observe_deleted,
    observe_missing,
)
from connector.engine.news.sent import knowing
from connector.engine.news.twins import KEYLESS, is_twin, leaves, let_go, rejoin, set_aside
from connector.engine.news.witness import Edit, Witness, edited
from connector.engine.runs.run import MapRun
from connector.engine.settle import stand
from connector.mapping.values import Side
from connector.store.record import Presence, Record, SideState, State
from connector.store.work import ChangeKind, Work


class Absorbed:
    """One page taken in: the transaction it makes, and the records it touched."""

    __slots__ = ("_new", "_touched", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self._new: dict[int, Record] = {}
        self._touched: dict[int, Record] = {}

    def touch(self, record: Record, new: bool = False) -> None:
        """Remember a record that has to be written."""
        if new:
            self._new[record.number] = record
        elif record.number not in self._new:
            self._touched[record.number] = record

    def replace(self, known: Record) -> None:
        """Put another version in the place of a record the page touched."""
        self._touched[known.number] = known
        self.work.changes = [c for c in self.work.changes if c.record != known.number]

    @property
    def known(self) -> list[Record]:
        """Touched records that were there before."""
        return list(self._touched.values())

    @property
    def records(self) -> list[Record]:
        """New and touched records."""
        return [*self._new.values(), *self._touched.values()]

    def seal(self, run: MapRun) -> Work:
        """The transaction with every touched record in its final state."""
        for record in self.records:
            stood = record.state
            stand(record)
            if record.problem is not None and stood is not State.PARKED:
                run.note_parked(self.work, record, record.problem)
        self.work.inserted = list(self._new.values())
        self.work.updated = list(self._touched.values())
        return self.work


def absorb(run: MapRun, side: Side, tick: int, page: Page) -> Absorbed:
    """Turn one page into observations. Rows apply by id; by key only where no record is bound."""
    witness = run.witness(side, tick)
    absorbed = Absorbed(run.work())
    ids = [row.id for row in page.rows]
    bound = dict(run.store.by_ids(run.layout, side, [*ids, *page.deleted]))
    strays = Strays(run.map, side, bound.values())
    for id in page.deleted:
        record = bound.get(id)
        if record is None:
            continue
        deleting = deleting_in_doubt(run, record, side)
        if observe_deleted(record, witness):
            note_gone(run, absorbed.work, record, side, deleting)
            absorbed.touch(record)
        elif record.side(side).presence is Presence.UNKNOWN:
            absorbed.touch(record)
    unbound: list[Row] = []
    witness = _knowing(run, witness, [(bound.get(row.id), row) for row in page.rows])
    for row in page.rows:
        record = bound.get(row.id)
        if record is None:
            unbound.append(row)
        elif leaves(record, row, witness):
            _leave(run, absorbed, record, row, witness)
            unbound.append(row)
        else:
            _take_in(run, absorbed, record, row, witness)
    if unbound:
        _pair(run, absorbed, unbound, witness, bound)
    _rejoin(run, absorbed, strays)
    return absorbed


def _knowing(run: MapRun, witness: Witness, sights: Sequence[tuple[Record | None, Row]]) -> Witness:
    """The witness with what was sent to the rows that may be as a write of ours left them."""
    refuse_unreadable(run, witness.side, sights)
    doubted = [r for r, row in sights if r is not None and in_doubt(r, row, witness)]
    return knowing(run, witness, doubted)


def _take_in(run: MapRun, absorbed: Absorbed, record: Record, row: Row, witness: Witness) -> None:
    if witness.ids == "key":
        tell_apart(run, absorbed.work, record, row, witness)
    if run.map.lookups and in_doubt(record, row, witness):
        # What a write of ours made of the row is told in the other side's form.
        names, sent = run.map.column_names(witness.side), witness.sent.get(record.number, {})
        for image in (row.image, as_sent(row.image, names, sent)):
            seen = replace(record.side(witness.side), image=image)
            resolve(run.map, run.ports.endpoints, [_with(record, witness.side, seen)])
    edit = observe(record, row, witness)
    if edit is not None:
        note_edit(run, absorbed.work, record, row, witness.side, edit)
    absorbed.touch(record)


def _with(record: Record, side: Side, state: SideState) -> Record:
    """The record with another state on one side."""
    if side is Side.COMMERCE:
        return replace(record, commerce=state)
    return replace(record, dataverse=state)


def note_edit(run: MapRun, work: Work, record: Record, row: Row, side: Side, edit: Edit) -> None:
    """An edit somebody made goes into the audit when it is first read, or gave way unread."""
    run.note(
        work,
        record,
        ChangeKind.SEEN if edit.lost is None else ChangeKind.LOST,
        side,
        target=row.id,
        before=edit.before,
        after=edit.after,
        detail=edit.lost or row.modifier,
    )
    run.tell("lost", int(edit.lost is not None))


def _leave(run: MapRun, absorbed: Absorbed, record: Record, row: Row, witness: Witness) -> None:
    """A row goes on under another key; what it held under this one stays in the audit."""
    image = record.side(witness.side).image
    if image is not None:
        edit = edited(witness, image, row.image)
        note_edit(run, absorbed.work, record, row, witness.side, edit)
    let_go(record, witness)
    absorbed.touch(record)


def _pair(
    run: MapRun,
    absorbed: Absorbed,
    rows: Sequence[Row],
    witness: Witness,
    bound: dict[str, Record],
) -> None:
    """Rows no record is bound to: pair them by normalised key, or begin records."""
    keyed = [(run.map.key_of(witness.side, row.image), row) for row in rows]
    found = run.store.by_keys(run.layout, [key for key, _ in keyed if key is not None])
    known = {record.number: record for record in bound.values()}
    here: dict[str, list[Record]] = {
        key: [known.get(r.number, r) for r in records] for key, records in found.items()
    }
    first = run.numbers("record", len(rows))
    for number, (key, row) in enumerate(keyed, first):
        if key is None:
            _keyless(run, absorbed, number, row, witness)
            continue
        records = here.setdefault(key, [])
        free = next((r for r in records if _can_bind(r, witness.side)), None)
        if free is not None:
            doubting = _knowing(run, witness, [(free, row)])
            bind(free, row, doubting)
            _take_in(run, absorbed, free, row, doubting)
            continue
        record = begin(number, key, len(records), row, witness)
        if records:
            set_aside(records, record, witness.side)
            for twin in records:
                absorbed.touch(twin)
        records.append(record)
        absorbed.touch(record, new=True)


def _can_bind(record: Record, side: Side) -> bool:
    """Whether the record has no row on this side that could still be there beside a new one.

    A create of ours in doubt is no such row: if it did happen, the feed will tell of it.
    """
    state = record.side(side)
    in_doubt = record.unconfirmed and state.image is None
    return record.ordinal == 0 and (
        state.presence is Presence.ABSENT or (state.presence is Presence.UNKNOWN and in_doubt)
    )


def _rejoin(run: MapRun, absorbed: Absorbed, strays: Strays) -> None:
    """Let go on who was set aside because of another row under the key."""
    for record in strays.let_on(run, absorbed.records):
        absorbed.touch(record)
    _rejoin_twins(run, absorbed)


def _rejoin_twins(run: MapRun, absorbed: Absorbed) -> None:
    """Twins that were touched may be twins no more."""
    keys = {record.key for record in absorbed.records if is_twin(record)}
    if not keys:
        return
    touched: dict[str, dict[int, Record]] = {key: {} for key in keys}
    for key, records in run.store.by_keys(run.layout, list(keys)).items():
        touched[key] = {record.number: record for record in records}
    for record in absorbed.records:
        if record.key in touched:
            touched[record.key][record.number] = record
    for twins in touched.values():
        if rejoin(list(twins.values()), run.now()):
            for record in twins.values():
                # A row may have lost its key, or got another one, while it was set aside.
                identify(record, run.map)
                absorbed.touch(record)


def _keyless(run: MapRun, absorbed: Absorbed, number: int, row: Row, witness: Witness) -> None:
    record = begin(number, f"{KEYLESS}{row.id}", 0, row, witness)
    if run.map.takes(witness.side, row.image):
        record.problem = keyless_problem(record, witness.side, run.map)
    record.due = None
    absorbed.touch(record, new=True)


def reread(run: MapRun, side: Side, records: Sequence[Record]) -> Absorbed:
    """Read these records on one side: by id where they are bound, else by key."""
    endpoint, entity = run.endpoint(side), run.map.entity(side)
    columns = run.map.column_names(side)
    witness = replace(run.witness(side, run.numbers("tick")), asked=True)
    absorbed = Absorbed(run.work())
    ids = [id for record in records if (id := record.side(side).id) is not None]
    found = endpoint.read(entity, columns, by=None, values=ids).rows if ids else {}
    strays = Strays(run.map, side, records)
    lost: list[Record] = []
    went_back = False
    sights = [(r, row) for r in records for row in found.get(r.side(side).id or "", ())[:1]]
    witness = _knowing(run, witness, sights)
    for record in records:
        # A side may find a row by an id in another spelling than the row's own: it has no record.
        rows = [
            row
            for row in found.get(record.side(side).id or "", ())
            if row.id == record.side(side).id
        ]
        if rows:
            went_back = went_back or is_older(record.side(side), rows[0], witness)
            _take_in(run, absorbed, record, rows[0], witness)
        else:
            lost.append(record)
    _reread_by_key(run, absorbed, lost, witness, columns)
    _rejoin(run, absorbed, strays)
    if went_back:
        run.begin_epoch(side)
    return absorbed


def begin_anew(run: MapRun, side: Side, records: Sequence[Record]) -> Absorbed:
    """Read renamed rows once more and let each be a record of its own, under its new key.

    The record it leaves has lost its row on this side, as by a delete. All leave before any is
    paired, so that rows that swapped their keys find each other's records.
    """
    witness = replace(run.witness(side, run.numbers("tick")), asked=True)
    absorbed = Absorbed(run.work())
    ids = [id for record in records if (id := record.side(side).id) is not None]
    columns = run.map.column_names(side)
    found = run.endpoint(side).read(run.map.entity(side), columns, by=None, values=ids).rows
    strays = Strays(run.map, side, records)
    leaving: list[Row] = []
    left: dict[str, Record] = {}
    for record in records:
        id = record.side(side).id or ""
        for row in found.get(id, ())[:1]:
            if run.map.key_of(side, row.image) in (None, record.key):
                _take_in(run, absorbed, record, row, witness)
                continue
            _leave(run, absorbed, record, row, witness)
            record.due = run.now()
            leaving.append(row)
            left[id] = record
        if id not in found and observe_missing(record, witness):
            absorbed.touch(record)
    _pair(run, absorbed, leaving, witness, left)
    _rejoin(run, absorbed, strays)
    return absorbed


def _reread_by_key(
    run: MapRun,
    absorbed: Absorbed,
    records: Sequence[Record],
    witness: Witness,
    columns: tuple[str, ...],
) -> None:
    side = witness.side
    rows_by_key = _read_by_key(run, records, side, columns)
    ids = [row.id for row in rows_by_key.values()]
    holders = dict(run.store.by_ids(run.layout, side, ids))
    sights = [(record, rows_by_key[record.key]) for record in records if record.key in rows_by_key]
    witness = _knowing(run, witness, sights)
    for record in records:
        found_row = rows_by_key.get(record.key)
        seen = record.side(side).image is not None  # else it is a create that never was
        deleting = deleting_in_doubt(run, record, side)
        if observe_missing(record, witness) and seen:
            note_gone(run, absorbed.work, record, side, deleting)
        if found_row is not None and _is_free(holders.get(found_row.id), record, side):
            holders[found_row.id] = record
            bind(record, found_row, witness)
            _take_in(run, absorbed, record, found_row, witness)
            continue
        if found_row is not None and record.unconfirmed:
            holder = holders[found_row.id]
            if holder.key != record.key:
                # A create would be refused for ever; twins have words of their own.
                record.problem = in_the_way(record, side, found_row.id, holder)
                record.due = None
                if all(other.number != holder.number for other in records):
                    _take_in(run, absorbed, holder, found_row, witness)
        absorbed.touch(record)


def _read_by_key(
    run: MapRun, records: Sequence[Record], side: Side, columns: tuple[str, ...]
) -> dict[str, Row]:
    """What stands under the keys of these records now, whoever it belongs to."""
    wanted = [value for r in records if (value := _key_value(run, r, side)) is not None]
    if not wanted:
        return {}
    by = columns[run.map.keys[side][0]]
    found = run.endpoint(side).read(run.map.entity(side), columns, by=by, values=wanted)
    rows = [row for rows in found.rows.values() for row in rows]
    keyed = [(run.map.key_of(side, row.image), row) for row in rows]
    return {key: row for key, row in keyed if key is not None}


def _is_free(holder: Record | None, record: Record, side: Side) -> bool:
    """Whether no other record has a row, such as a twin that came in its place."""
    return (
        holder is None
        or holder.number == record.number
        or holder.side(side).presence is Presence.ABSENT
    )


def _key_value(run: MapRun, record: Record, side: Side) -> str | None:
    """The first key part in this side's spelling, for a read by key."""
    for giver in (side, side.other):
        image = record.side(giver).image
        if image is not None and run.map.key_of(giver, image) is not None:
            return str(image[run.map.keys[giver][0]])
    return None
