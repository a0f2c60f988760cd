"""One request as the service sees it, alone or as part of a batch.

Owns: reading its headers and body, the shape of a JSON answer.
Never does: sockets (`face.py`), paths and query options (`service.py`, `options.py`).
Tested in: tests/integration/sandbox/finops/test_reads.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from connector.sandbox.finops import errors
from connector.sandbox.finops.people import User
from connector.sandbox.messages import Response

_LEVEL = re.compile(r"odata\.metadata=(none|minimal|full)")
PLAIN_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `base` is `https://host/data`; header names are lower case.

    `path` and `query` are still percent-encoded; `path` starts behind `base`.
    """

    method: str
    base: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    user: User

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.base}/{self.path}"

    @property
    def tag(self) -> str | None:
        """`If-Match`, if it was sent."""
        return self.headers.get("if-match")

    def level(self, asked: str | None) -> str:
        """The metadata level: from `$format`, which is `asked`, or from `Accept`."""
        found = _LEVEL.search(asked or self.headers.get("accept", ""))
        return found[1] if found else "minimal"

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `AxError`."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise errors.bad_body(f"An error occurred while reading the body: {error}") from error
        if type(value) is not dict:
            raise errors.bad_body("A JSON object is expected.")
        return value


def json_response(
    value: Any,
    status: int = 200,
    *,
    level: str = "minimal",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A JSON answer; `value` may hold `orjson.Fragment`."""
    kind = f"application/json; odata.metadata={level}; charset=utf-8"
    return Response(
        status,
        {"Content-Type": kind, "OData-Version": "4.0", **(headers or {})},
        orjson.dumps(value),
    )


def no_content() -> Response:
    """204."""
    return Response(204, {"OData-Version": "4.0"})
