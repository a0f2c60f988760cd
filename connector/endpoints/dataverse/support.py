"""Which tables take CreateMultiple.

Owns: asking once per table, and remembering what the service said.
Never does: sending a write; choosing by a setting.
Tested in: tests/unit/endpoints/dataverse/test_support.py.

Facts: "Dataverse Web API: bulk-operations": a table takes a bulk message if there is a message
filter for it. UpdateMultiple, UpsertMultiple and DeleteMultiple are never used: none of them has
a precondition, so that an edit made since the row was read would be lost without a trace.
"""

from __future__ import annotations

import threading
from typing import Any

import orjson

from connector.endpoints.dataverse.metadata import Table
from connector.endpoints.web.faults import Fault
from connector.endpoints.web.transport import Transport
from connector.errors import UnreachableError
from connector.odata.literals import literal
from connector.odata.queries import query_string

MESSAGE = "CreateMultiple"
NOT_IMPLEMENTED = 501
_UNKNOWN_MESSAGE = frozenset({404, 405, NOT_IMPLEMENTED})
"""What a table answers to a message it does not have."""


class BulkCreates:
    """Safe from several threads, which may ask the same twice."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._known: dict[str, bool] = {}

    def taken_by(self, table: Table) -> bool:
        """Whether the table takes them; asked at its first create.

        Where the service does not tell, for want of a right or in a form that cannot be read, it
        is tried: a table without it refuses, and that is remembered (`refused`). Raises
        `AccessError`.
        """
        with self._lock:
            known = self._known.get(table.logical_name)
        if known is None:
            try:
                known = self._ask(table)
            except UnreachableError:
                return True  # the write meets the same, and says what became of each row
            with self._lock:
                known = self._known.setdefault(table.logical_name, known)
        return known

    def refused(self, table: Table, fault: Fault) -> None:
        """Take note of a bulk create that was refused; the next ones leave one by one."""
        if fault.status in _UNKNOWN_MESSAGE:
            with self._lock:
                self._known[table.logical_name] = False

    def _ask(self, table: Table) -> bool:
        where = (
            f"sdkmessageid/name eq {literal(MESSAGE)} "
            f"and primaryobjecttypecode eq {literal(table.logical_name)}"
        )
        options = {"$select": "sdkmessagefilterid", "$filter": where}
        reply = self._transport.get(f"sdkmessagefilters?{query_string(options)}")
        if reply.status != 200:
            return True
        try:
            found: Any = orjson.loads(reply.body)["value"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return True
        return not isinstance(found, list) or bool(found)
