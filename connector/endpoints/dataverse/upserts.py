"""Rows that are created or updated by their id, all in one request.

Owns: the `$batch` of upserts, and the error for those that were refused.
Never does: preconditions; rows a map works (`writes.py`).
Tested in: tests/unit/endpoints/dataverse/test_upserts.py.

Facts: "Dataverse Web API: use-upsert-insert-or-update-record" (a PATCH by id without a
precondition creates the row where it is not there).
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from connector.endpoints.dataverse.faults import access_error, fault_of, refused
from connector.endpoints.dataverse.metadata import BATCH, Table
from connector.endpoints.dataverse.rows import Encoder, dumps
from connector.endpoints.dataverse.service import API
from connector.endpoints.web.answers import Reply
from connector.endpoints.web.governor import Call
from connector.endpoints.web.transport import Transport
from connector.errors import Subject, UnreachableError
from connector.mapping.values import Value
from connector.odata.batch import BatchRequest, BatchResponse, encode_batch, parse_batch_responses
from connector.odata.malformed import MalformedError
from connector.odata.paths import key_segment

_JSON = {"Content-Type": "application/json; charset=utf-8"}


def upsert(transport: Transport, table: Table, rows: Mapping[str, Mapping[str, Value]]) -> None:
    """As `connector.endpoints.upserting.Upserting.upsert`."""
    assert len(rows) <= BATCH, f"at most {BATCH} rows in one request"
    encoder = Encoder(table)
    requests = [
        BatchRequest(
            "PATCH",
            f"{API}{table.set_name}{key_segment('', id)}",
            _JSON,
            dumps(encoder.update(values)),
        )
        for id, values in rows.items()
    ]
    boundary = f"batch_{uuid4().hex}"
    headers = {
        "Content-Type": f"multipart/mixed; boundary={boundary}",
        "Prefer": "odata.continue-on-error",
    }
    call = Call(table.set_name, "batch", len(requests))
    answer = transport.post("$batch", encode_batch(requests, boundary), headers, call)
    if not isinstance(answer, Reply):
        raise _no_answer(table, str(answer))
    kind = answer.headers.get("Content-Type", "")
    if not kind.lower().startswith("multipart/"):
        fault = fault_of(answer.status, answer.headers, answer.body)
        if answer.status == 403:
            raise access_error(fault, table.set_name)
        raise refused(fault, table.set_name, "POST $batch")
    try:
        parts = parse_batch_responses(answer.body, kind)
    except MalformedError as error:
        raise _no_answer(table, f"the batch's answer cannot be read: {error}") from error
    for part in parts:
        if isinstance(part, BatchResponse) and part.status >= 300:
            fault = fault_of(part.status, part.headers, part.body)
            if part.status == 403:
                raise access_error(fault, table.set_name)
            raise refused(fault, table.set_name, f"PATCH {table.set_name}")


def _no_answer(table: Table, cause: str) -> UnreachableError:
    return UnreachableError(
        "unreachable",
        "Dataverse did not say whether rows were written",
        remedy="nothing: they are written anew next time",
        subject=Subject(side="dataverse", entity=table.set_name),
        cause=cause,
    )
