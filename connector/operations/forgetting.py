"""Removing a person's data from the sync state, on their request.

Owns: when that is allowed: the card is on neither side right now, asked by id and by key.
Never does: deleting anything on a side; keeping a value (a keyed hash is left, by the store).
Tested in: tests/acceptance/test_forget.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from connector.bootstrap import Project
from connector.engine.runs.run import MapRun
from connector.engine.runs.running import running
from connector.errors import Subject, UsageError
from connector.mapping.document import MapDocument
from connector.mapping.values import Side
from connector.operations.naming import normalised, records_named, spelled
from connector.store.record import Record


@dataclass(frozen=True, slots=True)
class Known:
    """What a map knows under one key: its records, and those of which only the audit is left."""

    document: MapDocument
    key: str
    """Normalised."""
    records: Sequence[Record]
    departed: Sequence[int]

    @property
    def numbers(self) -> list[int]:
        """All record numbers under the key."""
        return [*self.departed, *(record.number for record in self.records)]


def known_of(project: Project, documents: Sequence[MapDocument], key: str) -> list[Known]:
    """What each map knows of a key; raises `UsageError` (`record-unknown`, `forgotten-already`).

    What is a key in one of them is no record number in another: that would be somebody else.
    """
    found: list[Known] = []
    forgotten = False
    by_number: list[Known] = []
    for document in documents:
        layout = project.store.layout(document.map, dict.fromkeys(Side, ()), keep=False)
        records = records_named(project.store, layout, document, key)
        normal = records[0].key if records else normalised(document, key)
        if normal is None:
            continue
        departed = [number for number, _ in project.store.departed(document.map, normal)]
        if records or departed:
            named = found if normal == normalised(document, key) else by_number
            named.append(Known(document, normal, records, departed))
        elif project.store.forgotten(document.map, normal) is not None:
            forgotten = True
    if found:
        return found
    if by_number and not forgotten:
        return by_number
    if forgotten:
        raise UsageError(
            "forgotten-already",
            "what was known under this key is forgotten already",
            remedy="nothing to do; `dualwrite history KEY` says since when",
        )
    raise UsageError(
        "record-unknown",
        "nothing is known of a record under this key or number",
        subject=Subject(record=key),
        remedy="check its spelling; `dualwrite verify --key KEY` looks for it on both sides",
    )


def forget(project: Project, found: Sequence[Known]) -> Counter[str]:
    """Forget what these maps know, once all of them have found the card on no side; rows by table.

    Raises `UsageError` (`card-exists`), `LeaseHeldError`, and whatever a side raises that cannot
    be asked: nothing was forgotten then.
    """
    refuse_present(project, found)
    rows: Counter[str] = Counter()
    for known in found:
        document = known.document
        map, entities = project.compiled(document)
        ports = project.ports(document)
        with running("forget", map, entities, ports, project.tuning, held=True) as run:
            _refuse(run, known)  # under the lease: a run may have created it meanwhile
            for number in known.numbers:
                rows.update(project.store.forget(run.lease, number, known.key, run.now()))
            run.tell("forgotten", len(known.numbers))
    return rows


def refuse_present(project: Project, found: Sequence[Known]) -> None:
    """Raise `UsageError` (`card-exists`) where a side holds what is to be forgotten."""
    for known in found:
        map, entities = project.compiled(known.document)
        _refuse(MapRun(map, entities, project.ports(known.document), project.tuning), known)


def _refuse(run: MapRun, known: Known) -> None:
    """Raise where a side holds a row of these records, by its id or under its key."""
    for side in Side:
        endpoint, entity = run.endpoint(side), run.map.entity(side)
        columns = run.map.column_names(side)
        ids = [id for record in known.records if (id := record.side(side).id) is not None]
        by_id = endpoint.read(entity, columns, by=None, values=ids).rows if ids else {}
        spellings = list({run.map.first_part(spelling) for spelling in _spellings(known)})
        by = columns[run.map.keys[side][0]]
        by_key = endpoint.read(entity, columns, by=by, values=spellings).rows
        same = [row for rows in by_key.values() for row in rows]
        # A row found by its id is the person's, also under a key that was changed since.
        if by_id or any(run.map.key_of(side, row.image) == known.key for row in same):
            raise UsageError(
                "card-exists",
                f"the record still exists in {side}",
                subject=Subject(map=run.map.name, side=side.value),
                remedy=f"delete it in {side} and on the other side, let a sync see it, then "
                "forget it",
            )


def _spellings(known: Known) -> list[str]:
    return [known.key, *(spelled(record) for record in known.records)]
