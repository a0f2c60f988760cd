"""Tokens through the real msal, against scripted answers of the authority."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses

from connector.endpoints.dataverse.service import NAMING
from connector.endpoints.web.certificates import Certificate, read_certificate
from connector.endpoints.web.credentials import Application, ManagedIdentity
from connector.errors import AccessError, ConfigError, DualWriteError, UnreachableError
from tests.unit.endpoints.web.test_certificates import made

AUTHORITY = "https://login.sandbox.example/tenant1"
TOKEN = f"{AUTHORITY}/oauth2/v2.0/token"
SECRET = "s3cret-value"
ORGANIZATION = "https://org.example/"
IMDS = "http://169.254.169.254/metadata/identity/oauth2/token"


@pytest.fixture
def authority() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(
            f"{AUTHORITY}/v2.0/.well-known/openid-configuration",
            json={
                "issuer": f"{AUTHORITY}/v2.0",
                "authorization_endpoint": f"{AUTHORITY}/oauth2/v2.0/authorize",
                "token_endpoint": TOKEN,
            },
        )
        yield mock


def grant(mock: responses.RequestsMock, token: str) -> None:
    mock.post(TOKEN, json={"token_type": "Bearer", "expires_in": 3599, "access_token": token})


def deny(mock: responses.RequestsMock, number: int, status: int = 401) -> None:
    body: dict[str, Any] = {
        "error": "invalid_client",
        "error_description": f"AADSTS{number}: no.\r\nTrace ID: 1",
        "error_codes": [number],
    }
    mock.post(TOKEN, json=body, status=status)


def application(proof: str | Certificate = SECRET, authority: str = AUTHORITY) -> Application:
    return Application(authority, "client", proof, ORGANIZATION, None, naming=NAMING)


def forms(mock: responses.RequestsMock) -> list[dict[str, list[str]]]:
    bodies = (str(call.request.body) for call in mock.calls if call.request.method == "POST")
    return [parse_qs(body) for body in bodies]


# ---------------------------------------------------------------------------- secret


def test_a_token_for_the_organization(authority: responses.RequestsMock) -> None:
    grant(authority, "first")
    assert application().ask() == ("first", 3599.0)
    (form,) = forms(authority)
    assert form["scope"] == ["https://org.example/.default"]
    assert form["client_secret"] == [SECRET]


def test_msal_does_not_give_a_forgotten_token_again(authority: responses.RequestsMock) -> None:
    grant(authority, "first")
    grant(authority, "second")
    asked = application()
    assert asked.ask().token == "first"
    asked.forget()
    assert asked.ask().token == "second"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (7000215, "secret-wrong"),
        (7000222, "secret-expired"),
        (700016, "client-unknown"),
        (7000229, "client-unknown"),
        (700024, "clock-wrong"),
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
        application().ask()
    assert caught.value.code == code
    assert caught.value.cause == f"AADSTS{number}: no."
    assert caught.value.exit_code == 2
    assert SECRET not in str(caught.value)


def test_a_corrected_secret_works_without_a_restart(authority: responses.RequestsMock) -> None:
    deny(authority, 7000215, status=400)
    grant(authority, "good")
    asked = application()
    with pytest.raises(AccessError):
        asked.ask()
    assert asked.ask().token == "good"


def test_a_tenant_that_does_not_exist(authority: responses.RequestsMock) -> None:
    authority.get(
        "https://login.sandbox.example/nobody/v2.0/.well-known/openid-configuration",
        json={"error": "invalid_tenant", "error_description": "AADSTS90002: no"},
        status=400,
    )
    with pytest.raises(AccessError) as caught:
        application(authority="https://login.sandbox.example/nobody").ask()
    assert caught.value.code == "tenant-unknown"


@pytest.mark.parametrize("address", ["http://login.sandbox.example/t", "https://login.example"])
def test_an_authority_that_cannot_be_one(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        application(authority=address).ask()
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
    authority.post(TOKEN, body=error)
    with pytest.raises(DualWriteError) as caught:
        application().ask()
    assert isinstance(caught.value, UnreachableError)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 503},
        {"body": "<html>Sign in to the network</html>", "content_type": "text/html"},
        {"body": '{"access_token": "half', "content_type": "application/json"},
    ],
    ids=["failing", "a proxy's page", "cut off"],
)
def test_an_answer_that_is_none_is_unreachable(
    authority: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    authority.post(TOKEN, **answer)
    with pytest.raises(UnreachableError) as caught:
        application().ask()
    assert caught.value.code == "authority-unreachable"
    assert caught.value.remedy


def test_a_description_that_is_none_is_unreachable() -> None:
    with responses.RequestsMock() as mock:
        mock.get(
            f"{AUTHORITY}/v2.0/.well-known/openid-configuration",
            body="<html>Sign in to the network</html>",
            content_type="text/html",
        )
        with pytest.raises(UnreachableError) as caught:
            application().ask()
    assert caught.value.code == "authority-unreachable"


def test_a_busy_authority_is_unreachable(authority: responses.RequestsMock) -> None:
    authority.post(TOKEN, json={"error": "temporarily_unavailable"}, status=400)
    with pytest.raises(UnreachableError):
        application().ask()


def test_the_ca_reaches_every_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("not read here")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/elsewhere.pem")
    used: list[object] = []

    def send(self: object, request: object, **more: object) -> requests.Response:
        used.append(more["verify"])
        raise requests.ConnectionError("enough")

    monkeypatch.setattr(requests.Session, "send", send)
    with pytest.raises(UnreachableError):
        Application(AUTHORITY, "client", SECRET, ORGANIZATION, str(ca), naming=NAMING).ask()
    assert used
    assert set(used) == {str(ca)}


# ---------------------------------------------------------------------------- certificate


def decoded(part: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return value


def test_a_certificate_signs_who_we_are(authority: responses.RequestsMock) -> None:
    grant(authority, "by certificate")
    certificate = read_certificate(made().pem, datetime.now(UTC), NAMING)
    assert application(certificate).ask().token == "by certificate"
    (form,) = forms(authority)
    assert "client_secret" not in form
    head, claims, _ = form["client_assertion"][0].split(".")
    thumbprint = base64.urlsafe_b64decode(decoded(head)["x5t#S256"] + "==")
    assert thumbprint.hex() == made().sha256
    assert decoded(claims)["aud"] == TOKEN
    assert decoded(claims)["iss"] == "client"


def test_a_certificate_nobody_registered_is_named(authority: responses.RequestsMock) -> None:
    deny(authority, 700027)
    certificate = read_certificate(made().pem, datetime.now(UTC), NAMING)
    with pytest.raises(AccessError) as caught:
        application(certificate).ask()
    assert caught.value.code == "certificate-unknown"
    assert certificate.thumbprint in caught.value.message
    assert certificate.private_key not in str(caught.value)


# ---------------------------------------------------------------------------- kept tokens


def test_another_proof_has_another_name() -> None:
    certificate = read_certificate(made().pem, datetime.now(UTC), NAMING)
    names = {
        application().name,
        application("other").name,
        application(certificate).name,
        application(authority="https://login.example/t").name,
        Application(AUTHORITY, "client2", SECRET, ORGANIZATION, None, naming=NAMING).name,
        Application(AUTHORITY, "client", SECRET, "https://org2.example", None, naming=NAMING).name,
        ManagedIdentity(None, ORGANIZATION, NAMING).name,
        ManagedIdentity("client", ORGANIZATION, NAMING).name,
    }
    assert len(names) == 8
    assert application().name in names, "and the same one the same"
    assert not any(SECRET in name for name in names)


# ---------------------------------------------------------------------------- managed identity


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[responses.RequestsMock]:
    """A virtual machine, whose identity service answers at a fixed address."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "IMDS_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def asked(mock: responses.RequestsMock) -> dict[str, str]:
    (call,) = mock.calls
    assert call.request.headers["Metadata"] == "true"
    parameters: dict[str, str] = call.request.params  # type: ignore[attr-defined]
    return parameters


@pytest.mark.parametrize("client_id", [None, "0b8e2f34-7d5b-4a49-8f0b-3c9a1e6d2f70"])
def test_the_machine_vouches_for_us(machine: responses.RequestsMock, client_id: str | None) -> None:
    machine.get(IMDS, json={"access_token": "given", "expires_in": "86399"})
    identity = ManagedIdentity(client_id, ORGANIZATION, NAMING)
    assert identity.ask() == ("given", 86399.0)
    parameters = asked(machine)
    assert parameters["resource"] == "https://org.example"
    assert parameters.get("client_id") == client_id
    assert identity.ask().token == "given"
    assert len(machine.calls) == 1


def test_a_forgotten_token_of_the_machine(machine: responses.RequestsMock) -> None:
    machine.get(IMDS, json={"access_token": "first", "expires_in": "86399"})
    machine.get(IMDS, json={"access_token": "second", "expires_in": "86399"})
    identity = ManagedIdentity(None, ORGANIZATION, NAMING)
    assert identity.ask().token == "first"
    identity.forget()
    assert identity.ask().token == "second"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (
            {"error": "invalid_request", "error_description": "Identity not found"},
            "identity-unknown",
        ),
        (
            {"error": "invalid_resource", "error_description": "AADSTS500011: not found"},
            "resource-unknown",
        ),
    ],
)
def test_a_machine_without_the_identity(
    machine: responses.RequestsMock, answer: dict[str, str], code: str
) -> None:
    machine.get(IMDS, json=answer, status=400)
    with pytest.raises(AccessError) as caught:
        ManagedIdentity("other", ORGANIZATION, NAMING).ask()
    assert caught.value.code == code
    assert caught.value.cause == answer["error_description"]


@pytest.mark.parametrize(
    "body",
    [requests.ConnectTimeout("no route"), "<html>a proxy</html>"],
    ids=["nobody", "somebody else"],
)
def test_no_identity_service(machine: responses.RequestsMock, body: Exception | str) -> None:
    machine.get(IMDS, body=body)
    with pytest.raises(UnreachableError) as caught:
        ManagedIdentity(None, ORGANIZATION, NAMING).ask()
    assert caught.value.code == "identity-service-unreachable"
