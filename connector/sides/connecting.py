"""What every endpoint behind HTTPS is handed: who we are there, how patient we are, our pace.

Owns: making credentials, tokens, patience and governors out of settings.
Never does: making an endpoint (`dataverse`, `remote`); asking anybody anything.
Tested in: tests/unit/sides/test_remote_sides.py, tests/acceptance/.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connector.config.connections import ApplicationSettings, Auth, Connection, OpenConnection
from connector.config.policies import RetrySettings
from connector.config.values import read_secret
from connector.process import sleeper

if TYPE_CHECKING:
    from connector.endpoints.web.credentials import Credential
    from connector.endpoints.web.governor import Governor
    from connector.endpoints.web.patience import Patience
    from connector.endpoints.web.service import Naming
    from connector.endpoints.web.transport import TokenSource


def token_source(side: Connection, naming: Naming, resource: str | None = None) -> TokenSource:
    """How a side is signed in to; raises `ConfigError` for a secret that is not there.

    `resource` is what tokens are for, where that is not the side's URL.
    """
    from connector.endpoints.web.auth import Nobody, Password

    if side.auth == "none":
        return Nobody()
    if side.auth == "basic":
        # The settings see to it that these are there.
        assert isinstance(side, OpenConnection)
        assert side.username is not None
        assert side.password is not None
        return Password(side.username, read_secret(side.password).get_secret_value())
    one = credential(side, side.auth, resource or side.url, ca_of(side), naming)
    return kept_tokens(one, side.token_cache, naming)


def kept_tokens(one: Credential, folder: str, naming: Naming) -> TokenSource:
    """Its tokens, shared with other processes through a folder; an empty text shares none."""
    from connector.endpoints.web.auth import TokenFile, Tokens

    return Tokens(one, TokenFile(Path(folder), one.name) if folder else None, side=naming.side)


def credential(
    given: ApplicationSettings, auth: Auth, resource: str, ca: str | None, naming: Naming
) -> Credential:
    """An application's proof; raises `ConfigError` for a secret that is not there.

    `resource` is what tokens are for.
    """
    from connector.endpoints.web.certificates import read_certificate
    from connector.endpoints.web.credentials import Application, ManagedIdentity
    from connector.endpoints.web.oauth import ClientCredentials

    scope = given.scope if isinstance(given, OpenConnection) else None
    if auth == "managed-identity":
        whole = (scope or resource).removesuffix("/.default")
        return ManagedIdentity(given.client_id, whole, naming)
    # The settings see to it that these are there.
    assert given.client_id is not None
    if auth == "certificate":
        assert given.certificate is not None
        assert given.authority is not None
        text = read_secret(given.certificate).get_secret_value()
        certificate = read_certificate(text, datetime.now(UTC), naming)
        return Application(
            given.authority, given.client_id, certificate, resource, ca, naming=naming, scope=scope
        )
    assert given.client_secret is not None
    secret = read_secret(given.client_secret).get_secret_value()
    if isinstance(given, OpenConnection) and given.token_url is not None:
        return ClientCredentials(
            given.token_url, given.client_id, secret, scope=scope, ca=ca, naming=naming
        )
    assert given.authority is not None
    return Application(
        given.authority, given.client_id, secret, resource, ca, naming=naming, scope=scope
    )


def ca_of(side: Connection) -> str | None:
    """The CA file of a side, if it has one of its own."""
    return None if side.ca is None else str(side.ca)


def patience_of(retry: RetrySettings, stopping: Callable[[], bool]) -> Patience:
    """How long one request is tried; waits end when `stopping`."""
    from connector.endpoints.web.patience import Patience

    return Patience(retry.attempts, retry.first_wait, retry.longest_wait, sleeper(stopping))


def governor_of(
    side: Connection,
    batch: int,
    patience: Patience,
    stopping: Callable[[], bool],
    users: int = 1,
) -> Governor:
    """Turns of the users of one side, given back when the command ends."""
    from connector.endpoints.web.governor import Governor

    return Governor(
        users=users,
        most=side.connections,
        batch=batch,
        timeout=side.timeout,
        clock=patience.monotonic,
        sleep=patience.sleep,
        stopping=stopping,
    )
