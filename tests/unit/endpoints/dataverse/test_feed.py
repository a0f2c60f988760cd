"""The tracked read, the second look, and the delta feed, in the documented forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from connector.endpoints.base import Page
from connector.endpoints.dataverse import DataverseEndpoint
from connector.errors import AccessError, MapError, PositionExpiredError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from tests.unit.endpoints.scripted import Service

API = "https://org.example/api/data/v9.2/"
NEXT = f"{API}points?$select=name&$skiptoken=%3Ccookie%20pagenumber=%222%22%20/%3E"
DELTA = f"{API}points?$select=name&$deltatoken=919042%2108%2f22%2f2017%2008%3a10%3a44"
DELTA2 = f"{API}points?$select=name&$deltatoken=919058%2101%2f05%2f2026%2010%3a00%3a00"


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def item(number: int, version: int, name: str | None = None) -> dict[str, Any]:
    return {
        "@odata.etag": f'W/"{version}"',
        "pointid": id_of(number),
        "modifiedon": "2026-01-02T03:04:05Z",
        "_modifiedby_value": id_of(99),
        "name": name or f"P{number}",
    }


def deleted(number: int) -> dict[str, Any]:
    return {
        "@odata.context": f"{API}$metadata#points/$deletedEntity",
        "id": id_of(number),
        "reason": "deleted",
    }


def names(page: Page) -> list[object]:
    return [row.image[0] for row in page.rows]


def script_scan(service: Service) -> None:
    """Two tracked pages, then one row changed meanwhile."""
    service.on("GET", "points", body={"value": [{"versionnumber": 500}]})
    service.on(
        "GET", "points", body={"value": [item(1, 400), item(2, 450)], "@odata.nextLink": NEXT}
    )
    service.on("GET", NEXT, body={"value": [item(3, 500)], "@odata.deltaLink": DELTA})
    service.on("GET", "points", body={"value": [item(1, 501, "P1 changed")]})


def test_a_scan_page_by_page(
    points: Service,
    endpoint: DataverseEndpoint,
    query_of: Callable[[PreparedRequest], dict[str, str]],
) -> None:
    script_scan(points)
    pages = list(endpoint.scan("points", ["name"], None))
    assert [names(page) for page in pages] == [["P1", "P2"], ["P3"], ["P1 changed"]]
    assert [page.last for page in pages] == [False, False, True]
    assert [page.position is not None for page in pages] == [False, False, True]
    assert pages[0].rows[0].id == id_of(1)
    assert pages[0].rows[0].version == "400"
    assert pages[0].rows[0].modifier == id_of(99)

    noted, first, second, again = points.calls("GET", "/points")
    assert query_of(noted) == {
        "$select": "versionnumber",
        "$orderby": "versionnumber desc",
        "$top": "1",
    }
    assert query_of(first) == {"$select": "pointid,modifiedon,_modifiedby_value,name"}
    assert first.headers["Prefer"] == "odata.track-changes,odata.maxpagesize=2"
    assert unquote(second.url or "") == unquote(NEXT)
    assert second.headers["Prefer"] == first.headers["Prefer"]
    assert query_of(again)["$filter"] == "versionnumber gt 500"
    assert "track-changes" not in again.headers["Prefer"]


def test_a_page_is_fetched_when_it_is_asked_for(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_scan(points)
    pages = endpoint.scan("points", ["name"], None)
    next(pages)
    assert len(points.calls("GET", "skiptoken")) == 0
    next(pages)
    assert len(points.calls("GET", "versionnumber%20gt")) == 0


def test_a_scan_goes_on_after_each_of_its_pages(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_scan(points)
    first, second, last = endpoint.scan("points", ["name"], None)
    rest = list(endpoint.scan("points", ["name"], first.resume))
    assert [names(page) for page in rest] == [["P3"], ["P1 changed"]]
    assert rest[-1].position == last.position
    rest = list(endpoint.scan("points", ["name"], second.resume))
    assert [names(page) for page in rest] == [["P1 changed"]]
    assert rest[-1].position == last.position


def test_an_empty_table_still_has_a_position(points: Service, endpoint: DataverseEndpoint) -> None:
    points.on("GET", "points", body={"value": []})
    points.on("GET", "points", body={"value": [], "@odata.deltaLink": DELTA})
    points.on("GET", "points", body={"value": []})
    pages = list(endpoint.scan("points", ["name"], None))
    assert [len(page.rows) for page in pages] == [0, 0]
    assert pages[-1].position is not None
    assert "versionnumber%20gt%200" in str(points.calls("GET", "/points")[-1].url)


def test_the_second_look_has_pages_too(points: Service, endpoint: DataverseEndpoint) -> None:
    points.on("GET", "points", body={"value": [{"versionnumber": 5}]})
    points.on("GET", "points", body={"value": [], "@odata.deltaLink": DELTA})
    points.on("GET", "points", body={"value": [item(1, 6)], "@odata.nextLink": NEXT})
    points.on("GET", NEXT, body={"value": [item(2, 7)]})
    pages = list(endpoint.scan("points", ["name"], None))
    assert [names(page) for page in pages] == [[], ["P1"], ["P2"]]
    (rest,) = endpoint.scan("points", ["name"], pages[1].resume)
    assert names(rest) == ["P2"]
    assert rest.position == pages[-1].position


def test_a_table_without_tracking_is_refused(
    untracked: Service, endpoint: DataverseEndpoint
) -> None:
    with pytest.raises(MapError) as caught:
        next(endpoint.scan("points", ["name"], None))
    assert caught.value.code == "change-tracking-off"


def test_tracking_found_off_only_by_the_read(points: Service, endpoint: DataverseEndpoint) -> None:
    points.on("GET", "points", body={"value": []})
    points.error("GET", "points", 400, "0x80072491", "Entity point isn't enabled")
    with pytest.raises(MapError) as caught:
        next(endpoint.scan("points", ["name"], None))
    assert caught.value.code == "change-tracking-off"


def test_a_snapshot_without_a_delta_link_is_no_snapshot(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    points.on("GET", "points", body={"value": []})
    with pytest.raises(MapError) as caught:
        list(endpoint.scan("points", ["name"], None))
    assert caught.value.code == "change-tracking-off"


# ---------------------------------------------------------------------------- changes


def position(link: str | None = DELTA, columns: tuple[str, ...] = ("name",)) -> str:
    return json.dumps({"columns": columns, "noted": 0, "next": None, "delta": link})


def test_changes_and_deletes(points: Service, endpoint: DataverseEndpoint) -> None:
    body = {
        "@odata.context": f"{API}$metadata#points(name)/$delta",
        "@odata.deltaLink": DELTA2,
        "value": [item(9, 919050, "new"), deleted(4)],
    }
    points.on("GET", DELTA, body=body)
    (page,) = endpoint.changes("points", ["name"], position())
    assert names(page) == ["new"]
    assert page.deleted == [id_of(4)]
    assert page.last
    assert page.position is not None
    points.on("GET", DELTA2, body={"value": [], "@odata.deltaLink": DELTA2})
    (page,) = endpoint.changes("points", ["name"], page.position)
    assert (page.rows, page.deleted, page.last) == ([], [], True)
    assert unquote(points.calls("GET", "deltatoken")[-1].url or "") == unquote(DELTA2)


def test_changes_in_pages_resume_after_each(points: Service, endpoint: DataverseEndpoint) -> None:
    points.on("GET", DELTA, body={"value": [item(1, 7)], "@odata.nextLink": NEXT})
    points.on("GET", NEXT, body={"value": [deleted(2)], "@odata.deltaLink": DELTA2})
    first, last = endpoint.changes("points", ["name"], position())
    assert (first.last, first.position) == (False, None)
    assert first.resume is not None
    (again,) = endpoint.changes("points", ["name"], first.resume)
    assert again == last


@pytest.mark.parametrize("body", [{}, {"value": []}])
def test_an_answer_without_a_new_link_keeps_the_old_one(
    points: Service, endpoint: DataverseEndpoint, body: dict[str, Any]
) -> None:
    points.on("GET", DELTA, body=body)
    (page,) = endpoint.changes("points", ["name"], position())
    assert page.rows == []
    assert json.loads(page.position or "")["delta"] == DELTA


def test_an_entry_may_only_name_its_reason(points: Service, endpoint: DataverseEndpoint) -> None:
    body = {"value": [{"id": id_of(4).upper(), "reason": "deleted"}], "@odata.deltaLink": DELTA2}
    points.on("GET", DELTA, body=body)
    (page,) = endpoint.changes("points", ["name"], position())
    assert page.deleted == [id_of(4)]


@pytest.mark.parametrize("status", [400, 404, 410, 412])
def test_a_refused_delta_link_has_expired(
    points: Service, endpoint: DataverseEndpoint, status: int
) -> None:
    points.error("GET", DELTA, status, "0x80044352", "Please perform a full sync.")
    with pytest.raises(PositionExpiredError) as caught:
        list(endpoint.changes("points", ["name"], position()))
    assert "full sync" in (caught.value.cause or "")


def test_a_missing_privilege_is_no_expiry(points: Service, endpoint: DataverseEndpoint) -> None:
    points.error("GET", DELTA, 403, "0x80040220", "is missing prvReadpoint privilege")
    with pytest.raises(AccessError):
        list(endpoint.changes("points", ["name"], position()))


def test_throttling_is_no_expiry(points: Service, endpoint: DataverseEndpoint) -> None:
    points.error("GET", DELTA, 429, "0x80072322")
    with pytest.raises(UnreachableError) as caught:
        list(endpoint.changes("points", ["name"], position()))
    assert caught.value.code == "throttled"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        position(columns=("name", "rank")),
        position(link=None),
        position(link="https://other.example/api/data/v9.2/points?$deltatoken=1"),
    ],
)
def test_positions_that_are_not_ours_ask_for_a_scan(
    points: Service, endpoint: DataverseEndpoint, text: str
) -> None:
    with pytest.raises(PositionExpiredError):
        list(endpoint.changes("points", ["name"], text))


def test_a_resume_mark_that_is_refused_asks_for_a_scan(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    script_scan(points)
    first = next(endpoint.scan("points", ["name"], None))
    points.forget("GET", NEXT)
    points.error("GET", NEXT, 400, "", "old")
    with pytest.raises(PositionExpiredError):
        list(endpoint.scan("points", ["name"], first.resume))


@pytest.mark.parametrize("value", [[{"pointid": "x"}], "text", [1]])
def test_rows_that_cannot_be_understood_stop_the_feed(
    points: Service, endpoint: DataverseEndpoint, value: object
) -> None:
    points.on("GET", DELTA, body={"value": value, "@odata.deltaLink": DELTA2})
    with pytest.raises(UnreachableError) as caught:
        list(endpoint.changes("points", ["name"], position()))
    assert caught.value.code == "answer-unreadable"


def test_a_cut_off_page_stops_the_feed(points: Service, endpoint: DataverseEndpoint) -> None:
    points.on("GET", DELTA, body='{"value":[')
    with pytest.raises(UnreachableError) as caught:
        list(endpoint.changes("points", ["name"], position()))
    assert caught.value.code == "answer-unreadable"
