"""Tokens of any OAuth 2.0 server, for services that are not signed in to by Microsoft's directory.

Owns: asking a token URL by client credentials, and what its refusals mean.
Never does: keeping a token (`auth.py`); quoting a secret or a token.
Tested in: tests/unit/endpoints/web/test_oauth.py.

Facts: RFC 6749, section 4.4 (client credentials) and 2.3.1 (every server takes id and secret as a
user name and password; some take them in the body too); SAP Commerce answers at
`/authorizationserver/oauth/token`.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import quote_plus

import requests

from connector.endpoints.web import refusals
from connector.endpoints.web.credentials import TIMEOUT, Granted
from connector.endpoints.web.deadline import Adapter, within
from connector.endpoints.web.service import Naming
from connector.endpoints.web.trust import is_loopback, trust
from connector.errors import AccessError, Subject

_UNTOLD_LIFE = 300.0
"""Seconds a token is taken for good whose server does not say (RFC 6749, section 5.1)."""


class ClientCredentials:
    """One client of one server; see `credentials.Credential`.

    `token_url` is where tokens are given, `scope` what they are asked for, `ca` a PEM file or None
    for the system's trust.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        secret: str,
        *,
        scope: str | None,
        ca: str | None,
        naming: Naming,
    ) -> None:
        self._url = token_url
        # Both are form-encoded before they become a user name and a password.
        self._proof = (quote_plus(client_id), quote_plus(secret))
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._verify = trust(ca, naming)
        self._naming = naming

    @property
    def name(self) -> str:
        """A hash of everything a token depends on, keyed by the secret itself."""
        client, secret = self._proof
        told = "\0".join(["client-credentials", self._url, client, self._form.get("scope", "")])
        return hmac.new(secret.encode(), told.encode(), hashlib.sha256).hexdigest()[:32]

    def forget(self) -> None:
        """Nothing is kept here."""

    def ask(self) -> Granted:
        """See `Credential.ask`."""
        try:
            with within(TIMEOUT), requests.Session() as session:
                session.mount("https://", Adapter())
                session.trust_env = not is_loopback(self._url)
                answer = session.post(
                    self._url,
                    data=self._form,
                    auth=self._proof,
                    headers={"Accept": "application/json"},
                    timeout=TIMEOUT,
                    verify=self._verify,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise refusals.unreachable(self._url, error, self._naming, "token_url") from error
        told = _object(answer)
        if isinstance(told.get("access_token"), str):
            return Granted(told["access_token"], _life(told.get("expires_in")))
        raise self._denied(answer, told)

    def _denied(self, answer: requests.Response, told: dict[str, Any]) -> Exception:
        """Why there is no token: by the standard's words, else by the status."""
        status = answer.status_code
        if status >= 500 or status == 429:
            busy = {"error": "temporarily_unavailable", "error_description": f"status {status}"}
            return refusals.denied(busy, None, self._naming)
        error = told.get("error")
        if status < 400 and error is None:
            # The page of somebody in between, or a way to another address.
            return refusals.unreachable(self._url, _shown(answer), self._naming, "token_url")
        section = self._naming.section
        keys = (
            ["scope"] if error == "invalid_scope" else ["token_url", "client_id", "client_secret"]
        )
        said = str(told.get("error_description") or error or _shown(answer))
        unknown = error == "invalid_client" or (error is None and status == 401)
        return AccessError(
            "client-unknown" if unknown else "token-denied",
            "the token URL gives this client no token",
            remedy=f"check {', '.join(f'{section}.{key}' for key in keys)}",
            subject=Subject(side=self._naming.side),
            cause=said.splitlines()[0][:300],
        )


def _object(answer: requests.Response) -> dict[str, Any]:
    """The JSON object in an answer; empty for anything else, such as a page."""
    try:
        told = answer.json()
    except requests.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _shown(answer: requests.Response) -> str:
    """What an answer without the standard's words is."""
    place = answer.headers.get("Location", "").partition("?")[0][:200]
    if place:
        return f"status {answer.status_code}, leading to {place}"
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    return f"status {answer.status_code}, {kind or 'without a type'}"


def _life(told: Any) -> float:
    try:
        return float(told)
    except (TypeError, ValueError):
        return _UNTOLD_LIFE
