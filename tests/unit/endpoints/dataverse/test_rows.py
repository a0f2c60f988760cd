"""Values between the wire and their canonical form, against literals of the documentation."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from connector.endpoints.base import Row
from connector.endpoints.dataverse.metadata import Table, Tables
from connector.endpoints.dataverse.rows import (
    Encoder,
    Projection,
    dumps,
    etag,
    suspicious,
)
from connector.endpoints.dataverse.service import SERVICE
from connector.endpoints.web.governor import Governor
from connector.endpoints.web.texts import untaken_text
from connector.endpoints.web.transport import Transport
from connector.errors import MapError
from connector.mapping.values import Value
from tests.unit.endpoints.dataverse.conftest import RELATIONS, script_metadata

if TYPE_CHECKING:
    from tests.unit.endpoints.scripted import Service

ID = "0c2f9b5e-0000-4000-8000-00000000abcd"
EUR = "11111111-0000-4000-8000-000000000001"
USER = "22222222-0000-4000-8000-000000000001"


@pytest.fixture
def table(points: Service) -> Table:
    return described(points)


def described(points: Service) -> Table:
    transport = Transport(
        SERVICE,
        "https://org.example",
        tokens=[points],
        ca=None,
        patience=points.patience,
        clock=points.clock,
        timeout=5,
        connections=1,
        governor=Governor(),
    )
    return Tables(transport).describe("points")


def wire(**values: object) -> bytes:
    item = {
        "@odata.etag": 'W/"501"',
        "pointid": ID,
        "modifiedon": "2026-01-02T03:04:05Z",
        "_modifiedby_value": USER,
        **values,
    }
    return orjson.dumps(item)


def read(table: Table, columns: list[str], body: bytes) -> Row:
    projection = Projection(table, columns)
    (row,) = projection.rows([projection.loads(body)])
    return row


def test_every_type_is_read(table: Table) -> None:
    columns = ["name", "unit", "redeemable", "rank", "since", "until", "seen", "cur"]
    body = wire(
        name="A",
        unit=806380000,
        redeemable=False,
        rank=3,
        since="2026-01-02",
        until="2026-01-03T00:00:00Z",
        seen="2026-01-02T03:04:05Z",
        _cur_value=EUR,
    )
    instant = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    values = ("A", 806380000, False, 3, date(2026, 1, 2), date(2026, 1, 3), instant, EUR)
    assert read(table, columns, body) == Row(ID, "501", values, instant, USER)


def test_money_keeps_every_digit(table: Table) -> None:
    body = wire(price=0).replace(b'"price":0', b'"price":922337203685477.5807')
    assert read(table, ["price"], body).image == (Decimal("922337203685477.5807"),)
    assert read(table, ["price"], wire(price=5)).image == (Decimal(5),)


def test_nulls_and_columns_that_lack_are_null(table: Table) -> None:
    columns = ["name", "since", "until", "seen", "cur", "price"]
    nulls: dict[str, object] = dict.fromkeys(["name", "since", "until", "seen", "price"])
    assert read(table, columns, wire(_cur_value=None, **nulls)).image == (None,) * 6
    assert read(table, columns, wire()).image == (None,) * 6


def test_a_projection_asks_for_what_a_row_needs(table: Table) -> None:
    select = Projection(table, ["name", "cur"]).select
    assert select == "pointid,modifiedon,_modifiedby_value,name,_cur_value"
    assert Projection(table, ["name", "pointid"]).select.count("pointid") == 1
    assert Projection(table, []).rows([orjson.loads(wire())])[0].image == ()
    assert Projection(table, ["name"]).rows([]) == []


@pytest.mark.parametrize("column", ["nosuch", "Name", "secret"])
def test_columns_that_cannot_be_read_are_refused(table: Table, column: str) -> None:
    with pytest.raises(MapError) as caught:
        Projection(table, ["name", column])
    assert caught.value.code == "column-unknown"
    assert caught.value.subject.field == column


WRITTEN: list[tuple[str, Value, bytes]] = [
    ("name", 'O\'Brian "x" ä', '{"name":"O\'Brian \\"x\\" ä"}'.encode()),
    ("unit", 806380001, b'{"unit":806380001}'),
    ("redeemable", True, b'{"redeemable":true}'),
    ("rank", 0, b'{"rank":0}'),
    ("price", Decimal("922337203685477.5807"), b'{"price":922337203685477.5807}'),
    ("price", Decimal("1E+3"), b'{"price":1000}'),
    ("since", date(2026, 1, 2), b'{"since":"2026-01-02"}'),
    ("until", date(2026, 1, 2), b'{"until":"2026-01-02T00:00:00Z"}'),
    ("seen", datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=UTC), b'{"seen":"2026-01-02T03:04:05Z"}'),
    ("cur", EUR, f'{{"New_Cur@odata.bind":"/transactioncurrencies({EUR})"}}'.encode()),
    ("cur", None, b'{"New_Cur@odata.bind":null}'),
    ("name", None, b'{"name":null}'),
    ("price", None, b'{"price":null}'),
]


@pytest.mark.parametrize(("column", "value", "body"), WRITTEN)
def test_every_type_is_written(table: Table, column: str, value: Value, body: bytes) -> None:
    assert dumps(Encoder(table).update({column: value})) == body


def test_a_create_names_type_and_id_and_leaves_null_lookups_out(table: Table) -> None:
    item: dict[str, Any] = Encoder(table).create(ID, {"name": None, "cur": None, "rank": 1})
    assert item == {
        "name": None,
        "rank": 1,
        "@odata.type": "Microsoft.Dynamics.CRM.point",
        "pointid": ID,
    }


def test_values_come_back_as_they_were_written(table: Table) -> None:
    values: dict[str, Value] = {
        "name": "Ä",
        "price": Decimal("1.2500"),
        "until": date(2026, 2, 28),
        "seen": datetime(2026, 1, 2, tzinfo=UTC),
    }
    item = orjson.loads(dumps(Encoder(table).update(values)))
    assert read(table, list(values), wire(**item)).image == tuple(values.values())


def test_a_lookup_with_several_targets_is_refused(service: Service) -> None:
    one, *others = RELATIONS
    script_metadata(service, relations=[one, {**one, "ReferencedEntity": "account"}, *others])
    with pytest.raises(MapError) as caught:
        Encoder(described(service)).update({"cur": EUR})
    assert caught.value.code == "reference-ambiguous"


def test_an_owner_is_written_with_its_table(table: Table) -> None:
    item = Encoder(table).update({"ownerid": f"teams({EUR})"})
    assert item == {"ownerid@odata.bind": f"/teams({EUR})"}


@pytest.mark.parametrize("text", ["a\x00b", "\x1f", "\x0b", "\ud800", "\uffff"])
def test_text_the_service_cannot_store(text: str) -> None:
    assert untaken_text({"rank": 1, "name": text}) == "name"


@pytest.mark.parametrize("text", ["", "tab\tand\r\nlines", "\x7f", "日本", "😀"])
def test_text_the_service_can_store(text: str) -> None:
    assert untaken_text({"name": text}) is None


def test_clean_bodies_are_not_suspicious() -> None:
    assert not suspicious(dumps({"a": "O'Brian ä"}))
    assert suspicious(dumps({"a": "\x00"}))


def test_etags() -> None:
    assert etag("501") == 'W/"501"'
    assert etag(None) == "*"
