"""`$batch`: many requests in one, and what came of each.

Owns: the request, its multipart form, and finding the answer of each part.
Never does: knowing what a part asks for; sending anything twice.
Tested in: tests/unit/endpoints/odata_v4/test_writes.py, test_reads.py.

Facts: OData protocol 4.01, section 11.7: parts are carried out in order; without the preference
`continue-on-error` the service stops at the first that fails, and what follows did not happen. A
change set that failed is answered by one error, within a multipart of its own or without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias
from uuid import uuid4

from connector.endpoints.odata_v4.client import Item, Loads
from connector.endpoints.odata_v4.faults import unreadable
from connector.endpoints.web.answers import Answer, Reply
from connector.endpoints.web.governor import Call
from connector.endpoints.web.transport import Transport
from connector.odata.batch import (
    BatchResponse,
    ChangeSetResponse,
    RequestPart,
    encode_batch,
    parse_batch_responses,
)
from connector.odata.malformed import MalformedError

Parts: TypeAlias = "list[BatchResponse | None]"
"""The answers of the parts, in order; None where a change set was answered by nothing. Those of
parts the service did not come to lack."""


class Batches:
    """Batches of one service; `options` go with the batch itself too.

    Parts are addressed from the batch on, which every service takes, or `absolute`.
    """

    def __init__(self, transport: Transport, options: str = "", *, absolute: bool = False) -> None:
        self._transport = transport
        self._base = transport.base if absolute else ""
        self._url = f"$batch?{options}" if options else "$batch"

    def path(self, url: str) -> str:
        """What stands in a part for a URL that is relative to the service."""
        return f"{self._base}{url}"

    def post(self, parts: Sequence[RequestPart], call: Call | None = None) -> Answer:
        """Send it, by the rules of a write."""
        boundary = f"batch_{uuid4().hex}"
        headers = {
            "Content-Type": f"multipart/mixed; boundary={boundary}",
            "Accept": "multipart/mixed",
            "Prefer": "odata.continue-on-error",
        }
        return self._transport.post(self._url, encode_batch(parts, boundary), headers, call)

    def send(self, parts: Sequence[RequestPart]) -> Parts:
        """Reads in one request: their answers, as far as there are any."""
        answer = self.post(parts)
        if not isinstance(answer, Reply):
            return []
        try:
            return self.answers(answer) or []
        except MalformedError:
            return []

    def answers(self, reply: Reply) -> Parts | None:
        """The answers in a reply; None where it is no batch's. Raises `MalformedError`."""
        kind = reply.headers.get("Content-Type", "")
        if not kind.lower().startswith("multipart/"):
            return None
        return [_single(one) for one in parse_batch_responses(reply.body, kind)]

    def object(self, answer: BatchResponse, entity: str, loads: Loads) -> Item:
        """The list in a part; raises `UnreachableError`."""
        naming, tried = self._transport.naming, f"GET {entity} in a batch"
        try:
            found = loads(answer.body)
            if not isinstance(found, dict) or not isinstance(found.get("value"), list):
                raise ValueError("it has no list of values")
        except ValueError as error:
            raise unreadable(naming, entity, tried, error) from error
        return found


def _single(part: BatchResponse | ChangeSetResponse) -> BatchResponse | None:
    """The one answer of a part: each change set of ours has one request."""
    if isinstance(part, BatchResponse):
        return part
    return part.responses[0] if part.responses else None
