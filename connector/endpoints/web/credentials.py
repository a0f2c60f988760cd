"""How an application proves who it is: client secret, certificate, or managed identity.

Owns: asking for one token through msal, by each kind of proof.
Never does: keeping a token (`auth.py`); saying what a refusal means (`refusals.py`); requests to
the service itself.
Tested in: tests/unit/endpoints/web/test_credentials.py.

Facts: "Dataverse Web API: authenticate-oauth" (scope `{org}/.default`), "Microsoft identity
platform: v2-oauth2-client-creds-grant-flow" and "Managed identities: how-to-use-vm-token". msal is
imported at the first token, because it is slow to load.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import requests

from connector.endpoints.web import refusals
from connector.endpoints.web.deadline import Adapter, within
from connector.endpoints.web.service import Naming
from connector.endpoints.web.trust import is_loopback, trust

if TYPE_CHECKING:
    from msal import ConfidentialClientApplication, ManagedIdentityClient

    from connector.endpoints.web.certificates import Certificate

TIMEOUT = 20.0
LONGEST_ACQUISITION = 3 * TIMEOUT
"""Seconds a new token takes at most: whether the authority is one, its description, the token."""

_MICROSOFT = (".microsoftonline.com", ".microsoftonline.us", ".chinacloudapi.cn")


class Granted(NamedTuple):
    """A new token, good for `life` seconds."""

    token: str
    life: float


class Credential(Protocol):
    """One application's proof; used by one thread at a time."""

    @property
    def name(self) -> str:
        """Under which its tokens may be kept: no other credential or service has it."""
        ...

    def ask(self) -> Granted:
        """A new token. Raises `AccessError`, `ConfigError` and `UnreachableError`."""
        ...

    def forget(self) -> None:
        """Give no token again that was given before."""
        ...


class Application:
    """An application registered in a tenant, with a client secret or a certificate.

    `authority` is `https://HOST/TENANT`, `resource` the URL of what the token is for, `ca` a PEM
    file or None for the system's trust. `scope` is what is asked for where that is not the
    resource's own default.
    """

    def __init__(
        self,
        authority: str,
        client_id: str,
        proof: str | Certificate,
        resource: str,
        ca: str | None,
        *,
        naming: Naming,
        scope: str | None = None,
    ) -> None:
        self._naming = naming
        self._authority = authority
        self._client_id = client_id
        self._proof = proof
        self._scope = scope or resource.rstrip("/") + "/.default"
        self._http = _Session(trust(ca, naming), proxied=not is_loopback(authority))
        self._application: ConfidentialClientApplication | None = None

    @property
    def name(self) -> str:
        """A hash of everything a token depends on, keyed by the proof itself."""
        proof = self._proof if isinstance(self._proof, str) else self._proof.private_key
        return _name(proof, self._authority, self._client_id, self._scope)

    def forget(self) -> None:
        """A new client: the old one would hand out the same token again from its cache."""
        self._application = None

    def ask(self) -> Granted:
        """See `Credential.ask`."""
        from msal.exceptions import MsalError

        try:
            if self._application is None:
                self._application = self._build()
            answer: dict[str, Any] = self._application.acquire_token_for_client([self._scope])
        except (requests.RequestException, MsalError) as error:
            # msal would answer the same request from its memory for a while.
            self._application = None
            raise refusals.unreachable(self._authority, error, self._naming) from error
        except ValueError as error:
            raise refusals.bad_authority(self._authority, error, self._naming) from error
        if "access_token" not in answer:
            self._application = None
            raise refusals.denied(answer, self._thumbprint(), self._naming)
        return Granted(str(answer["access_token"]), float(answer.get("expires_in", 0)))

    def _build(self) -> ConfidentialClientApplication:
        from msal import ConfidentialClientApplication

        host = urlsplit(self._authority).hostname or ""
        proof = self._proof
        return ConfidentialClientApplication(
            self._client_id,
            client_credential=proof
            if isinstance(proof, str)
            else {"private_key": proof.private_key, "public_certificate": proof.chain},
            authority=self._authority,
            # Any other host is asked directly; Microsoft's directory does not know it.
            instance_discovery=None if host.endswith(_MICROSOFT) else False,
            http_client=self._http,
        )

    def _thumbprint(self) -> str | None:
        return None if isinstance(self._proof, str) else self._proof.thumbprint


class ManagedIdentity:
    """The identity Azure gives to this machine, container or function; there is no secret.

    `client_id` names a user-assigned identity, None is the system-assigned one. Where the
    platform answers is found by msal from the environment; no proxy is asked for it.
    """

    def __init__(self, client_id: str | None, resource: str, naming: Naming) -> None:
        self._naming = naming
        self._client_id = client_id
        self._resource = resource.rstrip("/")
        self._client: ManagedIdentityClient | None = None

    @property
    def name(self) -> str:
        """A hash of what a token depends on."""
        return _name("managed-identity", self._client_id or "", self._resource)

    def forget(self) -> None:
        """A new client: the old one would hand out the same token again from its cache."""
        self._client = None

    def ask(self) -> Granted:
        """See `Credential.ask`."""
        from msal import ManagedIdentityError

        try:
            if self._client is None:
                self._client = self._build()
            answer = self._client.acquire_token_for_client(resource=self._resource)
        except (requests.RequestException, ManagedIdentityError, ValueError) as error:
            self._client = None
            raise refusals.no_identity_service(error, self._naming) from error
        if "access_token" not in answer:
            self._client = None
            raise refusals.no_identity(answer, self._client_id, self._naming)
        return Granted(str(answer["access_token"]), float(answer.get("expires_in", 0)))

    def _build(self) -> ManagedIdentityClient:
        from msal import (
            ManagedIdentityClient,
            SystemAssignedManagedIdentity,
            UserAssignedManagedIdentity,
        )

        identity = (
            SystemAssignedManagedIdentity()
            if self._client_id is None
            else UserAssignedManagedIdentity(client_id=self._client_id)
        )
        return ManagedIdentityClient(
            identity, http_client=_Session(trust(None, self._naming), proxied=False)
        )


class _Session(requests.Session):
    """What msal sends its requests with: our trust on each request, and a bound on the whole of it.

    A session's own `verify` would give way to REQUESTS_CA_BUNDLE.
    """

    def __init__(self, verify: str | bool, *, proxied: bool) -> None:
        super().__init__()
        self.mount("https://", Adapter())
        self._verify = verify
        self.trust_env = proxied

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        given = {**kwargs, "verify": self._verify, "timeout": TIMEOUT}
        with within(TIMEOUT):
            return super().request(*args, **given)


def _name(secret: str, *parts: str) -> str:
    return hmac.new(secret.encode(), "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:32]
