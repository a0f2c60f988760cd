"""Change sets on the wire: pyodata writes the batch and takes the answer apart.

Owns: the requests of operations, a batch of change sets, and the answer to each request in it.
Never does: deciding what an answer means (`outcomes.py`), sending (`connection.py`).
Tested in: tests/unit/endpoints/odata_v2/test_batches.py.

Facts: "OData V2: batch processing" (a change set is atomic; where it fails, one response stands
for the whole of it). pyodata's own handlers raise at the first failure, so that the answers to
all other requests are lost, take any status but 202, and 204 for an update, for a failure, and
an empty answer for none; here each answer is kept. What it reads a part with counts characters
where there are bytes, and cuts the text; parts are read here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
from pyodata.v2.service import (
    BatchRequest,
    Changeset,
    EntityCreateRequest,
    EntityDeleteRequest,
    EntityModifyRequest,
    ODataHttpRequest,
    decode_multipart,
)

from connector.endpoints.odata_v2.keys import KeyValues, address
from connector.endpoints.odata_v2.metadata import Table

_STATUS = re.compile(r"HTTP/\d\.\d (\d{3})")


class Part(NamedTuple):
    """The answer to one request of a batch; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


# ---------------------------------------------------------------------------- requests


class _Create(EntityCreateRequest):  # type: ignore[misc]  # the library has no types
    """A create with its finished body; `set` of the library would log it."""

    def __init__(self, table: Table, body: str) -> None:
        super().__init__("", None, None, table.declared)
        self._finished = body

    def get_body(self) -> str:
        return self._finished


class _Update(EntityModifyRequest):  # type: ignore[misc]
    """A change with its finished body, at a path in which a key may hold a slash."""

    def __init__(self, table: Table, key: KeyValues, method: str, body: str) -> None:
        spelled, self._path = address(table, key)
        super().__init__("", None, None, table.declared, spelled, method=method)
        self._finished = body

    def get_path(self) -> str:
        return self._path

    def get_body(self) -> str:
        return self._finished


class _Delete(EntityDeleteRequest):  # type: ignore[misc]
    """A delete at such a path."""

    def __init__(self, table: Table, key: KeyValues) -> None:
        spelled, self._path = address(table, key)
        super().__init__("", None, None, table.declared, spelled)

    def get_path(self) -> str:
        return self._path


def create(table: Table, item: Mapping[str, Any]) -> ODataHttpRequest:
    """The request that makes a row."""
    return _Create(table, _json(item))


def update(
    table: Table, key: KeyValues, method: str, item: Mapping[str, Any], etag: str | None
) -> ODataHttpRequest:
    """The request that changes a row, if it still has this ETag."""
    return _conditional(_Update(table, key, method, _json(item)), etag)


def delete(table: Table, key: KeyValues, etag: str | None) -> ODataHttpRequest:
    """The request that deletes a row, if it still has this ETag."""
    return _conditional(_Delete(table, key), etag)


def _conditional(request: ODataHttpRequest, etag: str | None) -> ODataHttpRequest:
    if etag is not None:
        request.add_headers({"If-Match": etag})
    return request


def _json(item: Mapping[str, Any]) -> str:
    return orjson.dumps(item, default=_digits).decode()


def _digits(value: Any) -> orjson.Fragment:
    """A number with a point as it came, in a row that is written whole."""
    if not isinstance(value, Decimal):
        raise TypeError(f"nothing JSON has: {type(value).__name__}")
    return orjson.Fragment(str(value))


# ---------------------------------------------------------------------------- batches


class Batch(NamedTuple):
    """A batch ready to be sent."""

    path: str
    body: bytes
    headers: Mapping[str, str]


def batch_of(sets: Sequence[Sequence[ODataHttpRequest]]) -> Batch:
    """One batch of change sets."""
    batch = BatchRequest("", None, None, uuid4().hex)
    for requests in sets:
        changes = Changeset("", None, None, uuid4().hex)
        for request in requests:
            changes.add_request(request)
        batch.add_request(changes)
    # Some services leave out whatever stands behind the first failure unless told otherwise.
    headers = {
        **batch.get_headers(),
        "Accept": "multipart/mixed",
        "Prefer": "odata.continue-on-error",
    }
    return Batch(batch.get_path(), batch.get_body().encode(), headers)


def parts_of(body: bytes, content_type: str) -> Sequence[Sequence[Part] | Part]:
    """Per change set the answers to its requests, or one for the whole of it; at least one.

    Raises `ValueError` for an answer that is malformed or empty.
    """
    if not content_type.lower().startswith("multipart/"):
        raise ValueError(f"not a multipart answer but {content_type or 'one without a type'}")
    try:
        decoded = decode_multipart(body.decode("utf-8"), content_type)
    except (AttributeError, LookupError, TypeError) as error:
        raise ValueError("a multipart answer whose parts cannot be told apart") from error
    if not decoded or not all(isinstance(one, list) and one for one in decoded):
        raise ValueError("a multipart answer without its parts")
    return [_set(one) for one in decoded]


def _set(told: Sequence[Any]) -> Sequence[Part] | Part:
    if isinstance(told[0], list):
        return [_part(one[0]) for one in told if one]
    return _part(told[0])


def _part(text: Any) -> Part:
    """One HTTP answer out of its text."""
    if not isinstance(text, str):
        raise ValueError("a part that is no HTTP answer")
    head, _, body = text.replace("\r\n", "\n").lstrip("\n").partition("\n\n")
    first, *lines = head.split("\n")
    status = _STATUS.match(first)
    if status is None:
        raise ValueError(f"a part that is no HTTP answer: {first[:60]!r}")
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in lines)
        if colon
    }
    return Part(int(status[1]), headers, body.strip("\n").encode())
