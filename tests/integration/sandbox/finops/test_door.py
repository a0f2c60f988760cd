"""Who comes in: tokens, audiences, mapped applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from azure.identity import ClientSecretCredential

from tests.conftest import FinopsSession, fetch_token
from tests.integration.sandbox.finops.conftest import CARDS

if TYPE_CHECKING:
    from tests.conftest import DataverseSession


def token(sandbox: dict[str, Any], scope: str) -> requests.Response:
    return requests.post(
        f"{sandbox['authority']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": sandbox["client_id"],
            "client_secret": sandbox["client_secret"],
            "scope": scope,
        },
        verify=sandbox["ca"],
        timeout=10,
    )


def test_a_token_is_good_for_the_side_it_names(
    sandbox: dict[str, Any], finops: FinopsSession, dataverse: DataverseSession
) -> None:
    assert finops.get(CARDS).status_code == 200
    other = {"Authorization": str(dataverse.headers["Authorization"])}
    assert finops.get(CARDS, headers=other).status_code == 401
    back = {"Authorization": str(finops.headers["Authorization"])}
    assert dataverse.get("WhoAmI", headers=back).status_code == 401
    unknown = token(sandbox, "https://127.0.0.1:1/.default")
    assert unknown.json()["error_codes"] == [500011]


def test_the_audience_has_no_slash_at_its_end(sandbox: dict[str, Any]) -> None:
    answer = token(sandbox, f"{sandbox['finops']}//.default")
    with FinopsSession(sandbox, answer.json()["access_token"]) as session:
        assert session.get(CARDS).status_code == 401


def test_a_client_made_for_the_real_one_signs_in(
    sandbox: dict[str, Any], finops: FinopsSession, trust: None
) -> None:
    del trust
    with ClientSecretCredential(
        sandbox["tenant"],
        sandbox["client_id"],
        sandbox["client_secret"],
        authority=sandbox["dataverse"],
        disable_instance_discovery=True,
    ) as credential:
        granted = credential.get_token(f"{sandbox['finops']}/.default").token
    answer = finops.get(CARDS, headers={"Authorization": f"Bearer {granted}"})
    assert answer.status_code == 200


def test_without_a_token_the_door_names_the_tenant(
    sandbox: dict[str, Any], finops: FinopsSession
) -> None:
    answer = finops.get(CARDS, headers={"Authorization": ""})
    assert (answer.status_code, answer.content) == (401, b"")
    assert f"authorization_uri={sandbox['authority']}/" in answer.headers["WWW-Authenticate"]


def test_an_application_that_is_not_mapped_meets_a_page(sandbox: dict[str, Any]) -> None:
    with FinopsSession(sandbox, fetch_token(sandbox, "outsider_", "finops")) as session:
        answer = session.get(CARDS)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("text/html")
    assert b"<html>" in answer.content


def test_mapping_is_a_matter_of_the_administrator(
    sandbox: dict[str, Any], finops: FinopsSession
) -> None:
    finops.switch("users", {"user": "connector", "mapped": False})
    assert finops.get(CARDS).status_code == 401
    finops.switch("users", {"user": "connector"})
    assert finops.get(CARDS).status_code == 200
    finops.switch("users", {"user": "outsider"})
    with FinopsSession(sandbox, fetch_token(sandbox, "outsider_", "finops")) as session:
        assert session.get(CARDS).status_code == 200
    wrong = finops.post(f"{finops.host}/sandbox/users", json={"user": "nobody"})
    assert wrong.status_code == 400


def test_a_user_without_a_role_may_nothing(sandbox: dict[str, Any]) -> None:
    with FinopsSession(sandbox, fetch_token(sandbox, "roleless_", "finops")) as session:
        answer = session.get(CARDS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "")


def test_a_person_may_edit(sandbox: dict[str, Any], finops: FinopsSession) -> None:
    del finops
    with FinopsSession(sandbox, fetch_token(sandbox, "agent_", "finops")) as session:
        assert session.post(CARDS, json={"CardNumber": "1"}).status_code == 201


def test_localhost_is_a_name_for_it_too(finops: FinopsSession) -> None:
    url = finops.host.replace("127.0.0.1", "localhost")
    body = finops.get(f"{url}/data/{CARDS}").json()
    assert body["@odata.context"].startswith(f"{url}/data/")


def test_other_paths_are_not_there(finops: FinopsSession) -> None:
    for path in ("", "/api/data/v9.2/WhoAmI", "/oauth2/v2.0/token"):
        assert finops.get(finops.host + path).status_code == 404
