"""What the pages for a browser ask of the organization service, as one of its users.

Owns: requests made on behalf of a person at a page.
Never does: HTML; rights, which are the service's.
Tested in: tests/integration/sandbox/test_pages.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson

from connector.sandbox.dataverse.definitions.catalog import Catalog
from connector.sandbox.dataverse.messages import Request
from connector.sandbox.dataverse.service import Service

PAGE_SIZE = 50


class Reply(NamedTuple):
    """Status and body of an answer; the body of one without any is None."""

    status: int
    body: Any


class Asking:
    """The service at `origin` as the user with this client id sees it."""

    def __init__(self, service: Service, client_id: str, origin: str) -> None:
        self._service = service
        self._client_id = client_id
        self._base = f"{origin}/api/data/v9.2"

    @property
    def catalog(self) -> Catalog:
        """What tables there are."""
        return self._service.storage.catalog

    def get(self, path: str, options: Mapping[str, str], rows: int = PAGE_SIZE) -> Reply:
        """Read up to so many rows, with formatted values."""
        prefer = f'odata.maxpagesize={rows},odata.include-annotations="*"'
        query = urlencode(options, quote_via=quote)
        return self._run("GET", path, query, {"prefer": prefer}, b"")

    def post(self, path: str, values: Mapping[str, Any]) -> Reply:
        """Create a row."""
        headers = {"content-type": "application/json"}
        return self._run("POST", path, "", headers, orjson.dumps(values))

    def _run(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        user = self._service.user_of(self._client_id)
        assert user is not None, "the agent is a member"
        response = self._service.run(Request(method, self._base, path, query, headers, body, user))
        return Reply(response.status, orjson.loads(response.body) if response.body else None)
