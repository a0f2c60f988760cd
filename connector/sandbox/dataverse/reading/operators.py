"""What each condition operator means, under one set of names.

Owns: the operators of FetchXML, which are also the Web API's query functions and those of a
QueryExpression; the SQL of each.
Never does: parsing any of the three languages (`filters.py`, `fetchxml.py`,
`writing/bulk_delete.py`).
Tested in: tests/integration/sandbox/test_functions.py, test_fetchxml.py.

Facts: "FetchXML reference: condition operators", "Dataverse Web API: QueryFunctionIndex".
Hierarchies and user teams are not part of the sandbox; their operators are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
from odata_query import ast

from connector.sandbox.dataverse import errors
from connector.sandbox.dataverse.definitions.tables import TEXTS, Column, Kind
from connector.sandbox.dataverse.reading.operands import (
    Operand,
    argument,
    incompatible,
    text_argument,
)
from connector.sandbox.dataverse.reading.periods import Span, span
from connector.sandbox.dataverse.storage import Stored

_COMPARISONS = {
    "eq": "=",
    "ne": "IS NOT",
    "neq": "IS NOT",
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
}
_OWN = {
    "eq-userid": "=",
    "ne-userid": "IS NOT",
    "eq-businessid": "=",
    "ne-businessid": "IS NOT",
}
_PATTERNS = {
    "like": "{}",
    "begins-with": "{}%",
    "ends-with": "%{}",
    "not-like": "{}",
    "not-begin-with": "{}%",
    "not-end-with": "%{}",
}
_RANGES = {"between": "BETWEEN", "not-between": "NOT BETWEEN"}
_OTHER_NAMES = {
    "equal": "eq",
    "not-equal": "ne",
    "greater-than": "gt",
    "greater-equal": "ge",
    "less-than": "lt",
    "less-equal": "le",
    "does-not-begin-with": "not-begin-with",
    "does-not-end-with": "not-end-with",
    "does-not-contain-values": "not-contain-values",
    "last7-days": "last-seven-days",
    "next7-days": "next-seven-days",
    "equal-user-id": "eq-userid",
    "not-equal-user-id": "ne-userid",
    "equal-business-id": "eq-businessid",
    "not-equal-business-id": "ne-businessid",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks, and what time it is on their clock."""

    user: str
    business_unit: str
    now: datetime


def operator_name(name: str) -> str:
    """The FetchXML name of a query function or QueryExpression operator: `LastXDays`, `Equal`."""
    kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=X)(?=[A-Z])", "-", name).lower()
    kebab = kebab.replace("older-than", "olderthan")
    return _OTHER_NAMES.get(kebab, kebab)


def condition(
    operator: str,
    operand: Operand,
    values: Sequence[str],
    reader: Reader,
    bind: Callable[[Stored], str],
) -> str:
    """One condition as SQL; `bind` takes an argument and gives its place. Raises `WireError`."""
    column, sql = operand.column, operand.sql
    if operator in ("null", "not-null"):
        return f"{sql} IS {'NOT ' if operator == 'not-null' else ''}NULL"
    if operator in _COMPARISONS:
        return f"{sql} {_COMPARISONS[operator]} {bind(text_argument(column, _one(values)))}"
    if operator in ("in", "not-in"):
        members = orjson.dumps([text_argument(column, value) for value in values]).decode()
        word = "IN" if operator == "in" else "NOT IN"
        return f"{sql} {word} (SELECT value FROM json_each({bind(members)}))"
    if operator in _RANGES:
        if len(values) != 2:
            raise errors.bad_request(f"{operator} takes two values.", "0x80040203")
        low, high = (bind(text_argument(column, value)) for value in values)
        return f"{sql} {_RANGES[operator]} {low} AND {high}"
    if operator in _PATTERNS:
        return _matches(operator, operand, _one(values), bind)
    if operator in ("contain-values", "not-contain-values"):
        return _contains(operator, operand, values, bind)
    if operator in _OWN:
        own = reader.user if operator.endswith("userid") else reader.business_unit
        return f"{sql} {_OWN[operator]} {bind(own)}"
    return _within(operator, operand, values, reader.now, bind)


def _one(values: Sequence[str]) -> str:
    if len(values) != 1:
        raise errors.bad_request("The condition takes one value.", "0x80040203")
    return values[0]


def _matches(operator: str, operand: Operand, value: str, bind: Callable[[Stored], str]) -> str:
    if operand.column.kind not in TEXTS:
        raise incompatible(operand.column, ast.String(value))
    # Not `fold`: a blank at the end of a pattern counts.
    place = bind(_PATTERNS[operator].format(value.casefold()))
    return f"{'NOT ' if operator.startswith('not') else ''}matches({operand.sql}, {place})"


def _contains(
    operator: str, operand: Operand, values: Sequence[str], bind: Callable[[Stored], str]
) -> str:
    """Some of the values are among those of a multi-select choice."""
    if operand.column.kind is not Kind.MULTI_PICKLIST:
        raise incompatible(operand.column, ast.List([]))
    some = " OR ".join(
        f"instr(',' || {operand.sql} || ',', {bind(f',{value.strip()},')})" for value in values
    )
    return f"{'NOT ' if operator.startswith('not') else ''}({some or '0'})"


# ---------------------------------------------------------------------------- dates


def _span(operator: str, column: Column, values: Sequence[str], now: datetime) -> Span | None:
    """The span of time a date operator means."""
    if operator in ("on", "on-or-after", "on-or-before"):
        day = _day(column, _one(values), now)
        after = day + timedelta(days=1)
        spans: dict[str, Span] = {
            "on": (day, after),
            "on-or-after": (day, None),
            "on-or-before": (None, after),
        }
        return spans[operator]
    try:
        return span(operator, now, int(_one(values)) if "-x-" in operator else 0)
    except (ValueError, OverflowError) as error:
        raise errors.bad_request(f"{operator}: {error}", "0x80040203") from error


def _day(column: Column, text: str, now: datetime) -> datetime:
    """Midnight, on the reader's clock, of the day in a value."""
    stored = str(argument(column, ast.Date(text[:10]) if len(text) >= 10 else ast.String(text)))
    return datetime.fromisoformat(stored[:10]).replace(tzinfo=now.tzinfo)


def _within(
    operator: str,
    operand: Operand,
    values: Sequence[str],
    now: datetime,
    bind: Callable[[Stored], str],
) -> str:
    found = _span(operator, operand.column, values, now)
    if found is None:
        raise errors.not_implemented(f"The condition operator '{operator}'")
    if operand.column.kind is not Kind.DATETIME:
        raise incompatible(operand.column, ast.DateTime(""))
    parts = []
    for edge, word in zip(found, (">=", "<"), strict=True):
        if edge is not None:
            parts.append(f"{operand.sql} {word} {bind(_edge(operand.column, edge))}")
    return f"({' AND '.join(parts)})"


def _edge(column: Column, moment: datetime) -> str:
    """The edge of a span as it compares with stored values, which are whole days or seconds."""
    if column.date_only:
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        day = moment if moment == midnight else moment + timedelta(days=1)
        return f"{day:%Y-%m-%d}"
    whole = moment if not moment.microsecond else moment + timedelta(seconds=1)
    return f"{whole.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
