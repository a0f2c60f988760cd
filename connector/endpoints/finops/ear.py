"""What events made us suspect: keys to read soon, tables to look at.

Owns: telling repetitions, matching events with entities, the keys that wait to be read.
Never does: reading a row; deciding that anything changed: an event that is lost costs freshness,
one that is invented costs a read.
Tested in: tests/unit/endpoints/finops/test_ear.py.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from connector.endpoints.base import Entity
from connector.endpoints.finops.events import Event, read_event
from connector.endpoints.finops.exports.manifest import bare_name
from connector.endpoints.web.texts import untaken_text
from connector.mapping.columns import Column
from connector.mapping.values import Value, ValueType

COMPANY = "dataAreaId"
REMEMBERED = 50_000
"""Events a repetition of which is told: more than arrive in the time it may take."""
WAITING = 10_000
"""Keys of one entity that wait to be read; beyond it the table is looked at instead."""

LONGEST_KEY = 250
"""Characters of a text that may be a key; a longer one is no key of the service, but an attack."""

IdFor = Callable[[str, Mapping[str, Value]], str]


class Kind(StrEnum):
    """What became of an event."""

    TAKEN = "taken"
    REPEATED = "repeated"
    UNRELATED = "unrelated"
    """About nothing a map has, such as the event that tests the endpoint."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of an event, and which entities it concerns."""

    kind: Kind
    entities: tuple[str, ...] = ()


@dataclass(slots=True)
class _Known:
    """An entity of a map, and what waits."""

    name: str
    key: tuple[Column, ...]
    waiting: OrderedDict[str, None]
    due: bool = False


class Ear:
    """Hears the events of one environment. Safe from several threads.

    `id_for` gives the id of a row by its key; rows of other companies than `company` are not ours.
    `heard` is a file whose time tells `check` when the last event came.
    """

    def __init__(self, id_for: IdFor, company: str | None, heard: Path | None = None) -> None:
        self._heard = heard
        self._id_for = id_for
        self._company = company
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()

    def learn(self, entity: Entity) -> None:
        """An entity that events may be about."""
        key = tuple(entity.columns[name] for name in entity.keys[0].columns)
        with self._lock:
            if entity.name not in self._known:
                self._known[entity.name] = _Known(entity.name, key, OrderedDict())

    def hear(self, body: bytes) -> Heard:
        """Take in one event. Raises `NotAnEvent`."""
        event = read_event(body)
        if self._heard is not None:
            with suppress(OSError):  # no event is refused because `check` will not know of it
                self._heard.parent.mkdir(parents=True, exist_ok=True)
                self._heard.touch()
        with self._lock:
            if event.id in self._seen:
                return Heard(Kind.REPEATED)
            self._seen[event.id] = None
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
            concerned = [one for one in self._matching(event) if self._note(one, event)]
        if not concerned:
            return Heard(Kind.UNRELATED)
        return Heard(Kind.TAKEN, tuple(one.name for one in concerned))

    def take(self, entity: str) -> list[str]:
        """The ids of an entity that wait to be read, oldest first; they wait no longer."""
        with self._lock:
            known = self._known.get(entity)
            if known is None:
                return []
            ids = list(known.waiting)
            known.waiting.clear()
            return ids

    def again(self, entity: str, ids: Sequence[str]) -> None:
        """These were taken and could not be read now: they wait on, before all others."""
        with self._lock:
            known = self._known.get(entity)
            if known is not None:
                known.waiting = OrderedDict.fromkeys([*ids, *known.waiting])

    def due(self, entity: str) -> bool:
        """Whether an event told that something changed, and not what; asked once."""
        with self._lock:
            known = self._known.get(entity)
            due = known is not None and known.due
            if known is not None:
                known.due = False
            return due

    # ------------------------------------------------------------------------ matching

    def _matching(self, event: Event) -> list[_Known]:
        """By name; else whatever entity has its whole key named in the event."""
        about = bare_name(event.about)
        named = [one for one in self._known.values() if bare_name(one.name) == about]
        return named or [one for one in self._known.values() if self._key(one, event) is not None]

    def _note(self, known: _Known, event: Event) -> bool:
        """Have the row read; False where it is one of another company."""
        key = self._key(known, event)
        if key is None:
            known.due = True
            return True
        company = key.get(COMPANY)
        if self._company is not None and company not in (None, self._company.lower()):
            return False
        if len(known.waiting) >= WAITING:
            known.due = True
        else:
            known.waiting[self._id_for(known.name, key)] = None
        return True

    def _key(self, known: _Known, event: Event) -> dict[str, Value] | None:
        """The key of the row an event is about, where it names all of it."""
        key: dict[str, Value] = {}
        for column in known.key:
            found: Value = event.values.get(column.name.lower())
            if column.name == COMPANY:
                found = found if found is not None else event.company
                found = found.lower() if isinstance(found, str) else None
            if not _fits(column, found):
                return None
            key[column.name] = found
        return key


def _fits(column: Column, value: Value) -> bool:
    if column.type is ValueType.INTEGER:
        return isinstance(value, int)
    if column.type is not ValueType.TEXT or not isinstance(value, str):
        return False
    return 0 < len(value) <= LONGEST_KEY and untaken_text({column.name: value}) is None
