"""`--value COLUMN=VALUE`: what a person types becomes a value of one group.

Owns: which column is meant on which side, reading the text by the column's type, and that the
value can stand on both sides.
Never does: writing it.
Tested in: tests/unit/operations/test_giving.py, tests/acceptance/test_decisions.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.endpoints.base import Endpoint
from connector.engine.decisions.given import Given
from connector.engine.lookups import ask_through, resolve, texts_of
from connector.errors import Subject, UsageError
from connector.mapping.compiling.compiled import CompiledMap, Field, Group
from connector.mapping.compiling.fields import Part, Whole
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.scalars import canonical
from connector.mapping.transforms.translate import Untranslatable, fit
from connector.mapping.values import Side, Value, ValueType
from connector.store.record import Record


def given_values(
    words: Sequence[str], map: CompiledMap, endpoints: Mapping[Side, Endpoint]
) -> Given:
    """The value of one group that `COLUMN=VALUE` words give, in the columns of one side.

    That side is commerce where one of its columns was typed, else Dataverse. Raises `UsageError`:
    `value-word`, `column-unknown`, `value-incomplete`, or why a text is no value of its column or
    of the other side's.
    """
    typed: dict[Field, tuple[Side, Value]] = {}
    for word in words:
        column, equals, text = word.partition("=")
        if not equals:
            raise UsageError(
                "value-word", f"`{word}` is no COLUMN=VALUE", remedy="such as `--value Name=Anna`"
            )
        field, side = _meant(map, column)
        typed[field] = side, _read(map, field, side, text)
    side = Side.COMMERCE if any(s is Side.COMMERCE for s, _ in typed.values()) else Side.DATAVERSE
    group = _group(map, list(typed), side)
    if _joined(group):
        return _as_a_whole(
            map, group, side, {f: value for f, (_, value) in typed.items()}, endpoints
        )
    values: dict[str, Value] = {}
    for field, (own, value) in typed.items():
        other = _translated(map, field, own.other, value, endpoints)
        values[field.column(side) or ""] = value if own is side else other
    return Given(group.name, side, {name: v for name, v in values.items() if name})


def _meant(map: CompiledMap, name: str) -> tuple[Field, Side]:
    """The field and side of a typed column; a looked-up column stands for its text in commerce."""
    dotted = {row.name: row.dataverse for row in map.document.fields}
    for field in map.fields:
        if name == field.dataverse:
            return field, Side.DATAVERSE
        looked_up = name == dotted.get(field.name)
        if (field.commerce or "").casefold() == name.casefold() or looked_up:
            return field, Side.COMMERCE
    raise UsageError(
        "column-unknown",
        f"the map has no column `{name}`",
        subject=Subject(map=map.name),
        remedy="name a column of either side: "
        + ", ".join(f.commerce or f.dataverse or f.name for f in map.fields),
    )


def _read(map: CompiledMap, field: Field, side: Side, text: str) -> Value:
    """The text as a value of the column; an empty text is no value."""
    if not text:
        return None
    column = map.columns[side][field.index(side)]
    if column.type is ValueType.REFERENCE:
        return text
    try:
        return fit(column)(canonical(text, column))
    except Untranslatable as error:
        raise _wrong(map, field, error) from error


def _translated(
    map: CompiledMap,
    field: Field,
    side: Side,
    value: Value,
    endpoints: Mapping[Side, Endpoint],
) -> Value:
    """The value in the form of `side`, which has to be able to take it."""
    if field.lookup is not None and value is not None:
        endpoint = endpoints[field.lookup.side]
        if side is field.lookup.side:
            ask_through(field.lookup, endpoint, texts_of(field, value), [])
        else:
            ask_through(field.lookup, endpoint, [], [str(value)])
    try:
        return field.translation_to(side)(value)
    except Untranslatable as error:
        raise _wrong(map, field, error) from error
    except TargetMissing as missing:
        raise _unknown(map, field, missing) from missing


def _unknown(map: CompiledMap, field: Field, missing: TargetMissing) -> UsageError:
    return UsageError(
        "reference-unknown",
        f"there is no row `{missing.value}` in {missing.lookup.entity}",
        subject=Subject(map=map.name, field=field.name),
        remedy="name one that is there, or create it first",
    )


def _joined(group: Group) -> bool:
    return any(isinstance(field, Whole) for field in group.fields)


def _as_a_whole(
    map: CompiledMap,
    group: Group,
    side: Side,
    typed: Mapping[Field, Value],
    endpoints: Mapping[Side, Endpoint],
) -> Given:
    """Columns of one side that are another number of columns on the other."""
    image: list[Value] = [None] * len(map.columns[side])
    for field, value in typed.items():
        image[field.index(side)] = value
    record = Record(0, map.name, "")
    record.side(side).image = tuple(image)
    resolve(map, endpoints, [record])
    for field in group.fields:
        # A row that is looked for in the record's company cannot be found without the record.
        if isinstance(field, Whole | Part) and field.joint.contexts:
            continue
        try:
            field.arriving(side.other, tuple(image))
        except Untranslatable as error:
            raise _wrong(map, field, error) from error
        except TargetMissing as missing:
            raise _unknown(map, field, missing) from missing
    return Given(group.name, side, {f.column(side) or "": value for f, value in typed.items()})


def _group(map: CompiledMap, fields: Sequence[Field], side: Side) -> Group:
    """The group all typed fields belong to, each of its fields typed.

    Of joined columns those of one side are enough, and those of the other too many.
    """
    group = next(g for g in map.groups if fields[0] in g.fields)
    joined = _joined(group)
    wanted = [f for f in group.fields if not joined or f.column(side) is not None]
    stray = [f for f in fields if f not in wanted]
    lacking = [f for f in wanted if f not in fields]
    if stray or lacking:
        names = " ".join(f"--value {f.commerce or f.dataverse}=…" for f in wanted)
        raise UsageError(
            "value-incomplete",
            f"`{group.name}` is decided as one value: all of its fields, and no other",
            subject=Subject(map=map.name, field=group.name),
            remedy=f"give {names}",
        )
    return group


def _wrong(map: CompiledMap, field: Field, error: Untranslatable) -> UsageError:
    return UsageError(
        error.code,
        error.message,
        subject=Subject(map=map.name, field=field.name),
        remedy=error.remedy,
    )
