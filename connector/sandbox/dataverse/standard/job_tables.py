"""Tables in which the platform reports what it did in the background.

Owns: their definitions.
Never does: the jobs themselves (`writing/bulk_delete.py`).
Tested in: tests/integration/sandbox/test_bulk_delete.py.

Facts: "Dataverse: reference/entities/asyncoperation", "bulkdeleteoperation"; only the columns a
client of this service needs.
"""

from __future__ import annotations

from dataclasses import replace

from connector.sandbox.dataverse.definitions.tables import Column, Kind, Table, table

COMPLETED, SUCCEEDED, FAILED = 3, 30, 31
BULK_DELETE = 13
_STATES = {0: "Ready", 1: "Suspended", 2: "Locked", 3: "Completed"}
_STATUSES = {0: "Waiting For Resources", 20: "In Progress", 30: "Succeeded", 31: "Failed"}


def _job(definition: Table) -> Table:
    """The definition with the states of a job instead of those of a record."""
    columns = dict(definition.columns)
    columns["statecode"] = replace(columns["statecode"], options=_STATES)
    columns["statuscode"] = replace(columns["statuscode"], options=_STATUSES)
    return replace(definition, columns=columns)


JOB = _job(
    table(
        "AsyncOperation",
        "asyncoperations",
        "System Job",
        "System Jobs",
        "name",
        [
            Column("Name", Kind.STRING, "System Job Name", 256),
            Column(
                "OperationType",
                Kind.PICKLIST,
                "System Job Type",
                options={BULK_DELETE: "Bulk Delete"},
            ),
            Column("StartedOn", Kind.DATETIME, "Started On"),
            Column("CompletedOn", Kind.DATETIME, "Completed On"),
            Column("Message", Kind.STRING, "Message", 2000),
        ],
        operations=("delete",),
    )
)

BULK_DELETE_OPERATION = _job(
    table(
        "BulkDeleteOperation",
        "bulkdeleteoperations",
        "Bulk Delete Operation",
        "Bulk Delete Operations",
        "name",
        [
            Column("Name", Kind.STRING, "Name", 256),
            Column("AsyncOperationId", Kind.LOOKUP, "System Job", target="asyncoperation"),
            Column("SuccessCount", Kind.INTEGER, "Successes"),
            Column("FailureCount", Kind.INTEGER, "Failures"),
        ],
        operations=("delete",),
    )
)
