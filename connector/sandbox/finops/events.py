"""Who is told of writes: listeners of data events and of business events.

Owns: the listeners, which of them a write concerns, control numbers.
Never does: the form of an event (`event_bodies.py`), sending (`connector.sandbox.courier`).
Tested in: tests/integration/sandbox/finops/test_events.py.

Facts: "Finance and Operations: business-events": sent once the write is committed, three retries a
second apart, then a log from which they are sent again by hand; at least once, in no order. A new
endpoint gets a test event first.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connector.sandbox.courier import Courier, Letter, Message, Persistence
from connector.sandbox.finops.entities import COMPANY
from connector.sandbox.finops.event_bodies import business_event, data_event, validation_event
from connector.sandbox.finops.happenings import CREATE, DELETE, UPDATE, Happening
from connector.sandbox.finops.projects import entity_named
from connector.sandbox.finops.storage import Storage

RETRIES = 3
LONGEST_GAP = 5
_LOCAL = ("127.0.0.1", "localhost")


class Sort(StrEnum):
    """The sorts of events."""

    DATA = "data"
    BUSINESS = "business"


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who wants to hear of writes to some entities."""

    url: str
    sort: Sort
    sets: frozenset[str]
    messages: frozenset[str] = frozenset({CREATE, UPDATE, DELETE})
    companies: frozenset[str] = frozenset()
    """Only of these; none is all, and rows of no company are always told."""
    headers: Mapping[str, str] = field(default_factory=dict)

    def wants(self, happening: Happening) -> bool:
        """Whether a write concerns it."""
        row = happening.after or happening.before
        company = row.get(COMPANY)
        return (
            happening.entity.set_name in self.sets
            and happening.message in self.messages
            and (not self.companies or company is None or company in self.companies)
        )


def parse_listener(value: Mapping[str, Any]) -> Listener:
    """A listener from its JSON. Raises `ValueError`, `TypeError` or `KeyError`."""
    split = urlsplit(value["url"])
    if split.scheme not in ("http", "https") or split.hostname not in _LOCAL:
        raise ValueError("url: http or https on this machine")
    messages = frozenset(value.get("messages", (CREATE, UPDATE, DELETE)))
    if not messages <= {CREATE, UPDATE, DELETE}:
        raise ValueError(f"messages: of {CREATE}, {UPDATE}, {DELETE}")
    return Listener(
        value["url"],
        Sort(value.get("sort", Sort.DATA)),
        frozenset(entity_named(name).set_name for name in value["entities"]),
        messages,
        frozenset(value.get("companies", ())),
        {str(name): str(text) for name, text in value.get("headers", {}).items()},
    )


class Events:
    """The listeners of one environment."""

    def __init__(self, storage: Storage, ca: Path | None = None) -> None:
        self._storage = storage
        self.courier = Courier(ca, Persistence(RETRIES, statuses=None))
        self._listeners: list[Listener] = []
        self._control = 5_637_000_000

    def listen(self, listener: Listener) -> None:
        """One more listener; it gets a test event, if it is for business events."""
        self._listeners.append(listener)
        self._choose()
        if listener.sort is Sort.BUSINESS:
            self._send(listener, validation_event())

    def clear(self) -> None:
        """Nobody listens, nothing waits."""
        self._listeners.clear()
        self._choose()
        self.courier.clear()
        self.courier.persistence = Persistence(RETRIES, statuses=None)

    def _choose(self) -> None:
        sets = frozenset(one for listener in self._listeners for one in listener.sets)
        self._storage.happenings.wanted = sets

    def tell(self, happenings: Iterable[Happening]) -> None:
        """Tell everybody of what is committed now."""
        for happening in happenings:
            for listener in self._listeners:
                if listener.wants(happening):
                    self._send(listener, self._body(listener, happening))

    def _body(self, listener: Listener, happening: Happening) -> Message:
        if listener.sort is Sort.DATA:
            return data_event(happening, self._storage.environment)
        self._control += 1 + secrets.randbelow(LONGEST_GAP)
        return business_event(happening, self._control, str(uuid.uuid4()).upper())

    def _send(self, listener: Listener, message: Message) -> None:
        headers, body = message
        written = ({**headers, **listener.headers}, body)
        self.courier.send(Letter(listener.url, partial(_same, written)))


def _same(message: Message) -> Message:
    """The same bytes at every try, so that a receiver knows what it had already."""
    return message
