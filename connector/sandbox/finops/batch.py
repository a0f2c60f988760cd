"""`$batch`: many requests in one, with change sets.

Owns: running the parts in order, `$1` references, the bound on their number.
Never does: the multipart format (`connector.odata.batch`), what a part means (`service.py`).
Tested in: tests/integration/sandbox/finops/test_batch.py.

Facts: "Finance and Operations: odata" ($batch) and public captures: the outer status is 200 also
when a part failed; a change set is one transaction, and a failed one is answered with the one
part that failed, inside a changesetresponse. "service-protection-api-limits": up to 5,000 requests.
Whether a batch goes on behind a failure is not documented; here it does if it asks for it.
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
from connector.sandbox.finops import errors
from connector.sandbox.finops.messages import Request
from connector.sandbox.finops.storage import Storage
from connector.sandbox.messages import Response

MAX_REQUESTS = 5000
Handle: TypeAlias = Callable[[Request], Response]
_REFERENCE = re.compile(r"\$(\w+)(?=/|$)")
_GO_ON = "odata.continue-on-error"


def run_batch(request: Request, handle: Handle, storage: Storage) -> Response:
    """The answer to `POST $batch`. Raises `AxError` for a batch that cannot be read."""
    try:
        parts = parse_batch(request.body, request.headers.get("content-type", ""))
    except MalformedError as error:
        raise errors.bad_body(f"The batch cannot be read: {error}") from error
    number = sum(len(p.requests) if isinstance(p, ChangeSet) else 1 for p in parts)
    if number > MAX_REQUESTS:
        raise errors.bad_query(
            f"The batch has {number} operations; at most {MAX_REQUESTS} are allowed."
        )
    runner = _Runner(request, handle, storage)
    go_on = _GO_ON in request.headers.get("prefer", "").lower()
    answers: list[ResponsePart] = []
    for part in parts:
        answer = runner.change_set(part) if isinstance(part, ChangeSet) else runner.single(part)
        answers.append(answer)
        last = answer.responses[-1:] if isinstance(answer, ChangeSetResponse) else [answer]
        if not go_on and any(one.status >= 400 for one in last):
            break
    kind, body = encode_batch_responses(answers, f"batchresponse_{uuid.uuid4()}")
    return Response(200, {"Content-Type": kind, "OData-Version": "4.0"}, body, rows=runner.rows)


class _Runner:
    """One batch being run; remembers the rows its parts created, by Content-ID."""

    def __init__(self, outer: Request, handle: Handle, storage: Storage) -> None:
        self._outer = outer
        self._handle = handle
        self._storage = storage
        self._places: dict[str, str] = {}
        self._root = urlsplit(outer.base).path.rstrip("/") + "/"
        self.rows = 0

    def single(self, part: BatchRequest) -> BatchResponse:
        """One request of its own; its failure undoes nothing else."""
        try:
            if part.method == "GET":
                return self._run(part)
            with self._storage.transaction():
                return self._run(part)
        except errors.AxError as error:
            return _part(error.response(in_batch=True), part)

    def change_set(self, part: ChangeSet) -> ResponsePart:
        """All of it, or the one error in its place."""
        answers: list[BatchResponse] = []
        current = BatchRequest("", "")
        try:
            with self._storage.transaction():
                for current in part.requests:
                    if current.method == "GET":
                        raise errors.bad_query("GET is not allowed in a change set.")
                    answers.append(self._run(current))
        except errors.AxError as error:
            return ChangeSetResponse([_part(error.response(in_batch=True), current)])
        return ChangeSetResponse(answers)

    def _run(self, part: BatchRequest) -> BatchResponse:
        url = part.url
        if url.startswith("$") and not url.startswith("$metadata"):
            url = _REFERENCE.sub(lambda match: self._place(match[1]), url, count=1)
        path, _, query = self._relative(url).partition("?")
        if path == "$batch":
            raise errors.bad_query("A batch cannot hold another batch.")
        outer = self._outer
        response = self._handle(
            Request(part.method, outer.base, path, query, part.headers, part.body, outer.user)
        )
        self.rows += response.rows
        if part.content_id is not None and "Location" in response.headers:
            self._places[part.content_id] = response.headers["Location"]
        return _part(response, part)

    def _relative(self, url: str) -> str:
        """The URL behind the service root; relative ones are relative to it."""
        if "://" in url[:9]:
            split = urlsplit(url)
            url = f"{split.path}?{split.query}" if split.query else split.path
        return url.removeprefix(self._root)

    def _place(self, content_id: str) -> str:
        try:
            return self._places[content_id]
        except KeyError:
            raise errors.bad_query(f"Nothing in this batch is called '${content_id}'.") from None


def _part(response: Response, part: BatchRequest) -> BatchResponse:
    return BatchResponse(response.status, response.headers, response.body, part.content_id)
