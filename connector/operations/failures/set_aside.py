"""Records that were set aside: which are meant, listing them, showing one.

Owns: which records are meant, page by page, and what a person is told of them.
Never does: printing; what people do about them (`mending.py`).
Tested in: tests/acceptance/test_failures.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connector.bootstrap import Project
from connector.engine.lookups import resolve
from connector.engine.runs.run import layout_of
from connector.errors import Problem, Subject, UsageError
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.document import MapDocument
from connector.mapping.values import Side, Value, ValueType
from connector.operations.conditions import Condition, compile_condition
from connector.operations.history import Event, told_of
from connector.operations.naming import records_named, spelled
from connector.operations.standing import instant
from connector.store.base import Store
from connector.store.record import Layout, Presence, Record, State
from connector.store.work import ChangeRow

_PAGE = 1000
_LAST = 5
"""Audit rows shown with a failure; `dualwrite history` has all."""
NAMES = {
    "key": ValueType.TEXT,
    "record": ValueType.INTEGER,
    "code": ValueType.TEXT,
    "attempts": ValueType.INTEGER,
}
"""What a condition may use besides the columns of both sides."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Which records are meant: all that were set aside where nothing is set."""

    key: str | None = None
    """A key or record number."""
    code: str | None = None
    where: str | None = None

    def takes(self, record: Record) -> bool:
        """Whether the record is set aside, for the reason asked for."""
        return (
            record.state is State.PARKED
            and record.problem is not None
            and self.code in (None, record.problem.code)
        )


# ---------------------------------------------------------------------------- listing


def failures_in(project: Project, document: MapDocument, wanted: Failures) -> Iterator[Record]:
    """The records of a map that were set aside, by number, streamed.

    Without a condition no side is asked, and the records come without what they hold.
    """
    if wanted.where is None:
        layout = project.store.layout(document.map, dict.fromkeys(Side, ()), keep=False)
        for page in failure_pages(project.store, layout, wanted, None):
            yield from page
        return
    map, _ = project.compiled(document)
    layout = layout_of(map, project.ports(document), keep=False)
    condition = failure_condition(wanted, map)
    for page in failure_pages(project.store, layout, wanted, condition):
        yield from page


def failure_condition(wanted: Failures, map: CompiledMap) -> Condition | None:
    """The condition asked for; raises `UsageError` with the codes of row filters."""
    return None if wanted.where is None else compile_condition(wanted.where, map, NAMES)


def failure_pages(
    store: Store, layout: Layout, wanted: Failures, condition: Condition | None
) -> Iterator[list[Record]]:
    """The records meant, page by page; one that is taken care of meanwhile does not disturb."""
    after = 0
    while page := store.needing(layout, [State.PARKED], after, _PAGE):
        after = page[-1].number
        yield [r for r in page if wanted.takes(r) and (condition is None or _meets(condition, r))]


def _meets(condition: Condition, record: Record) -> bool:
    code = record.problem.code if record.problem is not None else None
    listed: dict[str, Value] = {
        "key": spelled(record),
        "record": record.number,
        "code": code,
        "attempts": record.attempts,
    }
    return condition.admits(listed, record)


def parked_in(project: Project, map: str) -> int:
    """How many records of a map are set aside."""
    return project.store.counts(map)[State.PARKED]


def failures_named(
    store: Store, layout: Layout, document: MapDocument, wanted: Failures
) -> list[Record]:
    """The records under a key that were set aside: twins are several.

    Raises `UsageError`: `record-unknown`, or `failure-unknown`, which says where it stands.
    """
    assert wanted.key is not None
    records = records_named(store, layout, document, wanted.key)
    found = [record for record in records if wanted.takes(record)]
    if found:
        return found
    subject = Subject(map=document.map, record=str(records[0].number) if records else None)
    remedy = f"`dualwrite failures list --map {document.map}` shows those that were set aside"
    if not records:
        raise UsageError(
            "record-unknown", "no record has this key or number", subject=subject, remedy=remedy
        )
    raise UsageError(
        "failure-unknown",
        "this record is not set aside" if wanted.code is None else f"it is not {wanted.code}",
        subject=subject,
        cause=_standing(records[0]),
        remedy=remedy,
    )


def _standing(record: Record) -> str:
    """Where a record stands that is not set aside, or for another reason."""
    if record.accepted:
        return "its difference was accepted; it stays until either side changes"
    if record.problem is not None:
        return f"it is set aside as {record.problem.code}"
    if record.due is not None:
        when = f"{datetime.fromtimestamp(record.due, UTC):%Y-%m-%d %H:%M:%S} UTC"
        return f"it is {record.state}, {record.attempts} attempts failed, due at {when}"
    return f"it is {record.state}"


def failure_dict(record: Record) -> dict[str, Any]:
    """The documented JSON form of a record that was set aside (docs/json.md)."""
    assert record.problem is not None
    return {
        "map": record.map,
        "record": record.number,
        "key": spelled(record),
        "attempts": record.attempts,
        "problem": record.problem.as_dict(),
    }


def listed_dict(record: Record) -> dict[str, Any]:
    """The same for a list: with the first thing to do."""
    assert record.problem is not None
    return {**failure_dict(record), "remedy": record.problem.remedy.partition(";")[0].strip()}


# ---------------------------------------------------------------------------- showing one


@dataclass(frozen=True, slots=True)
class ShownFailure:
    """The records set aside under one key, with what helps to decide about them."""

    records: Sequence[Record]
    map: CompiledMap
    changes: Sequence[ChangeRow]
    """The last audit rows, oldest first."""
    events: Sequence[Event]
    """The same as `dualwrite history` tells them."""
    stopped: Problem | None


def show_failure(project: Project, document: MapDocument, key: str) -> ShownFailure:
    """One record that was set aside, or all twins of it; raises `UsageError`."""
    map, _ = project.compiled(document)
    store = project.store
    layout = layout_of(map, project.ports(document), keep=False)
    records = failures_named(store, layout, document, Failures(key))
    resolve(map, project.endpoints(document), records)
    histories = store.histories([record.number for record in records])
    changes = sorted((c for rows in histories.values() for c in rows), key=lambda c: c.number)
    row = store.map_row(document.map)
    stopped = row.stopped if row is not None else None
    last = changes[-_LAST:]
    return ShownFailure(records, map, last, told_of(project, last), stopped)


def shown_failure_dict(shown: ShownFailure, commands: Sequence[str]) -> dict[str, Any]:
    """The documented JSON form of `failures show` (docs/json.md)."""
    return {
        "map": shown.map.name,
        "key": spelled(shown.records[0]),
        "records": [
            {
                **failure_dict(record),
                "due": None if record.due is None else instant(record.due),
                **{side.value: _row(shown.map, record, side) for side in Side},
                "agreed": {side.value: _agreed(shown.map, record, side) for side in Side},
            }
            for record in shown.records
        ],
        "events": [
            {"record": change.record, **event.as_dict()}
            for change, event in zip(shown.changes, shown.events, strict=True)
        ],
        "commands": list(commands),
        "held": shown.stopped.as_dict() if shown.stopped is not None else None,
    }


def _row(map: CompiledMap, record: Record, side: Side) -> dict[str, Any] | None:
    """What a side was last seen to hold; None where it holds nothing."""
    state = record.side(side)
    if state.presence is Presence.ABSENT:
        return None
    image = state.image
    return {
        "id": state.id,
        "certain": state.presence is Presence.PRESENT and image is not None,
        "modified_at": None if state.modified_at is None else instant(state.modified_at),
        "modified_by": state.modifier,
        "values": dict(zip(map.column_names(side), image, strict=True)) if image else None,
    }


def _agreed(map: CompiledMap, record: Record, side: Side) -> dict[str, Any] | None:
    agreed = record.side(side).agreed
    return dict(zip(map.column_names(side), agreed, strict=True)) if agreed else None
