"""Bulk creates are sent to tables that take them, by what the service says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connector.endpoints.base import Applied, Create, Exists, Transient, Update
from connector.odata.batch import BatchResponse, encode_batch_responses

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest

    from connector.endpoints.dataverse import DataverseEndpoint
    from tests.unit.endpoints.scripted import Service

BULK = "points/Microsoft.Dynamics.CRM.CreateMultiple"
FILTERS = "https://org.example/api/data/v9.2/sdkmessagefilters"


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def create(number: int) -> Create:
    return Create(id_of(number), {"name": f"P{number}"})


def script_batch(service: Service, *parts: BatchResponse) -> None:
    kind, body = encode_batch_responses(parts, "batchresponse_1")
    service.on("POST", "$batch", body=body, content_type=kind)


def answer(service: Service, status: int, body: Any) -> None:
    """Another answer to the question for message filters."""
    service.forget("GET", FILTERS)
    service.on("GET", FILTERS, status, body)


def test_it_is_asked_once_by_message_and_table(
    points: Service,
    endpoint: DataverseEndpoint,
    query_of: Callable[[PreparedRequest], dict[str, str]],
) -> None:
    points.on("POST", BULK, body={"Ids": [id_of(1)]})
    for _ in range(2):
        assert endpoint.write("points", ["name"], [create(1)]) == [Applied(id_of(1))]
    (asked,) = points.calls("GET", "sdkmessagefilters")
    assert query_of(asked)["$filter"] == (
        "sdkmessageid/name eq 'CreateMultiple' and primaryobjecttypecode eq 'point'"
    )


def test_updates_ask_nothing(points: Service, endpoint: DataverseEndpoint) -> None:
    script_batch(points, BatchResponse(204))
    endpoint.write("points", ["name"], [Update(id_of(1), "7", {"name": "a"})])
    assert points.calls("GET", "sdkmessagefilters") == []


def test_a_table_without_it_gets_single_requests(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    answer(points, 200, {"value": []})
    script_batch(points, BatchResponse(204), BatchResponse(204))
    outcomes = endpoint.write("points", ["name"], [create(1), create(2)])
    assert outcomes == [Applied(id_of(1)), Applied(id_of(2))]
    assert points.calls("POST", BULK) == []


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, {"error": {"code": "0x80040220", "message": "no"}}), (404, None), (200, "<html>")],
)
def test_where_nobody_tells_it_is_tried_once(
    points: Service, endpoint: DataverseEndpoint, status: int, body: Any
) -> None:
    answer(points, status, body)
    points.error("POST", BULK, 501, "0x80060888", "has not yet been implemented")
    script_batch(points, BatchResponse(204))
    for _ in range(2):
        assert endpoint.write("points", ["name"], [create(1)]) == [Applied(id_of(1))]
    assert len(points.calls("POST", BULK)) == 1


def test_a_row_to_blame_does_not_end_bulk_creates(
    points: Service, endpoint: DataverseEndpoint
) -> None:
    for _ in range(2):
        points.error("POST", BULK, 412, "0x80060892", "Entity Key pk violated.")
        body = b'{"error":{"code":"0x80060892","message":"violated"}}'
        refused = BatchResponse(412, {"Content-Type": "application/json"}, body)
        script_batch(points, refused)
        assert endpoint.write("points", ["name"], [create(1)]) == [Exists(None, "violated")]
    assert len(points.calls("POST", BULK)) == 2


def test_a_row_is_never_twice_in_one_call(points: Service, endpoint: DataverseEndpoint) -> None:
    points.on("POST", BULK, body={"Ids": [id_of(1), id_of(2)]})
    again = Create(id_of(2).upper(), {"name": "once more"})
    outcomes = endpoint.write("points", ["name"], [create(1), create(2), again])
    assert outcomes[:2] == [Applied(id_of(1)), Applied(id_of(2))]
    assert isinstance(outcomes[2], Transient)
    (sent,) = points.calls("POST", BULK)
    assert b"once more" not in (sent.body or b"")
