"""The identity provider: discovery, the token endpoint, and what a token is worth.

Owns: tenants, applications and their secrets, access tokens and their life.
Never does: deciding who is a user of the organization (`dataverse/service.py`).
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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from cryptography.x509 import Certificate

from connector.sandbox.identity.assertions import KIND, check_assertion
from connector.sandbox.identity.refusals import RefusedError, json_answer
from connector.sandbox.messages import Response

TOKEN_LIFE_SECONDS = 3599
DISCOVERY = "/v2.0/.well-known/openid-configuration"
DISCOVERY_V1 = "/.well-known/openid-configuration"
TOKEN = "/oauth2/v2.0/token"  # noqa: S105  # a path


@dataclass(frozen=True, slots=True)
class Application:
    """One registered client. Its `expired` secret was good once; clients forget to renew."""

    client_id: str
    secret: str
    certificates: tuple[Certificate, ...] = ()
    expired: str = ""


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
    """One tenant with its applications; `resources` are the ports of services on other ports."""

    def __init__(
        self,
        tenant: str,
        applications: tuple[Application, ...],
        key: str,
        resources: frozenset[int] = frozenset(),
    ) -> None:
        self.tenant = tenant
        self._resources = resources
        self._applications = {one.client_id: one for one in applications}
        self._key = key.encode()
        self._open: dict[str, tuple[Grant, float]] = {}
        self.life_seconds = TOKEN_LIFE_SECONDS

    def handle(self, method: str, path: str, body: bytes, origin: str) -> Response | None:
        """The answer to a request of the identity provider, None if `path` is none of its own.

        `origin` is `https://host:port`; resources live on the same host, some on another port.
        """
        tenant, slash, rest = path.removeprefix("/").partition("/")
        rest = slash + rest
        if rest not in (DISCOVERY, DISCOVERY_V1, TOKEN):
            return None
        try:
            if tenant.lower() not in (self.tenant, "common", "organizations"):
                raise RefusedError(400, 90002, "invalid_tenant", f"Tenant '{tenant}' not found.")
            if rest != TOKEN:
                return json_answer(200, self._discovery(origin))
            if method != "POST":
                text = "The endpoint only accepts POST requests."
                raise RefusedError(400, 900561, "invalid_request", text)
            form = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
            return json_answer(200, self._grant(form, origin))
        except RefusedError as refusal:
            return refusal.response()

    def application(self, client_id: str) -> Application | None:
        """The registered application, if there is one."""
        return self._applications.get(client_id.lower())

    def _discovery(self, origin: str) -> dict[str, Any]:
        root = f"{origin}/{self.tenant}"
        return {
            "issuer": f"{root}/v2.0",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}{TOKEN}",
            "jwks_uri": f"{root}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": None,
        }

    def _grant(self, form: Mapping[str, str], origin: str) -> dict[str, Any]:
        for name in ("grant_type", "client_id", "scope"):
            if not form.get(name):
                text = f"The request body must contain the following parameter: '{name}'."
                raise RefusedError(400, 900144, "invalid_request", text)
        if form["grant_type"] != "client_credentials":
            text = f"The app requested an unsupported grant type '{form['grant_type']}'."
            raise RefusedError(400, 70003, "unsupported_grant_type", text)
        application = self.application(form["client_id"])
        if application is None:
            text = f"Application with identifier '{form['client_id']}' was not found."
            raise RefusedError(400, 700016, "unauthorized_client", text)
        self._prove(application, form, origin)
        audience, _, right = form["scope"].rpartition("/")
        if right != ".default":
            text = f"The provided value for scope {form['scope']} is not valid."
            raise RefusedError(400, 1002012, "invalid_scope", text)
        return {
            "token_type": "Bearer",
            "expires_in": self.life_seconds,
            "ext_expires_in": self.life_seconds,
            "access_token": self.issue(application, audience, origin),
        }

    def _prove(self, application: Application, form: Mapping[str, str], origin: str) -> None:
        """Returns if the form proves to come from the application. Raises `RefusedError`."""
        given, own = form.get("client_secret", ""), application.client_id
        if form.get("client_assertion") and form.get("client_assertion_type") == KIND:
            root = f"{origin}/{self.tenant}"
            audiences = (f"{root}{TOKEN}", f"{root}/v2.0", f"{root}/oauth2/token")
            text = form["client_assertion"]
            check_assertion(text, own, application.certificates, audiences)
        elif not given:
            text = "The request body must contain: 'client_assertion' or 'client_secret'."
            raise RefusedError(401, 7000218, "invalid_client", text)
        elif application.expired and _equal(given, application.expired):
            text = f"The provided client secret keys for app '{own}' are expired."
            raise RefusedError(401, 7000222, "invalid_client", text)
        elif not _equal(given, application.secret):
            text = f"Invalid client secret provided for app '{own}'."
            raise RefusedError(401, 7000215, "invalid_client", text)

    # ------------------------------------------------------------------------ tokens

    def issue(self, application: Application, audience: str, origin: str) -> str:
        """An access token for the resource `audience`. Raises `RefusedError` if there is none."""
        if urlsplit(audience).port not in {urlsplit(origin).port, *self._resources}:
            text = f"The resource principal named {audience} was not found in the tenant."
            raise RefusedError(400, 500011, "invalid_resource", text)
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


def _equal(one: str, other: str) -> bool:
    """Equality that takes the same time wherever they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
