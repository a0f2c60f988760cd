"""How changes are found: keys and ETags alone where nothing changed, or rows above a watermark."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from requests import PreparedRequest

from connector.endpoints.base import Applied, Create, Delete, Operation, Page, Update
from connector.endpoints.odata_v4 import ODataV4Endpoint
from connector.endpoints.odata_v4.feeds import Way
from connector.errors import MapError, PositionExpiredError, UnreachableError
from tests.odata_v4_service import Answer, MemoryService, path_of
from tests.unit.endpoints.odata_v4.conftest import Clock, Open

COLUMNS = ["Number", "Text"]


def born(*numbers: str) -> list[Create]:
    return [Create(f"Number='{n}'", {"Number": n, "Text": f"t{n}"}) for n in numbers]


def put(endpoint: ODataV4Endpoint, *numbers: str) -> None:
    endpoint.write("Cards", COLUMNS, born(*numbers))


def scanned(endpoint: ODataV4Endpoint) -> str:
    *_, last = endpoint.scan("Cards", COLUMNS, None)
    assert last.position is not None
    return last.position


def since(endpoint: ODataV4Endpoint, position: str) -> tuple[set[str], set[str], str]:
    """Ids told of, ids gone, and where to go on from."""
    pages = list(endpoint.changes("Cards", COLUMNS, position))
    assert pages[-1].position is not None
    return rows(pages), {id for page in pages for id in page.deleted}, pages[-1].position


def rows(pages: Iterable[Page]) -> set[str]:
    return {row.id for page in pages for row in page.rows}


def lists(service: MemoryService) -> list[dict[str, list[str]]]:
    """The options of the lists of cards asked for."""
    urls = [str(one.url) for one in service.asked if path_of(one).startswith("Cards?")]
    return [parse_qs(urlsplit(url).query) for url in urls]


def test_an_idle_look_reads_keys_and_etags_alone(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    put(endpoint, *"12345")
    position = scanned(endpoint)
    service.asked.clear()
    assert since(endpoint, position) == (set(), set(), position)
    assert {one["$select"][0] for one in lists(service)} == {"Number"}
    assert not [one for one in service.asked if one.method != "GET"]


def test_what_differs_is_read_by_key(endpoint: ODataV4Endpoint) -> None:
    put(endpoint, *"12345")
    position = scanned(endpoint)
    changes: list[Operation] = [
        Update("Number='2'", None, {"Text": "x"}),
        Delete("Number='3'", None),
        *born("6"),
    ]
    endpoint.write("Cards", COLUMNS, changes)
    told, gone, after = since(endpoint, position)
    assert (told, gone) == ({"Number='2'", "Number='6'"}, {"Number='3'"})
    assert since(endpoint, after)[:2] == (set(), set())


def test_without_etags_rows_are_compared_by_what_they_hold(
    opened: Open, service: MemoryService
) -> None:
    service.etags = False
    endpoint = opened()
    put(endpoint, *"123")
    position = scanned(endpoint)
    assert since(endpoint, position)[:2] == (set(), set())
    endpoint.write("Cards", COLUMNS, [Update("Number='2'", None, {"Text": "x"})])
    assert since(endpoint, position)[0] == {"Number='2'"}


@pytest.mark.parametrize("etags", [True, False])
def test_a_service_that_does_not_tell_of_etags_is_asked_for_a_row(
    opened: Open, service: MemoryService, etags: bool
) -> None:
    service.etags, service.annotated = etags, False
    endpoint = opened()
    assert endpoint.describe("Cards").capabilities.preconditions == "none", "it is empty"
    put(endpoint, *"12")
    known = endpoint.describe("Cards").capabilities.preconditions
    assert known == ("version" if etags else "none")
    position = scanned(endpoint)
    assert since(endpoint, position)[:2] == (set(), set())


def test_rows_that_lack_their_etags_are_not_compared_without(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    put(endpoint, *"12")
    position = scanned(endpoint)
    service.etags = False
    with pytest.raises(UnreachableError, match="rows lack ETags"):
        since(endpoint, position)


def test_a_scan_goes_on_where_it_was(endpoint: ODataV4Endpoint, service: MemoryService) -> None:
    put(endpoint, *"12345678")
    first, *rest = endpoint.scan("Cards", COLUMNS, None)
    service.asked.clear()
    again = list(endpoint.scan("Cards", COLUMNS, first.resume))
    assert rows(again) == rows(rest)
    assert all("$skiptoken" in one for one in lists(service))


def test_a_scan_whose_link_is_dead_begins_anew(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    put(endpoint, *"12345678")
    first, *_ = endpoint.scan("Cards", COLUMNS, None)

    def dead(request: PreparedRequest) -> Answer | None:
        return (410, {}, b"") if "$skiptoken" in path_of(request) else None

    service.instead = dead
    with pytest.raises(PositionExpiredError) as caught:
        list(endpoint.scan("Cards", COLUMNS, first.resume))
    assert caught.value.code == "position-expired"


# ---------------------------------------------------------------------------- watermarks


@pytest.mark.parametrize("column", ["Serial", "Changed"])
def test_a_watermark_asks_for_what_lies_above_it(
    opened: Open, service: MemoryService, clock: Clock, column: str
) -> None:
    endpoint = opened(Way("watermark", column, overlap=0.0, sweep=3600.0))
    put(endpoint, *"12345")
    position = scanned(endpoint)
    _, _, position = since(endpoint, position)
    service.asked.clear()
    endpoint.write("Cards", COLUMNS, [Update("Number='2'", None, {"Text": "x"}), *born("6")])
    told, gone, position = since(endpoint, position)
    assert {"Number='2'", "Number='6'"} <= told
    assert gone == set()
    asked = [one for one in lists(service) if "$filter" in one]
    assert {one["$orderby"][0] for one in asked} == {f"{column},Number"}
    begun = (f"{column} ge ", f"({column} gt ")
    assert all(one["$filter"][0].startswith(begun) for one in asked)
    # Deletes wait for the sweep.
    endpoint.write("Cards", COLUMNS, [Delete("Number='3'", None)])
    assert since(endpoint, position)[1] == set()
    clock.now += 3600.0
    assert since(endpoint, position)[1] == {"Number='3'"}


def test_many_rows_above_a_watermark_come_in_pages(opened: Open) -> None:
    endpoint = opened(Way("watermark", "Serial", overlap=0.0, sweep=3600.0))
    put(endpoint, "0")
    position = scanned(endpoint)
    put(endpoint, *(f"{n}" for n in range(1, 9)))
    pages = list(endpoint.changes("Cards", COLUMNS, position))
    assert len([page for page in pages if page.rows]) > 1
    rest = list(endpoint.changes("Cards", COLUMNS, pages[0].resume or ""))
    assert rows(pages[:1]) | rows(rest) >= {f"Number='{n}'" for n in range(1, 9)}


@pytest.mark.parametrize("column", ["Serial", "Changed"])
def test_a_row_that_moves_while_pages_are_read_hides_no_other(opened: Open, column: str) -> None:
    """It goes to the end, and with links that count rows another one would be passed over."""
    endpoint = opened(Way("watermark", column, overlap=0.0, sweep=3600.0))
    put(endpoint, "0")
    position = scanned(endpoint)
    put(endpoint, *"123456789")
    pages = endpoint.changes("Cards", COLUMNS, position)
    seen = [next(pages)]
    (moved, *_) = [row.id for row in seen[0].rows if row.id != "Number='0'"]
    endpoint.write("Cards", COLUMNS, [Update(moved, "*", {"Text": "moved"})])
    seen += pages
    assert rows(seen) >= {f"Number='{n}'" for n in "123456789"}


def test_rows_of_one_mark_without_an_order_among_them_are_read_by_links(
    opened: Open, service: MemoryService
) -> None:
    """No column orders them: behind the last mark the same page would begin again."""
    service.rows["Cards"].clear()
    endpoint = opened(Way("watermark", "Serial", "Text", overlap=0.0, sweep=3600.0))
    put(endpoint, "0")
    position = scanned(endpoint)
    put(endpoint, *"12345678")
    for row in service.rows["Cards"].values():
        row["Serial"], row["Text"] = 7, "same"
    told, _, _ = since(endpoint, position)
    assert told >= {f"Number='{n}'" for n in "12345678"}


def test_the_time_of_the_change_is_told_where_it_is_the_watermark(opened: Open) -> None:
    endpoint = opened(Way("watermark", "Changed"))
    assert endpoint.describe("Cards").capabilities.modified_time
    put(endpoint, "1")
    found = endpoint.read("Cards", COLUMNS, by=None, values=["Number='1'"])
    (row,) = found.rows["Number='1'"]
    assert row.modified_at is not None
    assert row.image == ("1", "t1")
    assert not opened(Way("watermark", "Serial")).describe("Cards").capabilities.modified_time


def test_a_watermark_is_an_instant_or_a_number(opened: Open) -> None:
    endpoint = opened(Way("watermark", "Text"))
    with pytest.raises(MapError) as caught:
        scanned(endpoint)
    assert "watermark" in str(caught.value.cause)


def test_a_create_that_is_answered_with_another_id_is_followed(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    """The service spells the key in its own way; the row goes before it is ever listed."""
    put(endpoint, *"123")
    position = scanned(endpoint)
    (outcome,) = endpoint.write("Cards", COLUMNS, [Create("Number='NEW'", {"Number": "new"})])
    assert isinstance(outcome, Applied)
    assert outcome.id == "Number='new'"
    del service.rows["Cards"][("new",)]
    _, gone, _ = since(endpoint, position)
    assert outcome.id in gone


def test_a_clock_without_a_zone_is_in_utc(opened: Open, service: MemoryService) -> None:
    """As some proxies write the Date."""
    endpoint = opened(Way("watermark", "Changed"))
    put(endpoint, "1")
    answered = service._safely

    def instead(request: PreparedRequest) -> Answer | None:
        if request.method != "GET":
            return None
        status, headers, body = answered("GET", str(request.url), request.headers, b"")
        date = format_datetime(datetime.now(UTC), usegmt=True).replace("GMT", "-0000")
        return status, {"Content-Type": "application/json", "Date": date, **headers}, body

    service.instead = instead
    position = scanned(endpoint)
    put(endpoint, "2")
    assert "Number='2'" in since(endpoint, position)[0]
