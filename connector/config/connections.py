"""What the config says of every remote side: where it is, and how we prove who we are there.

Owns: the keys of a connection and of an application, and what each way of signing in needs.
Never does: knowing a kind of system (`sides.py`, `settings.py`); opening a secret.
Tested in: tests/unit/config/test_settings.py, tests/unit/config/test_side_settings.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from connector.config.values import HttpsUrl, SecretReference, Section

Auth = Literal["client-secret", "certificate", "managed-identity", "basic", "none"]
DirectoryAuth = Literal["client-secret", "certificate", "managed-identity"]
"""The ways Microsoft's directory knows."""

_AUTH_NEEDS: Mapping[str, tuple[str, ...]] = {
    "client-secret": ("authority", "client_id", "client_secret"),
    "certificate": ("authority", "client_id", "certificate"),
    "basic": ("username", "password"),
}


class ApplicationSettings(Section):
    """An application and how it proves to be itself."""

    authority: HttpsUrl | None = None
    """The token issuer with the tenant, for example https://login.microsoftonline.com/TENANT."""
    client_id: str | None = None
    """The application's id; of a user-assigned managed identity its client id."""
    client_secret: SecretReference | None = None
    certificate: SecretReference | None = None
    """Private key and certificate in one PEM text."""


class Connection(ApplicationSettings):
    """What every remote side has: where it is, who we are there, and how hard we may pull."""

    url: HttpsUrl
    auth: Auth = "none"
    ca: Path | None = None
    """A CA file to trust instead of the system's; the sandbox writes one."""
    token_cache: str = "var/tokens"  # noqa: S105  # a folder
    """A folder in which processes share tokens; an empty text keeps none on disk."""
    connections: int = Field(default=4, ge=1, le=64)
    """Requests in flight at once."""
    page_size: int = Field(default=5000, ge=1, le=5000)
    """Rows asked for in one page."""
    timeout: float = Field(default=60.0, gt=0, le=600)
    """Seconds to wait for one reply."""

    @model_validator(mode="after")
    def _has_what_its_auth_needs(self) -> Connection:
        if missing := missing_for(self.auth, self):
            raise ValueError(f'auth = "{self.auth}" also needs {", ".join(missing)}')
        return self


class OpenConnection(Connection):
    """A connection to a system that may sign us in by other means than Microsoft's directory."""

    username: str | None = None
    password: SecretReference | None = None
    scope: str | None = None
    """What a token is asked for; the host's own `/.default` where left out."""
    token_url: HttpsUrl | None = None
    """Where another OAuth server gives tokens, in place of `authority`."""


def missing_for(auth: Auth, given: ApplicationSettings) -> list[str]:
    """Keys that a way of signing in needs and that are not there."""
    needed = _AUTH_NEEDS.get(auth, ())
    if auth == "client-secret" and getattr(given, "token_url", None) is not None:
        needed = tuple(name for name in needed if name != "authority")
    return [name for name in needed if getattr(given, name, None) is None]
