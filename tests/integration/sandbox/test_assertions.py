"""Client assertions at the token endpoint: good ones, and each way to be wrong."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
import trustme
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def thumbprint(certificate: Certificate, algorithm: SHA1 | SHA256) -> str:
    return base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).decode().rstrip("=")


def assertion(sandbox: dict[str, Any], sign: str = "PS256", pem: bytes = b"", **claims: Any) -> str:
    """Signed with the registered key unless `pem` holds another; `claims` replace good ones."""
    pem = pem or Path(sandbox["client_certificate"]).read_bytes()
    registered = load_pem_x509_certificate(Path(sandbox["client_certificate"]).read_bytes())
    name, algorithm = ("x5t#S256", SHA256()) if sign == "PS256" else ("x5t", SHA1())
    now = int(time.time())
    payload = {
        "aud": f"{sandbox['authority']}/oauth2/v2.0/token",
        "iss": sandbox["client_id"],
        "sub": sandbox["client_id"],
        "jti": "once",
        "nbf": now,
        "exp": now + 300,
    }
    shown = claims.pop("shown", registered)
    key = pem[pem.index(b"-----BEGIN RSA") :]
    return jwt.encode(
        {**payload, **claims},
        key.decode(),
        algorithm=sign,
        headers={name: thumbprint(shown, algorithm)},
    )


def ask(sandbox: dict[str, Any], text: str, **changes: str) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": sandbox["client_id"],
        "client_assertion_type": KIND,
        "client_assertion": text,
        "scope": f"{sandbox['dataverse']}/.default",
    }
    return requests.post(
        f"{sandbox['authority']}/oauth2/v2.0/token",
        data={**form, **changes},
        verify=sandbox["ca"],
        timeout=10,
    )


@pytest.mark.parametrize("sign", ["PS256", "RS256"])
def test_an_assertion_opens_the_door(sandbox: dict[str, Any], sign: str) -> None:
    token = ask(sandbox, assertion(sandbox, sign)).json()["access_token"]
    answer = requests.get(
        f"{sandbox['dataverse']}/api/data/v9.2/WhoAmI",
        headers={"Authorization": f"Bearer {token}"},
        verify=sandbox["ca"],
        timeout=10,
    )
    assert answer.status_code == 200


def test_the_issuer_is_an_audience_too(sandbox: dict[str, Any]) -> None:
    text = assertion(sandbox, aud=f"{sandbox['authority']}/v2.0")
    assert ask(sandbox, text).status_code == 200


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"exp": 1_700_000_000}, 700024),
        ({"nbf": 4_000_000_000}, 700024),
        ({"aud": "https://login.example/t/oauth2/v2.0/token"}, 700023),
        ({"sub": "00000000-0000-0000-0000-000000000001"}, 700021),
        ({"iss": "00000000-0000-0000-0000-000000000001"}, 700021),
        ({"exp": None}, 50027),
    ],
)
def test_wrong_claims_have_their_numbers(
    sandbox: dict[str, Any], claims: dict[str, Any], number: int
) -> None:
    refused(ask(sandbox, assertion(sandbox, **claims)), number)


def test_a_key_nobody_registered(sandbox: dict[str, Any]) -> None:
    """Once with its own thumbprint, once under the name of the registered certificate."""
    leaf = trustme.CA().issue_cert(common_name="other", key_type=trustme.KeyType.RSA)
    other = leaf.cert_chain_pems[0].bytes() + leaf.private_key_pem.bytes()
    refused(ask(sandbox, assertion(sandbox, pem=other)), 700027)
    text = assertion(sandbox, pem=other, shown=load_pem_x509_certificate(other))
    refused(ask(sandbox, text), 700027)


def test_an_application_without_a_certificate(sandbox: dict[str, Any]) -> None:
    agent = sandbox["agent_client_id"]
    refused(ask(sandbox, assertion(sandbox, iss=agent, sub=agent), client_id=agent), 700027)


@pytest.mark.parametrize("text", ["x", "a.b.c"])
def test_what_is_no_assertion_at_all(sandbox: dict[str, Any], text: str) -> None:
    refused(ask(sandbox, text), 50027)


def test_an_unsigned_assertion_proves_nothing(sandbox: dict[str, Any]) -> None:
    registered = load_pem_x509_certificate(Path(sandbox["client_certificate"]).read_bytes())
    claims = jwt.decode(assertion(sandbox), options={"verify_signature": False})
    header = {"x5t#S256": thumbprint(registered, SHA256())}
    refused(ask(sandbox, jwt.encode(claims, "", algorithm="none", headers=header)), 700027)


def test_another_type_of_assertion_is_none(sandbox: dict[str, Any]) -> None:
    answer = ask(sandbox, assertion(sandbox), client_assertion_type="urn:other")
    refused(answer, 7000218)


def refused(answer: requests.Response, number: int) -> None:
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (
        401,
        "invalid_client",
        [number],
    )
    assert body["error_description"].startswith(f"AADSTS{number}: ")
