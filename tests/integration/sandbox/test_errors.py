"""Answers to requests that miss: status, code, and the shape of an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import DataverseSession


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "msdyn_LoyaltyCards", 404, "0x8006088a"),
        ("GET", "nothing", 404, "0x8006088a"),
        ("GET", "msdyn_loyaltycards/nothing", 404, "0x8006088a"),
        ("PATCH", "msdyn_loyaltycards", 405, "0x80040315"),
        ("DELETE", "msdyn_loyaltycards", 405, "0x80040315"),
        ("POST", "WhoAmI", 404, ""),
        ("GET", "msdyn_loyaltycards(msdyn_cardnumber='a", 400, "0x0"),
        ("GET", "msdyn_loyaltycards(msdyn_cardnumber='%FF')", 400, "0x0"),
        ("POST", "EntityDefinitions", 400, "0x80040203"),
        ("PATCH", "EntityDefinitions", 405, "0x80040315"),
        ("GET", "msdyn_loyaltycards?$select=statecode&$select=statecode", 400, "0x0"),
    ],
)
def test_refusals(
    dataverse: DataverseSession, method: str, path: str, status: int, code: str
) -> None:
    answer = dataverse.request(method, path, json={})
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/json")
    error = answer.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["code"] == code
    assert answer.headers["REQ_ID"]


def test_details_come_when_they_are_asked_for(dataverse: DataverseSession) -> None:
    prefer = {"Prefer": 'odata.include-annotations="*"'}
    error = dataverse.get("nothing", headers=prefer).json()["error"]
    assert error["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"] == "1"
    assert error["@Microsoft.PowerApps.CDS.InnerError.Message"] == error["message"]


def test_every_answer_has_the_headers_clients_parse(dataverse: DataverseSession) -> None:
    answer = dataverse.get("WhoAmI")
    assert int(answer.headers["x-ms-dop-hint"]) > 0
    assert int(answer.headers["x-ms-ratelimit-burst-remaining-xrm-requests"]) > 0
    assert float(answer.headers["x-ms-ratelimit-time-remaining-xrm-requests"]) > 0
    again = dataverse.get("nothing")
    assert again.headers["x-ms-service-request-id"] != answer.headers["x-ms-service-request-id"]


def test_an_unknown_api_version_is_not_there(dataverse: DataverseSession) -> None:
    url = dataverse.api.replace("v9.2", "v8.0")
    assert dataverse.get(f"{url}/WhoAmI").status_code == 404
    assert dataverse.get(f"{dataverse.api.replace('v9.2', 'v9.1')}/WhoAmI").status_code == 200


def test_a_url_that_is_too_long(dataverse: DataverseSession) -> None:
    url = "msdyn_loyaltycards?$select=statecode&tag="
    assert dataverse.get(url + "x" * 32_000).status_code == 200
    assert dataverse.get(url + "x" * 33_000).status_code == 414


@pytest.mark.parametrize(
    "where",
    [
        " or ".join(["statecode eq 1"] * 501),
        "not (" * 60 + "statecode eq 1" + ")" * 60,
        " or ".join(["statecode eq 1"] * 1200)
        + " or Microsoft.Dynamics.CRM.In(PropertyName='statecode',PropertyValues=[\"1\"])",
    ],
    ids=["many", "deep", "very many"],
)
def test_too_many_conditions(dataverse: DataverseSession, where: str) -> None:
    answer = dataverse.get(f"msdyn_loyaltycards?$filter={where}")
    assert answer.status_code == 400
    assert "exceeded maximum limit" in answer.json()["error"]["message"]


def test_many_conditions_are_fine(dataverse: DataverseSession) -> None:
    where = " or ".join(["statecode eq 1"] * 500)
    assert dataverse.get(f"msdyn_loyaltycards?$filter={where}").status_code == 200


def test_numbers_beyond_any_column(dataverse: DataverseSession) -> None:
    answer = dataverse.get(f"msdyn_loyaltycards?$filter=statecode eq {10**20}")
    assert answer.status_code == 400
