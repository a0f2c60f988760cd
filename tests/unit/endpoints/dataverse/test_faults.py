"""Refusals as the service words them, and what they mean to the engine."""

from __future__ import annotations

import pytest

from connector.endpoints.base import (
    Create,
    Delete,
    Exists,
    Missing,
    Operation,
    Outcome,
    Rejected,
    Stale,
    Transient,
    Update,
)
from connector.endpoints.dataverse.faults import access_error, fault_of, outcome_of, refused
from connector.endpoints.web.faults import Fault
from connector.errors import AccessError, MapError

ID = "0c2f9b5e-0000-4000-8000-00000000abcd"
OTHER = "11111111-0000-4000-8000-000000000001"
CREATE = Create(ID, {"msdyn_cardnumber": "C-1", "cur": OTHER})
UPDATE = Update(ID, "7", {"msdyn_cardnumber": "C-1"})
DELETE = Delete(ID, "7")


def test_a_refusal_is_read_whatever_its_case_and_extras() -> None:
    body = b'{"error":{"code":"0x8004F0AB","message":"No.","innererror":{"message":"Why."}}}'
    headers = {"x-ms-service-request-id": "r1", "retry-after": "17"}
    fault = fault_of(400, headers, body)
    assert fault == Fault(400, "0x8004f0ab", "No. Why.", "r1", 17.0)
    assert str(fault) == "HTTP 400 0x8004f0ab No. Why. (request r1)"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":"x"}', b'{"error":{}}'])
def test_a_body_that_is_no_documented_error(body: bytes) -> None:
    fault = fault_of(500, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, body)
    assert (fault.status, fault.code, fault.retry_after) == (500, "", None)
    assert fault.message == body.decode()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 17 ", 17.0),
        ("Wed, 21 Oct 2026 07:28:17 GMT", 17.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_when_to_come_back(text: str, seconds: float | None) -> None:
    sent = "Wed, 21 Oct 2026 07:28:00 GMT"
    assert fault_of(429, {"retry-after": text, "date": sent}, b"").retry_after == seconds
    # A part of a batch has no date of its own.
    assert fault_of(429, {"retry-after": text}, b"", sent).retry_after == seconds


def key_violation(found: str) -> str:
    return (
        "Entity Key Card number violated. A record with the same value for Card number already "
        f"exists.<DuplicateAttributes><msdyn_cardnumber>C-1</msdyn_cardnumber>{found}"
        "</DuplicateAttributes>"
    )


OUTCOMES: list[tuple[Operation, Fault, Outcome]] = [
    (UPDATE, Fault(412, "0x80060882", "The version doesn't match"), Stale()),
    (DELETE, Fault(412, "0x80060882", "The version doesn't match"), Stale()),
    (UPDATE, Fault(412, "", "Precondition failed"), Stale()),
    (
        CREATE,
        Fault(412, "0x80040237", "Cannot insert duplicate key."),
        Exists(ID, "Cannot insert duplicate key."),
    ),
    (
        CREATE,
        Fault(412, "0x80060892", key_violation(f"<Id>{OTHER.upper()}</Id>")),
        Exists(OTHER, key_violation(f"<Id>{OTHER.upper()}</Id>")),
    ),
    (CREATE, Fault(412, "0x80060892", key_violation("")), Exists(None, key_violation(""))),
    (UPDATE, Fault(412, "0x80060892", key_violation("")), Exists(None, key_violation(""))),
    (
        CREATE,
        Fault(412, "", "A record with matching key values already exists."),
        Exists(None, "A record with matching key values already exists."),
    ),
    (UPDATE, Fault(404, "0x80040217", f"card With Id = {ID} Does Not Exist"), Missing()),
    (DELETE, Fault(404, "0x80060891", "A record with the key does not exist"), Missing()),
    (
        UPDATE,
        Fault(404, "0x80040217", f"transactioncurrency With Id = {OTHER} Does Not Exist"),
        Rejected("0x80040217", f"transactioncurrency With Id = {OTHER} Does Not Exist"),
    ),
    (
        CREATE,
        Fault(404, "0x80040217", f"transactioncurrency With Id = {OTHER} Does Not Exist"),
        Rejected("0x80040217", f"transactioncurrency With Id = {OTHER} Does Not Exist", "cur"),
    ),
    (
        CREATE,
        Fault(400, "0x80044331", "The length of the 'msdyn_CardNumber' attribute exceeded 30"),
        Rejected(
            "0x80044331",
            "The length of the 'msdyn_CardNumber' attribute exceeded 30",
            "msdyn_cardnumber",
        ),
    ),
    (DELETE, Fault(405, "0x80040227", "in use"), Rejected("0x80040227", "in use")),
    (CREATE, Fault(413, "", "too large"), Rejected("http-413", "too large")),
    (CREATE, Fault(412, "", "odd"), Rejected("http-412", "odd")),
    (UPDATE, Fault(429, "0x80072326", "m", None, 9), Transient("HTTP 429 0x80072326 m", 9)),
    (UPDATE, Fault(500, "", "m"), Transient("HTTP 500  m")),
    (CREATE, Fault(400, "0x80044150", "1205"), Transient("HTTP 400 0x80044150 1205")),
]


@pytest.mark.parametrize(("operation", "fault", "outcome"), OUTCOMES)
def test_outcomes(operation: Operation, fault: Fault, outcome: Outcome) -> None:
    found = outcome_of(operation, fault)
    assert found == outcome
    assert type(found) is type(outcome)


def test_a_missing_privilege_and_a_missing_user_differ() -> None:
    message = "Principal user (Id=1) is missing prvCreatemsdyn_loyaltycard privilege (Id=2)"
    error = access_error(Fault(403, "0x80040220", message), "cards")
    assert (error.code, error.subject.entity) == ("privilege-missing", "cards")
    assert "prvCreatemsdyn_loyaltycard" in error.remedy
    error = access_error(Fault(403, "0x80072560", "The user is not a member"), None)
    assert error.code == "application-user-missing"
    roleless = "SecLib::RetrievePrivilegeForUser failed - no roles are assigned to user."
    error = access_error(Fault(403, "0x80042f09", roleless), "cards")
    assert error.code == "privilege-missing"
    assert error.message == "our application user has no security role"


@pytest.mark.parametrize(
    ("message", "right"),
    [
        (
            "Principal user (Id=1) is missing prvAppendToTransactionCurrency privilege (Id=2)",
            "AppendTo on TransactionCurrency (prvAppendToTransactionCurrency)",
        ),
        (
            "SecLib::CheckPrivilege failed. User: 1, PrivilegeName: prvCreateAttribute, P: 2",
            "Create on Attribute (prvCreateAttribute)",
        ),
        ("is missing prvPublishCustomization privilege", "prvPublishCustomization"),
        (
            (
                "Principal with id 1 does not have WriteAccess right(s) for record with id 2 of "
                "entity msdyn_loyaltycard"
            ),
            "Write on msdyn_loyaltycard, for rows of others too",
        ),
        ("x", "a privilege"),
    ],
)
def test_which_right_on_which_table_is_missing(message: str, right: str) -> None:
    error = access_error(Fault(403, "0x80040220", message), None)
    assert error.message == f"our application user lacks {right}"
    assert right in error.remedy


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (Fault(403, "0x80040220", "x"), AccessError, "privilege-missing"),
        (
            Fault(404, "0x8006088a", "Resource not found for the segment"),
            MapError,
            "entity-unknown",
        ),
        (Fault(400, "0x80072491", "x"), MapError, "change-tracking-off"),
        (Fault(400, "0x0", "Could not find a property named 'a'"), MapError, "column-unknown"),
        (Fault(400, "0x80040203", "x"), MapError, "request-refused"),
    ],
)
def test_whole_requests(fault: Fault, kind: type[Exception], code: str) -> None:
    error = refused(fault, "cards", "GET cards")
    assert isinstance(error, kind)
    assert error.code == code
    assert error.remedy
