"""Sign-in with the libraries made for the real service, unchanged: azure-identity and MSAL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msal
import pytest
import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientSecretCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
)
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509 import load_pem_x509_certificate

if TYPE_CHECKING:
    from tests.conftest import DataverseSession

NOBODY = "00000000-0000-0000-0000-000000000001"

pytestmark = pytest.mark.usefixtures("trust")


def scope(sandbox: dict[str, Any]) -> str:
    return f"{sandbox['dataverse']}/.default"


def opens_the_door(dataverse: DataverseSession, token: str) -> bool:
    answer = dataverse.get("WhoAmI", headers={"Authorization": f"Bearer {token}"})
    return bool(answer.status_code == 200)


# ---------------------------------------------------------------------------- MSAL


def application(
    sandbox: dict[str, Any], credential: Any, **changes: Any
) -> msal.ConfidentialClientApplication:
    asked: dict[str, Any] = {"authority": sandbox["authority"], "instance_discovery": False}
    return msal.ConfidentialClientApplication(
        changes.pop("client_id", sandbox["client_id"]),
        client_credential=credential,
        **{**asked, **changes},
    )


def test_msal_gets_a_token_that_opens_the_door(
    sandbox: dict[str, Any], dataverse: DataverseSession
) -> None:
    app = application(sandbox, sandbox["client_secret"])
    result = app.acquire_token_for_client(scopes=[scope(sandbox)])
    assert result["token_source"] == "identity_provider"
    again = app.acquire_token_for_client(scopes=[scope(sandbox)])
    assert again["token_source"] == "cache"
    assert opens_the_door(dataverse, result["access_token"])


def test_msal_takes_the_authority_as_an_oidc_issuer(sandbox: dict[str, Any]) -> None:
    app = msal.ConfidentialClientApplication(
        sandbox["client_id"],
        client_credential=sandbox["client_secret"],
        oidc_authority=sandbox["authority"],
    )
    assert "access_token" in app.acquire_token_for_client(scopes=[scope(sandbox)])


@pytest.mark.parametrize("sign", ["PS256", "RS256"])
def test_msal_signs_with_a_certificate(
    sandbox: dict[str, Any], dataverse: DataverseSession, sign: str
) -> None:
    pem = Path(sandbox["client_certificate"]).read_text()
    credential = {"private_key": pem[pem.index("-----BEGIN RSA") :], "public_certificate": pem}
    if sign == "RS256":  # the older way: the thumbprint handed in
        found = load_pem_x509_certificate(pem.encode())
        credential = {
            "private_key": credential["private_key"],
            "thumbprint": found.fingerprint(SHA1()).hex(),
        }
    result = application(sandbox, credential).acquire_token_for_client(scopes=[scope(sandbox)])
    assert opens_the_door(dataverse, result["access_token"])


@pytest.mark.parametrize(
    ("credential", "number"), [("wrong", 7000215), ("expired", 7000222), ("nobody", 700016)]
)
def test_msal_reports_what_is_wrong(sandbox: dict[str, Any], credential: str, number: int) -> None:
    changes = {"client_id": NOBODY} if credential == "nobody" else {}
    expired = (Path(sandbox["ca"]).parent / "expired_secret").read_text()
    app = application(sandbox, {"expired": expired}.get(credential, "wrong"), **changes)
    result = app.acquire_token_for_client(scopes=[scope(sandbox)])
    assert result["error_codes"] == [number]
    assert f"AADSTS{number}" in result["error_description"]


def test_msal_finds_no_unknown_tenant(sandbox: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="tenant"):
        application(
            sandbox, sandbox["client_secret"], authority=f"{sandbox['dataverse']}/{NOBODY}"
        ).acquire_token_for_client(scopes=[scope(sandbox)])


def test_msal_as_a_managed_identity(
    sandbox: dict[str, Any], dataverse: DataverseSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", sandbox["identity_endpoint"])
    monkeypatch.setenv("IDENTITY_HEADER", sandbox["identity_header"])
    with requests.Session() as session:
        identity = msal.SystemAssignedManagedIdentity()
        app = msal.ManagedIdentityClient(identity, http_client=session)
        result = app.acquire_token_for_client(resource=sandbox["dataverse"])
        assert opens_the_door(dataverse, result["access_token"])
        other = msal.UserAssignedManagedIdentity(client_id=NOBODY)
        app = msal.ManagedIdentityClient(other, http_client=session)
        assert "error" in app.acquire_token_for_client(resource=sandbox["dataverse"])


# ---------------------------------------------------------------------------- azure-identity


def options(sandbox: dict[str, Any]) -> dict[str, Any]:
    return {"authority": sandbox["dataverse"], "disable_instance_discovery": True}


def secret(sandbox: dict[str, Any], **changes: str) -> ClientSecretCredential:
    asked = {name: str(sandbox[name]) for name in ("tenant", "client_id", "client_secret")}
    asked.update(changes)
    return ClientSecretCredential(
        asked["tenant"], asked["client_id"], asked["client_secret"], **options(sandbox)
    )


def token(credential: TokenCredential, sandbox: dict[str, Any]) -> str:
    return credential.get_token(scope(sandbox)).token


def test_azure_identity_with_a_secret(sandbox: dict[str, Any], dataverse: DataverseSession) -> None:
    with secret(sandbox) as credential:
        assert opens_the_door(dataverse, token(credential, sandbox))
        assert token(credential, sandbox) == token(credential, sandbox)


def test_azure_identity_with_a_certificate(
    sandbox: dict[str, Any], dataverse: DataverseSession
) -> None:
    with CertificateCredential(
        sandbox["tenant"], sandbox["client_id"], sandbox["client_certificate"], **options(sandbox)
    ) as credential:
        assert opens_the_door(dataverse, token(credential, sandbox))


def test_azure_identity_with_a_certificate_of_another_application(sandbox: dict[str, Any]) -> None:
    with (
        CertificateCredential(
            sandbox["tenant"],
            sandbox["agent_client_id"],
            sandbox["client_certificate"],
            **options(sandbox),
        ) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS700027"),
    ):
        token(credential, sandbox)


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"client_secret": "wrong"}, 7000215),
        ({"client_id": NOBODY}, 700016),
        ({"tenant": NOBODY}, 90002),
    ],
)
def test_azure_identity_reports_what_is_wrong(
    sandbox: dict[str, Any], changes: dict[str, str], number: int
) -> None:
    match = "tenant" if number == 90002 else f"AADSTS{number}"
    with (
        secret(sandbox, **changes) as credential,
        pytest.raises((ClientAuthenticationError, ValueError), match=match),
    ):
        token(credential, sandbox)


def test_azure_identity_on_app_service(
    sandbox: dict[str, Any], dataverse: DataverseSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", sandbox["identity_endpoint"])
    monkeypatch.setenv("IDENTITY_HEADER", sandbox["identity_header"])
    with ManagedIdentityCredential() as credential:
        assert opens_the_door(dataverse, token(credential, sandbox))
    with ManagedIdentityCredential(client_id=sandbox["outsider_client_id"]) as credential:
        assert not opens_the_door(dataverse, token(credential, sandbox))
    with (
        ManagedIdentityCredential(client_id=NOBODY) as credential,
        pytest.raises(CredentialUnavailableError),
    ):
        token(credential, sandbox)


def test_azure_identity_on_a_virtual_machine(
    sandbox: dict[str, Any], dataverse: DataverseSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", sandbox["dataverse"])
    with ManagedIdentityCredential() as credential:
        assert opens_the_door(dataverse, token(credential, sandbox))
    with (
        ManagedIdentityCredential(client_id=NOBODY) as credential,
        pytest.raises(CredentialUnavailableError, match="Identity not found"),
    ):
        token(credential, sandbox)
