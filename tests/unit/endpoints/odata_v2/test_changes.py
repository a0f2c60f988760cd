"""Changes found by a watermark column, and what a scan can go on from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.endpoints.advising import Advising
from connector.endpoints.base import Applied, Create, Delete, Page, Update
from connector.endpoints.odata_v2 import Finding, ODataV2Endpoint
from connector.errors import MapError, PositionExpiredError
from connector.mapping.values import Value
from tests.integration.odata_v2.service import Service
from tests.unit.endpoints.odata_v2.test_metadata import replaced

if TYPE_CHECKING:
    from tests.unit.endpoints.odata_v2.conftest import MakeEndpoint

COLUMNS = ["CardNumber", "Note"]


def make(endpoint: ODataV2Endpoint, *numbers: str) -> None:
    creates = [Create(f"CardNumber='{one}'", {"CardNumber": one, "Note": "t"}) for one in numbers]
    outcomes = endpoint.write("Cards", COLUMNS, creates)
    assert {type(one) for one in outcomes} == {Applied}


def told(pages: list[Page]) -> tuple[dict[str, Value], list[str]]:
    rows = {row.id: row.image[1] for page in pages for row in page.rows}
    return rows, [id for page in pages for id in page.deleted]


@pytest.fixture
def watching(service: Service, connect: MakeEndpoint) -> ODataV2Endpoint:
    finding = Finding("Changed", None, overlap=0.0, sweep=0.0)
    return connect(service, finding=lambda _: finding, page_size=2)


def test_a_watermark_finds_edits_and_a_sweep_finds_deletes(
    service: Service, watching: ODataV2Endpoint
) -> None:
    make(watching, "A", "B", "C", "D", "E")
    pages = list(watching.scan("Cards", COLUMNS, None))
    assert len(told(pages)[0]) == 5
    position = pages[-1].position
    assert position is not None
    described = watching.describe("Cards")
    assert described.capabilities.modified_time
    rows = {row.id: row for page in pages for row in page.rows}
    assert all(row.modified_at is not None for row in rows.values())
    edited, gone = rows["CardNumber='B'"], rows["CardNumber='D'"]
    watching.write("Cards", COLUMNS, [Update(edited.id, edited.version, {"Note": "new"})])
    watching.write("Cards", COLUMNS, [Delete(gone.id, gone.version)])
    make(watching, "F")
    service.log.clear()
    found, deleted = told(list(watching.changes("Cards", COLUMNS, position)))
    assert found["CardNumber='B'"] == "new"
    assert "CardNumber='F'" in found
    assert deleted == ["CardNumber='D'"]
    assert any("Changed ge datetimeoffset'" in line for line in service.log)


def test_a_row_that_moves_while_pages_are_read_hides_no_other(
    service: Service, watching: ODataV2Endpoint
) -> None:
    """It goes to the end, and with links that count rows another one would be passed over."""
    make(watching, "0")
    position = list(watching.scan("Cards", COLUMNS, None))[-1].position
    assert position is not None
    make(watching, *"ABCDEF")
    service.manners.page = 2
    pages = watching.changes("Cards", COLUMNS, position)
    seen = [next(pages)]
    watching.write("Cards", COLUMNS, [Update("CardNumber='A'", "*", {"Note": "moved"})])
    seen += pages
    assert told(seen)[0].keys() >= {f"CardNumber='{one}'" for one in "ABCDEF"}


@pytest.mark.parametrize("page", [None, 2])
def test_times_that_are_kept_more_exactly_than_they_are_told_end_no_look(
    service: Service, watching: ODataV2Endpoint, page: int | None
) -> None:
    """Whatever stands at the time of the last row lies behind it as well, so it comes again."""
    make(watching, "0")
    position = list(watching.scan("Cards", COLUMNS, None))[-1].position
    assert position is not None
    service.manners.page, service.manners.coarse = page, 1_000_000
    make(watching, *"ABCDE")
    found, _ = told(list(watching.changes("Cards", COLUMNS, position)))
    assert found.keys() >= {f"CardNumber='{one}'" for one in "ABCDE"}


@pytest.mark.parametrize("column", ["Note", "Nope", "Active"])
def test_a_column_that_cannot_grow_is_refused(
    service: Service, connect: MakeEndpoint, column: str
) -> None:
    endpoint = connect(service, finding=lambda _: Finding(column))
    with pytest.raises(MapError):
        list(endpoint.scan("Cards", COLUMNS, None))


@pytest.mark.parametrize(("column", "wrong"), [(None, False), ("Changed", False), ("Note", True)])
def test_check_tells_how_changes_are_found(
    service: Service, connect: MakeEndpoint, column: str | None, wrong: bool
) -> None:
    endpoint = connect(service, finding=lambda _: Finding(column))
    assert isinstance(endpoint, Advising)
    *errors, note = endpoint.advice("Cards")
    assert [one.code for one in errors] == (["column-unknown"] if wrong else [])
    assert f"found by {'watermark' if column else 'snapshot'}" in note.message
    assert "snapshot (rows have ETags), watermark (Changed)" in note.message


def test_an_idle_look_moves_keys_and_etags_only(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    make(endpoint, "A", "B")
    position = list(endpoint.scan("Cards", COLUMNS, None))[-1].position
    assert position is not None
    service.log.clear()
    assert told(list(endpoint.changes("Cards", COLUMNS, position))) == ({}, [])
    assert service.log
    assert all("$select=CardNumber" in line and "Note" not in line for line in service.log)


def test_a_link_that_has_expired_asks_for_a_new_scan(
    service: Service, endpoint: ODataV2Endpoint
) -> None:
    make(endpoint, *(f"C{number}" for number in range(6)))
    service.manners.page = 2
    first = next(iter(endpoint.scan("Cards", COLUMNS, None)))
    assert first.resume is not None
    assert "skiptoken" in first.resume
    service.manners.faults = ["410"]
    with pytest.raises(PositionExpiredError):
        list(endpoint.scan("Cards", COLUMNS, first.resume))


def test_a_page_that_leads_back_to_itself_ends(
    service: Service, endpoint: ODataV2Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(endpoint, "A", "B", "C")
    service.manners.page = 1
    same = f"{service.url}/Cards?$select=CardNumber,Note&$skiptoken=1"
    monkeypatch.setattr(service, "_next", lambda *_: same)
    with pytest.raises(Exception, match="no OData V2") as raised:
        list(endpoint.scan("Cards", COLUMNS, None))
    assert "leads back" in str(raised.value)


@pytest.mark.parametrize("lost", [False, True])
def test_a_row_whose_key_the_service_made_up_is_followed(
    service: Service, connect: MakeEndpoint, lost: bool
) -> None:
    """It is known by the reply to its create, or by a read where that got lost."""
    replaced(
        service, '<Property Name="CardNumber"', '<Property sap:creatable="false" Name="CardNumber"'
    )
    endpoint = connect(service)
    make(endpoint, "A", "B", "C")
    *_, last = endpoint.scan("Cards", COLUMNS, None)
    assert last.position is not None
    other = ["CardNumber"] if lost else COLUMNS  # of another list of columns: nothing is noted
    endpoint.write("Cards", other, [Create("proposed", {"CardNumber": "NEW"})])
    if lost:
        assert endpoint.read("Cards", COLUMNS, by="CardNumber", values=["NEW"]).rows
    del service.types["Cards"].rows["new",]
    pages = list(endpoint.changes("Cards", COLUMNS, last.position))
    assert told(pages) == ({}, ["CardNumber='NEW'"])
