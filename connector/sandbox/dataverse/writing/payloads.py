"""JSON objects read as column values: which members there are, lookups, status, losses.

Owns: everything the service checks before a row is written, and the plug-in switches that
make the server keep less than it was sent.
Never does: SQL; single values (`converters.py`); a lookup's target is resolved by a function handed
in.
Tested in: tests/integration/sandbox/test_payloads.py.

Facts: "Dataverse Web API: webapi/create-entity-web-api", "associate-disassociate-entities",
"web-api-properties". A numeric string is taken for a number, an empty text becomes null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import (
    REFERENCES,
    STATE_OF_STATUS,
    STATUS_OF_STATE,
    Column,
    Kind,
    Table,
)
from connector.sandbox.dataverse.storage import Stored
from connector.sandbox.dataverse.writing.converters import Convert, converter

Values: TypeAlias = dict[str, Stored]
"""Stored values by logical column name."""
Resolve: TypeAlias = Callable[[Column, str], str]
"""(reference column, URL of a record) to its id; raises `WireError` where there is none."""

_BIND = "@odata.bind"
_ANNOTATIONS = ("@odata.type", "@odata.id", "@odata.etag", "@odata.context")


class PayloadReader:
    """Reads payloads of one table."""

    def __init__(self, table: Table, resolve: Resolve, before: PayloadReader | None = None) -> None:
        """`before` is the reader of the table as it was; its rules and losses go on."""
        self.table = table
        self._resolve = resolve
        self._converters: dict[str, Convert] = {
            column.name: converter(column, table)
            for column in table.columns.values()
            if column.kind not in REFERENCES
        }
        self._create_only = {
            c.name for c in table.columns.values() if not c.updatable and c.creatable
        } - {table.id_column}
        self._ignored = {c.name for c in table.columns.values() if not c.creatable}
        self._bases = {
            c.name: f"{c.name}_base"
            for c in table.columns.values()
            if c.kind is Kind.MONEY and f"{c.name}_base" in table.columns
        }
        self._lossy: dict[str, Convert] = {} if before is None else before._lossy
        self.rules: list[Callable[[Values], None]] = [] if before is None else before.rules
        """What the platform asks of the values of this table as a whole; a rule may add some."""

    def read(self, payload: Mapping[str, Any], *, creating: bool) -> Values:
        """The values to store; columns the platform keeps itself are silently left out.

        Raises `WireError`.
        """
        values: Values = {}
        converters = self._converters
        for name, value in payload.items():
            convert = converters.get(name)
            if convert is not None:
                values[name] = convert(value)
            else:
                self._reference(name, value, values)
        for name in self._ignored.intersection(values):
            del values[name]
        if not creating:
            for name in self._create_only.intersection(values):
                del values[name]
        if "statecode" in values or "statuscode" in values:
            self._align_status(values)
        for name, lose in self._lossy.items():
            if name in values:
                values[name] = lose(values[name])
        for name, base in self._bases.items():
            # One currency, the organization's own: the rate is 1.
            if name in values:
                values[base] = values[name]
        for rule in self.rules:
            rule(values)
        return values

    def convert(self, column: Column, value: Any) -> Stored:
        """One value of a column that is no reference. Raises `WireError`."""
        return self._converters[column.name](value)

    def lose(self, column: str, lossy: Convert | None) -> None:
        """From now on keep only what `lossy` leaves of a value; None restores it."""
        self._lossy.pop(column, None)
        if lossy is not None:
            self._lossy[column] = lossy

    def _reference(self, name: str, value: Any, values: Values) -> None:
        """A lookup, an annotation, or a mistake."""
        table = self.table
        owner, bound, _ = name.partition(_BIND)
        column = table.by_navigation.get(owner)
        if column is not None and (bound or value is None):
            if value is None:
                values[column.name] = None
            elif type(value) is str:
                values[column.name] = self._resolve(column, value)
            else:
                raise errors.payload(table.set_name, f"'{name}' must be a URL.")
            if not column.creatable:
                del values[column.name]
        elif bound:
            raise errors.undeclared_annotation(table.set_name, owner)
        elif column is not None:
            raise errors.not_implemented(f"Creating a related record through '{name}'")
        elif name in table.by_wire_name or name in table.columns:
            raise errors.bad_request(
                "CRM do not support direct update of Entity Reference properties, Use Navigation "
                "properties instead."
            )
        elif "@" not in name:
            raise errors.invalid_property(name, table.name)
        elif name not in _ANNOTATIONS and name.partition("@")[0] not in table.by_wire_name:
            raise errors.undeclared_annotation(table.set_name, name.partition("@")[0])

    def _align_status(self, values: Values) -> None:
        """Give state and status reason together, as the platform stores them."""
        state, status = values.get("statecode"), values.get("statuscode")
        if state is None and status is None:
            values.pop("statecode", None)
            values.pop("statuscode", None)
        elif status is None:
            values["statuscode"] = STATUS_OF_STATE[int(state or 0)]
        elif state is None:
            values["statecode"] = STATE_OF_STATUS[int(status)]
        elif STATE_OF_STATUS[int(status)] != state:
            raise errors.bad_status(int(status), int(state), self.table.name)
