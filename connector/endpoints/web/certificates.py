"""A certificate with its private key, as an application signs in by it.

Owns: reading the PEM text, and what makes it unusable before anybody is asked.
Never does: trust in servers (`trust.py`); quoting a key.
Tested in: tests/unit/endpoints/web/test_certificates.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from connector.endpoints.web.service import Naming
from connector.errors import ConfigError, Subject

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_CERTIFICATE = "CERTIFICATE"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A private key and the certificate that belongs to it; `repr` shows no key."""

    thumbprint: str
    """SHA-1, upper-case hex, as the portal lists certificates."""
    chain: str
    """The certificate, and those it came with, as PEM."""
    ends: datetime
    private_key: str

    def __repr__(self) -> str:
        return f"Certificate({self.thumbprint})"


def read_certificate(pem: str, now: datetime, naming: Naming) -> Certificate:
    """Key and certificate out of one PEM text, in any order.

    `now` is aware. Raises `ConfigError`: `certificate-unusable` (something is missing, is
    encrypted, or does not belong together), `certificate-expired`.
    """
    # Slow to load, and only wanted by those who sign in this way.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    blocks = [(found[1], found[0]) for found in _BLOCK.finditer(pem)]
    keys = [text for kind, text in blocks if kind.endswith("PRIVATE KEY")]
    chain = [text for kind, text in blocks if kind == _CERTIFICATE]
    if len(keys) != 1 or not chain:
        raise _unusable(f"it holds {len(keys)} private keys and {len(chain)} certificates", naming)
    if "ENCRYPTED" in keys[0]:
        raise _unusable("its private key is encrypted", naming)
    try:
        key = load_pem_private_key(keys[0].encode(), None)
        certificates = [x509.load_pem_x509_certificate(text.encode()) for text in chain]
    except (ValueError, TypeError) as error:
        raise _unusable("it cannot be read as PEM", naming) from error
    public = key.public_key()
    own = [n for n, one in enumerate(certificates) if one.public_key() == public]
    if not own:
        raise _unusable("the private key does not belong to the certificate", naming)
    first = own[0]
    certificate = certificates[first]
    ends = certificate.not_valid_after_utc
    if now >= ends:
        raise ConfigError(
            "certificate-expired",
            f"the certificate the application signs in by ended on {ends:%Y-%m-%d}",
            remedy="make a new one, register it at the application, and put it where "
            f"{naming.section}.certificate points",
            subject=Subject(side=naming.side),
        )
    return Certificate(
        thumbprint=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303
        chain="\n".join([chain[first], *chain[:first], *chain[first + 1 :]]),
        ends=ends,
        private_key=keys[0],
    )


def _unusable(cause: str, naming: Naming) -> ConfigError:
    return ConfigError(
        "certificate-unusable",
        f"{naming.section}.certificate is not a private key with its certificate",
        remedy="put both into one PEM file without a passphrase, readable by this user only",
        subject=Subject(side=naming.side),
        cause=cause,
    )
