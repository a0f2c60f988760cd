"""The commerce sides behind HTTPS, opened by their settings.

Owns: making an endpoint of a remote kind out of its settings, and how it signs in there.
Never does: deciding anything; opening a connection before something is asked.
Tested in: tests/unit/test_remote_sides.py, tests/acceptance.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connector.config_connections import OpenConnection
from connector.config_policies import RetrySettings
from connector.config_sides import ODataV2Settings
from connector.config_values import read_secret
from connector.endpoints.base import Endpoint
from connector.process import sleeper

if TYPE_CHECKING:
    from connector.endpoints.odata_v2.endpoint import Finding
    from connector.endpoints.web.credentials import Credential
    from connector.endpoints.web.governor import Governor
    from connector.endpoints.web.patience import Patience
    from connector.endpoints.web.service import Naming
    from connector.endpoints.web.transport import TokenSource


def odata_v2(
    name: str, side: ODataV2Settings, retry: RetrySettings, stopping: Callable[[], bool]
) -> Endpoint:
    """A service of OData V2; raises `ConfigError` for its secrets."""
    from connector.endpoints.odata_v2.endpoint import Finding, ODataV2Endpoint, naming

    def finding(entity: str) -> Finding:
        chosen = side.changes.of(entity)
        if chosen.by != "watermark":
            return Finding()
        return Finding(
            chosen.column, chosen.key_column, chosen.overlap, 60.0 * chosen.sweep_minutes
        )

    patience = _patience(retry, stopping)
    return ODataV2Endpoint(
        side.url,
        tokens=token_source(side, naming(name)),
        ca=None if side.ca is None else str(side.ca),
        patience=patience,
        clock=lambda: datetime.now(UTC),
        folder=side.changes.folder,
        side=name,
        policy=side.policy,
        update=side.update,
        csrf=side.csrf,
        timeout=side.timeout,
        page_size=side.page_size,
        batch_size=side.batch_size,
        connections=side.connections,
        finding=finding,
        governor=_governor(side, side.batch_size, patience, stopping),
    )


# ---------------------------------------------------------------------------- signing in


def token_source(side: OpenConnection, naming: Naming) -> TokenSource:
    """How a side is signed in to; raises `ConfigError` for a secret that is not there."""
    from connector.endpoints.web.auth import Nobody, Password, TokenFile, Tokens

    if side.auth == "none":
        return Nobody()
    if side.auth == "basic":
        # The settings see to it that these are there.
        assert side.username is not None
        assert side.password is not None
        return Password(side.username, read_secret(side.password).get_secret_value())
    credential = _credential(side, naming)
    kept = TokenFile(Path(side.token_cache), credential.name) if side.token_cache else None
    return Tokens(credential, kept, side=naming.side)


def _credential(side: OpenConnection, naming: Naming) -> Credential:
    from connector.endpoints.web.certificates import read_certificate
    from connector.endpoints.web.credentials import Application, ManagedIdentity
    from connector.endpoints.web.oauth import ClientCredentials

    ca = None if side.ca is None else str(side.ca)
    resource = (side.scope or side.url).removesuffix("/.default")
    if side.auth == "managed-identity":
        return ManagedIdentity(side.client_id, resource, naming)
    assert side.client_id is not None
    if side.auth == "certificate":
        assert side.certificate is not None
        assert side.authority is not None
        text = read_secret(side.certificate).get_secret_value()
        certificate = read_certificate(text, datetime.now(UTC), naming)
        return Application(side.authority, side.client_id, certificate, resource, ca, naming=naming)
    assert side.client_secret is not None
    secret = read_secret(side.client_secret).get_secret_value()
    if side.token_url is not None:
        return ClientCredentials(
            side.token_url, side.client_id, secret, scope=side.scope, ca=ca, naming=naming
        )
    assert side.authority is not None
    return Application(side.authority, side.client_id, secret, resource, ca, naming=naming)


# ---------------------------------------------------------------------------- patience


def _patience(retry: RetrySettings, stopping: Callable[[], bool]) -> Patience:
    from connector.endpoints.web.patience import Patience

    return Patience(retry.attempts, retry.first_wait, retry.longest_wait, sleeper(stopping))


def _governor(
    side: OpenConnection, batch: int, patience: Patience, stopping: Callable[[], bool]
) -> Governor:
    """One application's turns, which end when the command does."""
    from connector.endpoints.web.governor import Governor

    return Governor(
        users=1,
        most=side.connections,
        batch=batch,
        timeout=side.timeout,
        clock=patience.monotonic,
        sleep=patience.sleep,
        stopping=stopping,
    )
