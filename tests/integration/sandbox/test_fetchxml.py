"""FetchXML reads: columns, conditions, joins, refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.integration.sandbox.fetching import (
    ANNOTATED,
    CURRENCIES,
    CURRENCY,
    FORMATTED,
    NUMBER,
    POINT,
    POINTS,
    about,
    fetch,
    link,
    put_points,
)

if TYPE_CHECKING:
    from tests.conftest import DataverseSession


def numbers(dataverse: DataverseSession, filters: str) -> str:
    rows = fetch(dataverse, about(NUMBER + filters))["value"]
    return "".join(row["msdyn_rewardpointid"] for row in rows)


CODE = "<attribute name='isocurrencycode' />"
IS_EURO = "<filter><condition attribute='isocurrencycode' operator='eq' value='eur' /></filter>"


@pytest.fixture(autouse=True)
def points(dataverse: DataverseSession) -> None:
    put_points(dataverse)


# ---------------------------------------------------------------------------- columns


def test_columns_come_with_id_and_etag_and_without_nulls(dataverse: DataverseSession) -> None:
    columns = "<attribute name='msdyn_redeemranking' /><attribute name='msdyn_rewardpointid' />"
    order = "<order attribute='msdyn_rewardpointid' descending='true' />"
    body = fetch(dataverse, about(columns + order))
    first, second = body["value"][:2]
    assert set(first) == {"@odata.etag", "msdyn_rewardpointid", "msdyn_loyaltyrewardpointid"}
    assert second["msdyn_redeemranking"] == 5
    assert body["@odata.context"].startswith(f"{dataverse.api}/$metadata#{POINTS}(")


def test_no_columns_means_all_of_them(dataverse: DataverseSession) -> None:
    for inside in ("", "<all-attributes />"):
        row = fetch(dataverse, about(inside, "top='1'"))["value"][0]
        assert {"createdon", "statecode", "_ownerid_value", "versionnumber"} <= set(row)


def test_formatted_values_and_aliases(dataverse: DataverseSession) -> None:
    columns = (
        "<attribute name='msdyn_redeemranking' alias='rank' />"
        "<attribute name='msdyn_rewardpointcurrency' />"
        "<filter><condition attribute='msdyn_rewardpointid' operator='eq' value='a' /></filter>"
    )
    (row,) = fetch(dataverse, about(columns), **ANNOTATED)["value"]
    assert row["rank@OData.Community.Display.V1.AttributeName"] == "msdyn_redeemranking"
    assert row["_msdyn_rewardpointcurrency_value@" + FORMATTED] == "Euro"
    lookup = "_msdyn_rewardpointcurrency_value@Microsoft.Dynamics.CRM.lookuplogicalname"
    assert row[lookup] == CURRENCY


def test_formatted_values_of_every_kind(dataverse: DataverseSession) -> None:
    names = ("exchangerate", "createdon", "currencyprecision")
    columns = "".join(f"<attribute name='{name}' />" for name in names)
    row = fetch(dataverse, about(columns, "top='1'", CURRENCY), CURRENCIES, **ANNOTATED)["value"][0]
    assert row["exchangerate"] == 1
    assert row["exchangerate@" + FORMATTED].startswith("1.0")
    assert row["createdon@" + FORMATTED].endswith("M")
    assert row["currencyprecision@" + FORMATTED] in "02"


# ---------------------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("operator='eq' value='a'", "A"),
        ("operator='ne' value='a'", "BCD"),
        ("operator='like' value='[a-b]'", "AB"),
        ("operator='not-like' value='%a%'", "BCD"),
        ("operator='begins-with' value='C'", "C"),
        ("operator='not-end-with' value='c'", "ABD"),
        ("operator='in'><value>a</value><value>D</value></condition", "AD"),
        ("operator='not-in'><value>a</value><value>D</value></condition", "BC"),
        ("operator='between'><value>b</value><value>c</value></condition", "BC"),
        ("operator='null'", ""),
        ("operator='not-null'", "ABCD"),
    ],
)
def test_conditions_on_text(dataverse: DataverseSession, condition: str, found: str) -> None:
    closed = condition if condition.endswith("condition") else f"{condition} /"
    xml = f"<filter><condition attribute='msdyn_rewardpointid' {closed}></filter>"
    assert numbers(dataverse, xml) == found


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("attribute='msdyn_redeemranking' operator='gt' value='1'", "AC"),
        ("attribute='msdyn_redeemranking' operator='null'", "D"),
        ("attribute='msdyn_redeemable' operator='eq' value='1'", "D"),
        ("attribute='statecode' operator='eq' value='0'", "ABCD"),
        ("attribute='createdon' operator='today'", "ABCD"),
        ("attribute='createdon' operator='last-x-hours' value='1'", "ABCD"),
        ("attribute='createdon' operator='olderthan-x-days' value='1'", ""),
        ("attribute='ownerid' operator='eq-userid'", "ABCD"),
        ("attribute='createdby' operator='eq' valueof='modifiedby'", "ABCD"),
    ],
)
def test_conditions_on_other_types(dataverse: DataverseSession, condition: str, found: str) -> None:
    assert numbers(dataverse, f"<filter><condition {condition} /></filter>") == found


def test_filters_nest(dataverse: DataverseSession) -> None:
    def is_number(number: str) -> str:
        return f"<condition attribute='msdyn_rewardpointid' operator='eq' value='{number}' />"

    either = f"<filter type='or'>{is_number('A')}{is_number('D')}</filter>"
    no_currency = "<condition attribute='msdyn_rewardpointcurrency' operator='null' />"
    assert numbers(dataverse, f"<filter>{either}{no_currency}</filter>") == "D"
    assert numbers(dataverse, "<filter />") == "ABCD"


# ---------------------------------------------------------------------------- joins


@pytest.mark.parametrize(
    ("kind", "inside", "found"),
    [
        ("inner", CODE, "A EUR, B EUR, C DKK"),
        ("outer", CODE, "A EUR, B EUR, C DKK, D"),
        ("inner", CODE + IS_EURO, "A EUR, B EUR"),
        ("outer", CODE + IS_EURO, "A EUR, B EUR, C, D"),
        ("exists", IS_EURO, "A, B"),
        ("in", "", "A, B, C"),
    ],
)
def test_joins(dataverse: DataverseSession, kind: str, inside: str, found: str) -> None:
    rows = fetch(dataverse, about(NUMBER + link(kind, inside)))["value"]
    shown = [
        " ".join(filter(None, (row["msdyn_rewardpointid"], row.get("c.isocurrencycode"))))
        for row in rows
    ]
    assert ", ".join(shown) == found


def test_a_condition_on_a_joined_table(dataverse: DataverseSession) -> None:
    """The usual way to ask for rows without a related one."""
    none = (
        "<filter><condition entityname='c' attribute='transactioncurrencyid' operator='null' />"
        "</filter>"
    )
    assert numbers(dataverse, link("outer", "") + none) == "D"


@pytest.mark.parametrize(("kind", "found"), [("any", "DKK, EUR"), ("not any", "CAD, CHF")])
def test_related_rows_inside_a_filter(dataverse: DataverseSession, kind: str, found: str) -> None:
    codes = "".join(f"<value>{code}</value>" for code in ("CAD", "CHF", "DKK", "EUR"))
    xml = about(
        f"{CODE}<order attribute='isocurrencycode' /><filter>"
        f"<condition attribute='isocurrencycode' operator='in'>{codes}</condition>"
        f"<link-entity name='{POINT}' from='msdyn_rewardpointcurrency' "
        f"to='transactioncurrencyid' link-type='{kind}' /></filter>",
        table=CURRENCY,
    )
    rows = fetch(dataverse, xml, CURRENCIES)["value"]
    assert ", ".join(row["isocurrencycode"] for row in rows) == found


def test_joins_of_joins_and_default_aliases(dataverse: DataverseSession) -> None:
    xml = about(
        f"{NUMBER}<link-entity name='{CURRENCY}' from='transactioncurrencyid' "
        f"to='msdyn_rewardpointcurrency'>{CODE}<link-entity name='systemuser' from='systemuserid' "
        "to='createdby'><attribute name='fullname' alias='maker' /></link-entity></link-entity>"
    )
    row = fetch(dataverse, xml)["value"][0]
    assert row[f"{CURRENCY}1.isocurrencycode"] == "EUR"
    assert row["maker"] == "SYSTEM"


def test_order_by_a_joined_column(dataverse: DataverseSession) -> None:
    order = "<order entityname='c' attribute='isocurrencycode' />"
    xml = about(order + NUMBER + link("inner", CODE))
    rows = fetch(dataverse, xml)["value"]
    assert [row["msdyn_rewardpointid"] for row in rows] == ["C", "A", "B"]


def test_distinct_rows_have_no_id(dataverse: DataverseSession) -> None:
    xml = about("<attribute name='msdyn_redeemable' />" + link("inner", CODE), "distinct='true'")
    rows = fetch(dataverse, xml)["value"]
    assert sorted(row["c.isocurrencycode"] for row in rows) == ["DKK", "EUR"]
    assert "msdyn_loyaltyrewardpointid" not in rows[0]


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("xml", "status", "code"),
    [
        ("<fetch", 400, "0x80040201"),
        ("<entity name='x' />", 400, "0x80040203"),
        ("<fetch />", 400, "0x80040203"),
        (about("", table="nothing"), 400, "0x80041102"),
        (about("<attribute name='name' />"), 400, "0x80041103"),
        (about("", table=CURRENCY), 400, "0x80060888"),
        (about("", "top='1' page='2'"), 400, "0x80040203"),
        (about("", "count='many'"), 400, "0x80040203"),
        (about("", "page='2' paging-cookie='x'"), 400, "0x80041129"),
        (about("<order alias='x' />"), 400, "0x80040203"),
        (about("<filter><nothing /></filter>"), 400, "0x80040203"),
        (about(link("matchfirstrowusingcrossapply", "")), 501, "0x80060888"),
        (about(link("inner", "") + link("inner", "")), 400, "0x80040203"),
        (
            about("<filter><condition attribute='ownerid' operator='under' /></filter>"),
            501,
            "0x80060888",
        ),
        (
            about(
                "<attribute name='msdyn_rewardpointid' alias='n' aggregate='sum' />",
                "aggregate='1'",
            ),
            400,
            "0x80040203",
        ),
        (
            about(
                "".join(
                    f"<link-entity name='{CURRENCY}' from='transactioncurrencyid' "
                    "to='msdyn_rewardpointcurrency' />"
                    for _ in range(16)
                )
            ),
            400,
            "0x8004430d",
        ),
    ],
)
def test_refusals(dataverse: DataverseSession, xml: str, status: int, code: str) -> None:
    answer = dataverse.get(POINTS, params={"fetchXml": xml})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


def test_entities_of_xml_are_not_followed(dataverse: DataverseSession) -> None:
    xml = (
        "<!DOCTYPE fetch [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>"
        f"<fetch><entity name='{POINT}'><filter><condition attribute='msdyn_rewardpointid' "
        "operator='eq'><value>&x;</value></condition></filter></entity></fetch>"
    )
    answer = dataverse.get(POINTS, params={"fetchXml": xml})
    assert answer.json().get("value", []) == []


def test_another_language_beside_it(dataverse: DataverseSession) -> None:
    answer = dataverse.get(POINTS, params={"fetchXml": about(""), "sql": "SELECT x FROM y"})
    assert answer.status_code == 400
    assert dataverse.get(POINTS, params={"savedQuery": "x"}).status_code == 501


def test_a_long_query_goes_in_a_batch(dataverse: DataverseSession) -> None:
    """A URL of its own has half the room of one in a batch."""
    values = "".join(f"<value>{number:>08}</value>" for number in range(1900))
    condition = f"<condition attribute='msdyn_rewardpointid' operator='not-in'>{values}</condition>"
    query = quote(about(NUMBER + f"<filter>{condition}</filter>"), safe="")
    assert 32_768 < len(query) < 65_536
    assert dataverse.get(f"{POINTS}?fetchXml={query}").status_code == 414
    part = f"GET {dataverse.api}/{POINTS}?fetchXml={query} HTTP/1.1\r\n\r\n\r\n"
    body = f"--b\r\nContent-Type: application/http\r\n\r\n{part}--b--\r\n"
    kind = {"Content-Type": "multipart/mixed; boundary=b"}
    answer = dataverse.post("$batch", data=body, headers=kind)
    assert answer.status_code == 200
    assert answer.text.count('msdyn_rewardpointid":') == 4
