"""What Finance and Operations says when it refuses, in the words of public captures."""

from __future__ import annotations

import json

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
from connector.endpoints.finops.refusals import fault_of, outcome_of, refusal_of, spoken
from connector.endpoints.finops.service import naming_of, root_of, service_of
from connector.endpoints.web.limits import Limit, Refusal

CREATE = Create("CardNumber='1'", {"CardNumber": "1", "PartyNumber": "P9"})
UPDATE = Update("CardNumber='1'", 'W/"x"', {"PartyNumber": "P9"})
DELETE = Delete("CardNumber='1'", 'W/"x"')
COLUMNS = ["CardNumber", "CardTenderType", "PartyNumber"]
WRITE = "Write failed for table row of type 'RetailLoyaltyCardEntity'. Infolog: "
UNRELATED = (
    f"{WRITE}Warning: The value 'P9' in field 'Party' is not found in the related table "
    "'Parties'.; "
    "Warning: validateField failed on field 'RetailLoyaltyCardEntity.PartyNumber'."
)
TAKEN = (
    f"{WRITE}Info: Cannot create a record in Cards. Card number: 1.\nThe record already exists.."
)
CHANGED = (
    f"{WRITE}Error: Cannot edit a record in Cards.\nAn update conflict occurred due to another "
    "user process deleting the record or changing one or more fields in the record.."
)
ERRORS = f"{WRITE}Info: Checked.; Warning: Look out.; Error: First.; Error: The card is locked.."


def envelope(inner: str, message: str = "An error has occurred.") -> bytes:
    told = {"message": inner, "type": "T", "stacktrace": "   at X"}
    return json.dumps({"error": {"code": "", "message": message, "innererror": told}}).encode()


def outcome(operation: Operation, status: int, inner: str) -> object:
    return outcome_of(operation, fault_of(status, {}, envelope(inner)), COLUMNS)


@pytest.mark.parametrize("status", [400, 500])
def test_an_infolog_is_final_alone_and_in_a_batch(status: int) -> None:
    text = "The value 'P9' in field 'Party' is not found in the related table 'Parties'"
    assert outcome(UPDATE, status, UNRELATED) == Rejected("infolog", text, "PartyNumber")
    assert outcome(CREATE, status, TAKEN) == Exists(
        None, "Cannot create a record in Cards. Card number: 1.\nThe record already exists"
    )
    assert outcome(UPDATE, status, CHANGED) == Stale()
    assert outcome(DELETE, status, CHANGED) == Stale()
    assert outcome(UPDATE, status, ERRORS) == Rejected("infolog", "The card is locked", None)
    assert isinstance(outcome(DELETE, status, TAKEN), Rejected)


@pytest.mark.parametrize(
    ("operation", "status", "inner", "kind"),
    [
        (UPDATE, 500, "Deadlock.", Transient),
        (UPDATE, 400, "The request is invalid.", Rejected),
        (UPDATE, 412, "", Stale),
        (UPDATE, 404, "", Missing),
        (DELETE, 404, "", Missing),
        (CREATE, 429, "high resource utilization", Transient),
    ],
)
def test_other_refusals(operation: Operation, status: int, inner: str, kind: type) -> None:
    assert isinstance(outcome(operation, status, inner), kind)


def test_the_innermost_text_is_taken() -> None:
    told = {"message": "outer", "internalexception": {"message": "inner", "type": "T"}}
    body = json.dumps({"error": {"code": "", "message": "m", "innererror": told}}).encode()
    assert fault_of(400, {}, body).message == "inner"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "Unauthorized"),
        (b"<html><h2>401 - Unauthorized: Access is denied.</h2></html>", "401 - Unauthorized"),
        (b'{"error":{"code":"","message":"Plain."}}', "Plain."),
        (b'{"error":{"innererror":[]}}', ""),
    ],
)
def test_bodies_without_an_inner_error(body: bytes, says: str) -> None:
    assert says in fault_of(401, {}, body).message


def test_a_429_without_a_time_is_half_a_minute() -> None:
    assert refusal_of(fault_of(429, {}, b"")) == Refusal(Limit.BUSY, 30.0)
    assert refusal_of(fault_of(429, {"retry-after": "7"}, b"")) == Refusal(Limit.BUSY, 7.0)
    assert fault_of(503, {}, b"").retry_after is None


def test_warnings_are_told_where_there_is_no_error() -> None:
    assert spoken("Warning: One.; Warning: Two.; Warning: One..") == "One; Two"
    assert spoken("Something else") == "Something else"


def test_who_is_not_mapped_is_told_where() -> None:
    service = service_of("north")
    assert "Microsoft Entra ID applications" in service.unknown_client
    assert "sides.north.client_id" in service.unknown_client
    assert service.path == "/data/"
    assert naming_of("commerce").section == "commerce"


@pytest.mark.parametrize("url", ["https://fo.example", "https://fo.example/data"])
def test_a_token_is_for_the_environment(url: str) -> None:
    assert root_of(url) == "https://fo.example"
