"""Values of every type: exact on the way in and out, in JSON, in filters and in keys."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from connector.endpoints.odata_v4.fields import Field, field_of
from connector.endpoints.web.numbers import loads_exactly
from connector.mapping.values import Value, ValueType
from connector.odata.csdl import EnumType, Property

KIND = EnumType({"Plain": 0, "Gold": 1})
GUID = "6f1d0a52-5c1e-4b0e-9a55-2f6d7f0c8a11"
VALUES: list[tuple[str, str, Value, str]] = [
    ("Edm.String", '"O\'Brien / 50% \\"日\\""', 'O\'Brien / 50% "日"', "'O''Brien / 50% \"日\"'"),
    ("Edm.Int32", "-2147483648", -(2**31), "-2147483648"),
    ("Edm.Int64", "9223372036854775807", 2**63 - 1, "9223372036854775807"),
    ("Edm.Decimal", "12345678901234.5678", Decimal("12345678901234.5678"), "12345678901234.5678"),
    ("Edm.Double", "0.1", Decimal("0.1"), "0.1"),
    ("Edm.Boolean", "true", True, "true"),
    ("Edm.Date", '"2154-12-31"', date(2154, 12, 31), "2154-12-31"),
    (
        "Edm.DateTimeOffset",
        '"2154-12-31T23:59:59Z"',
        datetime(2154, 12, 31, 23, 59, 59, tzinfo=UTC),
        "2154-12-31T23:59:59Z",
    ),
    ("Edm.Guid", f'"{GUID}"', GUID, GUID),
    ("Shop.Kind", '"Gold"', "Gold", "Shop.Kind'Gold'"),
]


def field(edm: str, **facets: Any) -> Field:
    return field_of(Property("C", edm, **facets), KIND if edm == "Shop.Kind" else None, key=False)


@pytest.mark.parametrize(("edm", "wire", "value", "literal"), VALUES)
def test_a_value_goes_both_ways_exactly(edm: str, wire: str, value: Value, literal: str) -> None:
    one = field(edm)
    told = loads_exactly(wire.encode())
    read = [told] if one.read is None else one.read([told])
    assert list(read) == [value]
    written = value if one.write is None else one.write(value)
    assert orjson.dumps(written).decode() == wire
    assert one.literal(value) == literal
    assert one.parse(literal) == value


@pytest.mark.parametrize("edm", [edm for edm, *_ in VALUES])
def test_null_is_null(edm: str) -> None:
    one = field(edm)
    assert list([None] if one.read is None else one.read([None])) == [None]
    assert (None if one.write is None else one.write(None)) is None


@pytest.mark.parametrize(
    ("edm", "text", "value"),
    [
        ("Edm.Int64", "9007199254740993", 9007199254740993),
        ("Edm.Decimal", "0.10", Decimal("0.10")),
    ],
)
def test_numbers_may_come_as_text(edm: str, text: str, value: Value) -> None:
    read = field(edm).read
    assert read is not None
    assert list(read([text])) == [value]


@pytest.mark.parametrize("told", [b"1.5", b"1e-3", b'"1.5"', b"true"])
def test_a_whole_number_is_not_cut_out_of_another(told: bytes) -> None:
    read = field("Edm.Int64").read
    assert read is not None
    with pytest.raises(ValueError):  # noqa: PT011 - two readers, two texts
        read([loads_exactly(told)])


@pytest.mark.parametrize(
    ("edm", "told"),
    [("Edm.String", 5), ("Shop.Kind", 1), ("Edm.Boolean", "true"), ("Edm.Decimal", True)],
)
def test_a_value_of_another_type_is_no_guess(edm: str, told: Any) -> None:
    read = field(edm).read
    assert read is not None
    with pytest.raises(TypeError, match="another type"):
        read([None, told])


@pytest.mark.parametrize("text", ["INF", "-INF", "NaN", "Infinity"])
def test_what_is_no_number_is_no_value(text: str) -> None:
    read = field("Edm.Double").read
    assert read is not None
    assert list(read([text, 1])) == [None, 1]


@pytest.mark.parametrize(
    "edm", ["Edm.Stream", "Edm.Binary", "Edm.GeographyPoint", "Collection(Edm.String)", "Shop.New"]
)
def test_a_type_no_map_can_hold_is_tolerated(edm: str) -> None:
    column = field(edm).column
    assert (column.readable, column.creatable, column.updatable) == (False, False, False)


def test_flags_are_no_choice() -> None:
    flags = EnumType({"A": 1, "B": 2}, flags=True)
    assert field_of(Property("C", "Shop.Marks"), flags, key=False).column.readable is False


def test_facets_are_told() -> None:
    assert field("Edm.String", max_length=30).column.max_length == 30
    assert field("Edm.Decimal", scale=4).column.scale == 4
    assert field("Edm.Byte").column.maximum == 255
    assert field("Shop.Kind").column.choices == {"Plain": "Plain", "Gold": "Gold"}
    computed = field("Edm.String", annotations={"Org.OData.Core.V1.Computed": "true"}).column
    assert (computed.creatable, computed.updatable) == (False, False)
    fixed = field("Edm.String", annotations={"Org.OData.Core.V1.Immutable": "true"}).column
    assert (fixed.creatable, fixed.updatable) == (True, False)
    key = field_of(Property("C", "Edm.String"), None, key=True).column
    assert (key.nullable, key.updatable) == (False, False)


def test_an_instant_without_a_zone_is_no_instant() -> None:
    one = field("Edm.DateTimeOffset")
    assert one.read is not None
    with pytest.raises(ValueError, match="time zone"):
        one.read(["2026-01-02T00:00:00"])
    assert one.column.type is ValueType.INSTANT
