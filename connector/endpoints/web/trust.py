"""Whom a connection trusts, and what its failure means.

Owns: the CA in force, and reading the HTTP library's nested errors.
Never does: connecting.
Tested in: tests/unit/endpoints/web/test_transport.py.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from connector.endpoints.web.service import Naming
from connector.errors import ConfigError, Subject, UnreachableError

_SAID = re.compile(r"""Error\(["'](?:HTTPS?Connection\([^)]*\): )?(.+?)["']\)+$""")
"""What stands in an error that is quoted by another one."""


def is_loopback(url: str) -> bool:
    """Whether the host is this machine; no proxy is asked for it then."""
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


def trust(ca: str | None, naming: Naming) -> str | bool:
    """What to verify certificates against; handed to every request.

    A session's own `verify` gives way to REQUESTS_CA_BUNDLE, an explicit CA must not.
    Raises `ConfigError` if the file is not there.
    """
    if ca is None:
        return os.environ.get("REQUESTS_CA_BUNDLE") or True
    if not Path(ca).exists():
        raise ConfigError(
            "ca-missing",
            f"the CA file {ca!r} is not there",
            remedy=f"set {naming.section}.ca to the CA certificate (PEM), or start the sandbox "
            "that writes it, or remove the key to use the system's trust",
            subject=Subject(side=naming.side),
        )
    return ca


def untrusted(error: Exception) -> bool:
    """Whether the handshake failed over the other side's certificate."""
    return (
        isinstance(error, requests.exceptions.SSLError)
        and "certificate verify failed" in str(error).lower()
    )


def certificate_error(origin: str, error: Exception, naming: Naming) -> UnreachableError:
    """The error for a certificate that is expired, of another host, or of an unknown CA."""
    expired = "expired" in str(error)
    return UnreachableError(
        "certificate-untrusted",
        f"the certificate of {origin} {'has expired' if expired else 'is not trusted'}",
        remedy="renew the server's certificate"
        if expired
        else "set `ca` of this side to the certificate (PEM) of the CA that signed the server's",
        subject=Subject(side=naming.side),
        cause=short(error),
    )


def never_sent(error: requests.RequestException) -> bool:
    """Whether no byte of the request can have reached the service."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    reason = error.args[0] if error.args else None
    return isinstance(reason, MaxRetryError) and isinstance(
        reason.reason, NewConnectionError | ConnectTimeoutError
    )


def short(error: Exception) -> str:
    """One line of an HTTP library's nested message: the innermost part, without addresses."""
    text = " ".join(str(error).split())
    inner = text.rpartition("Caused by ")[2] or text
    said = _SAID.search(inner)
    return (said[1] if said else inner or type(error).__name__)[:300]
