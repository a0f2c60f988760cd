"""Writes: preconditions, bodies, and what becomes of each when the answer is not what it should."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
import requests
from requests import PreparedRequest

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Operation,
    Outcome,
    Rejected,
    Update,
)
from connector.endpoints.odata_v4 import ODataV4Endpoint
from connector.errors import AccessError, MapError, UnreachableError
from connector.odata.batch import (
    BatchRequest,
    BatchResponse,
    encode_batch_responses,
    parse_batch,
)
from tests.odata_v4_service import Answer, MemoryService
from tests.unit.endpoints.odata_v4.conftest import Clock, Open

COLUMNS = ["Number", "Text"]


def born(number: str, **values: Any) -> Create:
    return Create(f"Number='{number}'", {"Number": number, **values})


def write(endpoint: ODataV4Endpoint, *operations: Operation) -> Sequence[Outcome]:
    return endpoint.write("Cards", COLUMNS, operations)


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    return [type(one).__name__ for one in outcomes]


def sent(service: MemoryService) -> list[BatchRequest]:
    """The parts of the last batch."""
    last = service.asked[-1]
    assert isinstance(last.body, bytes)
    parts = parse_batch(last.body, str(last.headers["Content-Type"]))
    return [part for part in parts if isinstance(part, BatchRequest)]


def batches(service: MemoryService, answer: Answer | Exception) -> None:
    """Have batches answered by this."""

    def instead(request: PreparedRequest) -> Answer | Exception | None:
        return answer if str(request.url).endswith("$batch") else None

    service.instead = instead


def parts(*answers: BatchResponse) -> Answer:
    kind, body = encode_batch_responses(list(answers), "b")
    return 200, {"Content-Type": kind}, body


# ---------------------------------------------------------------------------- requests


def test_every_update_and_delete_has_a_precondition(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    write(
        endpoint,
        Update("Number='1'", 'W/"7"', {"Text": None}),
        Update("Number='2'", None, {"Text": "x"}),
        Delete("Number='a/b'", 'W/"8"'),
    )
    first, second, third = sent(service)
    assert (first.method, first.url) == ("PATCH", "Cards(Number='1')")
    assert first.headers["if-match"] == 'W/"7"'
    assert json.loads(first.body) == {"Text": None}
    assert second.headers["if-match"] == "*"
    assert (third.method, third.url) == ("DELETE", "Cards(Number='a%2Fb')")
    assert third.headers["if-match"] == 'W/"8"'
    assert service.asked[-1].headers["Prefer"] == "odata.continue-on-error"


def test_a_create_leaves_out_what_is_null(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    (outcome,) = write(endpoint, born("1", Text=None, Kind="Gold", Count=2**53 + 1))
    assert json.loads(sent(service)[0].body) == {"Number": "1", "Kind": "Gold", "Count": 2**53 + 1}
    assert isinstance(outcome, Applied)
    assert outcome.row is not None
    assert outcome.row.version is not None
    assert outcome.row.image == ("1", None)


def test_the_key_of_the_row_itself_may_be_named(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    write(endpoint, born("1"))
    (outcome,) = write(endpoint, Update("Number='1'", None, {"Number": "1", "Text": "x"}))
    assert isinstance(outcome, Applied)
    assert json.loads(sent(service)[0].body) == {"Text": "x"}


def test_an_unknown_column_is_an_error_of_the_map(endpoint: ODataV4Endpoint) -> None:
    with pytest.raises(MapError) as caught:
        write(endpoint, born("1", Nothing="x"))
    assert caught.value.code == "column-unknown"


# ---------------------------------------------------------------------------- answers


def test_what_follows_a_failure_that_stopped_the_batch_did_not_happen(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    service.goes_on = False
    outcomes = write(endpoint, born("1"), born("x" * 99), born("2"))
    assert kinds(outcomes) == ["Applied", "Rejected", "Transient"]
    assert [*service.rows["Cards"]] == [("1",)]


@pytest.mark.parametrize(("there", "outcome"), [(True, "Exists"), (False, "Transient")])
def test_a_create_that_fails_without_a_reason_is_looked_for(
    endpoint: ODataV4Endpoint, service: MemoryService, there: bool, outcome: str
) -> None:
    if there:
        write(endpoint, born("1"))
    endpoint.describe("Cards")
    batches(service, parts(BatchResponse(500, {}, b""), BatchResponse(500, {}, b"")))
    outcomes = write(endpoint, born("1"), Update("Number='1'", None, {"Text": "x"}))
    assert kinds(outcomes) == [outcome, "Transient"]


def test_a_batch_that_breaks_off_leaves_the_rest_unknown(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    batches(service, parts(BatchResponse(204)))
    assert kinds(write(endpoint, born("1"), born("2"))) == ["Applied", "Unknown"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>Sign in</html>"), "Unknown"),
        ((200, {}, b""), "Unknown"),
        ((200, {"Content-Type": "multipart/mixed; boundary=b"}, b"--b\r\ncut"), "Unknown"),
        ((504, {}, b""), "Unknown"),
        ((500, {}, b""), "Transient"),
        (requests.ConnectionError("reset"), "Unknown"),
        (requests.ReadTimeout("slow"), "Unknown"),
    ],
)
def test_a_batch_without_a_proper_answer(
    endpoint: ODataV4Endpoint, service: MemoryService, answer: Answer | Exception, outcome: str
) -> None:
    endpoint.describe("Cards")
    batches(service, answer)
    assert kinds(write(endpoint, born("1"), born("2"))) == [outcome, outcome]


@pytest.mark.parametrize(
    ("part", "outcome"),
    [
        (BatchResponse(201, {}, b'{"Number":"1","Text":"t"}'), "Applied"),
        (BatchResponse(201, {}, b'{"Number":"1"'), "Unknown"),
        (BatchResponse(201, {}, b"<html></html>"), "Unknown"),
        (BatchResponse(201, {}, b'{"Text":"t"}'), "Unknown"),
        (BatchResponse(502, {}, b""), "Unknown"),
        (BatchResponse(429, {"retry-after": "3"}, b""), "Transient"),
        (BatchResponse(409, {}, b""), "Exists"),
    ],
)
def test_a_part_of_a_batch(
    endpoint: ODataV4Endpoint, service: MemoryService, part: BatchResponse, outcome: str
) -> None:
    endpoint.describe("Cards")
    batches(service, parts(part, BatchResponse(204)))
    assert kinds(write(endpoint, born("1"), born("2"))) == [outcome, "Applied"]


def test_a_row_told_in_part_is_read_back_by_the_engine(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    endpoint.describe("Cards")
    batches(service, parts(BatchResponse(201, {"etag": 'W/"1"'}, b'{"Number":"1"}')))
    assert list(write(endpoint, born("1"))) == [Applied("Number='1'")]


def test_the_etag_may_stand_in_a_header(endpoint: ODataV4Endpoint, service: MemoryService) -> None:
    endpoint.describe("Cards")
    batches(service, parts(BatchResponse(201, {"etag": 'W/"9"'}, b'{"Number":"1","Text":"t"}')))
    (outcome,) = write(endpoint, born("1"))
    assert isinstance(outcome, Applied)
    assert outcome.row is not None
    assert outcome.row.version == 'W/"9"'


def test_a_throttled_part_is_counted(endpoint: ODataV4Endpoint, service: MemoryService) -> None:
    endpoint.describe("Cards")
    batches(service, parts(BatchResponse(429, {"retry-after": "3"}, b""), BatchResponse(204)))
    write(endpoint, born("1"), born("2"))
    assert endpoint.throttling().times == 1


def test_a_user_without_rights_is_told(endpoint: ODataV4Endpoint, service: MemoryService) -> None:
    endpoint.describe("Cards")
    batches(service, parts(BatchResponse(403), BatchResponse(403)))
    with pytest.raises(AccessError) as caught:
        write(endpoint, born("1"), born("2"))
    assert caught.value.code == "privilege-missing"
    batches(service, parts(BatchResponse(403), BatchResponse(204)))
    assert kinds(write(endpoint, born("1"), born("2"))) == ["Rejected", "Applied"]


def test_a_service_without_batches_says_which_key_to_set(
    endpoint: ODataV4Endpoint, service: MemoryService
) -> None:
    service.batches = False
    with pytest.raises(MapError) as caught:
        write(endpoint, born("1"))
    assert caught.value.code == "batch-unsupported"
    assert "commerce.batch = false" in caught.value.remedy


# ---------------------------------------------------------------------------- one by one


def test_single_writes_end_in_time(opened: Open, service: MemoryService, clock: Clock) -> None:
    """A lease has to outlive a call; what was not sent is tried again."""
    endpoint = opened(batches=False)
    endpoint.describe("Cards")

    def slowly(request: PreparedRequest) -> None:
        clock.now += 20.0

    service.instead = slowly
    outcomes = write(endpoint, *(born(f"{n}") for n in range(5)))
    assert kinds(outcomes) == ["Applied", "Applied", "Transient", "Transient", "Transient"]
    assert len(service.rows["Cards"]) == 2


def test_a_single_write_that_is_lost_ends_the_call(opened: Open, service: MemoryService) -> None:
    endpoint = opened(batches=False)
    write(endpoint, born("1"))
    service.instead = lambda r: requests.ReadTimeout("slow") if r.method == "POST" else None
    assert kinds(write(endpoint, born("2"), born("3"))) == ["Unknown", "Transient"]


def test_what_single_writes_did_is_told_though_the_service_goes_away(
    opened: Open, service: MemoryService
) -> None:
    endpoint = opened(batches=False)
    endpoint.describe("Cards")

    def going(request: PreparedRequest) -> Exception | None:
        return requests.ConnectTimeout("gone") if service.rows["Cards"] else None

    service.instead = going
    outcomes = write(endpoint, born("1"), born("2"), born("3"))
    assert kinds(outcomes) == ["Applied", "Transient", "Transient"]
    with pytest.raises(UnreachableError):
        write(endpoint, born("2"))


def test_what_single_writes_did_is_told_though_we_are_signed_out(
    opened: Open, service: MemoryService
) -> None:
    endpoint = opened(batches=False)
    endpoint.describe("Cards")
    service.instead = lambda _: (401, {}, b"") if service.rows["Cards"] else None
    outcomes = write(endpoint, born("1"), born("2"), born("3"))
    assert kinds(outcomes) == ["Applied", "Transient", "Transient"]
    with pytest.raises(AccessError):
        write(endpoint, born("2"))


def test_a_text_no_service_takes_is_refused_here(endpoint: ODataV4Endpoint) -> None:
    outcomes = write(endpoint, born("1", Text="a\x0bb"), born("2"))
    assert outcomes[0] == Rejected(
        "text-control-character",
        "the text holds a control character, which the OData service cannot store",
        "Text",
    )
    assert isinstance(outcomes[1], Applied)
