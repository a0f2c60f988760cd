"""Columns of every kind: declared, filled, read, filtered, changed, removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.sandbox.csdl import parse_csdl
from tests.integration.sandbox.declared import (
    CRM,
    attribute,
    create_key,
    create_table,
    definition,
    label,
    refusal,
)

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

BOOK = definition("new_book")
GENRES = {
    "IsGlobal": False,
    "Options": [
        {"Value": 1, "Label": label("Novel")},
        {"Value": 2, "Label": label("Letters")},
        {"Value": 30, "Label": label("Play")},
    ],
}
LENT = {
    "TrueOption": {"Value": 1, "Label": label("Lent")},
    "FalseOption": {"Value": 0, "Label": label("There")},
}
DAY = {"Format": "DateOnly", "DateTimeBehavior": {"Value": "DateOnly"}}
SHOWN_DAY = {"Format": "DateOnly", "DateTimeBehavior": {"Value": "UserLocal"}}
MOMENT = {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "TimeZoneIndependent"}}
PLACES = {"Precision": 3, "MinValue": 0, "MaxValue": 10}
EVERY_KIND: list[tuple[str, dict[str, Any], str, Any, str, Any, str]] = [
    # metadata type, facets, Edm type, value, its JSON, value that is refused, formatted
    ("String", {"MaxLength": 5}, "Edm.String", "Emma", '"Emma"', "Evelina", ""),
    ("Memo", {"MaxLength": 9}, "Edm.String", "a\nb", '"a\\nb"', "0123456789", ""),
    ("Integer", {"MinValue": 1, "MaxValue": 9}, "Edm.Int32", 9, "9", 10, "9"),
    ("BigInt", {}, "Edm.Int64", 2**53, "9007199254740992", 2**63, "9,007,199,254,740,992"),
    ("Decimal", PLACES, "Edm.Decimal", 1.5, "1.500", 10.001, "1.500"),
    ("Money", {"MaxValue": 30_000}, "Edm.Decimal", 20_000, "20000.0000", 30_001, "$20,000.00"),
    ("Double", {"Precision": 5}, "Edm.Double", 0.125, "0.125", "much", "0.12500"),
    ("Boolean", {"OptionSet": LENT}, "Edm.Boolean", True, "true", "perhaps", "Lent"),
    ("Picklist", {"OptionSet": GENRES}, "Edm.Int32", 2, "2", 3, "Letters"),
    (
        "MultiSelectPicklist",
        {"OptionSet": GENRES},
        "Edm.String",
        "1,30",
        '"1,30"',
        "1,3",
        "Novel; Play",
    ),
    ("DateTime", DAY, "Edm.Date", "1815-12-23", '"1815-12-23"', "Christmas", "12/23/1815"),
    (
        "DateTime",
        SHOWN_DAY,
        "Edm.DateTimeOffset",
        "1815-12-23",
        '"1815-12-23T00:00:00Z"',
        "1815",
        "",
    ),
    (
        "DateTime",
        MOMENT,
        "Edm.DateTimeOffset",
        "1815-12-23T08:30:00Z",
        '"1815-12-23T08:30:00Z"',
        "1815-12-23",
        "12/23/1815 8:30 AM",
    ),
]


@pytest.mark.parametrize(
    ("kind", "facets", "edm", "value", "text", "bad", "formatted"),
    EVERY_KIND,
    ids=[f"{kind}-{edm}-{value}" for kind, _, edm, value, *_ in EVERY_KIND],
)
def test_a_column_of_every_kind(
    dataverse: DataverseSession,
    kind: str,
    facets: dict[str, Any],
    edm: str,
    value: Any,
    text: str,
    bad: Any,
    formatted: str,
) -> None:
    create_table(dataverse)
    made = dataverse.post(f"{BOOK}/Attributes", json=attribute(kind, "new_It", **facets))
    assert made.status_code == 204, made.text
    assert made.headers["OData-EntityId"].startswith(f"{dataverse.api}/{BOOK}/Attributes(")
    shown = dataverse.get(f"{BOOK}/Attributes(LogicalName='new_it')").json()
    assert shown["@odata.type"] == f"#{CRM}.{kind}AttributeMetadata"
    plain = {name: one for name, one in facets.items() if name != "OptionSet"}
    assert {name: shown[name] for name in plain} == plain
    model = parse_csdl(dataverse.get("$metadata").content)
    assert model.type_of("new_books").properties["new_it"].type == edm
    row = dataverse.post("new_books", json={"new_it": value}).headers["OData-EntityId"]
    read = dataverse.get(
        f"{row}?$select=new_it",
        headers={"Prefer": 'odata.include-annotations="OData.Community.Display*"'},
    )
    assert f'"new_it":{text}' in read.text
    annotation = read.json().get("new_it@OData.Community.Display.V1.FormattedValue", "")
    assert annotation == formatted or not formatted
    raw = dataverse.get(f"{row}/new_it/$value").text
    assert raw == (value if isinstance(value, str) and kind != "DateTime" else text.strip('"'))
    assert dataverse.patch(row, json={"new_it": bad}).status_code == 400
    assert dataverse.patch(row, json={"new_it": None}).status_code == 204
    assert dataverse.get(f"{row}?$select=new_it").json()["new_it"] is None
    assert dataverse.delete(f"{BOOK}/Attributes(LogicalName='new_it')").status_code == 204
    assert dataverse.get(f"{row}?$select=new_it").status_code == 400


@pytest.mark.parametrize(
    ("kind", "facets", "values", "where", "found"),
    [
        ("Memo", {}, ["Emma", "emma woodhouse"], "contains(new_it,'EMMA')", 2),
        ("Decimal", {"Precision": 2}, [1.25, 1.5], "new_it gt 1.25", 1),
        ("Money", {}, [10, 20], "new_it ge 10.5", 1),
        ("Double", {}, [0.1, 0.2], "new_it lt 0.15", 1),
        ("BigInt", {}, [2**40, 1], "new_it eq 1099511627776", 1),
        ("MultiSelectPicklist", {"OptionSet": GENRES}, ["1,2", "1"], "new_it eq '1,2'", 1),
    ],
)
def test_new_kinds_are_compared(
    dataverse: DataverseSession,
    kind: str,
    facets: dict[str, Any],
    values: list[Any],
    where: str,
    found: int,
) -> None:
    create_table(dataverse, attribute(kind, "new_It", **facets))
    for value in values:
        dataverse.post("new_books", json={"new_it": value})
    answer = dataverse.get(f"new_books?$filter={where}")
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["value"]) == found


def test_money_comes_with_its_currency(dataverse: DataverseSession) -> None:
    create_table(dataverse, attribute("Money", "new_Price"))
    columns = {c["LogicalName"]: c for c in dataverse.get(f"{BOOK}/Attributes").json()["value"]}
    assert {"new_price_base", "exchangerate", "transactioncurrencyid"} <= set(columns)
    assert columns["new_price_base"]["IsValidForCreate"] is False
    (currency,) = dataverse.get("transactioncurrencies?$filter=isocurrencycode eq 'DKK'").json()[
        "value"
    ]
    place = f"/transactioncurrencies({currency['transactioncurrencyid']})"
    row = {"new_price": 12.345, "transactioncurrencyid@odata.bind": place}
    made = dataverse.post("new_books", json=row).headers["OData-EntityId"]
    read = dataverse.get(f"{made}?$select=new_price,new_price_base")
    assert '"new_price":12.3400' in read.text
    assert '"new_price_base":12.3400' in read.text
    assert read.json()["_transactioncurrencyid_value"] == currency["transactioncurrencyid"]
    assert dataverse.delete(f"{BOOK}/Attributes(LogicalName='new_price')").status_code == 204
    left = dataverse.get(f"{BOOK}/Attributes?$filter=AttributeType eq 'Money'").json()["value"]
    assert left == []


def test_a_default_fills_new_rows(dataverse: DataverseSession) -> None:
    create_table(
        dataverse,
        attribute("Picklist", "new_Genre", OptionSet=GENRES, DefaultFormValue=30),
        attribute("Boolean", "new_Lent", OptionSet=LENT, DefaultValue=True),
    )
    prefer = {"Prefer": "return=representation"}
    row = dataverse.post("new_books", json={}, headers=prefer).json()
    assert (row["new_genre"], row["new_lent"]) == (30, True)
    row = dataverse.post(
        "new_books", json={"new_genre": None, "new_lent": False}, headers=prefer
    ).json()
    assert (row["new_genre"], row["new_lent"]) == (None, False)


def test_a_column_of_a_standard_table(dataverse: DataverseSession) -> None:
    card = definition("msdyn_loyaltycard")
    column = attribute("String", "new_Colour", MaxLength=10)
    dataverse.post("msdyn_loyaltycards", json={"msdyn_cardnumber": "C-1"})
    assert dataverse.post(f"{card}/Attributes", json=column).status_code == 204
    row = "msdyn_loyaltycards(msdyn_cardnumber='c-1')"
    assert dataverse.get(row).json()["new_colour"] is None
    assert dataverse.patch(row, json={"new_colour": "red"}).status_code == 204
    assert dataverse.get(f"{row}?$select=new_colour").json()["new_colour"] == "red"
    refused = dataverse.delete(f"{card}/Attributes(LogicalName='msdyn_partynumber')")
    assert refused.status_code == 400


# ---------------------------------------------------------------------------- change


def put(dataverse: DataverseSession, name: str, **members: Any) -> Any:
    """Changes a column the way clients do: read whole, changed, written whole."""
    path = f"{BOOK}/Attributes(LogicalName='{name}')"
    body = dataverse.get(path).json()
    kind = body["@odata.type"].lstrip("#")
    body = dataverse.get(f"{path}/{kind}").json()
    body = {key: value for key, value in body.items() if not key.startswith("@")}
    return dataverse.put(path, json={**body, "@odata.type": kind, **members})


def test_facets_change(dataverse: DataverseSession) -> None:
    create_table(
        dataverse,
        attribute("String", "new_Title", MaxLength=3),
        attribute("Picklist", "new_Genre", OptionSet=GENRES),
    )
    assert dataverse.post("new_books", json={"new_title": "Emma"}).status_code == 400
    level = {"Value": "ApplicationRequired"}
    assert put(dataverse, "new_title", MaxLength=4, RequiredLevel=level).status_code == 204
    assert dataverse.post("new_books", json={"new_title": "Emma"}).status_code == 204
    shown = dataverse.get(f"{BOOK}/Attributes(LogicalName='new_title')").json()
    assert shown["RequiredLevel"]["Value"] == "ApplicationRequired"
    assert shown["DisplayName"]["UserLocalizedLabel"]["Label"] == "new_Title"
    # Options change by actions of their own.
    less = {"IsGlobal": False, "Options": GENRES["Options"][:1]}  # type: ignore[index]
    assert put(dataverse, "new_genre", OptionSet=less).status_code == 204
    assert dataverse.post("new_books", json={"new_genre": 30}).status_code == 204


def test_more_places_keep_the_values(dataverse: DataverseSession) -> None:
    create_table(dataverse, attribute("Decimal", "new_Price", Precision=2))
    made = dataverse.post("new_books", json={"new_price": 12.35}).headers["OData-EntityId"]
    assert put(dataverse, "new_price", Precision=4).status_code == 204
    assert '"new_price":12.3500' in dataverse.get(f"{made}?$select=new_price").text
    assert put(dataverse, "new_price", Precision=1).status_code == 204
    assert dataverse.get(f"{made}?$select=new_price").json()["new_price"] in (12.3, 12.4)


def test_a_shown_day_becomes_a_day(dataverse: DataverseSession) -> None:
    create_table(dataverse, attribute("DateTime", "new_Printed", **SHOWN_DAY))
    made = dataverse.post("new_books", json={"new_printed": "1815-12-23"}).headers["OData-EntityId"]
    assert put(dataverse, "new_printed", **DAY).status_code == 204
    read = dataverse.get(f"{made}?$select=new_printed").json()
    assert read["new_printed"] == "1815-12-23"
    assert put(dataverse, "new_printed", **SHOWN_DAY).status_code == 400


def test_a_column_can_be_put_under_security(dataverse: DataverseSession) -> None:
    create_table(dataverse, attribute("String", "new_Title", IsSecured=True))
    path = f"{BOOK}/Attributes(LogicalName='new_title')"
    assert dataverse.get(path).json()["IsSecured"] is True
    assert put(dataverse, "new_title", IsSecured=False).status_code == 204
    assert dataverse.get(path).json()["IsSecured"] is False
    create_key(dataverse, "new_book", "new_title")
    assert put(dataverse, "new_title", IsSecured=True).status_code == 400
    party = f"{definition('msdyn_loyaltycard')}/Attributes(LogicalName='msdyn_partynumber')"
    body = dataverse.get(party).json()
    assert (body["IsSecured"], body["CanBeSecuredForRead"]) == (False, True)
    assert dataverse.put(party, json={**body, "IsSecured": True}).status_code == 204
    assert dataverse.get(party).json()["IsSecured"] is True
    assert put(dataverse, "createdon", IsSecured=True).status_code == 400


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("kind", "facets"),
    [
        ("String", {"SchemaName": "Title"}),
        ("String", {"SchemaName": "other_Title"}),
        ("String", {"MaxLength": 0}),
        ("String", {"MaxLength": 4001}),
        ("String", {"MaxLength": "long"}),
        ("String", {"RequiredLevel": {"Value": "Very"}}),
        ("String", {"RequiredLevel": "None"}),
        ("Integer", {"MinValue": 5, "MaxValue": 4}),
        ("Integer", {"MaxValue": 2**31}),
        ("Decimal", {"Precision": 11}),
        ("Money", {"Precision": 5}),
        ("DateTime", {"Format": "Week"}),
        ("DateTime", {"Format": "DateAndTime", "DateTimeBehavior": {"Value": "DateOnly"}}),
        ("Picklist", {"OptionSet": {"Options": [{"Value": 1}, {"Value": 1}]}}),
        ("Picklist", {"OptionSet": {"Options": [{"Value": "one"}]}}),
        ("Picklist", {"OptionSet": {"Options": {}}}),
        ("Lookup", {}),
        ("Image", {}),
        ("Nothing", {}),
    ],
)
def test_columns_that_are_refused(
    dataverse: DataverseSession, kind: str, facets: dict[str, Any]
) -> None:
    create_table(dataverse)
    body = {**attribute(kind, "new_Title"), **facets}
    answer = dataverse.post(f"{BOOK}/Attributes", json=body)
    assert refusal(answer) == (400, "0x80040203")
    assert dataverse.post("new_books", json={}).status_code == 204


def test_a_column_that_is_there(dataverse: DataverseSession) -> None:
    create_table(dataverse, attribute("String", "new_Title"))
    for name in ("new_Title", "new_TITLE", "new_BookId"):
        answer = dataverse.post(f"{BOOK}/Attributes", json=attribute("String", name))
        assert refusal(answer) == (400, "0x80047013")


@pytest.mark.parametrize("name", ["new_name", "new_bookid", "createdon", "statecode"])
def test_columns_a_table_cannot_do_without(dataverse: DataverseSession, name: str) -> None:
    create_table(dataverse)
    assert dataverse.delete(f"{BOOK}/Attributes(LogicalName='{name}')").status_code == 400


def test_a_column_in_a_key_stays(dataverse: DataverseSession) -> None:
    create_table(dataverse, attribute("String", "new_Title"))
    key = create_key(dataverse, "new_book", "new_title")
    path = f"{BOOK}/Attributes(LogicalName='new_title')"
    assert refusal(dataverse.delete(path)) == (400, "0x8004f01f")
    assert dataverse.delete(key).status_code == 204
    assert dataverse.delete(path).status_code == 204


def test_a_file_column_is_there_and_empty(dataverse: DataverseSession) -> None:
    create_table(dataverse, attribute("File", "new_Scan"))
    made = dataverse.post("new_books", json={}).headers["OData-EntityId"]
    assert dataverse.get(f"{made}?$select=new_scan").json()["new_scan"] is None
    missing = dataverse.get(f"{BOOK}/Attributes(LogicalName='nothing')")
    assert refusal(missing) == (404, "0x80040217")
