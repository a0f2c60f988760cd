"""Creates, updates and deletes, one outcome each.

Owns: the `$batch` of single requests, or one request after the other, and what each answer means.
Never does: repeating a write that may have happened; creating by an update.
Tested in: tests/unit/endpoints/odata_v4/test_writes.py.

Facts: OData protocol 4.01, sections 11.4 (201 with the row, 204 without one) and 8.2.4 (If-Match;
`*` is met by any row that is there, so that an update never creates one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from connector.endpoints.base import (
    Applied,
    Create,
    Missing,
    Operation,
    Outcome,
    Rejected,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.odata_v4.batches import Batches
from connector.endpoints.odata_v4.client import Client
from connector.endpoints.odata_v4.dialect import Dialect
from connector.endpoints.odata_v4.faults import plain, refused
from connector.endpoints.odata_v4.rows import ETAG, Encoder, Projection
from connector.endpoints.odata_v4.tables import KeyValues, Table
from connector.endpoints.web.answers import MAYBE_DONE, Answer, Lost, Reply, Unsent
from connector.endpoints.web.faults import Fault
from connector.endpoints.web.governor import Call, Held
from connector.endpoints.web.texts import untaken_text
from connector.errors import DualWriteError, MapError, Subject
from connector.mapping.values import Value
from connector.odata.batch import BatchRequest, BatchResponse, ChangeSet
from connector.odata.malformed import MalformedError
from connector.odata.queries import query_string

_JSON = {"Content-Type": "application/json; charset=utf-8", "Accept": "application/json"}

_NO_BATCHES = frozenset({404, 405, 415, 501})
"""What a service answers to a `$batch` it does not know."""


class _Part(NamedTuple):
    """One operation on its way: its place in the list, and its request."""

    place: int
    operation: Operation
    request: BatchRequest


class Writing:
    """One `write` call on one table; used once. `batches` is None where the service has none."""

    def __init__(
        self,
        client: Client,
        dialect: Dialect,
        batches: Batches | None,
        table: Table,
        projection: Projection,
        operations: Sequence[Operation],
    ) -> None:
        self._transport = client.transport
        self._naming = client.naming
        self._dialect = dialect
        self._batches = batches
        self._table = table
        self._projection = projection
        self._encoder = Encoder(client.naming, table)
        self._operations = operations
        self._outcomes: list[Outcome | None] = [None] * len(operations)
        self._query = query_string(dialect.options)
        self.failed: list[int] = []
        """Places of creates that failed within the service: their rows may be there."""

    def run(self) -> list[Outcome]:
        """Carry it out, in order."""
        parts = [
            part
            for place, one in enumerate(self._operations)
            if (part := self._part(place, one)) is not None
        ]
        if self._batches is not None and parts:
            self._together(self._batches, parts)
        else:
            self._one_by_one(parts)
        return [_settled(outcome) for outcome in self._outcomes]

    # ------------------------------------------------------------------------ requests

    def _part(self, place: int, operation: Operation) -> _Part | None:
        """The request of one operation; None where it is settled without being sent."""
        if isinstance(operation, Create):
            values = self._dialect.completed(self._table, operation.values)
            body = self._body(place, values, create=True)
            if body is None:
                return None
            headers = {**_JSON, "Prefer": "return=representation"}
            return _Part(place, operation, self._request("POST", self._table.name, headers, body))
        key = self._table.parse_id(operation.id)
        if key is None:
            self._outcomes[place] = Missing()
            return None
        # Always a precondition: without one an update would create what is not there.
        condition = {"If-Match": operation.version or "*"}
        url = self._dialect.row_url(self._table, key)
        if not isinstance(operation, Update):
            return _Part(place, operation, self._request("DELETE", url, condition, b""))
        changes = self._without_key(place, key, operation.values)
        body = None if changes is None else self._body(place, changes, create=False)
        if body is None:
            return None
        headers = {**_JSON, **condition, "Prefer": "return=representation"}
        return _Part(place, operation, self._request("PATCH", url, headers, body))

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> BatchRequest:
        return BatchRequest(method, f"{url}?{self._query}" if self._query else url, headers, body)

    def _body(self, place: int, values: Mapping[str, Value], *, create: bool) -> bytes | None:
        column = untaken_text(values)
        if column is not None:
            self._outcomes[place] = Rejected(
                "text-control-character",
                f"the text holds a control character, which {self._naming.subject} cannot store",
                column,
            )
            return None
        return self._encoder.create(values) if create else self._encoder.update(values)

    def _without_key(
        self, place: int, key: KeyValues, values: Mapping[str, Value]
    ) -> Mapping[str, Value] | None:
        """The values without those of the key, which say what it is; None where one differs."""
        own = {f.name: value for f, value in zip(self._table.key, key, strict=True)}
        rest: dict[str, Value] = {}
        for name, value in values.items():
            field = self._table.find(name)
            if field is None or field.name not in own:
                rest[name] = value
            elif own[field.name] != value:
                self._outcomes[place] = Rejected(
                    "key-fixed",
                    f"{field.name} is the key of the row, which {self._naming.subject} does not "
                    "change",
                    name,
                )
                return None
        return rest

    # ------------------------------------------------------------------------ sending

    def _together(self, batches: Batches, parts: Sequence[_Part]) -> None:
        requests = [part.request for part in parts]
        sent = [
            BatchRequest(
                one.method,
                batches.path(one.url),
                one.headers,
                one.body,
                str(number) if self._dialect.change_sets else None,
            )
            for number, one in enumerate(requests, start=1)
        ]
        call = Call(self._table.name, "batch", len(parts))
        wrapped = [ChangeSet([one]) for one in sent] if self._dialect.change_sets else sent
        answer = batches.post(wrapped, call)
        places = [part.place for part in parts]
        try:
            answers = batches.answers(answer) if isinstance(answer, Reply) else None
        except MalformedError as error:
            self._settle(places, Unknown(f"the batch's answer cannot be read: {error}"))
            return
        if answers is None:
            fault = self._fault_to_name(answer, places)
            if fault is not None:
                raise self._without_batches(fault)
            return
        assert isinstance(answer, Reply)
        rest = places[len(answers) :]
        stopped = bool(answers) and answers[-1] is not None and answers[-1].status >= 400
        self._settle(
            rest,
            Transient("the service stopped the batch at a failure before this one")
            if stopped
            else Unknown("the batch's answer ends before this request"),
        )
        faults = [
            fault
            for part, one in zip(parts, answers, strict=False)
            if (fault := self._answered(part, one, answer)) is not None
        ]
        self._all_denied(faults, len(parts))

    def _one_by_one(self, parts: Sequence[_Part]) -> None:
        """Single requests, for no longer than one of them may take: a lease has to outlive it."""
        clock, faults = self._transport.governor.clock, list[Fault]()
        end = clock() + self._transport.timeout
        for number, part in enumerate(parts):
            one = part.request
            answer = self._sent(one, first=not number)
            if isinstance(answer, Reply):
                shown = BatchResponse(answer.status, answer.headers, answer.body)
                fault = self._answered(part, shown, answer)
                faults += [] if fault is None else [fault]
            elif number and isinstance(answer, Unsent):
                # What was carried out must reach the engine, which meets this again.
                self._settle([part.place], Transient(answer.text))
            else:
                self._fault_to_name(answer, [part.place])
            weary = not isinstance(answer, Reply) or _busy(answer.status) or clock() > end
            rest = [one.place for one in parts[number + 1 :]]
            if weary and rest:
                self._settle(rest, Transient("not sent: one before it was not answered in time"))
                break
        self._all_denied(faults, len(parts))

    def _sent(self, one: BatchRequest, *, first: bool) -> Answer:
        """The answer to a single request; raises only where nothing was carried out before it."""
        try:
            return self._transport.send(one.method, one.url, one.body or None, one.headers)
        except DualWriteError as error:  # no trust or no token: nothing of this one happened
            if first:
                raise
            return Unsent(error.message)

    # ------------------------------------------------------------------------ outcomes

    def _answered(self, part: _Part, answer: BatchResponse | None, reply: Reply) -> Fault | None:
        """Settle one operation by its answer; the fault, if it is one."""
        if answer is None:
            self._outcomes[part.place] = Unknown("the change set was answered by nothing")
            return None
        if answer.status < 300:
            self._outcomes[part.place] = self._applied(part.operation, answer)
            return None
        date = reply.headers.get("Date")
        fault = self._dialect.fault_of(answer.status, answer.headers, answer.body, date)
        self._transport.refused_within(reply, fault)
        if answer.status in MAYBE_DONE:
            self._outcomes[part.place] = Unknown(str(fault))
        else:
            outcome = self._dialect.outcome(self._table, part.operation, fault)
            self._outcomes[part.place] = outcome
            if isinstance(part.operation, Create) and isinstance(outcome, Transient):
                self.failed += [part.place] if fault.status == 500 else []
        return fault

    def _applied(self, operation: Operation, answer: BatchResponse) -> Outcome:
        """What a write that happened tells of the row."""
        if not isinstance(operation, Create | Update):
            return Applied(operation.id)
        if not answer.body.strip():
            return Applied(operation.id)
        try:
            item = self._projection.loads(answer.body)
            if not isinstance(item, dict) or not self._table.key_names <= item.keys():
                raise TypeError("it lacks the key")
            tag = answer.headers.get("etag")
            if tag and ETAG not in item:
                item[ETAG] = tag
            (row,) = self._projection.rows([item])
        except (ValueError, TypeError, ArithmeticError) as error:
            said = f"{error}; {plain(answer.body)}"
            return Unknown(f"the row after the write cannot be read: {said}"[:300])
        # Of a part of the columns nobody knows what the others hold.
        return Applied(row.id, row if self._projection.wire_names <= item.keys() else None)

    def _fault_to_name(self, answer: Answer, places: Sequence[int]) -> Fault | None:
        """Settle a request that failed as a whole; what remains to be named is returned.

        Raises `UnreachableError` where certainly nothing of it happened.
        """
        if isinstance(answer, Lost):
            self._settle(places, Unknown(answer.text))
            return None
        if isinstance(answer, Unsent):
            raise self._transport.unreachable(answer)
        if isinstance(answer, Held):
            self._settle(places, Transient("held back by the service's limits", answer.seconds))
            return None
        fault = self._transport.fault_of(answer)
        if answer.status in MAYBE_DONE or answer.status < 400:
            self._settle(places, Unknown(str(fault)))
            return None
        if _busy(answer.status):
            self._settle(places, Transient(str(fault), fault.retry_after))
            return None
        return fault

    def _all_denied(self, faults: Sequence[Fault], sent: int) -> None:
        """Raises `AccessError` if our user may write nothing of this."""
        if faults and len(faults) == sent and all(fault.status == 403 for fault in faults):
            raise self._access(faults[0])

    def _access(self, fault: Fault) -> DualWriteError:
        return refused(self._naming, fault, self._table.name, "a write")

    def _without_batches(self, fault: Fault) -> DualWriteError:
        """The error for a batch that was refused as a whole."""
        if fault.status not in _NO_BATCHES:
            return refused(self._naming, fault, self._table.name, "POST $batch")
        return MapError(
            "batch-unsupported",
            f"{self._naming.title} takes no $batch",
            remedy=f"set {self._naming.section}.batch = false: each write is then a request of "
            "its own",
            subject=Subject(side=self._naming.side, entity=self._table.name),
            tried="POST $batch",
            cause=str(fault),
        )

    def _settle(self, places: Sequence[int], outcome: Outcome) -> None:
        for place in places:
            self._outcomes[place] = outcome


def _busy(status: int) -> bool:
    return status == 429 or (status >= 500 and status not in _NO_BATCHES)


def _settled(outcome: Outcome | None) -> Outcome:
    assert outcome is not None, "every operation is settled"
    return outcome
