"""The codec of images: every canonical value comes back as itself, with its type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import StateError
from connector.mapping.values import Side, Value, ValueType
from connector.store.images import (
    LayoutCodec,
    SideCodec,
    decode_columns,
    encode,
    encode_columns,
    encode_named,
    encode_pair,
)
from connector.store.record import Layout

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
VALUES: dict[ValueType, st.SearchStrategy[Value]] = {
    ValueType.TEXT: TEXT,
    ValueType.INTEGER: INTEGERS,
    ValueType.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False, places=10),
    ValueType.BOOLEAN: st.booleans(),
    ValueType.DATE: st.dates(),
    ValueType.INSTANT: st.datetimes(timezones=st.just(UTC)),
    ValueType.CHOICE: TEXT | INTEGERS,
    ValueType.REFERENCE: TEXT,
}


@st.composite
def imaged(draw: st.DrawFn) -> tuple[SideCodec, tuple[Value, ...]]:
    """A column list and an image in its order."""
    types = draw(st.lists(st.sampled_from(ValueType), max_size=8))
    columns = tuple((f"c{index}", type_) for index, type_ in enumerate(types))
    image = tuple(draw(st.none() | VALUES[type_]) for type_ in types)
    return SideCodec(columns), image


@given(imaged())
def test_every_image_comes_back_with_its_types(case: tuple[SideCodec, tuple[Value, ...]]) -> None:
    codec, image = case
    back = codec.decode(codec.encode(image))
    assert back == image
    assert [type(value) for value in back] == [type(value) for value in image]


@given(imaged(), st.randoms())
def test_another_order_of_columns_moves_each_value_with_its_column(case, random) -> None:  # type: ignore[no-untyped-def]
    codec, image = case
    by_column = dict(zip(codec.columns, image, strict=True))
    wanted = [*codec.columns, ("added", ValueType.TEXT)]
    random.shuffle(wanted)
    dropped = wanted[1:]
    back = codec.decode_into(tuple(dropped))(codec.encode(image))
    assert back == tuple(by_column.get(column) for column in dropped)


def test_a_column_kept_as_another_type_reads_as_null() -> None:
    codec = SideCodec((("a", ValueType.TEXT), ("b", ValueType.TEXT)))
    wanted = (("b", ValueType.TEXT), ("a", ValueType.INTEGER))
    assert codec.decode_into(wanted)(codec.encode(("1", "2"))) == ("2", None)


@given(imaged())
def test_named_values_of_a_conflict_come_back_with_their_types(case) -> None:  # type: ignore[no-untyped-def]
    side, image = case
    codec = LayoutCodec(Layout(1, "m", {Side.COMMERCE: side.columns, Side.DATAVERSE: ()}))
    named = {name: value for (name, _), value in zip(side.columns, image, strict=True)}
    pair = {Side.COMMERCE: named, Side.DATAVERSE: {"not in the layout": "x"}}
    text = encode_pair(pair)
    assert text is not None
    assert codec.decode_pair(text) == pair


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_of_any_exponent_keeps_its_value(value: Decimal) -> None:
    codec = SideCodec((("a", ValueType.DECIMAL),))
    assert codec.decode(codec.encode((value,))) == (value,)


def test_audit_values_are_readable_json() -> None:
    values: dict[str, Value] = {
        "day": date(2024, 2, 29),
        "instant": datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC),
        "amount": Decimal("1E+3"),
        "exact": Decimal("0.10"),
        "nothing": None,
        "flag": True,
        "text": "Zoë",
    }
    expected = {
        "day": "2024-02-29",
        "instant": "2024-02-29T01:02:03Z",
        "amount": "1000",
        "exact": "0.10",
        "nothing": None,
        "flag": True,
        "text": "Zoë",
    }
    text = encode_named(MappingProxyType(values))
    assert text is not None
    assert orjson.loads(text) == expected
    assert encode_named(None) is None


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, 2**64, "\ud800", object()])
def test_what_is_no_canonical_value_is_refused(value: object) -> None:
    with pytest.raises(StateError) as caught:
        encode((value,))
    assert caught.value.code == "value-unstorable"


@pytest.mark.parametrize("image", [(), ("a",), ("a", "b", "c")])
def test_an_image_of_another_width_is_refused(image: tuple[Value, ...]) -> None:
    codec = SideCodec((("a", ValueType.TEXT), ("b", ValueType.TEXT)))
    with pytest.raises(StateError) as caught:
        codec.encode(image)
    assert caught.value.code == "image-width"


def test_column_lists_are_equal_as_text_when_they_are_equal() -> None:
    columns = {
        Side.DATAVERSE: (("b", ValueType.INSTANT),),
        Side.COMMERCE: (("a", ValueType.TEXT), ("c", ValueType.DATE)),
    }
    turned = dict(reversed(columns.items()))
    assert encode_columns(columns) == encode_columns(turned)
    assert decode_columns(encode_columns(columns)) == columns
