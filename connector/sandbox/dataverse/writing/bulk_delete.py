"""`POST BulkDelete`: the rows some queries find, deleted as a job.

Owns: the action's parameters, QueryExpressions in JSON, the rows that report the job.
Never does: the operators of a condition (`reading/operators.py`), deleting a row (`records.py`).
Tested in: tests/integration/sandbox/test_bulk_delete.py, test_sdk_bulk.py.

Facts: "Dataverse Web API: reference/bulkdelete", "queryexpression". The service answers at once
and deletes later; here the job is done before the answer goes out, and says so in
`asyncoperations`. A row that cannot be deleted counts as a failure and stops nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import Table
from connector.sandbox.dataverse.messages import Request, json_response
from connector.sandbox.dataverse.reading import fetchxml, query_errors
from connector.sandbox.dataverse.reading.joins import Joined, Source
from connector.sandbox.dataverse.reading.operators import condition, operator_name
from connector.sandbox.dataverse.reading.selections import Selections
from connector.sandbox.dataverse.standard.job_tables import (
    BULK_DELETE,
    COMPLETED,
    FAILED,
    SUCCEEDED,
)
from connector.sandbox.dataverse.writing.payloads import Values
from connector.sandbox.dataverse.writing.records import Records, new_id
from connector.sandbox.messages import Response

NAME = "BulkDelete"
_NEEDED = ("QuerySet", "JobName", "SendEmailNotification", "ToRecipients", "CCRecipients")
_TYPE = "Microsoft.Dynamics.CRM."
_NO_LIMIT = -1


class BulkDelete:
    """The action of one organization."""

    def __init__(self, records: Records, selections: Selections) -> None:
        self._records = records
        self._selections = selections
        self._execute = records.storage.connection.execute

    def run(self, request: Request) -> Response:
        """The answer with the job's id. Raises `WireError`."""
        asked = request.json_object()
        for name in (*_NEEDED, "RecurrencePattern", "StartDateTime"):
            if name not in asked:
                raise errors.payload(NAME, f"The parameter '{name}' is missing.")
        queries = asked["QuerySet"]
        if type(queries) is not list or not all(type(one) is dict for one in queries):
            raise errors.payload(NAME, "'QuerySet' must be a list of queries.")
        done, failures = 0, []
        for query in queries:
            table, found = self._find(query, request)
            for record in found:
                try:
                    with self._records.storage.savepoint():
                        done += self._records.delete(table, record, None, request.user)
                except errors.WireError as error:
                    failures.append(str(error))
        job = self._report(str(asked["JobName"]), done, failures, request.user)
        mark = f"{request.base}/$metadata#{_TYPE}BulkDeleteResponse"
        return json_response({"@odata.context": mark, "JobId": job})

    def _report(self, name: str, done: int, failures: list[str], user: str) -> str:
        """Write the rows a client follows the job by; the job's id."""
        job, by_name = new_id(), self._records.catalog.by_name
        states: Values = {"statecode": COMPLETED, "statuscode": FAILED if failures else SUCCEEDED}
        operation: Values = {
            "asyncoperationid": job,
            "name": name[:256],
            "operationtype": BULK_DELETE,
            "message": failures[0][:2000] if failures else None,
            **states,
        }
        self._records.insert(by_name["asyncoperation"], [operation], user)
        counts: Values = {
            "name": name[:256],
            "asyncoperationid": job,
            "successcount": done,
            "failurecount": len(failures),
            **states,
        }
        self._records.insert(by_name["bulkdeleteoperation"], [counts], user)
        return job

    # ------------------------------------------------------------------------ queries

    def _find(self, query: Mapping[str, Any], request: Request) -> tuple[Table, list[str]]:
        """The table of a query and the ids it finds. Raises `WireError`."""
        joined = self._selections.joined(request)
        kind = str(query.get("@odata.type", "")).lstrip("#").removeprefix(_TYPE)
        if kind == "FetchExpression":
            fetchxml.translate(str(query.get("Query", "")), joined)
        elif kind == "QueryExpression":
            self._translate(query, joined)
        else:
            raise errors.payload(NAME, f"A query has the type '{kind}'.")
        table = joined.root.table
        rows = joined.run(self._execute, _NO_LIMIT)
        return table, [str(row[table.id_column]) for row in rows if table.id_column in row]

    def _translate(self, query: Mapping[str, Any], joined: Joined) -> None:
        source = joined.source(str(query.get("EntityName", "")))
        joined.name("", source)
        if query.get("LinkEntities"):
            raise errors.not_implemented("A QueryExpression with LinkEntities")
        criteria = query.get("Criteria")
        if criteria is not None:
            joined.where.append(_filter(criteria, source, joined))


def _filter(criteria: Any, source: Source, joined: Joined) -> str:
    """A FilterExpression as SQL."""
    if type(criteria) is not dict:
        raise query_errors.malformed("a filter is an object")
    parts = [_condition(one, source, joined) for one in criteria.get("Conditions") or ()]
    parts += [_filter(one, source, joined) for one in criteria.get("Filters") or ()]
    word = " OR " if criteria.get("FilterOperator") == "Or" else " AND "
    return f"({word.join(parts)})" if parts else "1"


def _condition(given: Any, source: Source, joined: Joined) -> str:
    """A ConditionExpression as SQL."""
    if type(given) is not dict:
        raise query_errors.malformed("a condition is an object")
    operand = source.operand(str(given.get("AttributeName", "")))
    operator = operator_name(str(given.get("Operator", "")))
    values = [_text(one) for one in given.get("Values") or ()]
    return f"({condition(operator, operand, values, joined.reader, joined.bind)})"


def _text(value: Any) -> str:
    """A value of a condition, alone or with its type beside it."""
    if type(value) is dict:
        value = value.get("Value")
    if type(value) is bool:
        return str(int(value))
    return "" if value is None else str(value)
