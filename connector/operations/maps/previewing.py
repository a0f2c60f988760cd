"""One record under a map: what each side holds, every field's way across, what would be written.

Owns: reading the record on both sides, and following its values piece by piece.
Never does: writing to a side or to the state.
Tested in: tests/acceptance/test_map_versions.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connector.bootstrap import Project
from connector.engine.lookups import resolve
from connector.engine.plan import as_columns, plan
from connector.engine.proof.pairs import Couple, Held
from connector.engine.proof.rehearse import Planned, described
from connector.engine.proof.verify import as_record
from connector.engine.runs.run import layout_of
from connector.engine.runs.turnover import columns_read, concerned, mark, turn_of
from connector.errors import Subject, UsageError
from connector.mapping.compiling.compiled import CompiledMap, Field
from connector.mapping.document import MapDocument
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Side, Value
from connector.operations.naming import normalised
from connector.store.record import Record


@dataclass(frozen=True, slots=True)
class Way:
    """How one value travels: what each piece of the way makes of it, and what arrives."""

    steps: Sequence[tuple[str, Value]]
    arrives: Value
    problem: str | None = None
    """Why nothing arrives."""

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        steps = [{"step": name, "value": value} for name, value in self.steps]
        return {"steps": steps, "arrives": self.arrives, "problem": self.problem}


@dataclass(frozen=True, slots=True)
class FieldPreview:
    """One field of the record; a side it does not travel to, or from, has no way."""

    field: str
    commerce: Value
    dataverse: Value
    same: bool | None
    """Whether both are equal under the map; None where a side has no row."""
    ways: dict[Side, Way]


@dataclass(frozen=True, slots=True)
class Preview:
    """One record of each side under the map."""

    record: int | None
    held: dict[Side, dict[str, Value] | None]
    fields: list[FieldPreview]
    planned: list[Planned]
    ignored: bool
    """The map, or a person's word, keeps the record apart."""


def preview(project: Project, document: MapDocument, key: str) -> Preview:
    """What the map makes of the record under `key`, as both sides hold it now.

    Raises `UsageError` (`record-unknown`), and what compiling the map raises.
    """
    map, _ = project.compiled(document)
    endpoints = project.endpoints(document)
    wanted = normalised(document, key)
    held = {side: _held(project, map, side, key, wanted) for side in Side}
    if wanted is None or not any(held.values()):
        raise UsageError(
            "record-unknown",
            "neither side has a record under this key",
            subject=Subject(map=document.map),
            remedy="check its spelling; the parts of a compound key stand between ` / `",
        )
    layout = layout_of(map, project.ports(document), keep=False)
    known = next(iter(project.store.by_keys(layout, [wanted]).get(wanted, ())), None)
    couple = Couple(wanted, held[Side.COMMERCE], held[Side.DATAVERSE])
    record = as_record(map, couple, known.number if known else 0, known)
    _mark_if_changed(project, map, record)
    resolve(map, endpoints, [record])
    action = plan(record, map)
    images = {side: row.image if row else None for side, row in held.items()}
    return Preview(
        known.number if known else None,
        {s: None if i is None else as_columns(map, s, i) for s, i in images.items()},
        [_field(f, images) for f in map.fields if f.ways],
        list(described(record, action)),
        action.ignored,
    )


def _held(
    project: Project, map: CompiledMap, side: Side, key: str, wanted: str | None
) -> Held | None:
    """The row of a side under a typed key."""
    columns = map.column_names(side)
    places = map.keys[side]
    first = key.split(" / ", len(places) - 1)[0]
    endpoint = project.endpoints(map.document)[side]
    found = endpoint.read(map.entity(side), columns, by=columns[places[0]], values=[first])
    rows = [row for rows in found.rows.values() for row in rows]
    return next((Held(r.id, r.image) for r in rows if map.key_of(side, r.image) == wanted), None)


def _mark_if_changed(project: Project, map: CompiledMap, record: Record) -> None:
    """What the next run would mark where the map changed since it last ran."""
    row = project.store.map_row(map.name)
    turn = turn_of(row, map, columns_read(project.store, map.name)) if row else None
    groups = concerned(record, map, turn, ()) if turn else set()
    if turn is not None and groups:
        mark(record, map, turn, groups, 0.0)


def _field(field: Field, images: dict[Side, Image | None]) -> FieldPreview:
    values = {s: None if i is None else field.read(s, i) for s, i in images.items()}
    commerce, dataverse = images[Side.COMMERCE], images[Side.DATAVERSE]
    both = commerce is not None and dataverse is not None
    ways = {
        side: _way(field, side, image)
        for side in Side
        if field.travels_to(side) and field.column(side) and (image := images[side.other])
    }
    return FieldPreview(
        field.name,
        values[Side.COMMERCE],
        values[Side.DATAVERSE],
        field.same_in(commerce, dataverse) if both else None,  # type: ignore[arg-type]
        ways,
    )


def _way(field: Field, target: Side, image: Image) -> Way:
    steps: list[tuple[str, Value]] = []
    try:
        at = field.read(target.other, image)
        for leg in field.ways.get(target, ()):
            at = leg.run(at)
            steps.append((leg.name, at))
        return Way(steps, field.arriving(target, image))
    except Untranslatable as error:
        return Way(steps, None, f"{error.code}: {error.message}")
    except TargetMissing as missing:
        return Way(steps, None, f"{missing.value} is not in {missing.lookup.entity} yet")
