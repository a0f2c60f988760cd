"""Tokens through the real msal, against scripted answers of the authority."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from connector.endpoints.dataverse.auth import ClientSecretTokens
from connector.errors import AccessError, ConfigError, DualWriteError, UnreachableError

AUTHORITY = "https://login.sandbox.example/tenant1"
SECRET = "s3cret-value"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def authority() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(
            f"{AUTHORITY}/v2.0/.well-known/openid-configuration",
            json={
                "issuer": f"{AUTHORITY}/v2.0",
                "authorization_endpoint": f"{AUTHORITY}/oauth2/v2.0/authorize",
                "token_endpoint": f"{AUTHORITY}/oauth2/v2.0/token",
            },
        )
        yield mock


def grant(mock: responses.RequestsMock, token: str, life: int = 3599) -> None:
    body = {"token_type": "Bearer", "expires_in": life, "access_token": token}
    mock.post(f"{AUTHORITY}/oauth2/v2.0/token", json=body)


def deny(mock: responses.RequestsMock, number: int, status: int = 401) -> None:
    body: dict[str, Any] = {
        "error": "invalid_client",
        "error_description": f"AADSTS{number}: no.\r\nTrace ID: 1",
        "error_codes": [number],
    }
    mock.post(f"{AUTHORITY}/oauth2/v2.0/token", json=body, status=status)


def tokens(clock: Clock | None = None, authority: str = AUTHORITY) -> ClientSecretTokens:
    return ClientSecretTokens(
        authority, "client", SECRET, "https://org.example/", None, clock=clock or Clock()
    )


def posts(mock: responses.RequestsMock) -> list[str]:
    return [str(c.request.body) for c in mock.calls if c.request.method == "POST"]


def test_one_token_serves_until_shortly_before_its_end(
    authority: responses.RequestsMock,
) -> None:
    grant(authority, "first")
    grant(authority, "second")
    clock = Clock()
    source = tokens(clock)
    assert source.token() == "first"
    clock.now += 3200
    assert source.token() == "first"
    assert len(posts(authority)) == 1
    assert "scope=https%3A%2F%2Forg.example%2F.default" in posts(authority)[0]


def test_a_rejected_token_is_not_given_again(authority: responses.RequestsMock) -> None:
    grant(authority, "first")
    grant(authority, "second")
    source = tokens()
    assert source.token() == "first"
    assert source.token(rejected="older") == "first"
    assert source.token(rejected="first") == "second"
    assert source.token() == "second"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (7000215, "secret-wrong"),
        (7000222, "secret-expired"),
        (700016, "client-unknown"),
        (90002, "tenant-unknown"),
        (500011, "resource-unknown"),
        (53003, "token-denied"),
    ],
)
def test_refusals_name_what_to_change(
    authority: responses.RequestsMock, number: int, code: str
) -> None:
    deny(authority, number)
    with pytest.raises(AccessError) as caught:
        tokens().token()
    assert caught.value.code == code
    assert caught.value.cause == f"AADSTS{number}: no."
    assert SECRET not in str(caught.value)


def test_a_corrected_secret_works_without_a_restart(authority: responses.RequestsMock) -> None:
    deny(authority, 7000215, status=400)
    grant(authority, "good")
    source = tokens()
    with pytest.raises(AccessError):
        source.token()
    assert source.token() == "good"


def test_a_tenant_that_does_not_exist(authority: responses.RequestsMock) -> None:
    authority.get(
        "https://login.sandbox.example/nobody/v2.0/.well-known/openid-configuration",
        json={"error": "invalid_tenant", "error_description": "AADSTS90002: no"},
        status=400,
    )
    with pytest.raises(AccessError) as caught:
        tokens(authority="https://login.sandbox.example/nobody").token()
    assert caught.value.code == "tenant-unknown"


@pytest.mark.parametrize("address", ["http://login.sandbox.example/t", "https://login.example"])
def test_an_authority_that_cannot_be_one(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        tokens(authority=address).token()
    assert caught.value.code == "authority-invalid"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.ConnectionError("refused"), "authority-unreachable"),
        (requests.Timeout("slow"), "authority-unreachable"),
        (
            requests.exceptions.SSLError("[SSL] certificate verify failed: self-signed"),
            "certificate-untrusted",
        ),
    ],
)
def test_an_authority_that_does_not_answer(
    authority: responses.RequestsMock, error: Exception, code: str
) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", body=error)
    with pytest.raises(DualWriteError) as caught:
        tokens().token()
    assert isinstance(caught.value, UnreachableError)
    assert caught.value.code == code


def test_a_failing_authority_is_unreachable(authority: responses.RequestsMock) -> None:
    authority.post(f"{AUTHORITY}/oauth2/v2.0/token", status=503)
    with pytest.raises(UnreachableError):
        tokens().token()


def test_the_ca_reaches_every_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("not read here")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/elsewhere.pem")
    used: list[object] = []

    def send(self: object, request: object, **more: object) -> requests.Response:
        used.append(more["verify"])
        raise requests.ConnectionError("enough")

    monkeypatch.setattr(requests.Session, "send", send)
    source = ClientSecretTokens(AUTHORITY, "client", SECRET, "https://org.example", str(ca))
    with pytest.raises(UnreachableError):
        source.token()
    assert used
    assert set(used) == {str(ca)}
