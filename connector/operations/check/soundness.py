"""What `check` says of maps that run: doubts about each, and what is wrong between them.

Owns: gathering what `connector/mapping/checks/` needs from the live tables.
Never does: writing; what keeps a map from running (`checking.py`).
Tested in: tests/unit/operations/test_soundness.py, tests/acceptance/test_check.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connector.bootstrap import Project
from connector.endpoints.base import Entity
from connector.errors import DualWriteError, Problem
from connector.mapping.checks.between import (
    Pointing,
    circles,
    pointing_of,
    shared_rows,
    written_twice,
)
from connector.mapping.checks.doubts import doubts
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.document import MapDocument
from connector.mapping.references import Lookup
from connector.mapping.values import Side


def check_soundness(
    project: Project, document: MapDocument, entities: Mapping[Side, Entity]
) -> Iterator[Problem]:
    """Doubts about one map; nothing about one that does not run, which is told elsewhere."""
    try:
        map, _ = project.compiled(document)
    except DualWriteError:
        return  # told already
    yield from doubts(map, {side: entity.columns for side, entity in entities.items()})
    yield from key_incomplete(document, entities[Side.COMMERCE])
    yield from _lookup_keys(project, map)


def key_incomplete(document: MapDocument, commerce: Entity) -> Iterator[Problem]:
    """Key columns of commerce that are no key of the map: two rows there can have one key here."""
    ours = {row.commerce.casefold() for row in document.fields if row.key and row.commerce}
    theirs = [{column.casefold() for column in key.columns} for key in commerce.keys]
    if not theirs or any(key <= ours for key in theirs):
        return
    lacking = next(column for column in commerce.keys[0].columns if column.casefold() not in ours)
    yield Problem(
        "key-incomplete",
        f"{commerce.name} tells its rows apart by {', '.join(commerce.keys[0].columns)}, the map "
        f"pairs them without `{lacking}`: two rows with one key are both set aside",
        f"map `{lacking}` with `key: true`, or let a filter choose one value of it",
        document.file.subject("commerce", map=document.map),
        "warning",
    )


def _lookup_keys(project: Project, map: CompiledMap) -> Iterator[Problem]:
    """Columns that rows are found by and that no alternate key keeps unique."""
    endpoint = project.endpoints(map.document)[Side.DATAVERSE]
    rows = {row.name: index for index, row in enumerate(map.document.fields)}
    for field in map.fields:
        subject = map.document.field_subject(rows.get(field.name, 0), "dataverse")
        for lookup in _every_step(field.lookup):
            keys = {frozenset(key.columns): key for key in endpoint.describe(lookup.entity).keys}
            key = keys.get(frozenset(lookup.columns))
            named = " and ".join(f"`{column}`" for column in lookup.columns)
            if key is None:
                yield Problem(
                    "lookup-key-missing",
                    f"rows of {lookup.entity} are found by {named}, which no alternate key keeps "
                    "unique: a value two rows have sets a record aside",
                    f"add an alternate key on {named}, or see to it that values stay unique",
                    subject,
                    "note",
                )
            elif not key.active:
                yield Problem(
                    "lookup-key-pending",
                    f"the alternate key {key.name} of {lookup.entity} on {named} is not active: "
                    "until then two rows may have one value",
                    "wait until its index is built; where that failed, correct the rows that share "
                    "a value and have it built again",
                    subject,
                    "note",
                )


def _every_step(lookup: Lookup | None) -> Iterator[Lookup]:
    if lookup is not None:
        yield lookup
        for further in (lookup.then, *(one.then for one in lookup.beside)):
            yield from _every_step(further)


def check_between(project: Project, reachable: Sequence[MapDocument]) -> Iterator[Problem]:
    """What is wrong between these maps; one that does not run is left out."""
    documents: list[MapDocument] = []
    maps: list[CompiledMap] = []
    pointing: dict[str, Sequence[Pointing]] = {}
    for document in reachable:
        try:
            map, entities = project.compiled(document)
        except DualWriteError:
            continue  # told already
        documents.append(document)
        maps.append(map)
        pointing[document.map] = pointing_of(document, entities[Side.DATAVERSE].columns)
    yield from written_twice(documents)
    yield from shared_rows(maps)
    yield from circles(documents, pointing)
