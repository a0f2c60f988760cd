"""The identity provider and the door of the organization."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from connector.sandbox.identity.tokens import Application, Directory, Grant

if TYPE_CHECKING:
    from tests.conftest import DataverseSession, SignIn


def form(sandbox: dict[str, Any], **changes: str) -> dict[str, str]:
    asked = {
        "grant_type": "client_credentials",
        "client_id": str(sandbox["client_id"]),
        "client_secret": str(sandbox["client_secret"]),
        "scope": f"{sandbox['dataverse']}/.default",
    }
    return {name: value for name, value in {**asked, **changes}.items() if value}


def ask(sandbox: dict[str, Any], tenant: str | None = None, **changes: str) -> requests.Response:
    authority = f"{sandbox['dataverse']}/{tenant or sandbox['tenant']}"
    return requests.post(
        f"{authority}/oauth2/v2.0/token",
        data=form(sandbox, **changes),
        verify=sandbox["ca"],
        timeout=10,
    )


def test_discovery_names_the_token_endpoint(sandbox: dict[str, Any]) -> None:
    for version in ("/v2.0", ""):
        found = requests.get(
            f"{sandbox['authority']}{version}/.well-known/openid-configuration",
            verify=sandbox["ca"],
            timeout=10,
        ).json()
        assert found["token_endpoint"] == f"{sandbox['authority']}/oauth2/v2.0/token"
        assert found["issuer"].startswith(sandbox["authority"])


def test_a_token_has_a_life(sandbox: dict[str, Any]) -> None:
    answer = ask(sandbox).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3599)
    assert answer["access_token"].count(".") == 2


@pytest.mark.parametrize(
    ("changes", "status", "number", "error"),
    [
        ({"client_secret": "wrong"}, 401, 7000215, "invalid_client"),
        ({"client_secret": ""}, 401, 7000218, "invalid_client"),
        ({"client_id": "nobody"}, 400, 700016, "unauthorized_client"),
        ({"scope": ""}, 400, 900144, "invalid_request"),
        ({"grant_type": "password"}, 400, 70003, "unsupported_grant_type"),
        ({"scope": "https://127.0.0.1/user"}, 400, 1002012, "invalid_scope"),
        ({"scope": "https://other.example/.default"}, 400, 500011, "invalid_resource"),
        ({"tenant": "other"}, 400, 90002, "invalid_tenant"),
    ],
)
def test_refusals_carry_the_number_clients_look_for(
    sandbox: dict[str, Any], changes: dict[str, str], status: int, number: int, error: str
) -> None:
    answer = ask(sandbox, **changes)
    body = answer.json()
    assert (answer.status_code, body["error_codes"], body["error"]) == (status, [number], error)
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert str(sandbox["client_secret"]) not in answer.text


def test_an_expired_secret_says_so(sandbox: dict[str, Any]) -> None:
    old = (Path(sandbox["ca"]).parent / "expired_secret").read_text()
    answer = ask(sandbox, client_secret=old)
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [7000222])
    assert old not in answer.text


def test_a_secret_is_a_file_of_its_owner(sandbox: dict[str, Any]) -> None:
    folder = Path(sandbox["ca"]).parent
    for name, key in (("client_secret", "client_secret"), ("agent_secret", "agent_client_secret")):
        assert (folder / name).read_text() == sandbox[key]
        assert (folder / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer a.b.c", "Basic eDp5", "Bearer é"])
def test_without_a_good_token_the_door_names_the_tenant(
    sandbox: dict[str, Any], dataverse: DataverseSession, header: str
) -> None:
    answer = dataverse.get("WhoAmI", headers={"Authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == (
        f"Bearer authorization_uri={sandbox['authority']}/oauth2/authorize, "
        f"resource_id={sandbox['dataverse']}/"
    )


def test_a_changed_token_is_worth_nothing(dataverse: DataverseSession) -> None:
    kind, _, token = str(dataverse.headers["Authorization"]).partition(" ")
    head, claims, signature = token.split(".")
    changed = f"{kind} {head}.{claims[:-2]}AA.{signature}"
    assert dataverse.get("WhoAmI", headers={"Authorization": changed}).status_code == 401


def test_an_application_without_a_user_is_no_member(sign_in: SignIn) -> None:
    answer = sign_in("outsider_").get("WhoAmI")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "0x80072560")


def test_localhost_is_a_name_for_it_too(
    sandbox: dict[str, Any], dataverse: DataverseSession
) -> None:
    url = dataverse.api.replace("127.0.0.1", "localhost")
    body = dataverse.get(f"{url}/WhoAmI").json()
    assert body["@odata.context"].startswith(url)


def test_a_token_ends() -> None:
    directory = Directory("t", (Application("app", "secret"),), "key")
    asked = "grant_type=client_credentials&client_id=app&client_secret=secret"
    scope = "scope=https%3A%2F%2F127.0.0.1%3A8443%2F.default"
    grants = []
    for life in (60, 0):
        directory.life_seconds = life
        answer = directory.handle(
            "POST", "/t/oauth2/v2.0/token", f"{asked}&{scope}".encode(), "https://127.0.0.1:8443"
        )
        assert answer is not None
        token = json.loads(answer.body)["access_token"]
        grants.append(directory.check(f"Bearer {token}"))
    assert grants == [Grant("app", "https://127.0.0.1:8443"), None]
