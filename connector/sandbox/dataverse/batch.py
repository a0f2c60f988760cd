"""`$batch`: many requests in one, with change sets.

Owns: running the parts in order, `$1` references, the outer status.
Never does: the multipart format (`connector.odata.batch`), what a part means (`service.py`).
Tested in: tests/integration/sandbox/test_batch.py.

Facts: "Dataverse Web API: execute-batch-operations-using-web-api". Without continue-on-error
the first failure ends the batch and gives it its status; what came before it stays.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urlsplit

from connector.odata.batch import (
    BatchRequest,
    BatchResponse,
    ChangeSet,
    ChangeSetResponse,
    ResponsePart,
    encode_batch_responses,
    parse_batch,
)
from connector.odata.malformed import MalformedError
from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.messages import Request, error_response
from connector.sandbox.dataverse.storage import Storage
from connector.sandbox.messages import Response

MAX_REQUESTS = 1000
MAX_URL = 65_536
"""Characters; twice what a request of its own may have."""

Handle: TypeAlias = Callable[[Request], Response]
_ROOT = re.compile(r"/?api/data/v\d+\.\d+/")
_BOUND = re.compile(rb'(@odata\.(?:bind|id)"\s*:\s*")\$(\w+)')
_REFERENCE = re.compile(r"\$(\w+)(?=/|$)")


def run_batch(request: Request, handle: Handle, storage: Storage) -> Response:
    """The answer to `POST $batch`. Raises `WireError` for a batch that cannot be read."""
    try:
        parts = parse_batch(request.body, request.headers.get("content-type", ""))
    except MalformedError as error:
        raise errors.payload("$batch", str(error)) from error
    number = sum(len(p.requests) if isinstance(p, ChangeSet) else 1 for p in parts)
    if number > MAX_REQUESTS:
        raise errors.bad_request(
            f"Number of requests in the batch exceeded the limit of {MAX_REQUESTS}."
        )
    runner = _Runner(request, handle, storage)
    answers: list[ResponsePart] = []
    outer = 200
    for part in parts:
        answer = runner.change_set(part) if isinstance(part, ChangeSet) else runner.single(part)
        answers.append(answer)
        failed = isinstance(answer, BatchResponse) and answer.status >= 400
        if failed and not request.preferences.continue_on_error:
            outer = answer.status if isinstance(answer, BatchResponse) else outer
            break
    kind, body = encode_batch_responses(answers, f"batchresponse_{uuid.uuid4()}")
    headers = {"Content-Type": kind, "OData-Version": "4.0"}
    if request.preferences.continue_on_error:
        headers["Preference-Applied"] = "odata.continue-on-error"
    return Response(outer, headers, body)


class _Runner:
    """One batch being run; remembers the records its parts created, by Content-ID."""

    def __init__(self, outer: Request, handle: Handle, storage: Storage) -> None:
        self._outer = outer
        self._handle = handle
        self._storage = storage
        self._records: dict[str, str] = {}

    def single(self, part: BatchRequest) -> BatchResponse:
        """One request of its own; its failure undoes nothing else."""
        try:
            response = self._run(part)
        except errors.WireError as error:
            response = error_response(error, part.headers)
        return _part(response, part.content_id)

    def change_set(self, part: ChangeSet) -> ResponsePart:
        """All of it, or one error in its place."""
        answers: list[BatchResponse] = []
        current = BatchRequest("", "")
        try:
            with self._storage.savepoint():
                for current in part.requests:
                    if current.method == "GET":
                        raise errors.bad_request(
                            "GET is not allowed in a change set.", "0x80048d19"
                        )
                    answers.append(_part(self._run(current), current.content_id))
        except errors.WireError as error:
            return _part(error_response(error, current.headers), current.content_id)
        return ChangeSetResponse(answers)

    def _run(self, part: BatchRequest) -> Response:
        url, body = part.url, part.body
        if url.startswith("$"):
            url = _REFERENCE.sub(lambda match: self._record(match[1]), url, count=1)
        if b'"$' in body:
            body = _BOUND.sub(lambda m: m[1] + self._record(m[2].decode()).encode(), body)
        if len(url) > MAX_URL:
            raise errors.url_too_long(MAX_URL)
        path, _, query = self._relative(url).partition("?")
        if path == "$batch":
            raise errors.bad_request("A batch cannot hold another batch.", "0x80048d19")
        response = self._handle(
            Request(
                part.method, self._outer.base, path, query, part.headers, body, self._outer.user
            )
        )
        if part.content_id is not None and response.record is not None:
            self._records[part.content_id] = response.record
        return response

    def _relative(self, url: str) -> str:
        """The URL behind the service root; relative ones are relative to it."""
        if "://" in url[:9]:
            split = urlsplit(url)
            url = f"{split.path}?{split.query}" if split.query else split.path
        return _ROOT.sub("", url, count=1)

    def _record(self, content_id: str) -> str:
        try:
            return self._records[content_id]
        except KeyError:
            raise errors.bad_request(
                f"Content-ID Reference: '${content_id}' does not exist in the batch context."
            ) from None


def _part(response: Response, content_id: str | None) -> BatchResponse:
    headers = response.headers
    if response.status == 204 and "OData-EntityId" in headers:
        headers = {"OData-Version": "4.0", "Location": headers["OData-EntityId"], **headers}
    return BatchResponse(response.status, headers, response.body, content_id)
