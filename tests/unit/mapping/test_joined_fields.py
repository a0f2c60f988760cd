"""Several columns of commerce that are one of Dataverse: a whole and its parts, in one group."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.mapping.columns import Column, Reference
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.compiling.fields import Group, Part, Whole
from connector.mapping.document import parse_document
from connector.mapping.references import TargetMissing
from connector.mapping.transforms.translate import Untranslatable
from connector.mapping.values import Image, Side, Value, ValueType
from tests.unit.mapping.live import Columns, lookup_columns, table, text

C, D = Side.COMMERCE, Side.DATAVERSE
HEAD = """
map: thing
commerce: {entity: Things}
dataverse: {entity: things}
fields:
  - {commerce: Id, sync: "=", dataverse: id, key: true}
"""
LEFT = table(
    text("Id", 20),
    text("A"),
    Column("N", ValueType.INTEGER, minimum=0, maximum=99),
    text("B", 5),
    text("dataAreaId", 4),
)
COMPANIES = Reference("cdm_companies", "id")
RIGHT = table(
    text("id", 20),
    text("whole"),
    Column("msdyn_company", ValueType.REFERENCE, reference=COMPANIES),
    Column("currency", ValueType.REFERENCE, reference=Reference("transactioncurrencies", "id")),
    Column("group", ValueType.REFERENCE, reference=Reference("groups", "id")),
)


def columns_of(entity: str) -> Columns:
    if entity == "groups":
        company = Column("company", ValueType.REFERENCE, reference=COMPANIES)
        return table(text("code"), company, text("name"))
    return lookup_columns(entity)


def compiled(*rows: str) -> CompiledMap:
    document = parse_document(HEAD + "".join(f"  - {{{row}}}\n" for row in rows))
    return compile_map(document, LEFT, RIGHT, columns_of)


def group_of(map: CompiledMap, name: str) -> Group:
    return next(group for group in map.groups if group.name == name)


JOINED = compiled("join: {columns: [A, N, B], by: '-'}, sync: '><', dataverse: whole")
TEXTS = st.one_of(st.none(), st.text("aB -9", min_size=1, max_size=5))
NUMBERS = st.one_of(st.none(), st.integers(0, 99))


@given(TEXTS, NUMBERS, TEXTS)
def test_what_leaves_comes_back_and_counts_as_the_same(a: Value, n: Value, b: Value) -> None:
    group = group_of(JOINED, "whole")
    commerce: Image = ("x", a, n, b)
    try:
        made = JOINED.creations[D].values(commerce)
    except Untranslatable:
        return
    dataverse: Image = ("x", made.get("whole"))
    assert group.same(commerce, dataverse)
    back = JOINED.creations[C].values(dataverse)
    assert (back.get("A"), back.get("N"), back.get("B")) == (a, n, b)


@given(st.one_of(st.none(), st.text("aB-9", max_size=9)), TEXTS, NUMBERS, TEXTS)
def test_a_group_is_the_same_where_one_side_gives_the_other(
    whole: str | None, a: Value, n: Value, b: Value
) -> None:
    """And then each of its fields is, so that nothing of it is ever written apart."""
    group = group_of(JOINED, "whole")
    commerce: Image = ("x", a, n, b)
    dataverse: Image = ("x", whole or None)
    if group.same(commerce, dataverse):
        assert all(field.same_in(commerce, dataverse) for field in group.fields)
        return
    assert not _gives(group, commerce, dataverse, D)
    assert not _gives(group, commerce, dataverse, C)


def _gives(group: Group, commerce: Image, dataverse: Image, target: Side) -> bool:
    images = {C: commerce, D: dataverse}
    try:
        return all(
            field.arriving(target, images[target.other]) == images[target][field.index(target)]
            for field in group.fields
            if field.column(target) is not None
        )
    except (Untranslatable, TargetMissing):
        return False


def test_an_edit_of_any_part_is_an_edit_of_the_group() -> None:
    before: Image = ("x", "a", 1, "b")
    group = group_of(JOINED, "whole")
    for place, value in ((1, "c"), (2, None), (3, "d")):
        now = (*before[:place], value, *before[place + 1 :])
        assert group.changed(C, now, before)
        assert JOINED.changed(C, now, before) == {JOINED.groups.index(group)}
    assert group.values(C, before) == {"A": "a", "N": 1, "B": "b"}
    assert group.values(D, ("x", "a-1-b")) == {"whole": "a-1-b"}
    assert group.blank(C, ("x", None, None, None))
    assert not group.blank(C, ("x", None, 0, None))


def test_parts_are_fitted_into_their_columns() -> None:
    for whole, code in (("a-100", "number-out-of-range"), ("a-1-longer", "text-too-long")):
        with pytest.raises(Untranslatable) as refused:
            JOINED.creations[C].values(("x", whole))
        assert refused.value.code == code


def test_one_way_nothing_comes_back() -> None:
    map = compiled("join: {columns: [A, B], by: ', '}, sync: '>>', dataverse: whole")
    group = group_of(map, "whole")
    assert not group.travels_to(C)
    assert map.creations[D].values(("x", None, "b")) == {"id": "x", "whole": "b"}
    assert map.creations[C].values(("x", "a, b")) == {"Id": "x"}
    assert group.same(("x", "a", "b"), ("x", "a, b"))
    assert not group.same(("x", "a", "b"), ("x", "other"))


# ---------------------------------------------------------------------------- within a company

COMPANY = "commerce: dataAreaId, sync: '=', dataverse: msdyn_company.cdm_companycode, key: true"


def test_a_key_over_a_lookup_is_a_text_and_comes_last() -> None:
    map = compiled(COMPANY)
    column = map.columns[D][1]
    assert (column.name, column.type) == ("msdyn_company.cdm_companycode", ValueType.TEXT)
    assert map.key_of(C, ("Gold", "usmf")) == map.key_of(D, ("GOLD", "USMF")) == "gold\x1fusmf"
    turned = compile_map(
        parse_document(HEAD.replace("fields:\n", f"fields:\n  - {{{COMPANY}}}\n")),
        LEFT,
        RIGHT,
        columns_of,
    )
    assert turned.keys == {C: (1, 0), D: (1, 0)}, "sides are asked by what is no lookup"


@pytest.mark.parametrize(
    ("rows", "found_by"),
    [
        ([COMPANY, "commerce: A, sync: '=', dataverse: group.code"], ("code", "company")),
        (["commerce: A, sync: '=', dataverse: group.code"], ("code",)),
        ([COMPANY, "commerce: A, sync: '=', dataverse: currency.isocurrencycode"], None),
        ([COMPANY, "lookup: {code: A, name: B}, sync: '=', dataverse: group"], ("code", "name")),
    ],
)
def test_what_belongs_to_companies_is_looked_for_in_ones_own(
    rows: list[str], found_by: tuple[str, ...] | None
) -> None:
    map = compiled(*rows)
    (field,) = (f for f in map.fields if f.lookup is not None and not f.key)
    assert field.lookup is not None
    assert field.lookup.columns == (found_by or ("isocurrencycode",))
    assert isinstance(field, Whole) is (len(field.lookup.columns) > 1)
    assert all(isinstance(f, Part) for f in map.fields if f.commerce == "A" and f is not field)


def test_steps_of_a_row_within_a_company_still_work_on_its_text() -> None:
    row = "commerce: A, sync: '><', dataverse: group.code, transform: [trim, {case: upper}]"
    map = compiled(COMPANY, row)
    (whole,) = (field for field in map.fields if isinstance(field, Whole))
    assert whole.lookup is not None
    whole.lookup.add("g1", "GOLD / usmf")
    assert whole.arriving(D, ("x", "usmf", " gold ")) == "g1"
    with pytest.raises(TargetMissing) as missing:
        whole.arriving(D, ("x", "usrt", "gold"))
    assert missing.value.value == "GOLD / usrt"
    (part,) = whole.parts
    assert part.arriving(C, ("x", "usmf", "g1")) == "GOLD"
    with pytest.raises(Untranslatable) as refused:
        part.arriving(C, ("x", "usrt", "g1"))
    assert refused.value.code == "reference-elsewhere"
