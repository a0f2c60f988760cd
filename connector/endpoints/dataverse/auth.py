"""Bearer tokens for Dataverse by client secret, through msal.

Owns: acquiring, keeping and renewing one application's token.
Never does: logging or quoting a secret or token; requests to Dataverse itself.
Tested in: tests/unit/endpoints/dataverse/test_auth.py.

Facts: "Dataverse Web API: authenticate-oauth" (scope `{org}/.default`, token life about an
hour). msal is imported at the first token, because it is slow to load.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from connector.endpoints.dataverse.trust import (
    certificate_error,
    is_loopback,
    short,
    trust,
    untrusted,
)
from connector.errors import AccessError, ConfigError, Subject, UnreachableError

if TYPE_CHECKING:
    from msal import ConfidentialClientApplication

RENEW_BEFORE = 300.0
"""Seconds before its end at which a token is replaced."""
TIMEOUT = 30.0
LONGEST_ACQUISITION = 2 * TIMEOUT
"""Seconds a new token takes at most: the authority's description, then the token."""

_SUBJECT = Subject(side="dataverse")
_MICROSOFT = (".microsoftonline.com", ".microsoftonline.us", ".chinacloudapi.cn")
_REFUSALS: dict[int, tuple[str, str, str]] = {
    7000215: (
        "secret-wrong",
        "the client secret is not the application's",
        "set dataverse.client_secret to the secret's value (not its id)",
    ),
    7000222: (
        "secret-expired",
        "the client secret has expired",
        "create a new secret for the application and set dataverse.client_secret to it",
    ),
    700016: (
        "client-unknown",
        "the tenant does not know this application",
        "check dataverse.client_id and that dataverse.authority names its tenant",
    ),
    90002: (
        "tenant-unknown",
        "there is no such tenant",
        "check the tenant in dataverse.authority",
    ),
    500011: (
        "resource-unknown",
        "the tenant does not know this Dataverse organization",
        "check that dataverse.url and dataverse.authority belong to the same tenant",
    ),
}
_OTHERWISE = (
    "token-denied",
    "the authority gives no token",
    "check dataverse.authority, dataverse.client_id and dataverse.client_secret",
)


class ClientSecretTokens:
    """Tokens of one application; safe from several threads.

    `authority` is `https://HOST/TENANT`, `scope_url` the organization's URL, `ca` a PEM file
    or None for the system's trust; `clock` counts seconds and never goes back.
    """

    def __init__(
        self,
        authority: str,
        client_id: str,
        client_secret: str,
        scope_url: str,
        ca: str | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._authority = authority
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope_url.rstrip("/") + "/.default"
        self._http = _Http(trust(ca), loopback=is_loopback(authority))
        self._clock = clock
        self._lock = threading.Lock()
        self._application: ConfidentialClientApplication | None = None
        self._token: str | None = None
        self._renew_at = 0.0

    def token(self, rejected: str | None = None) -> str:
        """The present token, or a new one if it ends soon or is the `rejected` one."""
        with self._lock:
            if rejected is not None and rejected == self._token:
                # msal would hand out the same token again from its cache.
                self._token = self._application = None
            if self._token is None or self._clock() >= self._renew_at:
                self._acquire()
            assert self._token is not None
            return self._token

    def _acquire(self) -> None:
        from msal.exceptions import MsalError

        try:
            if self._application is None:
                self._application = self._build()
            answer: dict[str, Any] = self._application.acquire_token_for_client([self._scope])
        except (requests.RequestException, MsalError) as error:
            # msal would answer the same request from its memory for a while.
            self._application = None
            raise self._unreachable(error) from error
        except ValueError as error:
            raise self._bad_authority(error) from error
        if "access_token" not in answer:
            self._application = None
            raise self._denied(answer)
        self._token = str(answer["access_token"])
        # At least half of a short life is used, or every request would ask again.
        life = float(answer.get("expires_in", 0))
        self._renew_at = self._clock() + max(life - RENEW_BEFORE, life / 2)

    def _build(self) -> ConfidentialClientApplication:
        from msal import ConfidentialClientApplication

        host = urlsplit(self._authority).hostname or ""
        return ConfidentialClientApplication(
            self._client_id,
            client_credential=self._client_secret,
            authority=self._authority,
            # Any other host is asked directly; Microsoft's directory does not know it.
            instance_discovery=None if host.endswith(_MICROSOFT) else False,
            http_client=self._http,
        )

    def _unreachable(self, error: Exception) -> UnreachableError:
        parts = urlsplit(self._authority)
        if untrusted(error):
            return certificate_error(f"https://{parts.netloc}", error)
        return UnreachableError(
            "authority-unreachable",
            f"the authority at {parts.netloc} gives no usable answer",
            remedy="check dataverse.authority, the network, and that the service is running",
            subject=_SUBJECT,
            cause=short(error),
        )

    def _bad_authority(self, error: ValueError) -> ConfigError | AccessError:
        parts = urlsplit(self._authority)
        if parts.scheme != "https" or not parts.path.strip("/"):
            return ConfigError(
                "authority-invalid",
                f"{self._authority!r} is not https://HOST/TENANT",
                remedy="set dataverse.authority to https://login.microsoftonline.com/TENANT-ID",
                subject=_SUBJECT,
            )
        return AccessError(
            "tenant-unknown",
            f"the authority does not know the tenant of {self._authority!r}",
            remedy="check the tenant in dataverse.authority",
            subject=_SUBJECT,
            cause=short(error),
        )

    def _denied(self, answer: dict[str, Any]) -> AccessError | UnreachableError:
        codes = [code for code in answer.get("error_codes", []) if code in _REFUSALS]
        code, message, remedy = _REFUSALS[codes[0]] if codes else _OTHERWISE
        lines = str(answer.get("error_description") or answer.get("error") or "").splitlines()
        cause = lines[0][:300] if lines else None
        if answer.get("error") in ("temporarily_unavailable", "slow_down"):
            return UnreachableError(
                "authority-unreachable",
                "the authority is busy",
                remedy="try again later; nothing is lost",
                subject=_SUBJECT,
                cause=cause,
            )
        return AccessError(code, message, remedy=remedy, subject=_SUBJECT, cause=cause)


class _Http:
    """What msal sends its requests with: our trust on each request, and a timeout.

    A session's own `verify` would give way to REQUESTS_CA_BUNDLE.
    """

    def __init__(self, verify: str | bool, *, loopback: bool) -> None:
        self._verify = verify
        self._session = requests.Session()
        self._session.trust_env = not loopback

    def get(self, url: str, **arguments: Any) -> requests.Response:
        return self._session.get(url, **self._with_trust(arguments))

    def post(self, url: str, **arguments: Any) -> requests.Response:
        return self._session.post(url, **self._with_trust(arguments))

    def close(self) -> None:
        self._session.close()

    def _with_trust(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {**arguments, "verify": self._verify, "timeout": TIMEOUT}
