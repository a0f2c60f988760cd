"""A map as the JSON of dual-write.

Owns: which part of a map that JSON has a form for, and what is said of the rest.
Never does: losing the rest; it travels in the member `x-dualwrite` (`extension.py`).
Tested in: tests/unit/mapping/moving/test_round_trip.py.

Facts: microsoft/Dual-write-automations (members and their order); its readers ignore members they
do not know. How the service itself takes an unknown member is not documented: `plain` leaves it
out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from connector.errors import Problem, Subject
from connector.mapping.document import DeletePolicy, FilterExit, MapDocument
from connector.mapping.filters.text import BadFilter
from connector.mapping.moving.draft import DOUBLED, Draft, NotExpressible, draft_map, draft_row
from connector.mapping.moving.extension import difference
from connector.mapping.moving.json_file import EXTENSION, read_json_value
from connector.mapping.moving.known import KnownEntity, known_entity
from connector.mapping.moving.query_range import dataverse_condition, to_query_range
from connector.mapping.moving.several import gathered, groups_of, parted
from connector.mapping.values import Side

_DIRECTIONS = {"=": "3", ">": "1", "<": "2"}
_SINGLE = {doubled: way for way, doubled in DOUBLED.items()}
_OWN_KEYS = frozenset({"commerce", "sync", "dataverse", "key", "values", "default", "constant"})
"""Keys of a row that the JSON has a form for."""


@dataclass(frozen=True, slots=True)
class ExportedMap:
    """The JSON of a map, and what dual-write would not understand of it."""

    data: dict[str, Any]
    problems: tuple[Problem, ...]


def export_map(
    document: MapDocument, targets: Mapping[str, str] | None = None, *, plain: bool = False
) -> ExportedMap:
    """The JSON of `document`; `plain` has no member of our own, and then no full way back.

    `targets` gives the entity set a lookup column points to, where that is known.
    """
    meant = document.model_dump(mode="json", exclude_defaults=True)
    meant_rows: list[Draft] = meant.pop("fields")
    known = known_entity(document.commerce.entity)
    alone = frozenset(row.commerce.casefold() for row in document.fields if row.commerce)
    told = [_told(row, known, targets or {}, alone) for row in meant_rows]
    problems = [*_not_understood(document), *_rows_not_understood(document, meant_rows, told)]
    leg: dict[str, Any] = {
        "id": "001",
        "sourceSchema": _label(document.commerce.entity),
        "sourceEnvironmentType": "AX",
        "sourceFilter": _filter(document, Side.COMMERCE, problems),
        "isSourceFilterEditable": True,
        "destinationSchema": document.dataverse.entity,
        "destinationEnvironmentType": "CRM",
        "reversedSourceFilter": _filter(document, Side.DATAVERSE, problems),
        "fieldMappings": [mapping for row in told for mapping in row.mappings],
    }
    data: dict[str, Any] = {
        "name": f"[{leg['sourceSchema']}] - [{leg['destinationSchema']}]",
        "leftEnvironmentType": "AX",
        "centerEnvironmentType": "CRM",
        "rightEnvironmentType": "UNDEFINED",
        "legs": [leg],
    }
    if not plain:
        (template,) = read_json_value(data, document.map)
        head, _ = draft_map(template)
        data[EXTENSION] = difference(head, [row.draft for row in told], meant, meant_rows)
    if plain:
        problems = [replace(one, remedy="left out, as --plain says") for one in problems]
    return ExportedMap(data, tuple(problems))


class _Told(NamedTuple):
    """A row as the JSON tells it, and what an import makes of that; none where it has no form."""

    mappings: Sequence[dict[str, Any]]
    draft: Draft | None
    keys: frozenset[str] = frozenset()
    """Keys of the row that the JSON tells."""


def _told(
    row: Draft, entity: KnownEntity | None, targets: Mapping[str, str], alone: frozenset[str]
) -> _Told:
    """The row with as much of it as an import would take for what it is."""
    several = parted(row, alone)
    if several:
        mappings = [m for one in several if (m := _mapping(one, entity, targets)) is not None]
        drafts = [draft for mapping in mappings if (draft := _read_back(mapping)) is not None]
        if len(drafts) == len(several) and groups_of(drafts):
            return _Told(mappings, gathered(drafts), frozenset(row))
    if _by_company(row):
        return _Told((), None)
    for left_out in ((), ("values", "default")):
        part = {key: value for key, value in row.items() if key not in left_out}
        mapping = _mapping(part, entity, targets)
        draft = _read_back(mapping) if mapping is not None else None
        if mapping is not None and draft is not None:
            return _Told([mapping], draft, frozenset(part) & _OWN_KEYS)
    return _Told((), None)


def _by_company(row: Draft) -> bool:
    """Whether the row pairs by company, which dual-write does without a row."""
    return bool(row.get("key")) and "." in str(row.get("dataverse"))


def _read_back(mapping: Mapping[str, Any]) -> Draft | None:
    (template,) = read_json_value({"legs": [{"fieldMappings": [mapping]}]}, "")
    if template.problems:
        return None
    try:
        draft, notes = draft_row(template.rows[0])
    except NotExpressible:
        return None
    return None if notes else draft


def _label(entity: str) -> str:
    known = known_entity(entity)
    return known.label if known is not None else entity


def _filter(document: MapDocument, side: Side, problems: list[Problem]) -> str:
    """The filter of one side; what has no form is told of."""
    written = document.end(side).filter
    try:
        if written is None:
            return ""
        if side is Side.COMMERCE:
            return to_query_range(written)
        dataverse_condition(written)
        return written
    except BadFilter as error:
        subject = document.file.subject(side.value, "filter", map=document.map)
        problems.append(_problem(f"{error.message}: dual-write would take every row", subject))
        return ""


def _mapping(
    row: Draft, entity: KnownEntity | None, targets: Mapping[str, str]
) -> dict[str, Any] | None:
    """A field mapping; None for a row that does not read column, symbol, column."""
    commerce, dataverse = row.get("commerce", "none"), row.get("dataverse", "none")
    names = (commerce, dataverse)
    if not all(isinstance(name, str) for name in names) or names == ("none", "none"):
        return None
    sync = str(row["sync"])
    mapping: dict[str, Any] = {
        "syncDirection": _DIRECTIONS[_SINGLE.get(sync, sync)],
        "sourceField": commerce.upper() if commerce != "none" else "none",
        "destinationField": dataverse,
        "isSystemGenerated": bool(row.get("key", False)),
    }
    lookup, _, named = dataverse.partition(".")
    if named and lookup in targets:
        mapping["destinationLookupFieldRelatedEntity"] = targets[lookup]
    symbols = entity.symbols.get(commerce, ()) if entity is not None else ()
    transforms = list(_transforms(row, sync, symbols))
    if transforms:
        mapping["valueTransforms"] = transforms
    return mapping


def _transforms(row: Draft, sync: str, symbols: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Value map and default; constants are defaults of a row without a source."""
    values, default = row.get("values"), row.get("default")
    given = default.get(_default_side(sync).value) if isinstance(default, Mapping) else None
    given = row.get("constant", given)
    filled = None if given is None or isinstance(given, (dict, list)) else _text(given)
    if isinstance(values, Mapping):
        table = {_symbol(name, symbols): _text(value) for name, value in values.items()}
        if not any(isinstance(value, (dict, list)) for value in values.values()):
            yield _transform("ValueMap", table, filled)
            return
    if filled is not None:
        yield _transform("Default", None, filled)


def _symbol(name: str, symbols: Sequence[str]) -> str:
    """Members of an enumeration begin with a small letter in dual-write."""
    return name[:1].lower() + name[1:] if name in symbols else name


def _default_side(sync: str) -> Side:
    """A default is the destination's; of a row both ways the one of the leg."""
    return Side.COMMERCE if sync == "<<" else Side.DATAVERSE


def _transform(kind: str, table: dict[str, str] | None, default: str | None) -> dict[str, Any]:
    return {
        "transformType": kind,
        "valueMap": table,
        "defaultValue": default,
        "createValuesOnDestination": False,
    }


def _text(value: Any) -> str:
    return ("True" if value else "False") if isinstance(value, bool) else str(value)


# ---------------------------------------------------------------------------- what is not said


def _not_understood(document: MapDocument) -> Iterator[Problem]:
    """What this map does and dual-write, given the JSON, would not."""

    def told(message: str, *at: str) -> Problem:
        return _problem(message, document.file.subject(*at, map=document.map))

    if document.appends_to is not None:
        yield told("rows are not only added: edits and deletes travel as well", "mode")
        return
    if document.deletes.commerce is not DeletePolicy.PROPAGATE:
        policy = document.deletes.commerce
        yield told(f"a delete in commerce is not `{policy}`: it travels", "deletes")
    if document.deletes.dataverse is not DeletePolicy.PROPAGATE:
        policy = document.deletes.dataverse
        yield told(f"a delete in Dataverse is not `{policy}`: it travels", "deletes")
    policies = {document.conflict, *(row.conflict for row in document.fields if row.conflict)}
    named = ", ".join(sorted(policy.value for policy in policies))
    yield told(f"conflicts are not decided by policy ({named}): the last edit wins", "conflict")
    if document.commerce.side is not None:
        yield told(f"the commerce side is not `{document.commerce.side}`", "commerce", "side")
    owner = document.dataverse.owner
    if owner is not None and not owner.of_dual_write:
        yield told(f"the rows it creates are not owned by {owner}", "dataverse", "owner")
    if document.filter_exit is not FilterExit.KEEP:
        yield told("a row that leaves its filter is not deleted on the other side", "filter_exit")


def _rows_not_understood(
    document: MapDocument, rows: Sequence[Draft], told: Sequence[_Told]
) -> Iterator[Problem]:
    for index, (row, one) in enumerate(zip(rows, told, strict=True)):
        if not one.mappings:
            why = (
                "dual-write pairs rows by their company without a row of the map"
                if _by_company(row)
                else "this row has no form in dual-write"
            )
            yield _problem(why, document.field_subject(index))
            continue
        towards = _default_side(str(row["sync"])).value
        lost = sorted(set(row) - one.keys)
        if "default" in one.keys:
            lost += [f"default.{side}" for side in row["default"] if side != towards]
        if lost:
            named = ", ".join(f"`{key}`" for key in lost)
            yield _problem(f"dual-write has no {named}", document.field_subject(index))


def _problem(message: str, subject: Subject) -> Problem:
    return Problem(
        "export-not-understood",
        message,
        "kept in `x-dualwrite`, which dual-write does not read; an import here does",
        subject,
        "warning",
        exit_code=0,
    )
