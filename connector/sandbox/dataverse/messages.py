"""One HTTP request and its answer, as the service sees them, alone or as part of a batch.

Owns: reading headers and preferences, and the answers a handler gives.
Never does: sockets (`app.py`), paths and query options (`service.py`, `reading/options.py`).
Tested in: tests/integration/sandbox/test_records.py.

Facts: "Dataverse Web API: compose-http-requests-handle-errors" (request headers, Prefer).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from connector.sandbox.dataverse.errors import JSON_TYPE, WireError, bad_request
from connector.sandbox.messages import Response

_PREFERENCE = re.compile(r'\s*([\w.-]+)\s*(?:=\s*(?:"([^"]*)"|([^",]*)))?\s*(?:,|$)')
_ETAG = re.compile(r'(?:W/)?"(\d+)"')


@dataclass(frozen=True, slots=True)
class Preferences:
    """The `Prefer` header, taken apart; what is not asked for is None or False."""

    representation: bool = False
    page_size: int | None = None
    annotations: str | None = None
    track_changes: bool = False
    continue_on_error: bool = False


@lru_cache(maxsize=512)
def parse_preferences(header: str) -> Preferences:
    """Unknown preferences are ignored. Raises `WireError` for a page size that is no number."""
    named = {m[1].lower(): (m[2] or m[3] or "").strip() for m in _PREFERENCE.finditer(header)}
    size = named.get("odata.maxpagesize")
    if size is not None and not (size.isdecimal() and int(size) > 0):
        raise bad_request(f"Invalid value for the preference odata.maxpagesize: {size!r}.")
    return Preferences(
        representation=named.get("return") == "representation",
        page_size=None if size is None else int(size),
        annotations=named.get("odata.include-annotations"),
        track_changes="odata.track-changes" in named,
        continue_on_error="odata.continue-on-error" in named
        and named["odata.continue-on-error"] != "false",
    )


@dataclass(slots=True)
class Request:
    """One request. `base` is `https://host/api/data/v9.2`; header names are lower case.

    `path` and `query` are still percent-encoded; `path` starts behind `base`.
    """

    method: str
    base: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    user: str

    @property
    def preferences(self) -> Preferences:
        """What the request prefers."""
        return parse_preferences(self.headers.get("prefer", ""))

    def json(self) -> Any:
        """The body as JSON. Raises `WireError`."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise bad_request(
                "An error occurred while validating input parameters: "
                f"Microsoft.OData.ODataException: {error}",
                "0x80048d19",
            ) from error

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `WireError`."""
        value = self.json()
        if type(value) is not dict:
            raise bad_request("The request body must be a JSON object.", "0x80048d19")
        return value

    @property
    def expected_version(self) -> int | str | None:
        """The version `If-Match` asks for, `*` for any existing row, None without it.

        A tag that no row can have comes back as version 0, so it never matches.
        """
        tag = self.headers.get("if-match")
        if tag is None or tag == "*":
            return tag
        match = _ETAG.fullmatch(tag.strip())
        return int(match[1]) if match else 0

    @property
    def must_create(self) -> bool:
        """`If-None-Match: *`; the literal `null` that clients send is no precondition."""
        return self.headers.get("if-none-match") == "*"


def no_content(headers: dict[str, str] | None = None) -> Response:
    """204."""
    return Response(204, {"OData-Version": "4.0", **(headers or {})})


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer; `value` may hold `orjson.Fragment`."""
    found = value.get("value") if isinstance(value, dict) else None
    return Response(
        status,
        {"Content-Type": JSON_TYPE, "OData-Version": "4.0", **(headers or {})},
        orjson.dumps(value),
        rows=len(found) if isinstance(found, list) else 0,
    )


def error_response(error: WireError, asked: Mapping[str, str]) -> Response:
    """The answer that carries `error`, to a request with the headers `asked`."""
    details = "odata.include-annotations" in asked.get("prefer", "").lower()
    headers = {
        "Content-Type": JSON_TYPE,
        "OData-Version": "4.0",
        "REQ_ID": str(uuid.uuid4()),
        **error.headers,
    }
    return Response(error.status, headers, error.body(details=details))
