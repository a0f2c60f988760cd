"""Client assertions: an application proves itself with the private key of a certificate.

Owns: what makes a signed assertion good, and the number that says why it is not.
Never does: issuing tokens (`tokens.py`), making certificates (`certificates.py`).
Tested in: tests/integration/sandbox/test_assertions.py.

Facts: "Microsoft identity platform: certificate-credentials". The header names the certificate
by thumbprint (`x5t#S256` under PS256, `x5t` under RS256), the audience is the token endpoint,
issuer and subject are the application.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate

from connector.sandbox.identity.refusals import RefusedError

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALGORITHMS = ("PS256", "RS256")


def check_assertion(
    text: str, client_id: str, certificates: Iterable[Certificate], audiences: Collection[str]
) -> None:
    """Returns if `text` proves to be `client_id`. Raises `RefusedError`."""
    try:
        header = jwt.get_unverified_header(text)
        key = _certificate(header, certificates).public_key()
        if not isinstance(key, RSAPublicKey):
            raise _refused(700030, "The certificate of the client assertion has no RSA key.")
        claims = jwt.decode(
            text,
            key,
            algorithms=_ALGORITHMS,
            audience=list(audiences),
            options={"require": ["exp", "iss", "sub", "aud"], "verify_sub": False},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise _refused(
            700024, f"Client assertion is not within its valid time range ({error})."
        ) from error
    except jwt.InvalidAudienceError as error:
        text = "Client assertion audience claim does not match Realm issuer."
        raise _refused(700023, text) from error
    except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError) as error:
        text = "Client assertion contains an invalid signature. [Reason - The signature is wrong.]"
        raise _refused(700027, text) from error
    except jwt.PyJWTError as error:
        raise _refused(50027, f"JWT token is invalid or malformed: {error}.") from error
    if {str(claims["iss"]).lower(), str(claims["sub"]).lower()} != {client_id.lower()}:
        text = "Client assertion application identifier doesn't match 'client_id' parameter."
        raise _refused(700021, text)


def _certificate(header: dict[str, object], certificates: Iterable[Certificate]) -> Certificate:
    """The registered certificate the header names."""
    for name, algorithm in (("x5t#S256", SHA256()), ("x5t", SHA1())):  # noqa: S303  # a name
        if name not in header:
            continue
        wanted = str(header[name]).rstrip("=")
        for one in certificates:
            if wanted == base64.urlsafe_b64encode(one.fingerprint(algorithm)).decode().rstrip("="):
                return _in_its_time(one)
        break
    raise _refused(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on "
        "application. [Reason - The key was not found.]",
    )


def _in_its_time(certificate: Certificate) -> Certificate:
    now = datetime.now(UTC)
    if certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return certificate
    text = "The provided certificate is not within its valid lifetime period."
    raise _refused(1000502, text)


def _refused(number: int, text: str) -> RefusedError:
    return RefusedError(401, number, "invalid_client", text)
