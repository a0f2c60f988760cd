"""Taking stock of both tables as a run begins.

Owns: comparing them with what the last run was told, keeping what this one is told, and holding
a map of which a column was made anew.
Never does: writing to a side; the list of differences (`drift.py`), their words (`drifted.py`).
Tested in: tests/integration/engine/test_stock.py.

A column that was deleted and made anew is empty in every row. Where that went unnoticed, the next
edit of a row would carry the emptiness across as if a person had cleared the value. So the map is
held, and its records are marked in the same step to meet anew in that field, with both tables read
whole: whenever a person lets the map run again, an empty value is filled from the other side, as
at first contact.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.endpoints.base import Entity
from connector.engine.ports import Ports
from connector.engine.runs.drift import (
    Difference,
    differences,
    kept_of,
    kept_text,
    recalled,
    without,
)
from connector.engine.runs.drifted import findings_of, stop_reason, stops
from connector.engine.runs.run import MapRun, stopped
from connector.engine.runs.turnover import Turn, columns_read, concerned_records, mark
from connector.engine.runs.watch import held_row
from connector.mapping.document import MapDocument
from connector.mapping.values import Side
from connector.store.base import Store
from connector.store.record import Anew
from connector.store.work import Position, Work

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stock:
    """What both sides say now, against what is kept."""

    text: str
    found: Sequence[Difference]
    read: Mapping[Side, Sequence[str]]
    lost: Sequence[Difference]
    """Those by which values of the map's records went."""


def stock_of(store: Store, document: MapDocument, entities: Mapping[Side, Entity]) -> Stock | None:
    """What differs from what is kept; None where nothing does."""
    now = kept_of(entities)
    text, known = kept_text(now), store.described(document.map)
    if text == known:
        return None
    old = recalled(known)
    found = [] if old is None else list(differences(old, now))
    read = columns_read(store, document.map)
    return Stock(text, found, read, [one for one in found if stops(one, read)])


def take_stock(run: MapRun) -> None:
    """Keep what both sides say of their tables now; one small write, where it differs.

    Raises `MapStoppedError` (`column-recreated`, `column-retyped`) where values of the map went
    with a column: the map is held from now on.
    """
    name, document = run.map.name, run.map.document
    stock = stock_of(run.store, document, run.entities)
    if stock is None:
        return
    for problem in findings_of(stock.found, document, stock.read):
        if problem.severity != "note":
            _LOG.warning("%s: %s: %s", name, problem.code, problem.message)
    run.tell("table changes", len(stock.found))
    work = run.work()
    work.described = stock.text
    if not stock.lost:
        run.commit(work)
        return
    _mark(run, stock.lost)
    reason = stop_reason(stock.lost, document)
    work.map = held_row(run.store.map_row(name), document, reason)
    work.positions = [Position(s, kind, None) for s in Side for kind in ("scan", "feed")]
    run.whole.clear()
    run.commit(work)
    raise stopped(name, reason)


def refuse_lost(run: MapRun) -> None:
    """What a run would be stopped by, for one that keeps nothing; raises `MapStoppedError`."""
    stock = stock_of(run.store, run.map.document, run.entities)
    if stock is not None and stock.lost:
        raise stopped(run.map.name, stop_reason(stock.lost, run.map.document))


def _mark(run: MapRun, lost: Sequence[Difference]) -> None:
    """Have every record meet anew in what these columns belong to."""
    turn = _meeting_anew(run, lost)
    for page in concerned_records(run.store, run.layout, run.map, turn, run.limits.page):
        work = run.work()
        for record, groups in page:
            mark(record, run.map, turn, groups, run.now())
            work.updated.append(record)
        run.commit(work)
        run.tell("replanned", len(page))


def _meeting_anew(run: MapRun, lost: Sequence[Difference]) -> Turn:
    """What lost columns mean for records, as a changed map does."""
    gone = {(one.side, name) for one in lost for name in one.columns}
    groups = frozenset(
        group.name
        for group in run.map.groups
        if any((side, f.column(side)) in gone for f in group.fields for side in Side)
    )
    anew = dict.fromkeys(groups, Anew.NEW)
    return Turn((), anew, groups, frozenset(), outside=False, unread=True)


# ---------------------------------------------------------------------------- before a run


def miss_columns(document: MapDocument, ports: Ports, seconds: float) -> None:
    """Remember which columns are not there now, where a run could not begin for lack of one.

    One that comes back is another column, also where the system does not tell that. Nothing is
    kept while another run works the map. Raises `LeaseHeldError`.
    """
    store, name = ports.store, document.map
    old = recalled(store.described(name))
    if old is None:
        return
    read = columns_read(store, name)
    tables = {side: ports.endpoints[side].describe(document.end(side).entity) for side in Side}
    kept = without(old, read, lambda side, column: column in tables[side].columns)
    if kept is None:
        return
    lease = store.acquire(name, ports.holder, seconds, ports.gone)
    try:
        store.commit(lease, Work(0, ports.clock(), described=kept_text(kept)))
    finally:
        store.release(lease)
