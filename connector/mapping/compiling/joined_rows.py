"""Rows in which several columns of commerce are one value of Dataverse.

Owns: joined columns, lookups by several columns, and lookups within the company of the record.
Never does: rows of one column (`row_compiler.py`).
Tested in: tests/unit/mapping/test_joined_fields.py, tests/integration/engine/test_joined.py,
test_lookups_by_several.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from connector.mapping.columns import Column
from connector.mapping.compiling.fields import Context, Field, Joint, Part, Whole
from connector.mapping.compiling.row_compiler import RowCompiler, Stopped
from connector.mapping.document import FieldRow, Join
from connector.mapping.references import Lookup
from connector.mapping.transforms import translate
from connector.mapping.transforms.conversions import conversion
from connector.mapping.transforms.fitting import fitted
from connector.mapping.transforms.joining import AsKey, Joining, Loose, Placed
from connector.mapping.transforms.route import Leg, run
from connector.mapping.transforms.translate import Translation
from connector.mapping.values import Side, Value, ValueType, normal_key

COMPANIES = "cdm_companies"
"""The Dataverse table of legal entities."""


def compile_rows(rows: RowCompiler) -> list[Sequence[Field]]:
    """The fields of every row, in the order of the document; none where it has a finding."""
    made: dict[int, Sequence[Field]] = {}
    later: list[int] = []
    for index, row in enumerate(rows.document.fields):
        if row.join is not None:
            made[index] = _joined(rows, index, row, row.join)
        elif _by_several(rows, row) is not None:
            later.append(index)
        else:
            field = rows.field(index, row)
            made[index] = [] if field is None else [field]
    # What a lookup by several columns only reads has a row of its own, compiled by now.
    alone = {
        field.commerce.casefold(): field
        for fields in made.values()
        for field in fields
        if field.commerce is not None and not isinstance(field, Part)
    }
    for index in later:
        row = rows.document.fields[index]
        found_by = _by_several(rows, row)
        assert found_by is not None
        try:
            made[index] = _looked_up(rows, index, row, found_by, alone)
        except Stopped:
            made[index] = []
    return [made[index] for index in range(len(rows.document.fields))]


class _FoundBy(NamedTuple):
    """What a row finds its target by."""

    path: Sequence[str]
    """The lookups that lead to the target's table, the row's own column first."""
    columns: Mapping[str, str]
    """Column of the target, or `lookup.column`, to column of commerce."""


def _by_several(rows: RowCompiler, row: FieldRow) -> _FoundBy | None:
    """By several columns: as the row says, or because the target belongs to a company too."""
    if row.dataverse is None:
        return None
    if row.lookup is not None:
        # Rows are asked for by the first column.
        plain = sorted(row.lookup, key=lambda name: "." in name)
        return _FoundBy(row.dataverse.split("."), {name: row.lookup[name] for name in plain})
    company = company_row(rows)
    if company is None or row.key or row.commerce is None or row.dataverse.count(".") != 1:
        return None
    name, _, column = row.dataverse.partition(".")
    entity = _target(rows, name)
    if entity is None or entity == COMPANIES:
        return None
    known = rows.lookup_columns(entity)
    owners = [c for c in known.values() if c.reference and c.reference.entity == COMPANIES]
    if len(owners) != 1 or column not in known:
        return None
    code = (company.dataverse or "").rpartition(".")[2]
    within = {f"{owners[0].name}.{code}": company.commerce or ""}
    return _FoundBy([name], {column: row.commerce, **within})


def company_row(rows: RowCompiler) -> FieldRow | None:
    """The key row that says which company a record belongs to, if one does."""
    for row in rows.document.fields:
        name, dot, _ = (row.dataverse or "").partition(".")
        if row.key and dot and _target(rows, name) == COMPANIES:
            return row
    return None


def _target(rows: RowCompiler, column: str) -> str | None:
    """The table a column of the map's own table points to."""
    found = rows.live[Side.DATAVERSE].get(column)
    return None if found is None or found.reference is None else found.reference.entity


class _Column(NamedTuple):
    """A column of commerce on its way into a whole and back."""

    column: Column
    place: int
    text: Translation
    back: Translation
    """From the part as text."""
    ways: Mapping[Side, Sequence[Leg]] = {}
    context: Field | None = None


# ---------------------------------------------------------------------------- joined columns


def _joined(rows: RowCompiler, index: int, row: FieldRow, join: Join) -> Sequence[Field]:
    try:
        parts = [_part(rows, index, row, name, "join") for name in join.columns]
    except Stopped:
        return []
    text = Column(" + ".join(join.columns), ValueType.TEXT)
    name, _, dotted = (row.dataverse or "").partition(".")
    dataverse = rows.column(index, Side.DATAVERSE, name)
    if dataverse is None:
        return []
    rows.writable(index, row, None, dataverse)
    try:
        lookup = rows.lookup(index, dataverse, dotted)
        ways = rows.ways(index, row, text, dataverse, lookup)
    except Stopped:
        return []
    forward, backward = fitted(ways, text, dataverse, lookup)
    joining: Joining = Loose(join.by)
    if Side.COMMERCE in row.ways:
        joining = Placed(join.by, tuple(join.columns))
    return _fields(rows, row, parts, dataverse, _Across(joining, forward, backward, lookup, ways))


def _part(
    rows: RowCompiler,
    index: int,
    row: FieldRow,
    name: str,
    where: str,
    wanted: Column | None = None,
) -> _Column:
    """A column of its own in a row of several; `wanted` is what its text is looked up by."""
    column = rows.column(index, Side.COMMERCE, name, where)
    if column is None:
        raise Stopped
    text = wanted or Column(name, ValueType.TEXT)
    ways: Mapping[Side, Sequence[Leg]] = {}
    if wanted is not None:
        ways = rows.ways(index, row, column, text, None)
        ahead = run(ways[Side.DATAVERSE]) if Side.DATAVERSE in ways else translate.no_way
        back = run(ways[Side.COMMERCE]) if Side.COMMERCE in ways else translate.no_way
    else:
        found = conversion(None, column, text), conversion(None, text, column)
        if found[0] is None or found[1] is None:
            rows.problem(
                index,
                where,
                "type-mismatch",
                f"`{column.name}` ({column.type}) is no text to be joined"
                if where == "join"
                else f"`{column.name}` ({column.type}) is no text to find a row by",
                "join texts and numbers" if where == "join" else "name a text or a whole number",
            )
            raise Stopped
        ahead, back = found[0], found[1]
    rows.writable(index, row, column, None)
    slot = rows.slot(Side.COMMERCE, column)
    return _Column(column, slot, ahead, translate.chain(back, translate.fit(column)), ways)


# ---------------------------------------------------------------------------- lookups


def _looked_up(
    rows: RowCompiler, index: int, row: FieldRow, by: _FoundBy, alone: Mapping[str, Field]
) -> Sequence[Field]:
    where = "lookup" if row.lookup is not None else Side.COMMERCE.value
    dataverse = rows.column(index, Side.DATAVERSE, by.path[0])
    rows.writable(index, row, None, dataverse)
    lookup = rows.lookup_by(index, dataverse, by.path[1:], list(by.columns))
    assert dataverse is not None
    parts: list[_Column] = []
    for there, name in by.columns.items():
        context = alone.get(name.casefold())
        if context is not None:
            column = rows.columns[Side.COMMERCE][context.commerce_index]
            text = conversion(None, column, Column(name, ValueType.TEXT)) or translate.as_text
            parts.append(
                _Column(column, context.commerce_index, text, translate.no_way, {}, context)
            )
            continue
        wanted = None if row.lookup is not None else Column(there, ValueType.TEXT)
        parts.append(_part(rows, index, row, name, where, wanted))
    names = tuple(part.column.name for part in parts)
    own = tuple(place for place, part in enumerate(parts) if part.context is None)
    joining = AsKey(names, own)
    forward, backward = translate.to_reference(lookup), translate.from_reference(lookup)
    return _fields(rows, row, parts, dataverse, _Across(joining, forward, backward, lookup, {}))


# ---------------------------------------------------------------------------- both


class _Across(NamedTuple):
    """How parts become a whole and its Dataverse value, and back."""

    joining: Joining
    forward: Translation
    backward: Translation
    lookup: Lookup | None
    ways: Mapping[Side, Sequence[Leg]]


def _fields(
    rows: RowCompiler,
    row: FieldRow,
    parts: Sequence[_Column],
    dataverse: Column,
    across: _Across,
) -> Sequence[Field]:
    """The whole, and a part for each column of its own."""
    forward, ways = across.forward, across.ways
    at = rows.slot(Side.DATAVERSE, dataverse)
    joint = Joint(
        places=tuple(part.place for part in parts),
        texts=tuple(part.text for part in parts),
        joining=across.joining,
        dataverse_index=at,
        forward=forward,
        back=across.backward,
        contexts=tuple(
            Context(place, part.context, part.text)
            for place, part in enumerate(parts)
            if part.context is not None
        ),
    )
    to_dataverse, to_commerce = Side.DATAVERSE in row.ways, Side.COMMERCE in row.ways
    made = [
        Part(
            name=part.column.name,
            commerce=part.column.name,
            dataverse=None,
            commerce_index=part.place,
            dataverse_index=-1,
            to_dataverse=to_dataverse,
            to_commerce=to_commerce,
            forward=translate.constant(None),
            backward=_from_whole(joint, place, part.back),
            key=False,
            lookup=None,
            plain=False,
            # Rows are found without regard to case and trailing blanks.
            measure=translate.identity if across.lookup is None else normal_key,
            ways={Side.COMMERCE: _legs(joint, place, part)} if to_commerce else {},
            joint=joint,
        )
        for place, part in enumerate(parts)
        if part.context is None
    ]
    whole = Whole(
        name=row.name,
        commerce=None,
        dataverse=dataverse.name,
        commerce_index=-1,
        dataverse_index=at,
        to_dataverse=to_dataverse,
        to_commerce=to_commerce,
        forward=forward,
        backward=translate.constant(None),
        key=False,
        lookup=across.lookup,
        plain=False,
        named=run(ways[Side.DATAVERSE]) if Side.DATAVERSE in ways else translate.identity,
        ways=ways or ({Side.DATAVERSE: []} if to_dataverse else {}),
        joint=joint,
        parts=tuple(made),
    )
    return [whole, *made]


def _from_whole(joint: Joint, place: int, back: Translation) -> Translation:
    return lambda value: back(joint.part(place, value))


def _legs(joint: Joint, place: int, part: _Column) -> Sequence[Leg]:
    """The way of a part, for people."""

    def split(value: Value) -> Value:
        return joint.part(place, value)

    return [Leg(f"part {place + 1}", split), *part.ways.get(Side.COMMERCE, ())]
