"""Everything that happened to one record on both sides, from the state alone.

Owns: turning audit and conflicts into a story: what, where, who, which values, how it ended.
Never does: asking a side, printing.
Tested in: tests/unit/operations/test_history.py, tests/acceptance/test_history.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connector.bootstrap import Project
from connector.errors import Problem, Subject, UsageError
from connector.mapping.document import MapDocument
from connector.mapping.values import Side
from connector.operations.naming import normalised, records_named, spelled
from connector.operations.standing import instant
from connector.store.record import Presence, Record
from connector.store.work import ChangeKind, ChangeRow, ConflictRow

_WHAT = {
    ChangeKind.SEEN: "edited",
    ChangeKind.CREATE: "created",
    ChangeKind.UPDATE: "updated",
    ChangeKind.DELETE: "deleted",
    ChangeKind.LOST: "gave way",
    ChangeKind.CONFLICT: "conflict",
    ChangeKind.PARKED: "set aside",
    ChangeKind.DECISION: "decided",
}
_OURS = frozenset({"created", "updated", "deleted"})
_ABOUT_BOTH = frozenset({ChangeKind.CONFLICT, ChangeKind.PARKED, ChangeKind.DECISION})
_OUTCOMES = {
    "applied": "done",
    "stale": "not written: the row had changed meanwhile; it was read and planned again",
    "exists": "not written: the row was there already; it was read",
    "missing": "not written: the row was not there any more; it was read",
    "rejected": "refused",
    "transient": "not now; tried again later",
    "unknown": "the reply was lost; the row was read to find out",
}
_NO_REPLY = "no reply yet, or the process died before it came"


@dataclass(frozen=True, slots=True)
class Value:
    """One field of an event, on one side."""

    side: Side
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    at: float
    what: str
    """edited | removed | created | updated | deleted | gave way | conflict | conflict over |
    decided | set aside"""
    side: Side | None
    by: str | None
    values: tuple[Value, ...]
    outcome: str | None
    """How a write of ours ended, in words."""
    detail: str | None
    run: int | None
    command: str | None = None
    reply: str | None = None
    """How a write of ours ended, as the audit has it; None while it is on its way."""

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "at": instant(self.at),
            "what": self.what,
            "side": self.side,
            "by": self.by,
            "values": [
                {"side": v.side.value, "field": v.field, "before": v.before, "after": v.after}
                for v in self.values
            ],
            "outcome": self.reply,
            "detail": self.detail,
            "run": self.run,
            "command": self.command,
        }


@dataclass(slots=True)
class Story:
    """What is known of one record; `record` None for one that is not kept any more."""

    document: MapDocument
    number: int
    key: str
    record: Record | None
    departed: float | None = None
    """When what remained of a record gone on both sides was cleared out."""
    events: list[Event] = field(default_factory=list)
    omitted: int = 0
    """Earlier events that are not shown."""

    @property
    def standing(self) -> str:
        """Where the record stands, in one word: its state, `gone` on both sides, or `departed`."""
        if self.record is None:
            return "departed"
        if all(self.record.side(side).presence is Presence.ABSENT for side in Side):
            return "gone"
        return self.record.state.value

    @property
    def problem(self) -> Problem | None:
        """Why it is set aside."""
        return None if self.record is None else self.record.problem

    def presence(self, side: Side) -> str | None:
        """What is known of one side: `present`, `absent` or `unknown`."""
        return None if self.record is None else self.record.side(side).presence.value

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "map": self.document.map,
            "record": self.number,
            "key": self.key,
            "standing": self.standing,
            "commerce": self.presence(Side.COMMERCE),
            "dataverse": self.presence(Side.DATAVERSE),
            "problem": None if self.problem is None else self.problem.as_dict(),
            "departed": None if self.departed is None else instant(self.departed),
            "omitted": self.omitted,
            "events": [event.as_dict() for event in self.events],
        }


@dataclass(frozen=True, slots=True)
class History:
    """The stories under one key, and when a person's data under it was forgotten, by map."""

    key: str
    stories: Sequence[Story]
    forgotten: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON form (docs/json.md)."""
        return {
            "key": self.key,
            "records": [story.as_dict() for story in self.stories],
            "forgotten": [{"map": map, "at": instant(at)} for map, at in self.forgotten.items()],
        }


def history_of(
    project: Project, documents: Iterable[MapDocument], key: str, limit: int | None
) -> History:
    """What happened under a key or record number, in each of these maps, oldest first.

    Several records under one key, such as twins and departed ones, come one after the other. What
    is a key in one map is no record number in another: that would be somebody else.
    Raises `UsageError` (`record-unknown`) where nothing is known of it.
    """
    stories: list[Story] = []
    numbered: list[Story] = []
    forgotten: dict[str, float] = {}
    for document in documents:
        normal = normalised(document, key)
        for story in _stories(project, document, key):
            by_key = story.record is None or story.record.key == normal
            (stories if by_key else numbered).append(story)
        at = None if normal is None else project.store.forgotten(document.map, normal)
        if at is not None:
            forgotten[document.map] = at
    if not stories and not forgotten:
        stories = numbered
    if not stories and not forgotten:
        raise UsageError(
            "record-unknown",
            "nothing is known of a record under this key or number",
            subject=Subject(record=key),
            remedy="check its spelling; a card whose number was changed is found under its new "
            "number or its record number; `dualwrite verify --key KEY` looks on both sides",
        )
    commands: dict[int, str | None] = {}
    for story in stories:
        events = _once(sorted(_events(project, story.number), key=lambda event: event.at))
        kept = events if limit is None else events[max(0, len(events) - limit) :]
        story.omitted = len(events) - len(kept)
        story.events = [_under(project, event, commands) for event in kept]
    return History(key, stories, forgotten)


def told_of(project: Project, changes: Iterable[ChangeRow]) -> list[Event]:
    """Audit rows as a person is told of them."""
    commands: dict[int, str | None] = {}
    return [_under(project, event_of(change), commands) for change in changes]


def _stories(project: Project, document: MapDocument, key: str) -> Iterator[Story]:
    # Images are not looked at: without columns no side has to describe itself.
    layout = project.store.layout(document.map, dict.fromkeys(Side, ()), keep=False)
    normal = normalised(document, key)
    if normal is not None:
        for number, at in project.store.departed(document.map, normal):
            yield Story(document, number, key, None, at)
    for record in records_named(project.store, layout, document, key):
        yield Story(document, record.number, spelled(record), record)


def _under(project: Project, event: Event, commands: dict[int, str | None]) -> Event:
    """The event with the command of its run."""
    if event.run is None:
        return event
    if event.run not in commands:
        row = project.store.run_row(event.run)
        commands[event.run] = None if row is None else row.command
    return replace(event, command=commands[event.run])


# ---------------------------------------------------------------------------- events


def _events(project: Project, number: int) -> Iterator[Event]:
    changes = project.store.histories([number]).get(number, ())
    conflicts = project.store.conflict_rows(number)
    for change in changes:
        if change.kind is not ChangeKind.CONFLICT or not conflicts:
            yield event_of(change)
    for conflict in conflicts:
        yield from conflict_events(conflict)


def _once(events: Iterable[Event]) -> list[Event]:
    """Without what says nothing: a decision told for each side, a sight that changed no value."""
    told: list[Event] = []
    for event in events:
        silent = event.what == "edited" and not event.values
        if not silent and (event.what != "decided" or event not in told):
            told.append(event)
    return told


def event_of(change: ChangeRow) -> Event:
    """One audit row as a person is told of it."""
    what = _WHAT[change.kind]
    by, detail = None, change.detail
    if change.kind is ChangeKind.SEEN:
        by, detail = detail, None
        if by == "deleted":
            what, by = "removed", None
    outcome = reply = None
    if what in _OURS:
        by, reply = "dualwrite", change.outcome
        outcome = _NO_REPLY if reply is None else _OUTCOMES[reply]
        if reply not in (None, "applied") and detail is not None:
            outcome = f"{outcome}: {detail}"
    if change.kind in _ABOUT_BOTH:  # the values stand in the conflict and in what follows from it
        return Event(change.at, what, None, None, (), None, detail, change.run)
    values = tuple(_values(change.side, change.before, change.after))
    return Event(change.at, what, change.side, by, values, outcome, detail, change.run, reply=reply)


def _values(
    side: Side, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Iterator[Value]:
    """Field by field; what is null before and after says nothing."""
    for name in dict.fromkeys([*(before or {}), *(after or {})]):
        old, new = (before or {}).get(name), (after or {}).get(name)
        if old is not None or new is not None:
            yield Value(side, name, old, new)


def conflict_events(row: ConflictRow) -> Iterator[Event]:
    """How a conflict was opened and, where nobody had to decide, closed."""
    values = tuple(
        value
        for side in Side
        for value in _values(side, row.conflict.base.get(side), row.conflict.seen.get(side))
    )
    later = "" if row.revision == 1 else f", by now with the values of revision {row.revision}"
    yield Event(row.opened, "conflict", None, None, values, None, f"{row.group}{later}", None)
    if row.closed is not None and row.decision is None:
        detail = f"{row.group}: one of the two edits is gone, or both sides hold the same"
        yield Event(row.closed, "conflict over", None, None, (), None, detail, None)
