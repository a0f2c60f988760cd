"""What refusals of plain OData V4 mean, and what stands in their place."""

from __future__ import annotations

import pytest

from connector.endpoints.base import (
    Create,
    Delete,
    Exists,
    Missing,
    Operation,
    Rejected,
    Stale,
    Transient,
    Update,
)
from connector.endpoints.odata_v4.faults import fault_of, outcome_of, refusal_of, refused
from connector.endpoints.odata_v4.service import naming_of
from connector.endpoints.web.faults import Fault
from connector.endpoints.web.limits import Limit, Refusal

CREATE = Create("Number='1'", {"Number": "1", "Text": "x"})
UPDATE = Update("Number='1'", 'W/"1"', {"Text": "x"})
BLIND = Update("Number='1'", None, {"Text": "x"})
DELETE = Delete("Number='1'", 'W/"1"')


def test_the_standards_error_is_read_with_its_details() -> None:
    body = b'{"error":{"code":"E1","message":"No.","details":[{"message":"Text is wrong."}]}}'
    fault = fault_of(400, {"request-id": "r1"}, body)
    assert (fault.code, fault.message, fault.request_id) == ("E1", "No. Text is wrong.", "r1")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "Bad Gateway"),
        (
            b"<html><head><style>b{}</style></head><body><h1>502</h1> Try later</body>",
            "502 Try later",
        ),
        (b'{"error":', '{"error":'),
        (b'{"error":"text"}', '{"error":"text"}'),
        (b"[]", "[]"),
        (b'{"error":{"code":null,"message":{"lang":"en","value":"Old form."}}}', "Old form."),
    ],
)
def test_what_is_no_json_of_an_error_is_quoted(body: bytes, says: str) -> None:
    assert fault_of(502, {}, body).message == says


@pytest.mark.parametrize(
    ("operation", "status", "message", "outcome"),
    [
        (CREATE, 409, "", Exists(None, "")),
        (CREATE, 400, "A duplicate key.", Exists(None, "A duplicate key.")),
        (
            CREATE,
            500,
            "UNIQUE constraint failed: c.n",
            Exists(None, "UNIQUE constraint failed: c.n"),
        ),
        (CREATE, 500, "x", Transient("HTTP 500 E x", 5.0)),
        (UPDATE, 412, "", Stale()),
        (BLIND, 412, "", Missing()),
        (DELETE, 412, "", Stale()),
        (UPDATE, 404, "", Missing()),
        (DELETE, 410, "", Missing()),
        (CREATE, 404, "gone", Rejected("E", "gone", None)),
        (UPDATE, 400, "The text is bad", Rejected("E", "The text is bad", "Text")),
        (DELETE, 409, "in use", Rejected("E", "in use", None)),
        (UPDATE, 429, "", Transient("HTTP 429 E", 5.0)),
        (CREATE, 503, "x", Transient("HTTP 503 E x", 5.0)),
    ],
)
def test_one_operation(operation: Operation, status: int, message: str, outcome: object) -> None:
    fault = Fault(status, "E", message, None, 5.0)
    assert outcome_of(operation, fault, ["Number", "Text"]) == outcome


def test_a_refusal_without_a_code_is_named_by_its_status() -> None:
    found = outcome_of(UPDATE, Fault(400, "", "no"), [])
    assert isinstance(found, Rejected)
    assert found.code == "http-400"


def test_being_asked_to_slow_down() -> None:
    assert refusal_of(Fault(429, "", "", None, 7.0)) == Refusal(Limit.BUSY, 7.0)
    assert refusal_of(Fault(429, "", ""), 30.0) == Refusal(Limit.BUSY, 30.0)
    assert refusal_of(Fault(503, "", "")) is None
    assert refusal_of(Fault(400, "", "")) is None


def test_a_whole_request_that_is_denied_names_the_side() -> None:
    error = refused(naming_of("north"), Fault(403, "", "no"), "Cards", "GET Cards")
    assert error.code == "privilege-missing"
    assert error.subject.side == "north"
    assert "sides.north" in error.remedy
