"""The envelope of a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.finops.conftest import CARDS, Add

if TYPE_CHECKING:
    from tests.conftest import FinopsSession

WRITE = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException"


def test_a_second_row_with_a_key(finops: FinopsSession, add: Add) -> None:
    add("55001")
    answer = finops.post(CARDS, json={"CardNumber": "55001"})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("", "An error has occurred.")
    assert error["innererror"]["type"] == WRITE
    assert error["innererror"]["stacktrace"].startswith("   at ")
    assert error["innererror"]["message"] == (
        "Write failed for table row of type 'RetailLoyaltyCardEntity'. Infolog: Info: Cannot "
        "create a record in Loyalty cards (RetailLoyaltyCard). Card number: 55001.\n"
        "The record already exists.."
    )


def test_a_company_is_not_part_of_the_text(finops: FinopsSession) -> None:
    answer = finops.post("CustomerGroups", json={"CustomerGroupId": "10"})
    text = answer.json()["error"]["innererror"]["message"]
    assert "Customer group: 10.\n" in text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_that_is_no_json_object(finops: FinopsSession, body: bytes) -> None:
    answer = finops.post(CARDS, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "The request is invalid."


def test_a_body_of_another_type(finops: FinopsSession) -> None:
    body = {"@odata.type": "#Microsoft.Dynamics.DataEntities.Currency"}
    assert finops.post(CARDS, json=body).status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", CARDS),
        ("PATCH", CARDS),
        ("POST", f"{CARDS}('1')"),
        ("POST", f"{CARDS}/$count"),
        ("PATCH", "DataManagementDefinitionGroups"),
    ],
)
def test_methods_that_are_not_there(finops: FinopsSession, method: str, path: str) -> None:
    assert finops.request(method, path, json={}).status_code == 405
