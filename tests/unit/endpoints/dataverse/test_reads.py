"""Records by id and by text, whatever characters are in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from connector.endpoints.dataverse import DataverseEndpoint
from connector.errors import MapError

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from tests.unit.endpoints.scripted import Service

API = "https://org.example/api/data/v9.2/"
Query = "Callable[[PreparedRequest], dict[str, str]]"


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def item(number: int, name: str) -> dict[str, Any]:
    return {
        "@odata.etag": f'W/"{number}"',
        "pointid": id_of(number),
        "modifiedon": None,
        "_modifiedby_value": None,
        "name": name,
        "rank": number,
    }


def asked(filter: str) -> tuple[str, list[str]]:
    """Column and values of the In function."""
    match = re.fullmatch(
        r"Microsoft\.Dynamics\.CRM\.In\(PropertyName='(\w+)',PropertyValues=(.*)\)", filter
    )
    assert match is not None, filter
    return match[1], json.loads(match[2])


def test_by_id(
    points: Service,
    endpoint: DataverseEndpoint,
    query_of: Callable[[PreparedRequest], dict[str, str]],
) -> None:
    points.on("GET", "points", body={"value": [item(1, "A")]})
    upper = id_of(1).upper()
    found = endpoint.read("points", ["rank"], by=None, values=[upper, id_of(2), "no guid"])
    assert list(found.rows) == [upper]
    (row,) = found.rows[upper]
    assert (row.id, row.version, row.image) == (id_of(1), "1", (1,))
    (request,) = points.calls("GET", "/points")
    assert asked(query_of(request)["$filter"]) == ("pointid", [upper, id_of(2)])


def test_by_text_every_spelling_that_was_asked_finds_the_row(
    points: Service,
    endpoint: DataverseEndpoint,
    query_of: Callable[[PreparedRequest], dict[str, str]],
) -> None:
    rows = [item(1, "c-1"), item(2, "O'Brian"), item(3, 'x"&+%#/ä'), item(4, "other")]
    points.on("GET", "points", body={"value": rows})
    wanted = ["C-1", "c-1 ", "O'Brian", 'x"&+%#/ä', "absent", "", "nul\x00"]
    found = endpoint.read("points", ["rank"], by="name", values=wanted)
    assert {value: [row.image for row in rows] for value, rows in found.rows.items()} == {
        "C-1": [(1,)],
        "c-1 ": [(1,)],
        "O'Brian": [(2,)],
        'x"&+%#/ä': [(3,)],
    }
    (request,) = points.calls("GET", "/points")
    assert asked(query_of(request)["$filter"]) == (
        "name",
        ["C-1", "O'Brian", 'x"&+%#/ä', "absent"],
    )


def test_several_rows_of_one_value_come_together_over_pages(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    link = f"{API}points?$skiptoken=2"
    points.on("GET", "points", body={"value": [item(1, "A")], "@odata.nextLink": link})
    points.on("GET", link, body={"value": [item(2, "a")]})
    found = endpoint.read("points", ["name"], by="name", values=["A"])
    assert [row.image for row in found.rows["A"]] == [("A",), ("a",)]


def test_urls_stay_below_sixteen_kilobytes(
    points: Service,
    endpoint: DataverseEndpoint,
    query_of: Callable[[PreparedRequest], dict[str, str]],
) -> None:
    points.on("GET", "points", body={"value": []})
    values = [f"日本語のカード番号 {number}" for number in range(700)]
    endpoint.read("points", ["rank"], by="name", values=values)
    requests = points.calls("GET", "/points")
    assert len(requests) > 1
    assert all(len(request.url or "") < 16_000 for request in requests)
    every = [value for request in requests for value in asked(query_of(request)["$filter"])[1]]
    assert every == values


def test_nothing_asked_asks_nothing(points: Service, endpoint: DataverseEndpoint) -> None:
    assert endpoint.read("points", ["name"], by="name", values=[]).rows == {}
    assert points.calls("GET", "/points") == []


@pytest.mark.parametrize("column", ["rank", "nosuch"])
def test_only_a_text_column_can_be_asked_by(
    points: Service, endpoint: DataverseEndpoint, column: str
) -> None:
    with pytest.raises(MapError) as caught:
        endpoint.read("points", ["name"], by=column, values=["1"])
    assert caught.value.code == "column-unknown"


def test_a_refusal_is_told(points: Service, endpoint: DataverseEndpoint) -> None:
    points.error("GET", "points", 400, "0x0", "Could not find a property named 'name'")
    with pytest.raises(MapError) as caught:
        endpoint.read("points", ["name"], by="name", values=["A"])
    assert caught.value.code == "column-unknown"
