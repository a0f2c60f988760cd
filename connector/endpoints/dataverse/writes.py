"""Creates, updates and deletes, one outcome each.

Owns: CreateMultiple, the `$batch` of single requests, and what each answer means.
Never does: repeating a write that may have happened; writing without a precondition.
Tested in: tests/unit/endpoints/dataverse/test_writes.py, test_whole_requests.py.

Facts: "Dataverse Web API: bulk-operations" (one bad row rolls back a CreateMultiple and is
not named; the same row twice in one payload, or in two at once, is a deadlock) and
"webapi/execute-batch-operations-using-web-api" (continue-on-error).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Missing,
    Operation,
    Outcome,
    Rejected,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.dataverse.faults import (
    BUSY_CODES,
    PRIVILEGE_MISSING,
    USER_UNKNOWN,
    access_error,
    fault_of,
    outcome_of,
    refused,
)
from connector.endpoints.dataverse.metadata import BATCH, Table
from connector.endpoints.dataverse.rows import (
    Encoder,
    Item,
    Projection,
    dumps,
    etag,
    suspicious,
)
from connector.endpoints.dataverse.service import API
from connector.endpoints.dataverse.support import MESSAGE, NOT_IMPLEMENTED, BulkCreates
from connector.endpoints.web.answers import MAYBE_DONE, Answer, Lost, Reply, Unsent
from connector.endpoints.web.faults import Fault
from connector.endpoints.web.governor import Call, Held
from connector.endpoints.web.texts import untaken_text
from connector.endpoints.web.transport import Transport
from connector.errors import DualWriteError
from connector.odata.batch import (
    BatchRequest,
    BatchResponse,
    encode_batch,
    parse_batch_responses,
)
from connector.odata.malformed import MalformedError
from connector.odata.paths import key_segment
from connector.odata.queries import query_string

_JSON = {"Content-Type": "application/json; charset=utf-8"}


class _Part(NamedTuple):
    """One operation on its way: its place in the list, and its request in a batch."""

    place: int
    operation: Operation
    request: BatchRequest


class Writing:
    """One `write` call on one table; used once."""

    def __init__(
        self,
        transport: Transport,
        table: Table,
        columns: Sequence[str],
        operations: Sequence[Operation],
        bulk: BulkCreates,
    ) -> None:
        assert len(operations) <= BATCH, f"at most {BATCH} operations in one call"
        self._transport = transport
        self._table = table
        self._bulk = bulk
        self._projection = Projection(table, columns)
        self._encoder = Encoder(table)
        self._operations = operations
        self._outcomes: list[Outcome | None] = [None] * len(operations)

    def run(self) -> list[Outcome]:
        """Carry it out: updates and deletes in one request, then the creates in another.

        In this order a key that a delete or update sets free can be taken by a create. A row is
        never sent twice in one call: that ends in a deadlock, or in the refusal of all.
        """
        creates: list[tuple[int, Create]] = []
        others: list[tuple[int, Update | Delete]] = []
        ids: set[str] = set()
        for place, operation in enumerate(self._operations):
            id = operation.id.lower()
            if id in ids:
                self._outcomes[place] = Transient("the same call already has a write to this row")
                continue
            ids.add(id)
            if isinstance(operation, Create):
                creates.append((place, operation))
            else:
                others.append((place, operation))
        parts = [part for place, one in others if (part := self._part(place, one)) is not None]
        if parts:
            self._send(parts)
        if creates:
            try:
                self._create(creates)
            except DualWriteError as error:
                if not parts:
                    raise
                # What was carried out must reach the engine; this meets it again next time.
                open_places = [place for place, _ in creates if self._outcomes[place] is None]
                self._settle(open_places, Transient(error.message))
        return [_settled(outcome) for outcome in self._outcomes]

    # ------------------------------------------------------------------------ creates

    def _create(self, creates: list[tuple[int, Create]]) -> None:
        items = [self._encoder.create(one.id, one.values) for _, one in creates]
        body = self._checked_body(creates, items)
        if body is None:
            return
        if not self._bulk.taken_by(self._table):
            self._create_singly(creates, items)
            return
        url = f"{self._table.set_name}/Microsoft.Dynamics.CRM.{MESSAGE}"
        call = Call(self._table.set_name, "create", len(items))
        answer = self._transport.post(url, body, _JSON, call)
        if isinstance(answer, Reply) and answer.status == 200:
            self._created(creates, answer)
            return
        fault = self._fault_to_name(answer, [place for place, _ in creates])
        if fault is not None:
            # Nothing was created, and nobody says which row is to blame: one by one.
            self._bulk.refused(self._table, fault)
            self._create_singly(creates, items)

    def _create_singly(self, creates: list[tuple[int, Create]], items: list[Item]) -> None:
        """Creates as single requests of one batch, each with an outcome of its own."""
        self._send(
            [
                _Part(place, one, self._request("POST", "", item))
                for (place, one), item in zip(creates, items, strict=True)
            ]
        )

    def _checked_body(self, creates: list[tuple[int, Create]], items: list[Item]) -> bytes | None:
        """The body of CreateMultiple, or None if no row is left.

        Rows with text that cannot be sent are settled and taken out of both lists.
        """
        try:
            body = dumps({"Targets": items})
            clean = not suspicious(body)
        except TypeError:
            body, clean = b"", False
        if clean:
            return body
        bad = [self._refuse_text(place, one.values) for place, one in creates]
        if not any(bad):
            return body
        items[:] = [item for item, out in zip(items, bad, strict=True) if not out]
        creates[:] = [create for create, out in zip(creates, bad, strict=True) if not out]
        return dumps({"Targets": items}) if items else None

    def _created(self, creates: list[tuple[int, Create]], reply: Reply) -> None:
        try:
            ids = [str(id).lower() for id in orjson.loads(reply.body)["Ids"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            ids = []
        if len(ids) != len(creates):
            self._settle([place for place, _ in creates], Unknown("CreateMultiple without its ids"))
            return
        for (place, _), id in zip(creates, ids, strict=True):
            self._outcomes[place] = Applied(id)

    # ------------------------------------------------------------------------ batches

    def _part(self, place: int, operation: Update | Delete) -> _Part | None:
        """The batch part of one operation; None where it is settled without being sent."""
        try:
            key = key_segment("", operation.id)
        except MalformedError:
            self._outcomes[place] = Missing()
            return None
        # Always a precondition: without one a PATCH would create what is not there.
        condition = {"If-Match": etag(operation.version)}
        if isinstance(operation, Delete):
            return _Part(place, operation, self._request("DELETE", key, None, condition))
        if self._refuse_text(place, operation.values):
            return None
        item = self._encoder.update(operation.values)
        suffix = f"{key}?{query_string({'$select': self._projection.select})}"
        wanted = {**condition, "Prefer": "return=representation"}
        return _Part(place, operation, self._request("PATCH", suffix, item, wanted))

    def _request(
        self, method: str, suffix: str, item: Item | None, headers: Mapping[str, str] | None = None
    ) -> BatchRequest:
        url = f"{API}{self._table.set_name}{suffix}"
        if item is None:
            return BatchRequest(method, url, headers or {})
        return BatchRequest(method, url, {**_JSON, **(headers or {})}, dumps(item))

    def _send(self, parts: list[_Part]) -> None:
        boundary = f"batch_{uuid4().hex}"
        headers = {
            "Content-Type": f"multipart/mixed; boundary={boundary}",
            "Prefer": "odata.continue-on-error",
        }
        body = encode_batch([part.request for part in parts], boundary)
        call = Call(self._table.set_name, "batch", len(parts))
        answer = self._transport.post("$batch", body, headers, call)
        places = [part.place for part in parts]
        kind = answer.headers.get("Content-Type", "") if isinstance(answer, Reply) else ""
        if not isinstance(answer, Reply) or not kind.lower().startswith("multipart/"):
            fault = self._fault_to_name(answer, places)
            if fault is not None:
                raise refused(fault, self._table.set_name, "POST $batch")
            return
        try:
            responses = parse_batch_responses(answer.body, kind)
        except MalformedError as error:
            self._settle(places, Unknown(f"the batch's answer cannot be read: {error}"))
            return
        flat = [one for one in responses if isinstance(one, BatchResponse)]
        self._settle(places[len(flat) :], Unknown("the batch's answer ends before this request"))
        self._answered(parts[: len(flat)], flat, answer)

    def _answered(
        self, parts: Sequence[_Part], responses: Sequence[BatchResponse], reply: Reply
    ) -> None:
        date = reply.headers.get("Date")
        shown: list[tuple[int, Any]] = []
        faults: list[Fault] = []
        for part, response in zip(parts, responses, strict=False):
            if response.status < 300:
                self._outcomes[part.place] = Applied(part.operation.id)
                if isinstance(part.operation, Update) and response.body:
                    shown.append((part.place, response.body))
                continue
            fault = fault_of(response.status, response.headers, response.body, date)
            self._transport.refused_within(reply, fault)
            self._outcomes[part.place] = outcome_of(part.operation, fault)
            faults.append(fault)
        if len(faults) == len(parts) and all(_no_right(fault) for fault in faults):
            raise access_error(faults[0], self._table.set_name)
        self._show(shown)

    def _show(self, shown: Sequence[tuple[int, bytes]]) -> None:
        """Put the representations of updated rows into their outcomes."""
        places = [place for place, _ in shown]
        try:
            rows = self._projection.rows([self._projection.loads(body) for _, body in shown])
        except (ValueError, TypeError) as error:
            self._settle(places, Unknown(f"the updated row cannot be read: {error}"))
            return
        for place, row in zip(places, rows, strict=True):
            self._outcomes[place] = Applied(row.id, row)

    # ------------------------------------------------------------------------ outcomes

    def _fault_to_name(self, answer: Answer, places: Sequence[int]) -> Fault | None:
        """Settle a request that failed as a whole; what remains to be named is returned.

        Raises `UnreachableError` and `AccessError` where certainly nothing of it happened.
        """
        if isinstance(answer, Lost):
            self._settle(places, Unknown(answer.text))
            return None
        if isinstance(answer, Unsent):
            raise self._transport.unreachable(answer)
        if isinstance(answer, Held):
            self._settle(places, Transient("held back by the service's limits", answer.seconds))
            return None
        fault = fault_of(answer.status, answer.headers, answer.body)
        if answer.status in MAYBE_DONE or answer.status < 400:
            self._settle(places, Unknown(str(fault)))
        elif answer.status == NOT_IMPLEMENTED:
            return fault
        elif answer.status == 429 or answer.status >= 500 or fault.code in BUSY_CODES:
            self._settle(places, Transient(str(fault), fault.retry_after))
        elif _no_right(fault):
            raise access_error(fault, self._table.set_name)
        else:
            return fault
        return None

    def _refuse_text(self, place: int, values: Mapping[str, Any]) -> bool:
        """Settle an operation whose text the service would choke on."""
        column = untaken_text(values)
        if column is None:
            return False
        self._outcomes[place] = Rejected(
            "text-control-character",
            "the text holds a control character, which Dataverse cannot store",
            column,
        )
        return True

    def _settle(self, places: Sequence[int], outcome: Outcome) -> None:
        for place in places:
            self._outcomes[place] = outcome


def _no_right(fault: Fault) -> bool:
    return fault.code in (PRIVILEGE_MISSING, USER_UNKNOWN)


def _settled(outcome: Outcome | None) -> Outcome:
    assert outcome is not None, "every operation is settled"
    return outcome
