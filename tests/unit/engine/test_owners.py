"""Who a map names as the owner of new rows, and why that one cannot be it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from connector.endpoints.base import Endpoint, Found, Row
from connector.engine.owners import owners_of
from connector.errors import MapError
from connector.mapping.document import MapDocument, parse_document

TEXT = """
map: cards
commerce: {entity: Cards}
dataverse: {entity: cards%s}
fields:
  - {commerce: Number, sync: "=", dataverse: number, key: true}
"""
TABLES: dict[str, list[dict[str, Any]]] = {
    "teams": [
        {"id": "t1", "name": "Desk", "teamtype": 0, "isdefault": False, "businessunitid": "u1"},
        {"id": "t2", "name": "Europe", "teamtype": 0, "isdefault": True, "businessunitid": "u1"},
        {"id": "t3", "name": "Twice", "teamtype": 0, "isdefault": False, "businessunitid": "u1"},
        {"id": "t4", "name": "Twice", "teamtype": 0, "isdefault": False, "businessunitid": "u2"},
        {"id": "t5", "name": "Sharing", "teamtype": 1, "isdefault": False, "businessunitid": "u1"},
        {"id": "t6", "name": "Entra", "teamtype": 2, "isdefault": False, "businessunitid": "u1"},
    ],
    "businessunits": [{"id": "u1", "name": "Europe"}, {"id": "u2", "name": "Asia"}],
    "systemusers": [
        {"id": "s1", "fullname": "Anna", "domainname": "anna@x.com", "isdisabled": False},
        {"id": "s2", "fullname": "Bo", "internalemailaddress": "bo@x.com", "isdisabled": False},
        {"id": "s3", "fullname": "Gone", "domainname": "gone@x.com", "isdisabled": True},
    ],
}


class Organization:
    """Teams, business units and users."""

    def read(self, entity: str, columns: Sequence[str], *, by: str, values: Sequence[str]) -> Found:
        found: dict[str, list[Row]] = {}
        for row in TABLES[entity]:
            for value in values:
                if str(row.get(by)).casefold() == value.casefold():
                    image = tuple(row.get(column) for column in columns)
                    found.setdefault(value, []).append(Row(row["id"], "1", image))
        return Found(found)


def document(owner: str) -> MapDocument:
    return parse_document(TEXT % f", owner: {{{owner}}}")


@pytest.mark.parametrize(
    ("owner", "reference"),
    [
        ("team: desk", "teams(t1)"),
        ("team: Entra", "teams(t6)"),
        ("unit: EUROPE", "teams(t2)"),
        ("user: anna@x.com", "systemusers(s1)"),
        ("user: bo@x.com", "systemusers(s2)"),
    ],
)
def test_teams_units_and_users_are_found_by_what_people_call_them(
    owner: str, reference: str
) -> None:
    found = owners_of(document(owner), cast("Endpoint", Organization()))
    assert {code: one.reference for code, one in found.items()} == {None: reference}


@pytest.mark.parametrize(
    ("owner", "code"),
    [
        ("team: Nobody", "owner-unknown"),
        ("unit: Nowhere", "owner-unknown"),
        ("unit: Asia", "owner-unknown"),
        ("user: no@x.com", "owner-unknown"),
        ("team: Twice", "owner-ambiguous"),
        ("team: Sharing", "owner-unfit"),
        ("user: gone@x.com", "owner-unfit"),
    ],
)
def test_who_cannot_own_is_told_of_at_its_line(owner: str, code: str) -> None:
    with pytest.raises(MapError) as refused:
        owners_of(document(owner), cast("Endpoint", Organization()))
    assert refused.value.code == code
    assert refused.value.subject.line == 4
    assert refused.value.remedy


def test_without_an_owner_nobody_is_asked_for() -> None:
    assert owners_of(parse_document(TEXT % ""), cast("Endpoint", None)) == {}
