"""Empty values, days at noon, companies: what is null for us is a value there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from connector.endpoints.finops.dialect import FinopsDialect
from connector.endpoints.odata_v4.fields import Field
from connector.endpoints.odata_v4.tables import Table
from connector.mapping.values import Value, ValueType
from connector.odata.csdl import EnumType, Property

AX = "Microsoft.Dynamics.OData.Core.V1.AXType"
MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NEVER = datetime(2154, 12, 31, 23, 59, 59, tzinfo=UTC)
TENDER = EnumType({"AsCardTender": 0, "Blocked": 3})


def field(edm: str, kind: str = "", *, key: bool = False) -> Field:
    annotations = {AX: kind} if kind else {}
    enum = TENDER if edm == "Ax.Tender" else None
    given = Property("C", edm, nullable=False, annotations=annotations)
    return FinopsDialect().field_of(given, enum, key=key)


@pytest.mark.parametrize(
    ("edm", "kind", "wire", "value"),
    [
        ("Edm.String", "String", "", None),
        ("Edm.String", "String", "a", "a"),
        ("Edm.DateTimeOffset", "Date", "1900-01-01T12:00:00Z", None),
        ("Edm.DateTimeOffset", "Date", "2024-02-29T12:00:00Z", date(2024, 2, 29)),
        ("Edm.DateTimeOffset", "Date", "2154-12-31T12:00:00Z", date(2154, 12, 31)),
        ("Edm.DateTimeOffset", "UtcDateTime", "1900-01-01T00:00:00Z", None),
        ("Edm.DateTimeOffset", "UtcDateTime", "2026-03-04T05:06:07Z", MOMENT),
        ("Edm.DateTimeOffset", "UtcDateTime", "2154-12-31T23:59:59Z", NEVER),
        ("Edm.DateTimeOffset", "", "2026-03-04T05:06:07Z", MOMENT),
        ("Edm.Int64", "Int64", 2**63 - 1, 2**63 - 1),
        ("Edm.Decimal", "Real", 0.5, Decimal("0.5")),
        ("Ax.Tender", "Enum", "Blocked", "Blocked"),
    ],
)
def test_values_go_both_ways(edm: str, kind: str, wire: Any, value: Value) -> None:
    one = field(edm, kind)
    told = Decimal(str(wire)) if edm == "Edm.Decimal" else wire
    assert list([told] if one.read is None else one.read([told])) == [value]
    written = value if one.write is None else one.write(value)
    assert orjson.loads(orjson.dumps(written)) == wire
    assert one.parse(one.literal(value)) == value


def test_a_day_in_another_spelling_of_unset_is_unset() -> None:
    for kind in ("Date", "UtcDateTime"):
        read = field("Edm.DateTimeOffset", kind).read
        assert read is not None
        assert list(read(["1900-01-01T12:00:00Z", "1900-01-01T00:00:00Z"])) == [None, None]


def test_only_texts_and_days_can_be_unset() -> None:
    nullable = {
        edm: field(edm, kind).column.nullable
        for edm, kind in {
            "Edm.String": "String",
            "Edm.DateTimeOffset": "Date",
            "Edm.Int32": "Integer",
            "Ax.Tender": "Enum",
        }.items()
    }
    assert [*nullable.values()] == [True, True, False, False]
    assert field("Edm.String", "String", key=True).column.nullable is False
    assert field("Edm.DateTimeOffset", "Date").column.type is ValueType.DATE


def groups() -> Table:
    fields = {name: field("Edm.String", key=True) for name in ("dataAreaId", "CustomerGroupId")}
    return Table("CustomerGroups", "T", fields, tuple(fields.values()), versioned=True)


@pytest.mark.parametrize(
    ("company", "given", "completed"),
    [
        (None, {"CustomerGroupId": "10"}, {"CustomerGroupId": "10"}),
        ("USRT", {"CustomerGroupId": "10"}, {"dataAreaId": "usrt", "CustomerGroupId": "10"}),
        ("usrt", {"DATAAREAID": "usmf"}, {"DATAAREAID": "usmf"}),
    ],
)
def test_a_new_row_is_of_the_one_company(
    company: str | None, given: Mapping[str, Value], completed: Mapping[str, Value]
) -> None:
    assert FinopsDialect(company=company).completed(groups(), given) == completed


def test_lists_are_of_the_one_company() -> None:
    assert FinopsDialect(company="USRT").scope(groups()) == "dataAreaId eq 'usrt'"
    assert FinopsDialect().scope(groups()) is None
    assert FinopsDialect().options == {"cross-company": "true"}
