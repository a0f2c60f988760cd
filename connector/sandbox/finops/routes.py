"""Paths, taken apart as the service takes them apart: by its web server, then by OData.

Owns: decoding twice, segments, the answer to a path no route fits.
Never does: knowing an entity (`service.py`).
Tested in: tests/integration/sandbox/finops/test_keys.py.

Facts: reports of integrators ("D365 F&O, OData, slashes, pluses, and double encoding"): the web
server decodes a path before it is split, so a slash or backslash in a key ends the segment, encoded
or not, and OData decodes what is left once more, a plus sign to a blank. In a key these are encoded
twice, `%252F`; in a query once, as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import orjson

from connector.odata.literals import Scalar
from connector.odata.malformed import MalformedError
from connector.odata.paths import Segment, key_segment, parse_segment
from connector.sandbox.finops import errors
from connector.sandbox.messages import Response


class NoRouteError(errors.AxError):
    """404 of the layer below OData: another shape, without `error`."""

    def __init__(self, url: str) -> None:
        self._text = (
            f"No HTTP resource was found that matches the request URI '{url}'. "
            "No route data was found for this request."
        )
        super().__init__(404, self._text)

    def response(self, *, in_batch: bool = False) -> Response:
        """The answer that carries it."""
        del in_batch
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return Response(404, headers, orjson.dumps({"Message": self._text}))


def segments_of(path: str, url: str) -> list[Segment]:
    """The segments of a still encoded path. Raises `AxError`."""
    try:
        once = unquote(path, errors="strict").replace("\\", "/")
        return [parse_segment(one.replace("+", " ")) for one in _split(once, url) if one]
    except (MalformedError, UnicodeDecodeError) as error:
        raise errors.bad_query(f"The path cannot be read: {error}") from error


def _split(path: str, url: str) -> list[str]:
    """At every slash; one inside of quotes leaves no route."""
    parts = path.split("/")
    if any(one.count("'") % 2 for one in parts) and path.count("'") % 2 == 0:
        raise NoRouteError(url)
    return parts


def row_path(entity_set: str, key: Mapping[str, Scalar]) -> str:
    """The path of a row, encoded so that it comes through both."""
    return key_segment(entity_set, key).replace("%", "%25")
