"""What is wrong between the maps of a project, though each is sound by itself.

Owns: columns that two maps write, rows two commerce sides would share, lookups of maps that go
round in a circle, and which map fills the tables another one looks into.
Never does: looking at a live system; the caller tells which table a lookup points to.
Tested in: tests/unit/mapping/test_between.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from connector.errors import Problem, Subject
from connector.mapping.columns import Column
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.document import FieldRow, MapDocument
from connector.mapping.filters.passable import both_passable
from connector.mapping.values import Side


class Pointing(NamedTuple):
    """A field whose lookup needs a row of another table to be there."""

    field: int
    table: str
    """Entity set name."""
    side: Side = Side.DATAVERSE
    """Which of the two sides has to have the row: the one the field is written to."""


def pointing_of(document: MapDocument, columns: Mapping[str, Column]) -> list[Pointing]:
    """Where the lookups of a map point, by its Dataverse columns; the map compiles with them."""
    found: list[Pointing] = []
    for index, row in enumerate(document.fields):
        name, _, dotted = (row.dataverse or "").partition(".")
        looked_up = dotted or row.lookup is not None
        reference = columns[name].reference if looked_up else None
        if reference is not None:
            found += [Pointing(index, reference.entity, side) for side in Side if side in row.ways]
    return found


def filled_before(
    documents: Sequence[MapDocument], pointing: Mapping[str, Sequence[Pointing]]
) -> Mapping[str, frozenset[str]]:
    """By map: the other maps that fill the tables it looks into, to be worked before it."""
    filled = {side: _filled(documents, side) for side in Side}
    return {
        document.map: frozenset(
            other.map
            for _, table, side in pointing.get(document.map, ())
            for other in filled[side].get(table, ())
            if other.map != document.map
        )
        for document in documents
    }


def _filled(documents: Sequence[MapDocument], side: Side) -> dict[str, list[MapDocument]]:
    """By Dataverse table: the maps that write its rows to a side."""
    filled: dict[str, list[MapDocument]] = {}
    for document in documents:
        if any(side in row.ways for row in document.fields):
            filled.setdefault(document.dataverse.entity, []).append(document)
    return filled


def written_twice(documents: Sequence[MapDocument]) -> Iterator[Problem]:
    """Columns of one table that two maps write; each but the first of them is told of.

    Maps of two commerce sides that share a Dataverse table part its rows (`shared_rows`).
    """
    writers: dict[tuple[str, str, str, str], MapDocument] = {}
    for document in documents:
        for side in Side:
            end = document.end(side)
            for index, row in enumerate(document.fields):
                for name in _written(document, row, side):
                    system = document.system(Side.COMMERCE)
                    place = (side.value, system, end.entity.casefold(), name.casefold())
                    first = writers.setdefault(place, document)
                    if first is not document:
                        subject = document.field_subject(index, side.value)
                        yield _two_maps(first, document, f"`{name}` of {end.entity}", subject)


def shared_rows(maps: Sequence[CompiledMap]) -> Iterator[Problem]:
    """Maps of two commerce sides that may both take one row of Dataverse.

    Each but the first of them is told of, at its filter or where that should be.
    """
    for at, second in enumerate(maps):
        for first in maps[:at]:
            if _of_two_systems(first, second) and not _parted(first, second):
                yield _shared(first, second)
                break


def _of_two_systems(first: CompiledMap, second: CompiledMap) -> bool:
    systems = {map.document.system(Side.COMMERCE) for map in (first, second)}
    tables = {map.entity(Side.DATAVERSE).casefold() for map in (first, second)}
    return len(systems) == 2 and len(tables) == 1


def _parted(first: CompiledMap, second: CompiledMap) -> bool:
    filters = [map.filters.get(Side.DATAVERSE) for map in (first, second)]
    if filters[0] is None or filters[1] is None:
        return False
    return not both_passable(filters[0].filter, filters[1].filter)


def _shared(first: CompiledMap, second: CompiledMap) -> Problem:
    document, system = second.document, second.document.system(Side.COMMERCE)
    at = "filter" if document.dataverse.filter is not None else "entity"
    return Problem(
        "table-shared",
        f"{second.entity(Side.DATAVERSE)} is also the table of the map {first.name}, which works "
        f"the side `{first.document.system(Side.COMMERCE)}`: nothing says whose a row is",
        'give both maps a column that tells the owner: a row `{dataverse: COLUMN, sync: ">>", '
        f"constant: {system}}}` and `filter: \"COLUMN eq '{system}'\"` under `dataverse`; or "
        "filters no row can pass both of",
        document.file.subject("dataverse", at, map=second.name),
    )


def _written(document: MapDocument, row: FieldRow, side: Side) -> list[str]:
    """The columns a row writes on a side; two maps may write one key."""
    if row.key or side not in row.ways:
        return []
    if side is Side.COMMERCE:
        return document.commerce_columns(row)
    return [] if row.dataverse is None else [row.dataverse.split(".")[0]]


def _two_maps(first: MapDocument, second: MapDocument, column: str, subject: Subject) -> Problem:
    parted = _filtered(first) and _filtered(second)
    return Problem(
        "column-two-maps",
        f"{column} is written by the map {first.map} too"
        + (", in rows that pass its filters" if parted else ""),
        "let the filters of the two maps part the rows between them"
        if parted
        else "let one of the two maps write it, or part the rows by filters",
        subject,
        "warning" if parted else "error",
    )


def _filtered(document: MapDocument) -> bool:
    return document.commerce.filter is not None or document.dataverse.filter is not None


def circles(
    documents: Sequence[MapDocument], pointing: Mapping[str, Sequence[Pointing]]
) -> Iterator[Problem]:
    """Maps whose lookups wait for each other; `pointing` is by map.

    A table that points to itself is none: its rows come one after the other.
    """
    filled = _filled(documents, Side.DATAVERSE)
    told: set[frozenset[str]] = set()
    for document in documents:
        for field, table, side in pointing.get(document.map, ()):
            if side is not Side.DATAVERSE:
                continue  # what names a row of commerce by its key waits for nothing
            way = _way_back(document.dataverse.entity, table, filled, pointing)
            if way is None or frozenset(way) in told:
                continue
            told.add(frozenset(way))
            yield Problem(
                "lookup-cycle",
                "these tables point to each other: "
                f"{' -> '.join([document.dataverse.entity, *way])}; a row whose target is not "
                "there yet waits, and is complete after the next sync",
                "nothing, unless one of these lookups is required: then map it one way, or fill "
                "it by hand",
                document.field_subject(field, "dataverse"),
                "warning",
            )


def _way_back(
    home: str,
    start: str,
    filled: Mapping[str, Sequence[MapDocument]],
    pointing: Mapping[str, Sequence[Pointing]],
) -> list[str] | None:
    """The tables from `start` over lookups of maps to `home`; None where no way leads there."""
    if start == home:
        return None
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for document in filled.get(way[-1], ()):
            for _, table, side in pointing.get(document.map, ()):
                if side is not Side.DATAVERSE:
                    continue
                if table == home:
                    return [*way, home]
                if table not in seen:
                    seen.add(table)
                    ways.append([*way, table])
    return None
