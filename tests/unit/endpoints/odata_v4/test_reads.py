"""Reads by id and text: bounded filters, many in one request, and answers that are none."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from requests import PreparedRequest

from connector.endpoints.base import Create
from connector.endpoints.odata_v4 import ODataV4Endpoint
from connector.endpoints.odata_v4.reads import LONGEST_FILTER, MOST_COMPARISONS
from connector.errors import DualWriteError, MapError, UnreachableError
from connector.odata.batch import BatchRequest, parse_batch
from tests.odata_v4_service import ROOT, Answer, MemoryService, path_of
from tests.unit.endpoints.odata_v4.conftest import Open

COLUMNS = ["Text"]


def fill(endpoint: ODataV4Endpoint, *numbers: str) -> None:
    creates = [
        Create(f"Number='{n}'", {"Number": n, "Text": f"t{n}"[:20], "Count": 2**40})
        for n in numbers
    ]
    endpoint.write("Cards", [], creates)


def filters(service: MemoryService) -> list[str]:
    """The lists asked for, alone or in a batch, still encoded."""
    found: list[str] = []
    for one in service.asked:
        if str(one.url).endswith("$batch"):
            assert isinstance(one.body, bytes)
            parts = parse_batch(one.body, str(one.headers["Content-Type"]))
            gets = [p for p in parts if isinstance(p, BatchRequest) and p.method == "GET"]
            found += [part.url for part in gets]
        elif "$filter" in str(one.url):
            found.append(str(one.url))
    return [url.partition("$filter=")[2].partition("&")[0] for url in found]


def test_filters_stay_within_what_servers_take(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    short = [f"{n:03}" for n in range(90)]
    long = [f"{'日' * 36}{n:03}" for n in range(30)]
    fill(endpoint, *short, *long)
    service.asked.clear()
    found = endpoint.read("Cards", COLUMNS, by="Number", values=[*short, *long])
    assert len(found.rows) == 120
    asked = filters(service)
    assert all(one.count("eq") <= MOST_COMPARISONS for one in asked)
    assert all(len(one) <= LONGEST_FILTER for one in asked)
    batches = [one for one in service.asked if str(one.url).endswith("$batch")]
    assert len(batches) == 1


def test_a_service_without_batches_is_asked_list_by_list(
    opened: Open, service: MemoryService
) -> None:
    service.batches = False
    endpoint = opened(batches=False)
    fill(endpoint, *(f"{n:03}" for n in range(50)))
    found = endpoint.read("Cards", [], by="Number", values=[f"{n:03}" for n in range(50)])
    assert len(found.rows) == 50


@pytest.mark.parametrize("damage", [b"", b"<html>no</html>", b"--x\r\n"])
def test_what_a_batch_does_not_answer_is_asked_alone(
    endpoint: ODataV4Endpoint, service: MemoryService, damage: bytes
) -> None:
    fill(endpoint, *(f"{n:03}" for n in range(50)))
    headers = {"Content-Type": "multipart/mixed; boundary=x"}

    def instead(request: PreparedRequest) -> Answer | None:
        return (200, headers, damage) if str(request.url).endswith("$batch") else None

    service.instead = instead
    values = [f"{n:03}" for n in range(50)]
    assert len(endpoint.read("Cards", [], by="Number", values=values).rows) == 50


def test_keys_of_several_columns(endpoint: ODataV4Endpoint, service: MemoryService) -> None:
    creates = [
        Create("", {"Order": order, "No": no, "Text": f"{order}{no}"})
        for order in ("A", "B'")
        for no in (1, 2)
    ]
    outcomes = endpoint.write("Lines", ["Text"], creates)
    ids = [getattr(one, "id", "") for one in outcomes]
    assert ids == ["Order='A',No=1", "Order='A',No=2", "Order='B''',No=1", "Order='B''',No=2"]
    found = endpoint.read("Lines", ["Text"], by=None, values=[*ids, "Order='A',No=3", "No=1"])
    assert {id: rows[0].image for id, rows in found.rows.items()} == {
        ids[0]: ("A1",),
        ids[1]: ("A2",),
        ids[2]: ("B'1",),
        ids[3]: ("B'2",),
    }


def test_an_id_in_another_spelling_is_answered_in_it(endpoint: ODataV4Endpoint) -> None:
    fill(endpoint, "1")
    found = endpoint.read("Cards", [], by=None, values=["number = '1'"])
    assert [row.id for row in found.rows["number = '1'"]] == ["Number='1'"]


def test_numbers_beyond_32_bits_are_exact(endpoint: ODataV4Endpoint) -> None:
    fill(endpoint, "1")
    found = endpoint.read("Cards", ["Count"], by="Number", values=["1"])
    assert found.rows["1"][0].image == (2**40,)


@pytest.mark.parametrize("column", ["Photo", "Tags", "Nothing"])
def test_a_column_that_cannot_be_read_is_named(endpoint: ODataV4Endpoint, column: str) -> None:
    with pytest.raises(MapError) as caught:
        list(endpoint.scan("Cards", [column], None))
    assert caught.value.code == "column-unknown"
    assert column in str(caught.value.subject)


def test_a_number_is_no_column_to_search_by(endpoint: ODataV4Endpoint) -> None:
    with pytest.raises(MapError) as caught:
        endpoint.read("Cards", [], by="Count", values=["1"])
    assert caught.value.code == "column-unknown"


# ---------------------------------------------------------------------------- answers


def lists(service: MemoryService, status: int, body: bytes, kind: str) -> None:
    """Have lists of cards answered by this."""

    def instead(request: PreparedRequest) -> Answer | None:
        if path_of(request).startswith("Cards?"):
            return status, {"Content-Type": kind}, body
        return None

    service.instead = instead


PAGE = b"<!DOCTYPE html><html><body><h1>Maintenance</h1></body></html>"


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (PAGE, "text/html; charset=utf-8", "it is text/html: Maintenance"),
        (b"", "application/json", "it is empty"),
        (b'{"value":[{"Number":"1"', "application/json", "breaks off"),
        (b'["no"]', "application/json", "no object"),
        (b'{"d":{"results":[]}}', "application/json", "no list of values"),
        (b'{"value":[{"Number":null}]}', "application/json", "key"),
        (b'{"value":[["1"]]}', "application/json", "list"),
    ],
)
def test_an_answer_that_is_no_list_says_what_it_is(
    endpoint: ODataV4Endpoint, service: MemoryService, body: bytes, kind: str, says: str
) -> None:
    lists(service, 200, body, kind)
    with pytest.raises(UnreachableError) as caught:
        list(endpoint.scan("Cards", COLUMNS, None))
    assert caught.value.code == "answer-unreadable"
    assert says in caught.value.message
    assert caught.value.subject.entity == "Cards"


@pytest.mark.parametrize(
    ("status", "code"), [(403, "privilege-missing"), (400, "request-refused"), (500, "unavailable")]
)
def test_a_list_that_is_refused(
    endpoint: ODataV4Endpoint, service: MemoryService, status: int, code: str
) -> None:
    lists(service, status, PAGE, "text/html")
    with pytest.raises((MapError, UnreachableError, Exception)) as caught:
        list(endpoint.scan("Cards", COLUMNS, None))
    assert getattr(caught.value, "code", None) == code
    assert "Maintenance" in str(getattr(caught.value, "cause", ""))


def linked(link: str) -> Callable[[PreparedRequest], Answer | None]:
    """The first page with this link to the next one."""

    def instead(request: PreparedRequest) -> Answer | None:
        if path_of(request).startswith("Cards?"):
            return 200, {}, json.dumps({"value": [], "@odata.nextLink": link}).encode()
        return None

    return instead


@pytest.mark.parametrize(
    "answer",
    [(400, {}, b"{}"), (403, {}, b""), (200, {}, b"<html>"), (200, {}, b"[]"), (200, {}, b"{}")],
)
def test_no_error_names_the_card_that_was_asked_for(
    endpoint: ODataV4Endpoint, service: MemoryService, answer: Answer
) -> None:
    endpoint.describe("Cards")
    service.instead = lambda _: answer
    with pytest.raises(DualWriteError) as caught:
        endpoint.read("Cards", COLUMNS, by="Number", values=["5500123456"])
    assert "5500123456" not in str(caught.value)
    assert "GET Cards" in str(caught.value)


def test_a_link_to_another_host_is_not_followed(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    service.instead = linked("https://evil.example/odata/Cards?$skiptoken=1")
    with pytest.raises(UnreachableError) as caught:
        list(endpoint.scan("Cards", COLUMNS, None))
    assert caught.value.code == "link-foreign"
    assert all(str(one.url).startswith(ROOT) for one in service.asked)


def test_a_value_may_look_like_an_address(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    """It stands in the filter of a relative URL, which is no link to another host."""
    fill(endpoint, "http://x.example/1", "//2")
    asked = ["http://x.example/1", "//2"]
    assert list(endpoint.read("Cards", COLUMNS, by="Number", values=asked).rows) == asked
    for alone in asked:
        id = f"Number='{alone}'"
        assert list(endpoint.read("Cards", COLUMNS, by=None, values=[id]).rows) == [id]
    assert all(str(one.url).startswith(ROOT) for one in service.asked)


def test_a_page_that_leads_back_to_itself_is_not_followed(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    service.instead = linked("Cards?$skiptoken=1")
    with pytest.raises(UnreachableError) as caught:
        list(endpoint.scan("Cards", COLUMNS, None))
    assert caught.value.code == "answer-unreadable"
    assert "back to itself" in caught.value.message


@pytest.mark.parametrize(
    "link",
    [
        "Next?$skiptoken=%2B1",
        "/odata/Next?$skiptoken=%2B1",
        "Next?$skiptoken=%2B1&$filter=Number%20gt%20'http://x'",
    ],
)
def test_a_relative_link_is_followed_as_it_is(
    endpoint: ODataV4Endpoint, service: MemoryService, link: str
) -> None:
    first = linked(link)

    def instead(request: PreparedRequest) -> Answer | None:
        if "Next" in str(request.url):
            return 200, {}, b'{"value":[]}'
        return first(request)

    service.instead = instead
    list(endpoint.scan("Cards", COLUMNS, None))
    assert str(service.asked[-1].url) == f"{ROOT}{link.removeprefix('/odata/')}"
