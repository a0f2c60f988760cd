"""The identity provider: discovery, the token endpoint, and what a token is worth.

Owns: tenants, applications and their secrets, access tokens and their life.
Never does: deciding who is a user of the organization (`service`).
Tested in: tests/integration/sandbox/test_tokens.py, test_real_clients.py.

Facts: "Microsoft identity platform: v2-oauth2-client-creds-grant-flow" and the AADSTS error
reference. Tokens are signed with a key kept in the folder, so they outlive a restart.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from connector.sandbox.messages import Response

TOKEN_LIFE_SECONDS = 3599
DISCOVERY = "/v2.0/.well-known/openid-configuration"
DISCOVERY_V1 = "/.well-known/openid-configuration"
TOKEN = "/oauth2/v2.0/token"  # noqa: S105  # a path


@dataclass(frozen=True, slots=True)
class Application:
    """One registered client."""

    client_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid token says: who, for which resource."""

    client_id: str
    audience: str


def kept_secret(path: Path) -> str:
    """The secret in `path`, random at the first call and readable by its owner only."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()


class Directory:
    """One tenant with its applications."""

    def __init__(self, tenant: str, applications: tuple[Application, ...], key: str) -> None:
        self.tenant = tenant
        self._applications = {one.client_id: one for one in applications}
        self._key = key.encode()
        self._open: dict[str, tuple[Grant, float]] = {}
        self.life_seconds = TOKEN_LIFE_SECONDS

    def handle(self, method: str, path: str, body: bytes, origin: str) -> Response | None:
        """The answer to a request of the identity provider, None if `path` is none of its own.

        `origin` is `https://host:port`; resources live on the same host.
        """
        tenant, slash, rest = path.removeprefix("/").partition("/")
        rest = slash + rest
        if rest not in (DISCOVERY, DISCOVERY_V1, TOKEN):
            return None
        if tenant.lower() not in (self.tenant, "common", "organizations"):
            return _refusal(400, 90002, "invalid_tenant", f"Tenant '{tenant}' not found.")
        if rest != TOKEN:
            return _json(200, self._discovery(origin))
        if method != "POST":
            return _refusal(
                400, 900561, "invalid_request", "The endpoint only accepts POST requests."
            )
        form = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
        return self._grant(form, origin)

    def _discovery(self, origin: str) -> dict[str, Any]:
        root = f"{origin}/{self.tenant}"
        return {
            "issuer": f"{root}/v2.0",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}{TOKEN}",
            "jwks_uri": f"{root}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": None,
        }

    def _grant(self, form: Mapping[str, str], origin: str) -> Response:
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                text = f"The request body must contain the following parameter: '{name}'."
                return _refusal(400, 900144, "invalid_request", text)
        if form["grant_type"] != "client_credentials":
            text = f"The app requested an unsupported grant type '{form['grant_type']}'."
            return _refusal(400, 70003, "unsupported_grant_type", text)
        application = self._applications.get(form["client_id"].lower())
        if application is None:
            text = f"Application with identifier '{form['client_id']}' was not found."
            return _refusal(400, 700016, "unauthorized_client", text)
        if not form.get("client_secret"):
            text = "The request body must contain: 'client_assertion' or 'client_secret'."
            return _refusal(401, 7000218, "invalid_client", text)
        if not hmac.compare_digest(form["client_secret"].encode(), application.secret.encode()):
            text = f"Invalid client secret provided for app '{application.client_id}'."
            return _refusal(401, 7000215, "invalid_client", text)
        audience, _, right = form["scope"].rpartition("/")
        if right != ".default":
            text = f"The provided value for scope {form['scope']} is not valid."
            return _refusal(400, 1002012, "invalid_scope", text)
        if urlsplit(audience).port != urlsplit(origin).port:
            text = f"The resource principal named {audience} was not found in the tenant."
            return _refusal(400, 500011, "invalid_resource", text)
        return _json(
            200,
            {
                "token_type": "Bearer",
                "expires_in": self.life_seconds,
                "ext_expires_in": self.life_seconds,
                "access_token": self._issue(application, audience.rstrip("/"), origin),
            },
        )

    # ------------------------------------------------------------------------ tokens

    def _issue(self, application: Application, audience: str, origin: str) -> str:
        now = int(time.time())
        claims = {
            "aud": audience,
            "iss": f"{origin}/{self.tenant}/",
            "iat": now,
            "nbf": now,
            "exp": now + self.life_seconds,
            "appid": application.client_id,
            "idtyp": "app",
            "tid": self.tenant,
            "uti": secrets.token_urlsafe(16),
        }
        head = _encode(orjson.dumps({"typ": "JWT", "alg": "HS256"}))
        payload = f"{head}.{_encode(orjson.dumps(claims))}"
        return f"{payload}.{self._sign(payload)}"

    def _sign(self, payload: str) -> str:
        return _encode(hmac.digest(self._key, payload.encode(), hashlib.sha256))

    def check(self, authorization: str) -> Grant | None:
        """What an `Authorization` header grants; None if nothing, or not any more."""
        kind, _, token = authorization.partition(" ")
        if kind.lower() != "bearer":
            return None
        known = self._open.get(token)
        if known is None:
            known = self._verify(token)
            if known is None:
                return None
            if len(self._open) >= 1024:
                self._open.clear()
            self._open[token] = known
        grant, expiry = known
        return grant if time.time() < expiry else None

    def _verify(self, token: str) -> tuple[Grant, float] | None:
        payload, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(payload).encode(), signature.encode()):
            return None
        claims = orjson.loads(base64.urlsafe_b64decode(payload.partition(".")[2] + "=="))
        return Grant(claims["appid"], claims["aud"]), float(claims["exp"])

    def challenge(self, origin: str) -> Response:
        """401 with the header from which clients learn the tenant."""
        place = f"{origin}/{self.tenant}/oauth2/authorize"
        header = f"Bearer authorization_uri={place}, resource_id={origin}/"
        return Response(401, {"WWW-Authenticate": header})


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _json(status: int, value: Mapping[str, Any]) -> Response:
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return Response(status, headers, orjson.dumps(value))


def _refusal(status: int, number: int, error: str, text: str) -> Response:
    now = datetime.now(UTC)
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    description = (
        f"AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} "
        f"Timestamp: {now:%Y-%m-%d %H:%M:%SZ}"
    )
    return _json(
        status,
        {
            "error": error,
            "error_description": description,
            "error_codes": [number],
            "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
            "trace_id": trace,
            "correlation_id": correlation,
        },
    )
