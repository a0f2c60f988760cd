"""Operations, and what a scripted service answers to a batch of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from connector.endpoints.base import (
    Applied,
    Create,
    Row,
    Update,
)
from connector.odata.batch import BatchRequest, BatchResponse, encode_batch_responses, parse_batch

if TYPE_CHECKING:
    from requests import PreparedRequest

    from tests.unit.endpoints.scripted import Service


BULK = "points/Microsoft.Dynamics.CRM.CreateMultiple"


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def create(number: int, **values: Any) -> Create:
    return Create(id_of(number), values or {"name": f"P{number}"})


def update(number: int, version: str | None = "7", **values: Any) -> Update:
    return Update(id_of(number), version, values or {"name": f"P{number}"})


def ok(number: int, version: int = 8) -> BatchResponse:
    body = {
        "@odata.etag": f'W/"{version}"',
        "pointid": id_of(number),
        "modifiedon": None,
        "_modifiedby_value": id_of(99),
        "name": f"P{number}",
    }
    return BatchResponse(200, {"Content-Type": "application/json"}, json.dumps(body).encode())


def shown(number: int, version: int = 8) -> Applied:
    row = Row(id_of(number), str(version), (f"P{number}",), None, id_of(99))
    return Applied(id_of(number), row)


def no(status: int, code: str, message: str = "x", **headers: str) -> BatchResponse:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return BatchResponse(status, {"Content-Type": "application/json", **headers}, body)


def script_batch(service: Service, *parts: BatchResponse, cut: int | None = None) -> None:
    kind, body = encode_batch_responses(parts, "batchresponse_1")
    service.on("POST", "$batch", body=body[:cut], content_type=kind)


def sent_batch(service: Service) -> list[BatchRequest]:
    (request,) = service.calls("POST", "$batch")
    parts = parse_batch(_body(request), request.headers["Content-Type"])
    assert request.headers["Prefer"] == "odata.continue-on-error"
    return [part for part in parts if isinstance(part, BatchRequest)]


def _body(request: PreparedRequest) -> bytes:
    assert isinstance(request.body, bytes)
    return request.body
