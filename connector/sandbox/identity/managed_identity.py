"""Managed identities: the token endpoints a machine in the cloud has, in two forms.

Owns: `/msi/token` as App Service serves it, `/metadata/identity/oauth2/token` as a virtual
machine's metadata service does.
Never does: issuing tokens (`tokens.py`), knowing what an application may do.
Tested in: tests/integration/sandbox/test_managed_identity.py.

Facts: "App Service: overview-managed-identity" (IDENTITY_ENDPOINT, IDENTITY_HEADER,
api-version 2019-08-01) and "Managed identities: how-to-use-vm-token" (header `Metadata: true`).
The machine's own identity is the connector's application; the directory's other applications
are user-assigned, by client id. Both forms come over TLS here, in the cloud they are plain.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from urllib.parse import parse_qs

from connector.sandbox.identity.refusals import RefusedError, json_answer
from connector.sandbox.identity.tokens import Application, Directory
from connector.sandbox.messages import Response

APP_SERVICE = "/msi/token"
METADATA_SERVICE = "/metadata/identity/oauth2/token"
_OTHER_NAMES = ("object_id", "principal_id", "mi_res_id", "msi_res_id")


class ManagedIdentity:
    """The endpoints of one machine; `secret` is what IDENTITY_HEADER holds."""

    def __init__(self, directory: Directory, own: str, secret: str) -> None:
        self._directory = directory
        self._own = own
        self.secret = secret

    def handle(
        self, path: str, query: str, headers: Mapping[str, str], origin: str
    ) -> Response | None:
        """The answer to a GET, None if `path` is none of its own; header names in lower case."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        if path == APP_SERVICE:
            return self._app_service(asked, headers, origin)
        if path == METADATA_SERVICE:
            return self._metadata_service(asked, headers, origin)
        return None

    def _application(self, asked: Mapping[str, str]) -> Application | None:
        """The identity asked for; others than by client id are assigned to nobody."""
        if any(name in asked for name in _OTHER_NAMES):
            return None
        return self._directory.application(asked.get("client_id", self._own))

    def _app_service(
        self, asked: Mapping[str, str], headers: Mapping[str, str], origin: str
    ) -> Response:
        def refused(status: int, message: str) -> Response:
            return json_answer(status, {"statusCode": status, "message": message})

        given = headers.get("x-identity-header", "")
        if not hmac.compare_digest(given.encode(), self.secret.encode()):
            return refused(401, "The X-IDENTITY-HEADER header is missing or wrong.")
        if "api-version" not in asked or "resource" not in asked:
            return refused(400, "The parameters 'api-version' and 'resource' are required.")
        application = self._application(asked)
        if application is None:
            return refused(400, "No managed identity found for specified ClientId/ResourceId.")
        try:
            token = self._directory.issue(application, asked["resource"], origin)
        except RefusedError:
            # The service does not say what was wrong with the resource.
            return refused(500, "An unexpected error occurred while fetching the token.")
        return json_answer(200, self._answer(application, token, asked["resource"]))

    def _metadata_service(
        self, asked: Mapping[str, str], headers: Mapping[str, str], origin: str
    ) -> Response:
        def refused(error: str, text: str) -> Response:
            return json_answer(400, {"error": error, "error_description": text})

        if headers.get("metadata", "").lower() != "true":
            return refused("invalid_request", "Required metadata header not specified")
        if "api-version" not in asked or "resource" not in asked:
            return refused("invalid_request", "Required query variables are missing")
        application = self._application(asked)
        if application is None:
            return refused("invalid_request", "Identity not found")
        try:
            token = self._directory.issue(application, asked["resource"], origin)
        except RefusedError as error:
            return refused(error.error, str(error))
        life = str(self._directory.life_seconds)
        answer = self._answer(application, token, asked["resource"])
        return json_answer(200, {**answer, "expires_in": life, "ext_expires_in": life})

    def _answer(self, application: Application, token: str, resource: str) -> dict[str, str]:
        """Numbers travel as text, and the end is an instant in Unix seconds."""
        now = int(time.time())
        return {
            "access_token": token,
            "client_id": application.client_id,
            "expires_on": str(now + self._directory.life_seconds),
            "not_before": str(now),
            "resource": resource,
            "token_type": "Bearer",
        }
