"""Rows that are there already.

Owns: telling a row we added ourselves, be it in a run that was killed, from somebody else's.
Never does: changing either.
Tested in: tests/integration/engine/test_append_kept.py.

Nobody but us knows the id a row gets, so that a row under it is ours: also where its reply was
lost, and where a person edited it since. Where ids are not ours to choose, or the source went
back in time and may have given a key to another row, what the row holds has to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connector.endpoints.base import Exists, Outcome, Row
from connector.engine.append.ids import id_of
from connector.engine.append.page import Item, Taken
from connector.engine.lookups import resolve_images
from connector.engine.news.doubt import shortened
from connector.engine.news.in_the_way import CODE
from connector.engine.plan import Action
from connector.engine.runs.run import MapRun
from connector.errors import Problem, Subject
from connector.mapping.compiling.compiled import CompiledMap, Group
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Side
from connector.store.record import Record


def as_added(map: CompiledMap, group: Group, commerce: Image, dataverse: Image) -> bool:
    """Whether a row still holds in a group what it was added with.

    Nothing tells what the side made of it then: a value it may have cut or rounded is the one.
    """
    if group.same(commerce, dataverse):
        return True
    source = map.document.followed[0]
    ours, theirs = (commerce, dataverse) if source is Side.COMMERCE else (dataverse, commerce)
    try:
        pairs = [
            (f.arriving(source.other, ours), f.read(source.other, theirs)) for f in group.fields
        ]
    except (TargetMissing, Untranslatable):
        return False
    return all(sent == held or shortened(sent, held) for sent, held in pairs)


def meet(
    run: MapRun, taken: Taken, met: Sequence[tuple[Item, Exists]]
) -> list[tuple[Item, Outcome]]:
    """Settle creates that met a row; those are returned of which no row is there any more."""
    source = run.map.document.followed[0]
    trusted = (
        run.entities[source.other].capabilities.ids == "chosen" and run.worlds[source].epoch == 1
    )
    strange: list[tuple[Item, Exists]] = []
    for item, outcome in met:
        if trusted and outcome.id == item.operation.id:
            _arrived(taken, item)
        else:
            strange.append((item, outcome))
    run.tell(f"there {source.other}", len(met) - len(strange))
    return _compared(run, taken, strange) if strange else []


def not_there(
    run: MapRun, actions: Sequence[tuple[Record, Action]]
) -> Iterator[tuple[Record, Action]]:
    """What a dry run would do, without rows that were added already: nothing tells of them."""
    source = run.map.document.followed[0]
    target, world = source.other, run.worlds[source].identity
    planned = [(r.number, r.side(source).id) for r, action in actions if action.writes]
    ids = {id_of(run.map.name, world, id): number for number, id in planned if id is not None}
    entity, columns = run.map.entity(target), run.map.column_names(target)
    found = (
        run.endpoint(target).read(entity, columns, by=None, values=list(ids)).rows if ids else {}
    )
    there = {ids[id] for id in found}
    return (pair for pair in actions if pair[0].number not in there)


def _compared(
    run: MapRun, taken: Taken, strange: Sequence[tuple[Item, Exists]]
) -> list[tuple[Item, Outcome]]:
    source = run.map.document.followed[0]
    found = _rows(run, source.other, [item for item, _ in strange])
    pairs = [(item.image, row.image) for item, _ in strange if (row := found.get(item.key))]
    if source is Side.DATAVERSE:
        pairs = [(theirs, ours) for ours, theirs in pairs]
    resolve_images(run.map, run.ports.endpoints, pairs)
    gone: list[tuple[Item, Outcome]] = []
    for item, outcome in strange:
        row = found.get(item.key)
        if row is None:
            gone.append((item, outcome))
        elif _same(run, source, item.image, row.image):
            _arrived(taken, item)
            run.tell(f"there {source.other}", 1)
        else:
            record = taken.record_of(run, item)
            record.problem, record.due = _in_the_way(run, source.other, row.id), None
    return gone


def _rows(run: MapRun, side: Side, items: Sequence[Item]) -> dict[str, Row]:
    """The rows that stand under the keys of these items, or under their ids."""
    endpoint, entity, columns = run.endpoint(side), run.map.entity(side), run.map.column_names(side)
    source_key = run.map.keys[side.other][0]
    keys = list(dict.fromkeys(str(item.image[source_key]) for item in items))
    by_key = endpoint.read(entity, columns, by=columns[run.map.keys[side][0]], values=keys).rows
    ids = {item.operation.id: item.key for item in items}
    by_id = endpoint.read(entity, columns, by=None, values=list(ids)).rows
    found = {ids[id]: rows[0] for id, rows in by_id.items() if rows}
    for rows in by_key.values():
        found.update({key: row for row in rows if (key := run.map.key_of(side, row.image))})
    return found


def _same(run: MapRun, source: Side, ours: Image, theirs: Image) -> bool:
    pair = (ours, theirs) if source is Side.COMMERCE else (theirs, ours)
    return all(as_added(run.map, group, *pair) for group in run.map.groups)


def _arrived(taken: Taken, item: Item) -> None:
    if item.record is not None:
        taken.forget(item.record)


def _in_the_way(run: MapRun, side: Side, id: str) -> Problem:
    return Problem(
        CODE,
        f"row {id} in {side} has this key already and holds something else",
        "correct or delete that row, then `dualwrite failures retry`; or leave it as it is: "
        "`dualwrite failures discard`",
        Subject(map=run.map.name, side=side.value),
    )
