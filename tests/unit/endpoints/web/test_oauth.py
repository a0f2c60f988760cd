"""Tokens of an OAuth server, against scripted answers."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses

from connector.endpoints.dataverse.service import NAMING
from connector.endpoints.web.oauth import ClientCredentials
from connector.errors import AccessError, UnreachableError

URL = "https://shop.example/authorizationserver/oauth/token"
SECRET = "s3cret:+värde"


def client(scope: str | None = None, secret: str = SECRET) -> ClientCredentials:
    return ClientCredentials(URL, "the client", secret, scope=scope, ca=None, naming=NAMING)


def answered(status: int = 200, **answer: Any) -> Any:
    mock = responses.RequestsMock()
    mock.post(URL, json=answer, status=status)
    return mock


def test_a_token_is_asked_for_as_the_standard_says() -> None:
    with answered(access_token="t", token_type="bearer", expires_in=43199) as mock:
        granted = client("extended").ask()
        (call,) = mock.calls
    assert granted == ("t", 43199.0)
    assert parse_qs(call.request.body) == {
        "grant_type": ["client_credentials"],
        "scope": ["extended"],
    }
    scheme, _, proof = call.request.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(proof) == b"the+client:s3cret%3A%2Bv%C3%A4rde"


def test_a_server_that_does_not_say_how_long_is_asked_again_soon() -> None:
    with answered(access_token="t"):
        assert 60 < client().ask().life < 3600


@pytest.mark.parametrize(
    ("error", "code", "names"),
    [
        ("invalid_client", "client-unknown", "client_secret"),
        ("invalid_scope", "token-denied", "scope"),
        ("unauthorized_client", "token-denied", "token_url"),
    ],
)
def test_refusals_say_what_to_do(error: str, code: str, names: str) -> None:
    with (
        answered(401, error=error, error_description="no.\nsecond line"),
        pytest.raises(AccessError) as raised,
    ):
        client().ask()
    assert raised.value.code == code
    assert names in raised.value.remedy
    assert raised.value.cause == "no."
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_may_be_asked_again(status: int) -> None:
    with answered(status, error="server_error"), pytest.raises(UnreachableError):
        client().ask()


@pytest.mark.parametrize("body", ["<html>Sign in</html>", "", "[1]", "{}"])
def test_what_is_no_token_answer_is_an_error(body: str) -> None:
    with responses.RequestsMock() as mock:
        mock.post(URL, body=body)
        with pytest.raises(UnreachableError) as raised:
            client().ask()
    assert "token_url" in raised.value.remedy
    assert "status 200" in str(raised.value.cause)


@pytest.mark.parametrize(
    ("status", "code"), [(401, "client-unknown"), (400, "token-denied"), (404, "token-denied")]
)
@pytest.mark.parametrize("body", ["<html>Unauthorized</html>", ""])
def test_a_refusal_without_the_words_of_the_standard_is_one_by_its_status(
    status: int, code: str, body: str
) -> None:
    with responses.RequestsMock() as mock:
        mock.post(URL, body=body, status=status, content_type="text/html;charset=utf-8")
        with pytest.raises(AccessError) as raised:
            client().ask()
    assert raised.value.code == code
    assert raised.value.cause == f"status {status}, text/html"
    assert "client_secret" in raised.value.remedy


def test_a_token_url_that_leads_elsewhere_says_where() -> None:
    with responses.RequestsMock() as mock:
        mock.post(URL, status=302, headers={"Location": "https://shop.example/login"})
        with pytest.raises(UnreachableError, match="leading to https"):
            client().ask()


def test_a_server_out_of_reach_is_said_so() -> None:
    with responses.RequestsMock() as mock:
        mock.post(URL, body=requests.ConnectionError("refused"))
        with pytest.raises(UnreachableError) as raised:
            client().ask()
    assert raised.value.code == "authority-unreachable"


def test_tokens_are_kept_apart_by_all_they_depend_on() -> None:
    one = client()
    assert one.name == client().name
    assert len({one.name, client("other").name, client(secret="other").name}) == 3
