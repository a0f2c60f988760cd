"""Laws that hold for every transform, whatever the values.

What a side is sent is what it should hold; what comes back is equal under the map; and a pair that
was brought together stays as it is: planning it again writes nothing, whoever edited last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from connector.engine.agreement import agree, meet
from connector.engine.plan import plan
from connector.mapping.columns import Column
from connector.mapping.compiling.compiled import CompiledMap, Field
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import parse_document
from connector.mapping.transforms.steps import STEPS
from connector.mapping.transforms.translate import Untranslatable, fit
from connector.mapping.values import Side, Value, ValueType
from connector.store.record import Presence, Record
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
class Case:
    """A two-way row between L and r, and what both columns may hold."""

    row: str
    left: Column
    right: Column
    lefts: st.SearchStrategy[Value]
    rights: st.SearchStrategy[Value]


def text(name: str, length: int | None = None) -> Column:
    return Column(name, ValueType.TEXT, max_length=length)


def choice(name: str, *values: Value) -> Column:
    return Column(name, ValueType.CHOICE, choices={value: str(value) for value in values})


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12
) | st.sampled_from(
    [" a ", "Straße", "İ", "ŉ", "\U0001f600\U0001f600", "a" * 12, "12-34", "x y z", "007"]
)
DECIMALS = st.decimals(-(10**6), 10**6, places=3)
CENTS = st.decimals(-(10**6), 10**6, places=2)
DAYS = st.dates(date(1753, 1, 2), date(9999, 12, 30))
SHIFTS = [date(2026, 3, 29), date(2026, 10, 25), date(1893, 4, 1)]
"""Days on which the clocks of Berlin were turned."""
INSTANTS = st.builds(
    lambda day, seconds: datetime.combine(day, time(), UTC) + timedelta(seconds=seconds),
    DAYS | st.sampled_from(SHIFTS),
    st.integers(0, 86_399),
)
WALLS = INSTANTS.map(lambda moment: moment.replace(tzinfo=None).isoformat(" ")) | TEXTS
SYMBOLS = st.sampled_from(["Gold", "silver", "Other", "None"])
LEVELS = st.sampled_from(["G", "S", "X"])
BERLIN = "{zone: Europe/Berlin}"
FLIP = (
    r"{match: '^(\d+)-(\d+)$', replace: '\2-\1', back: {match: '^(\d+)-(\d+)$', replace: '\2-\1'}}"
)
L, R = text("L"), text("r", 8)
ANY, ANY_TOO = Column("L", ValueType.DECIMAL), Column("r", ValueType.DECIMAL)
NUMBER, CENT = Column("L", ValueType.DECIMAL, scale=3), Column("r", ValueType.DECIMAL, scale=2)
WHOLE = Column("r", ValueType.INTEGER)
DAY, MOMENT = Column("L", ValueType.DATE), Column("L", ValueType.INSTANT)
TO_DAY, TO_MOMENT = Column("r", ValueType.DATE), Column("r", ValueType.INSTANT)
INTEGERS = st.integers(-(2**40), 2**40)

CASES: dict[str, Case] = {
    "trim": Case("transform: [trim]", L, R, TEXTS, TEXTS),
    "case": Case("transform: [{case: upper}]", L, R, TEXTS, TEXTS),
    "case lower": Case("transform: [{case: lower}]", L, R, TEXTS, TEXTS),
    "truncate": Case("transform: [{truncate: 5}]", L, R, TEXTS, TEXTS),
    "all three": Case("transform: [trim, {case: upper}, {truncate: 5}]", L, R, TEXTS, TEXTS),
    "scale exactly": Case("transform: [{scale: 400}]", ANY, ANY_TOO, DECIMALS, CENTS),
    "scale": Case("transform: [{scale: 100}]", NUMBER, CENT, DECIMALS, CENTS),
    "scale by a third": Case("transform: [{scale: 3}]", NUMBER, CENT, DECIMALS, CENTS),
    "scale down": Case("transform: [{scale: 0.01}]", NUMBER, CENT, DECIMALS, CENTS),
    "scale to whole": Case("transform: [{scale: 1000}]", NUMBER, WHOLE, DECIMALS, INTEGERS),
    "scale of texts": Case("transform: [{scale: 0.5}]", L, CENT, TEXTS | DECIMALS.map(str), CENTS),
    "regex": Case(f"transform: [{{regex: {FLIP}}}]", L, R, TEXTS, TEXTS),
    "regex and trim": Case(f"transform: [trim, {{regex: {FLIP}}}]", L, R, TEXTS, TEXTS),
    "split": Case("transform: [{split: {by: ' ', part: 1}}], back: [trim]", L, R, TEXTS, TEXTS),
    "instant": Case(f"transform: [{{instant: {BERLIN}}}]", MOMENT, TO_MOMENT, INSTANTS, INSTANTS),
    "instant of days": Case(f"transform: [{{instant: {BERLIN}}}]", DAY, TO_MOMENT, DAYS, INSTANTS),
    "instant of texts": Case(f"transform: [{{instant: {BERLIN}}}]", L, TO_MOMENT, WALLS, INSTANTS),
    "date": Case(f"transform: [{{date: {BERLIN}}}]", MOMENT, TO_DAY, INSTANTS, DAYS),
    "values": Case(
        "transform: [{values: {Gold: G, Silver: S}}]",
        choice("L", "Gold", "Silver"), text("r"), SYMBOLS, LEVELS,
    ),
    "values kept": Case(
        "values: {Gold: G, Silver: S}, unmatched: {dataverse: keep, commerce: keep}",
        L, R, SYMBOLS | TEXTS, LEVELS | TEXTS,
    ),
    "values stood in for": Case(
        "values: {Gold: 1, Silver: 2}, unmatched: {dataverse: 9, commerce: Silver}",
        L, choice("r", 1, 2, 9), SYMBOLS, st.sampled_from([1, 2, 9]),
    ),
    "values of an unknown": Case(
        "values: {Gold: 1, Silver: 2}, unmatched: {dataverse: 2}",
        L, choice("r", 1, 2, 9), SYMBOLS, st.sampled_from([1, 2, 9]),
    ),
    "default": Case(
        "transform: [{default: {dataverse: none, commerce: nothing}}, trim]", L, R, TEXTS, TEXTS
    ),
    "values and default": Case(
        "transform: [trim, {case: lower}, {values: {gold: 1, silver: 2}}, "
        "{default: {dataverse: 9}}]",
        L, choice("r", 1, 2, 9), SYMBOLS, st.sampled_from([1, 2, 9]),
    ),
    "another way back": Case(
        "transform: [{case: upper}], back: [{case: lower}, trim]", L, R, TEXTS, TEXTS
    ),
}  # fmt: skip


def compiled(case: Case) -> CompiledMap:
    document = parse_document(f"{HEAD}  - {{commerce: L, sync: '><', dataverse: r, {case.row}}}\n")
    return compile_map(
        document,
        {"Id": text("Id"), "L": case.left},
        {"id": text("id"), "r": case.right},
        lookup_columns,
    )


MAPS = {name: compiled(case) for name, case in CASES.items()}


def held(column: Column, value: Value) -> Value:
    """The value as the column holds it; what it cannot hold is no example."""
    try:
        return fit(column)(value)
    except Untranslatable:
        assume(False)
        raise


def same(field: Field, side: Side, here: Value, there: Value) -> bool:
    return field.same(here, there) if side is C else field.same(there, here)


def test_every_transform_is_here_but_those_of_other_packages() -> None:
    told = " ".join(case.row for case in CASES.values())
    assert {name for name in STEPS if name not in told} == {"custom"}


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
def test_what_is_sent_and_what_comes_back_are_equal_under_the_map(
    name: str, side: Side, data: st.DataObject
) -> None:
    case, field = CASES[name], MAPS[name].fields[1]
    column, values = (case.left, case.lefts) if side is C else (case.right, case.rights)
    value = held(column, data.draw(st.none() | values))
    try:
        there = field.translation_to(side.other)(value)
    except Untranslatable as error:
        event(f"refused: {error.code}")
        return
    assert there != "", "an empty text is no value"
    assert same(field, side, value, there)
    try:
        back = field.translation_to(side)(there)
    except Untranslatable as error:
        event(f"refused on the way back: {error.code}")
        return
    assert same(field, side, back, there)


EXACT = [
    "trim", "case", "case lower", "truncate", "regex", "scale exactly", "instant",
    "instant of days", "instant of texts", "date", "values", "values kept",
]  # fmt: skip
"""One step alone that rounds nothing; two of them may undo each other, as a cut behind a trim."""


@pytest.mark.parametrize("name", EXACT)
@given(data=st.data())
def test_a_step_gives_the_same_again_after_its_way_back(name: str, data: st.DataObject) -> None:
    case, field = CASES[name], MAPS[name].fields[1]
    value = held(case.left, data.draw(case.lefts))
    try:
        there = field.forward(value)
        again = field.forward(field.backward(there))
    except Untranslatable as error:
        event(f"refused: {error.code}")
        return
    assert again == there


EDITS = st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(0, 3)), max_size=4)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=60)
@given(data=st.data(), edits=EDITS)
def test_a_pair_that_was_brought_together_stays_as_it_is(
    name: str, data: st.DataObject, edits: Sequence[tuple[Side, int]]
) -> None:
    case, map = CASES[name], MAPS[name]
    drawn = {
        C: [held(case.left, data.draw(st.none() | case.lefts)) for _ in range(4)],
        D: [held(case.right, data.draw(st.none() | case.rights)) for _ in range(4)],
    }
    record = Record(1, "thing", "k", due=0.0)
    for side in Side:
        state = record.side(side)
        state.presence, state.id, state.version = Presence.PRESENT, f"{side}", "1"
        state.image = ("k", drawn[side][0])
    for side, which in [(C, 0), *edits]:
        record.side(side).image = ("k", drawn[side][which])
        if not settle(record, map):
            event("refused")
            return
        action = plan(record, map)
        assert not action.writes
        assert not action.agree


def settle(record: Record, map: CompiledMap) -> bool:
    """Do what the record needs; False where a value cannot travel."""
    action = plan(record, map)
    if action.problem is not None:
        return False
    meet(record, map)
    agree(record, action.agree)
    for write in action.writes:
        state = record.side(write.side)
        assert state.image is not None
        columns = map.column_names(write.side)
        state.image = tuple(
            write.values.get(column, value)
            for column, value in zip(columns, state.image, strict=True)
        )
        agree(record, write.groups)
    return not action.conflicts
