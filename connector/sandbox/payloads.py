"""JSON objects read as column values: types, lengths, ranges, options, lookups.

Owns: everything the service checks before a value is written, and the plug-in switches that
make the server keep less than it was sent.
Never does: SQL; a lookup's target is resolved by a function handed in.
Tested in: tests/integration/sandbox/test_payloads.py.

Facts: "Dataverse Web API: webapi/create-entity-web-api", "associate-disassociate-entities",
"web-api-properties". A numeric string is taken for a number, an empty text becomes null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from connector.odata.literals import GUID
from connector.sandbox import errors
from connector.sandbox.storage import Stored
from connector.sandbox.tables import (
    CHOICES,
    INT32,
    REFERENCES,
    STATE_OF_STATUS,
    STATUS_OF_STATE,
    Column,
    Kind,
    Table,
)

Values: TypeAlias = dict[str, Stored]
"""Stored values by logical column name."""
Convert: TypeAlias = Callable[[Any], Stored]
Resolve: TypeAlias = Callable[[str, str], str]
"""(target table, URL of a record) to its id; raises `WireError` where there is none."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_OLDEST = date(1753, 1, 1)
_BIND = "@odata.bind"
_ANNOTATIONS = ("@odata.type", "@odata.id", "@odata.etag", "@odata.context")


class PayloadReader:
    """Reads payloads of one table."""

    def __init__(self, table: Table, resolve: Resolve, before: PayloadReader | None = None) -> None:
        """`before` is the reader of the table as it was; its rules and losses go on."""
        self.table = table
        self._resolve = resolve
        self._converters: dict[str, Convert] = {
            column.name: _converter(column, table)
            for column in table.columns.values()
            if column.kind not in REFERENCES
        }
        self._create_only = {
            c.name for c in table.columns.values() if not c.updatable and c.creatable
        } - {table.id_column}
        self._ignored = {c.name for c in table.columns.values() if not c.creatable}
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
                values[column.name] = self._resolve(column.target, value)
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


# ---------------------------------------------------------------------------- converters


def _converter(column: Column, table: Table) -> Convert:
    """The check for one column; None passes, every refusal is a `WireError`."""
    if column.kind is Kind.STRING:
        return _text(column, table)
    if column.kind in CHOICES:
        return _option(column, table)
    if column.kind is Kind.BOOLEAN:
        return _boolean(column, table)
    if column.kind is Kind.DATETIME:
        return _date(column, table) if column.date_only else _instant(column, table)
    if column.kind is Kind.GUID:
        return _guid(column, table)
    if column.kind is Kind.DECIMAL:
        return _decimal(column, table)
    return _integer(column, table)


def _mismatch(column: Column, table: Table, value: Any, edm: str) -> errors.WireError:
    return errors.payload(
        table.set_name,
        f"Cannot convert the literal '{str(value)[:100]}' of property '{column.name}' to the "
        f"expected type '{edm}'.",
    )


def _text(column: Column, table: Table) -> Convert:
    limit = column.max_length

    def convert(value: Any) -> Stored:
        if value is None:
            return None
        if type(value) is not str:
            raise _mismatch(column, table, value, "Edm.String")
        # The service counts UTF-16 units; plain text needs no encoding to know.
        length = len(value) if value.isascii() else len(value.encode("utf-16-le")) // 2
        if length > limit:
            raise errors.too_long(column.name, table.name, limit)
        if not value.isprintable() and (found := _CONTROL.search(value)):
            raise errors.invalid_character(ord(found[0]))
        return value or None

    return convert


def _whole(value: Any) -> int | None:
    """An integer or a text that spells one, else None; a boolean is no number."""
    if type(value) is int:
        return value
    if type(value) is str and re.fullmatch(r"[+-]?[0-9]{1,20}", value):
        return int(value)
    return None


def _integer(column: Column, table: Table) -> Convert:
    low, high = column.minimum, column.maximum

    def convert(value: Any) -> Stored:
        if value is None:
            return None
        number = value if type(value) is int else _whole(value)
        if number is None or not INT32[0] <= number <= INT32[1]:
            raise _mismatch(column, table, value, "Edm.Int32")
        if not low <= number <= high:
            raise errors.out_of_range(number, column.name, table.name, low, high)
        return number

    return convert


def _option(column: Column, table: Table) -> Convert:
    options = column.options

    def convert(value: Any) -> Stored:
        if value is None:
            return None
        number = value if type(value) is int else _whole(value)
        if number is None or not INT32[0] <= number <= INT32[1]:
            raise _mismatch(column, table, value, "Edm.Int32")
        if number not in options:
            raise errors.unknown_option(number, column.name, table.name, options)
        return number

    return convert


def _boolean(column: Column, table: Table) -> Convert:
    def convert(value: Any) -> Stored:
        if value is None or type(value) is bool:
            return None if value is None else int(value)
        raise _mismatch(column, table, value, "Edm.Boolean")

    return convert


def _too_old(day: date) -> errors.WireError:
    return errors.bad_request(
        "DateTime is less than minimum value supported by CrmDateTime. Actual value: "
        f"{day:%m/%d}/{day.year:04} 00:00:00, Minimum value supported: 01/01/1753 00:00:00",
        "0x80040239",
    )


def _date(column: Column, table: Table) -> Convert:
    def convert(value: Any) -> Stored:
        if value is None:
            return None
        if type(value) is not str or len(value) != 10 or value[4] != "-":
            raise _mismatch(column, table, value, "Edm.Date")
        try:
            day = date.fromisoformat(value)
        except ValueError as error:
            raise _mismatch(column, table, value, "Edm.Date") from error
        if day < _OLDEST:
            raise _too_old(day)
        return value

    return convert


def _instant(column: Column, table: Table) -> Convert:
    def convert(value: Any) -> Stored:
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise _mismatch(column, table, value, "Edm.DateTimeOffset") from error
        if moment.tzinfo is None:
            raise _mismatch(column, table, value, "Edm.DateTimeOffset")
        moment = moment.astimezone(UTC)
        if moment.date() < _OLDEST:
            raise _too_old(moment.date())
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    return convert


def _guid(column: Column, table: Table) -> Convert:
    def convert(value: Any) -> Stored:
        if value is None:
            return None
        if type(value) is not str or GUID.fullmatch(value) is None:
            raise _mismatch(column, table, value, "Edm.Guid")
        return value.lower()

    return convert


def _decimal(column: Column, table: Table) -> Convert:
    scale = Decimal(10) ** column.precision

    def convert(value: Any) -> Stored:
        if value is None:
            return None
        try:
            if type(value) not in (int, float, str):
                raise InvalidOperation
            number = Decimal(str(value))
        except InvalidOperation as error:
            raise _mismatch(column, table, value, "Edm.Decimal") from error
        if not number.is_finite() or not column.minimum <= number <= column.maximum:
            raise errors.out_of_range(
                value, column.name, table.name, column.minimum, column.maximum
            )
        return int((number * scale).to_integral_value())

    return convert
