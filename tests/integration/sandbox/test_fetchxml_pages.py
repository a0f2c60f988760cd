"""FetchXML: rows grouped, and rows in pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from tests.integration.sandbox.fetching import (
    ANNOTATED,
    FORMATTED,
    NUMBER,
    POINTS,
    about,
    fetch,
    link,
    put_points,
)

if TYPE_CHECKING:
    from tests.conftest import DataverseSession


@pytest.fixture(autouse=True)
def points(dataverse: DataverseSession) -> None:
    put_points(dataverse)


# ---------------------------------------------------------------------------- aggregates


def aggregated(dataverse: DataverseSession, inside: str, **headers: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]]
    rows = fetch(dataverse, about(inside, "aggregate='true'"), **headers)["value"]
    return rows


def test_aggregates_of_everything(dataverse: DataverseSession) -> None:
    functions = ("count", "countcolumn", "sum", "avg", "min", "max")
    columns = "".join(
        f"<attribute name='msdyn_redeemranking' alias='{one}' aggregate='{one}' />"
        for one in functions
    )
    (row,) = aggregated(dataverse, columns)
    assert row == {"count": 4, "countcolumn": 3, "sum": 9, "avg": 3, "min": 1, "max": 5}
    (row,) = aggregated(dataverse, columns, **ANNOTATED)
    assert row["count@" + FORMATTED] == "4"


def test_groups(dataverse: DataverseSession) -> None:
    xml = (
        "<attribute name='msdyn_rewardpointid' alias='kinds' aggregate='count' />"
        "<attribute name='msdyn_rewardpointcurrency' alias='currency' groupby='true' />"
        "<order alias='kinds' descending='true' />"
    )
    rows = aggregated(dataverse, xml, **ANNOTATED)
    assert (rows[0]["kinds"], rows[0]["currency@" + FORMATTED]) == (2, "Euro")
    assert sorted(row["kinds"] for row in rows) == [1, 1, 2]


def test_groups_by_parts_of_a_date(dataverse: DataverseSession) -> None:
    for number, day in enumerate(("2023-03-25", "2023-08-27", "2023-08-28")):
        dataverse.post(
            "msdyn_loyaltycards",
            json={"msdyn_cardnumber": f"C-{number}", "msdyn_enrollmentdate": day},
        )
    parts = "".join(
        f"<attribute name='msdyn_enrollmentdate' alias='{part}' groupby='true' "
        f"dategrouping='{part}' />"
        for part in ("month", "week", "quarter", "year")
    )
    xml = about(
        f"<attribute name='msdyn_cardnumber' alias='n' aggregate='count' />{parts}"
        "<order alias='month' />",
        "aggregate='true'",
        "msdyn_loyaltycard",
    )
    rows = fetch(dataverse, xml, "msdyn_loyaltycards")["value"]
    assert rows == [
        {"n": 1, "month": 3, "week": 12, "quarter": 1, "year": 2023},
        {"n": 2, "month": 8, "week": 35, "quarter": 3, "year": 2023},
    ]


# ---------------------------------------------------------------------------- pages


def test_pages_by_cookie(dataverse: DataverseSession) -> None:
    xml = about(NUMBER, "count='2' page='1'")
    prefer = {
        "Prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.fetchxmlpagingcookie,'
        'Microsoft.Dynamics.CRM.morerecords"'
    }
    first = fetch(dataverse, xml, **prefer)
    assert first["@Microsoft.Dynamics.CRM.morerecords"] is True
    cookie = ElementTree.fromstring(first["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"])
    assert (cookie.get("pagenumber"), cookie.get("istracking")) == ("2", "False")
    inner = unquote(unquote(cookie.get("pagingcookie", "")))
    last = first["value"][-1]["msdyn_loyaltyrewardpointid"].upper()
    assert re.fullmatch(
        r'<cookie page="1"><(\w+) last="\{' + last + r'\}" first="[^"]+" /></cookie>', inner
    )
    document = ElementTree.fromstring(xml)
    document.set("paging-cookie", inner)
    document.set("page", "2")
    second = fetch(dataverse, ElementTree.tostring(document, encoding="unicode"), **prefer)
    assert [row["msdyn_rewardpointid"] for row in second["value"]] == ["C", "D"]
    assert second["@Microsoft.Dynamics.CRM.morerecords"] is False
    assert "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie" not in second


def test_rows_that_come_meanwhile_move_no_page(dataverse: DataverseSession) -> None:
    """Behind a cookie, in the order of ids, a page starts where the last one ended."""
    xml = about("<attribute name='msdyn_rewardpointid' />", "count='2' page='1'")
    first = fetch(dataverse, xml, **ANNOTATED)
    cookie = ElementTree.fromstring(first["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"])
    early = {"msdyn_loyaltyrewardpointid": "00000000-0000-0000-0000-000000000001"}
    dataverse.post(POINTS, json={"msdyn_rewardpointid": "0", **early})
    document = ElementTree.fromstring(xml)
    document.set("paging-cookie", unquote(unquote(cookie.get("pagingcookie", ""))))
    document.set("page", "2")
    second = fetch(dataverse, ElementTree.tostring(document, encoding="unicode"))
    found = [row["msdyn_rewardpointid"] for row in first["value"] + second["value"]]
    assert sorted(found) == ["A", "B", "C", "D"]


def test_a_query_ordered_by_a_join_has_no_cookie(dataverse: DataverseSession) -> None:
    order = "<order entityname='c' attribute='isocurrencycode' />"
    xml = about(order + link("inner", ""), "count='1'")
    body = fetch(dataverse, xml, **ANNOTATED)
    assert body["@Microsoft.Dynamics.CRM.morerecords"] is True
    assert "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie" not in body


def test_annotations_of_pages_come_when_asked_for(dataverse: DataverseSession) -> None:
    assert set(fetch(dataverse, about(NUMBER, "count='1'"))) == {"@odata.context", "value"}


def test_totals(dataverse: DataverseSession) -> None:
    xml = about(NUMBER, "count='1' returntotalrecordcount='true'")
    body = fetch(dataverse, xml, **ANNOTATED)
    assert body["@Microsoft.Dynamics.CRM.totalrecordcount"] == 4
    assert body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False
