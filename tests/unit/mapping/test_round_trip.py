"""A value that travels and comes back is the same under the map, and stays what it is there.

Every transform and every pair of types, compiled as a row of a map. What cannot travel is refused
with a code, never changed; what travels one way only has nothing to come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import event, find, given, reject
from hypothesis import strategies as st

from connector.errors import MapError
from connector.mapping.columns import Column, Reference
from connector.mapping.compiling.compiled import Field
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable, fit
from connector.mapping.values import Side, Value, ValueType
from tests.unit.mapping.live import lookup_columns

C, D = Side.COMMERCE, Side.DATAVERSE
HEAD = """\
map: thing
commerce: {entity: Things}
dataverse: {entity: things}
fields:
  - {commerce: Id, sync: "=", dataverse: id, key: true}
"""


@dataclass(frozen=True)
class Trip:
    """A row between column L of commerce and column r of Dataverse, and what both may hold."""

    name: str
    row: str
    left: Column
    right: Column
    lefts: st.SearchStrategy[Value]
    rights: st.SearchStrategy[Value]


def column(type: ValueType, **facets: object) -> Callable[[str], Column]:
    return lambda name: Column(name, type, **facets)  # type: ignore[arg-type]


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=35)
NUMBERS = st.decimals(
    allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9
)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
SMALLS = st.integers(0, 2**31 - 1)
THOUSANDTHS = st.decimals(-1000, 1000, places=3)
CENTS = st.decimals(-(10**7), 10**7, places=2) | INTEGERS.map(Decimal)
DAYS = st.dates(date(1753, 1, 1), date(9999, 12, 31))
INSTANTS = st.builds(
    lambda day, seconds: datetime.combine(day, time(), UTC) + timedelta(seconds=seconds),
    DAYS,
    st.integers(0, 86_399),
)
SPELLED = st.one_of(
    INTEGERS.map(str), NUMBERS.map(str), NUMBERS.map(lambda n: f" {n:e} "), TEXTS,
    st.sampled_from(["007", "+7", "7.0", "1e3", "-0", ".5", "5.", "NaN", "1,5"]),
)  # fmt: skip
STATES = {"Open": 1, "Closed": 2, "Gone": 2}
"""Two symbols for one number: the first is what comes back."""

text = column(ValueType.TEXT)
text30 = column(ValueType.TEXT, max_length=30)
integer = column(ValueType.INTEGER)
small = column(ValueType.INTEGER, minimum=0, maximum=2**31 - 1)
decimal = column(ValueType.DECIMAL)
cents = column(ValueType.DECIMAL, scale=2)
thousandths = column(ValueType.DECIMAL, scale=3, minimum=-1000, maximum=1000)
boolean = column(ValueType.BOOLEAN)
day = column(ValueType.DATE)
instant = column(ValueType.INSTANT)
symbols = column(ValueType.CHOICE, choices={name: name for name in STATES})
numbers = column(ValueType.CHOICE, choices={1: "Open", 2: "Closed", 3: "Lost"})
shared = column(ValueType.CHOICE, choices={1: "Open", 2: "Closed"})
reference = column(ValueType.REFERENCE, reference=Reference("transactioncurrencies", "id"))

SYMBOLS = st.sampled_from(["Open", "open", "CLOSED", "Strange"])
CODES = st.sampled_from([1, 2, 3, 4])
TRUTHS = st.booleans()
PLAIN = "sync: '=', "
MAPPED = "sync: '><', values: {Open: 1, Closed: 2}, "
MARKED = "sync: '><', values: {Yes: true, No: false}, "


def trip(
    name: str,
    row: str,
    left: Callable[[str], Column],
    right: Callable[[str], Column],
    lefts: st.SearchStrategy[Value],
    rights: st.SearchStrategy[Value],
) -> Trip:
    return Trip(name, row, left("L"), right("r"), lefts, rights)


TRIPS: Sequence[Trip] = (
    trip("text", PLAIN, text, text, TEXTS, TEXTS),
    trip("text of 30", PLAIN, text30, text30, TEXTS, TEXTS),
    trip("text into 30", PLAIN, text, text30, TEXTS, TEXTS),
    trip("integers", PLAIN, integer, small, INTEGERS | SMALLS, SMALLS),
    trip("integer and decimal", PLAIN, integer, cents, INTEGERS, CENTS),
    trip("decimal and integer", PLAIN, thousandths, small, THOUSANDTHS, SMALLS),
    trip("decimals", PLAIN, decimal, decimal, NUMBERS, NUMBERS),
    trip("decimals of two scales", PLAIN, thousandths, cents, THOUSANDTHS, CENTS),
    trip("text and integer", PLAIN, text, integer, SPELLED, INTEGERS),
    trip("integer and text", PLAIN, integer, text30, INTEGERS, SPELLED),
    trip("text and decimal", PLAIN, text, cents, SPELLED, CENTS),
    trip("decimal and text", PLAIN, thousandths, text, THOUSANDTHS, SPELLED),
    trip("booleans", PLAIN, boolean, boolean, TRUTHS, TRUTHS),
    trip("dates", PLAIN, day, day, DAYS, DAYS),
    trip("instants", PLAIN, instant, instant, INSTANTS, INSTANTS),
    trip("date and instant", PLAIN, day, instant, DAYS, INSTANTS),
    trip("instant and date", PLAIN, instant, day, INSTANTS, DAYS),
    trip("instants by date", PLAIN + "type: date, ", instant, instant, INSTANTS, INSTANTS),
    trip("choices with shared values", PLAIN, shared, numbers, CODES, CODES),
    trip("values", MAPPED, symbols, numbers, SYMBOLS, CODES),
    trip("values of a text", MAPPED, text, numbers, SYMBOLS, CODES),
    trip("values of a mark", MARKED, text, boolean, st.sampled_from(["Yes", "no", "?"]), TRUTHS),
    trip(
        "defaults",
        "sync: '><', default: {commerce: none, dataverse: nothing}, ",
        text, text30, TEXTS, TEXTS,
    ),
    trip(
        "values with a default",
        MAPPED + "default: {dataverse: 1}, ",
        symbols, numbers, SYMBOLS, CODES,
    ),
    trip(
        "reference",
        "sync: '=', ",
        text30, reference,
        st.sampled_from(["EUR", "eur", "DKK", "XXX"]),
        st.sampled_from(["guid-eur", "guid-dkk", "guid-gone"]),
    ),
)  # fmt: skip


def compiled(one: Trip) -> Field:
    """The row as a field that runs."""
    dotted = ".isocurrencycode" if one.right.type is ValueType.REFERENCE else ""
    document = parse_document(HEAD + f"  - {{{one.row}commerce: L, dataverse: r{dotted}}}\n")
    map = compile_map(
        document,
        {"Id": Column("Id", ValueType.TEXT), "L": one.left},
        {"id": Column("id", ValueType.TEXT), "r": one.right},
        lookup_columns,
    )
    for lookup in map.lookups:
        lookup.add("guid-eur", "EUR")
        lookup.add("guid-dkk", "DKK")
    return map.fields[1]


FIELDS = {one.name: compiled(one) for one in TRIPS}


def same(field: Field, side: Side, here: Value, there: Value) -> bool:
    return field.same(here, there) if side is C else field.same(there, here)


class Refused(NamedTuple):
    """It cannot travel, and why."""

    code: str


def carried(field: Field, target: Side, value: Value) -> Value | Refused:
    """What a value becomes on the other side."""
    try:
        return field.translation_to(target)(value)
    except Untranslatable as error:
        return Refused(error.code)
    except TargetMissing:
        return Refused("target-missing")


def stands(column: Column, value: Value) -> Value:
    """The value as the column holds it; what it cannot hold is no example."""
    if value is None:
        return value
    if column.choices is not None:
        known = {str(choice).casefold() for choice in column.choices}
        return value if str(value).casefold() in known else reject()
    try:
        return fit(column)(value)
    except Untranslatable:
        return reject()


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("one", TRIPS, ids=lambda one: one.name)
@given(data=st.data())
def test_what_travels_comes_back_the_same(one: Trip, side: Side, data: st.DataObject) -> None:
    field = FIELDS[one.name]
    column, values = (one.left, one.lefts) if side is C else (one.right, one.rights)
    value = stands(column, data.draw(st.none() | values))
    there = carried(field, side.other, value)
    if isinstance(there, Refused):
        event(f"refused: {there.code}")
        assert value is not None, "nothing can always travel"
        return
    assert same(field, side, value, there)
    assert (there is None) == (value is None) or "default" in one.row
    returned = carried(field, side, there)
    if isinstance(returned, Refused):
        # Its other spelling is too long for where it came from: it stays, and is not cut.
        assert returned.code == "text-too-long"
        return
    assert same(field, side, returned, there)
    # Null and what one side fills it with are one value in two forms; others have one form only.
    assert carried(field, side.other, returned) == there or "default" in one.row


@pytest.mark.parametrize("one", TRIPS, ids=lambda one: one.name)
def test_some_values_of_each_sort_do_travel(one: Trip) -> None:
    """So that the property above is not about refusals only."""
    field = FIELDS[one.name]
    find(one.lefts, lambda value: not isinstance(carried(field, D, value), Refused))
    find(one.rights, lambda value: not isinstance(carried(field, C, value), Refused))


def test_two_symbols_for_one_number_have_no_way_back() -> None:
    row = "commerce: L, sync: '{}', dataverse: r, values: {{Open: 1, Closed: 2, Gone: 2}}"
    with pytest.raises(MapError, match="no way back") as caught:
        parse_document(HEAD + f"  - {{{row.format('><')}}}\n")
    assert caught.value.code == "map-contradiction"
    parse_document(HEAD + f"  - {{{row.format('>>')}}}\n")
