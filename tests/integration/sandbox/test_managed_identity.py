"""The token endpoints of a machine in the cloud, asked by hand."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

METADATA = "/metadata/identity/oauth2/token"
NOBODY = "00000000-0000-0000-0000-000000000001"


def app_service(
    sandbox: dict[str, Any], header: str | None = None, **asked: str
) -> requests.Response:
    given = {"api-version": "2019-08-01", "resource": sandbox["dataverse"], **asked}
    return requests.get(
        sandbox["identity_endpoint"],
        params={name: value for name, value in given.items() if value},
        headers={"X-IDENTITY-HEADER": sandbox["identity_header"] if header is None else header},
        verify=sandbox["ca"],
        timeout=10,
    )


def metadata_service(
    sandbox: dict[str, Any], header: str = "true", **asked: str
) -> requests.Response:
    given = {"api-version": "2018-02-01", "resource": sandbox["dataverse"], **asked}
    return requests.get(
        f"{sandbox['dataverse']}{METADATA}",
        params={name: value for name, value in given.items() if value},
        headers={"Metadata": header},
        verify=sandbox["ca"],
        timeout=10,
    )


def who(sandbox: dict[str, Any], token: str) -> int:
    return requests.get(
        f"{sandbox['dataverse']}/api/data/v9.2/WhoAmI",
        headers={"Authorization": f"Bearer {token}"},
        verify=sandbox["ca"],
        timeout=10,
    ).status_code


def test_app_service_gives_the_machines_own_token(sandbox: dict[str, Any]) -> None:
    body = app_service(sandbox).json()
    assert body["client_id"] == sandbox["client_id"]
    assert 3500 < int(body["expires_on"]) - time.time() <= 3600
    assert (body["token_type"], body["resource"]) == ("Bearer", sandbox["dataverse"])
    assert "expires_in" not in body
    assert who(sandbox, body["access_token"]) == 200


def test_a_virtual_machine_says_how_long_too(sandbox: dict[str, Any]) -> None:
    body = metadata_service(sandbox).json()
    assert (body["expires_in"], body["ext_expires_in"]) == ("3599", "3599")
    assert who(sandbox, body["access_token"]) == 200


@pytest.mark.parametrize("ask", [app_service, metadata_service])
def test_user_assigned_identities_go_by_client_id(sandbox: dict[str, Any], ask: Any) -> None:
    body = ask(sandbox, client_id=sandbox["outsider_client_id"]).json()
    assert body["client_id"] == sandbox["outsider_client_id"]
    assert who(sandbox, body["access_token"]) == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"header": "wrong"}, 401),
        ({"header": ""}, 401),
        ({"api-version": ""}, 400),
        ({"resource": ""}, 400),
        ({"client_id": NOBODY}, 400),
        ({"mi_res_id": "/subscriptions/s/identity"}, 400),
        ({"resource": "https://other.example"}, 500),
    ],
)
def test_app_service_refuses_in_its_own_words(
    sandbox: dict[str, Any], changes: dict[str, str], status: int
) -> None:
    answer = app_service(sandbox, **changes)
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)
    assert sandbox["identity_header"] not in answer.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"header": "false"}, "invalid_request"),
        ({"resource": ""}, "invalid_request"),
        ({"client_id": NOBODY}, "invalid_request"),
        ({"resource": "https://other.example"}, "invalid_resource"),
    ],
)
def test_a_virtual_machine_refuses_as_oauth_does(
    sandbox: dict[str, Any], changes: dict[str, str], error: str
) -> None:
    answer = metadata_service(sandbox, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["error_description"]
