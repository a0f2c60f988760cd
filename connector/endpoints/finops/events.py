"""Events of Finance and Operations as they arrive: what one is about, whatever sent it.

Owns: the two envelopes, data events (the execution context of a virtual table) and business
events (flat), and the values they name.
Never does: believing an event; receiving one (`connector/live/`); choosing what to do (`ear.py`).
Tested in: tests/unit/endpoints/finops/test_events.py.

Facts: "Business events: data events" (the execution context of `mserp_…`, the row in `Target` and
`PreImage`), "Business events: developer documentation" (`EventId` tells a repetition;
`ControlNumber` grows but has gaps, so nothing follows from one that is missing).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

PREFIX = "mserp_"
"""Of virtual tables, and of their columns."""
_COMPANY = "BusinessEventLegalEntity"
_IMAGES = ("PreEntityImages", "PostEntityImages", "InputParameters")
_ROWS = ("PreImage", "PostImage", "Target")
"""Parameters that hold the row; what a later one says counts."""


class NotAnEvent(ValueError):
    """What came is neither a data event nor a business event."""


@dataclass(frozen=True, slots=True)
class Event:
    """What an event says; all of it may be wrong."""

    id: str
    """The same for each delivery of one event."""
    about: str
    """The virtual table, or the kind of business event; without prefix, in small letters."""
    values: Mapping[str, str | int]
    """The texts and whole numbers it names; names without prefix, in small letters."""
    company: str | None = None


def read_event(body: bytes) -> Event:
    """The event in the body of a request. Raises `NotAnEvent`."""
    try:
        told: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotAnEvent("the event is not JSON") from error
    if not isinstance(told, dict):
        raise NotAnEvent("the event is not an object")
    table = told.get("PrimaryEntityName")
    if isinstance(table, str) and table:
        found = {name: value for row in _rows(told) for name, value in _scalars(row)}
        return Event(_id(told, body), _bare(table), found)
    kind = told.get("BusinessEventId")
    if isinstance(kind, str) and kind:
        company = told.get(_COMPANY)
        values = dict(_scalars(told))
        return Event(_id(told, body), _bare(kind), values, company or None)
    raise NotAnEvent("the event has neither PrimaryEntityName nor BusinessEventId")


def _id(told: Mapping[str, Any], body: bytes) -> str:
    """What the sender calls it; where it has no name, a repetition is the same text again."""
    own = told.get("EventId")
    if isinstance(own, str) and own.strip("{}-0"):
        return own.strip("{}").lower()
    return hashlib.sha256(body).hexdigest()


def _rows(told: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The rows of an execution context, the one before a change first."""
    pairs = [pair for name in _IMAGES for pair in _pairs(told.get(name))]
    for name in _ROWS:
        for key, value in pairs:
            if key == name and isinstance(value, dict):
                yield dict(_pairs(value.get("Attributes")))


def _pairs(listed: object) -> Iterator[tuple[str, Any]]:
    """`[{"key": …, "value": …}]`, as the contract writes dictionaries."""
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("key"), str):
            yield one["key"], one.get("value")


def _scalars(row: Mapping[str, Any]) -> Iterator[tuple[str, str | int]]:
    for name, value in row.items():
        if isinstance(value, dict):
            value = value.get("Value")  # a choice or an amount
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield _bare(name), value


def _bare(name: str) -> str:
    return name.lower().removeprefix(PREFIX)
