"""What services say when they refuse, in all the shapes they say it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Missing,
    Operation,
    Rejected,
    Stale,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.odata_v2.batches import Part
from connector.endpoints.odata_v2.faults import fault_of, field_of
from connector.endpoints.odata_v2.metadata import Tables
from connector.endpoints.odata_v2.outcomes import outcome_of
from connector.endpoints.odata_v2.rows import Projection
from tests.integration.odata_v2.loyalty import loyalty_service

CARDS = Tables(loyalty_service()._document, lambda _: True, side="commerce").get("Cards")
NAMES = {"cardnumber": "CardNumber", "note": "Note"}
ID = "CardNumber='1'"
CREATE = Create(ID, {"CardNumber": "1"})
UPDATE, DELETE = Update(ID, 'W/"1"', {"Note": "x"}), Delete(ID, 'W/"1"')


def error(**told: Any) -> bytes:
    return json.dumps({"error": {"code": "X/1", **told}}).encode()


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (error(message={"lang": "en", "value": "too long"}), "X/1", "too long"),
        (error(message="too long"), "X/1", "too long"),
        (b"<error><code>5</code><message xml:lang='en'>long</message></error>", "", "long"),
        (b"<html><style>p{}</style><h1>Out of\n order</h1></html>", "", "Out of order"),
        (b"", "", ""),
        (b"[1]", "", "[1]"),
        (b'{"error": "denied"}', "", '{"error": "denied"}'),
        (b"\xff\xfe", "", "\ufffd\ufffd"),
    ],
)  # fmt: skip
def test_every_shape_of_an_error_gives_its_words(body: bytes, code: str, message: str) -> None:
    fault = fault_of(400, {}, body)
    assert (fault.code, fault.message) == (code, message)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (error(target="Note", message={"value": "no"}), "Note"),
        (error(target="/Cards('1')/NOTE", message={"value": "no"}), "Note"),
        (error(innererror={"errordetails": [{"propertyref": "CardNumber"}]}), "CardNumber"),
        (error(innererror={"errordetails": None}, message="value of Note is wrong"), "Note"),
        (error(target="/#TRANSIENT#", message={"value": "no"}), None),
        (b"<html>Note</html>", None),
    ],
)
def test_a_refusal_is_about_a_column_where_it_says_so(body: bytes, field: str | None) -> None:
    assert field_of(body, NAMES) == field


ROW = json.dumps({"d": {"__metadata": {"etag": 'W/"2"'}, "CardNumber": "1", "Note": "x"}}).encode()


@pytest.mark.parametrize(
    ("operation", "status", "body", "outcome", "doubtful"),
    [
        (CREATE, 201, ROW, Applied, False),
        (CREATE, 204, b"", Applied, False),
        (CREATE, 201, b"{", Unknown, False),
        (CREATE, 400, error(), Rejected, True),
        (CREATE, 404, error(), Rejected, True),
        (CREATE, 409, error(), Rejected, True),
        (CREATE, 412, error(), Rejected, True),
        (CREATE, 500, error(), Transient, True),
        (UPDATE, 204, b"", Applied, False),
        (UPDATE, 200, ROW, Applied, False),
        (UPDATE, 200, b"{", Applied, False),
        (UPDATE, 404, error(), Missing, False),
        (UPDATE, 412, error(), Stale, True),
        (UPDATE, 428, error(), Rejected, False),
        (UPDATE, 400, error(), Rejected, False),
        (UPDATE, 500, error(), Transient, False),
        (UPDATE, 501, error(), Rejected, False),
        (UPDATE, 429, b"", Transient, False),
        (UPDATE, 403, b"", Rejected, False),
        (DELETE, 204, b"", Applied, False),
        (DELETE, 404, error(), Missing, False),
        (DELETE, 412, error(), Stale, True),
    ],
)
def test_each_status_means_one_thing(
    operation: Operation, status: int, body: bytes, outcome: type, doubtful: bool
) -> None:
    projection = Projection(CARDS, ["CardNumber", "Note"])
    told = outcome_of(CARDS, projection, operation, Part(status, {"retry-after": "7"}, body))
    assert (type(told[0]), told[1]) == (outcome, doubtful)
    if isinstance(told[0], Transient):
        assert told[0].retry_after == (7 if status == 429 else None)
