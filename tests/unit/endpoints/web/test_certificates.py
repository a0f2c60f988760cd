"""PEM texts an application may sign in by, and those it may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from connector.endpoints.dataverse.service import NAMING
from connector.endpoints.web.certificates import read_certificate
from connector.errors import ConfigError

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ENDS = datetime(2040, 1, 1, tzinfo=UTC)


class Made(NamedTuple):
    """A new key with its self-signed certificate."""

    key: str
    certificate: str
    sha1: str
    sha256: str
    locked_key: str

    @property
    def pem(self) -> str:
        return self.key + self.certificate


@cache
def made(name: str = "application") -> Made:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(ENDS)
        .sign(key, hashes.SHA256())
    )

    def spelled(encryption: KeySerializationEncryption) -> str:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()

    return Made(
        spelled(NoEncryption()),
        certificate.public_bytes(Encoding.PEM).decode(),
        certificate.fingerprint(hashes.SHA1()).hex(),
        certificate.fingerprint(hashes.SHA256()).hex(),
        spelled(BestAvailableEncryption(b"passphrase")),
    )


@pytest.mark.parametrize("swapped", [False, True])
def test_key_and_certificate_in_any_order(swapped: bool) -> None:
    parts = [made().key, made().certificate]
    found = read_certificate("\n".join(reversed(parts) if swapped else parts), NOW, NAMING)
    assert found.thumbprint == made().sha1.upper()
    assert found.ends == ENDS
    assert found.private_key.strip() == made().key.strip()


def test_the_own_certificate_comes_first_in_its_chain() -> None:
    found = read_certificate(made("issuer").certificate + made().pem, NOW, NAMING)
    assert found.thumbprint == made().sha1.upper()
    own, issuer = made().certificate.strip(), made("issuer").certificate.strip()
    assert found.chain.index(own) < found.chain.index(issuer)


def test_no_key_is_shown() -> None:
    assert repr(read_certificate(made().pem, NOW, NAMING)) == f"Certificate({made().sha1.upper()})"


@pytest.mark.parametrize(
    ("pem", "cause"),
    [
        ("", "0 private keys and 0 certificates"),
        (made().key, "1 private keys and 0 certificates"),
        (made().certificate, "0 private keys and 1 certificates"),
        (made().locked_key + made().certificate, "encrypted"),
        (made("other").key + made().certificate, "does not belong"),
        (
            made().key + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "cannot be read",
        ),
    ],
    ids=["empty", "no certificate", "no key", "passphrase", "another's key", "spoiled"],
)
def test_what_cannot_be_used(pem: str, cause: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_certificate(pem, NOW, NAMING)
    assert caught.value.code == "certificate-unusable"
    assert cause in str(caught.value.cause)
    assert "PRIVATE KEY-----" not in str(caught.value)


def test_a_certificate_that_ended() -> None:
    with pytest.raises(ConfigError) as caught:
        read_certificate(made().pem, ENDS, NAMING)
    assert caught.value.code == "certificate-expired"
    assert "2040-01-01" in caught.value.message
