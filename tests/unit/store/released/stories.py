"""What a state of each released schema holds: a few invented rows in every table.

`python tests/unit/store/released/stories.py > tests/unit/store/released/NNNN.sql` writes the
dump of the newest story. It is run once, by the code that is released with that schema; the
dump is never changed again. A later schema adds a story that begins with the one before.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from connector.errors import Problem, Subject
from connector.mapping.values import Image, Side, ValueType
from connector.store.base import Store
from connector.store.opening import open_store
from connector.store.record import Anew, Conflict, Presence, Record, SideState, State, Wait
from connector.store.work import Change, ChangeKind, Lease, MapRow, Position, Work, World

COLUMNS = {
    Side.COMMERCE: (
        ("CardNumber", ValueType.TEXT),
        ("EnrollmentDate", ValueType.DATE),
        ("Balance", ValueType.DECIMAL),
    ),
    Side.DATAVERSE: (
        ("msdyn_cardnumber", ValueType.TEXT),
        ("msdyn_enrollmentdate", ValueType.DATE),
        ("modifiedon", ValueType.INSTANT),
    ),
}
MAP = "loyalty-card"
PARKED = Problem(
    "choice-unknown", "no translation of 'AsGift'", "add it", Subject(map=MAP, field="Tender")
)


def commerce(number: int) -> Image:
    return (f"C{number}", date(2024, 2, 29), Decimal("12.50"))


def dataverse(number: int) -> Image:
    return (f"C{number}", date(2024, 2, 29), datetime(2024, 3, 1, 12, 30, tzinfo=UTC))


def record(number: int, state: State = State.SETTLED) -> Record:
    """A record both sides hold."""
    left, right = commerce(number), dataverse(number)
    return Record(
        number, MAP, f"c{number}", 0,
        SideState(Presence.PRESENT, f"7{number}", f"C{number}", f"W/{number}", 1, left, left, 4),
        SideState(
            Presence.PRESENT, f"g{number}", f"C{number}", "99", 1, right, right, 5, 98.5, "agent"
        ),
        state=state,
    )  # fmt: skip


def story_0001(store: Store) -> Lease:
    """A load, then a sync that meets a conflict, a missing currency, a bad value, a tombstone."""
    layout = store.layout(MAP, COLUMNS)
    lease = store.acquire(MAP, "host/1", 60.0)
    store.bind_world(World(Side.COMMERCE, "ledger-1", "Ledger"))
    store.bind_world(World(Side.DATAVERSE, "org-1", "Contoso", 2, "990"))
    store.numbers("record", 4)
    store.numbers("tick", 9)
    batch = store.numbers("batch", 1)

    loading, change = store.start_run("load", MAP, "f1", 100.0), store.numbers("change", 4)
    creates = [
        Change(
            change + n - 1, n, ChangeKind.CREATE, Side.DATAVERSE, batch, f"g{n}",
            after={"msdyn_cardnumber": f"C{n}"}, outcome=None,
        )
        for n in (1, 2, 3, 4)
    ]  # fmt: skip
    gone = record(4)
    gone.commerce.presence = gone.dataverse.presence = Presence.ABSENT
    inserted = [record(1), record(2), record(3), gone]
    store.commit(lease, Work(loading, 101.0, inserted=inserted, changes=creates))
    done = Work(loading, 102.0, completed_batches=[(batch, "applied")])
    done.map = MapRow(MAP, "f1", "1.0.0.0", 102.0)
    store.commit(lease, done)
    store.finish_run(loading, 103.0, "done", {"created": 4})

    syncing, change = store.start_run("sync", MAP, "f1", 200.0), store.numbers("change", 2)
    feed = Position(Side.DATAVERSE, "feed", "token", ("msdyn_cardnumber",), 2, 7, 201.0)
    work = Work(syncing, 201.0, positions=[feed])
    conflicted = record(1, State.CONFLICT)
    conflicted.conflicts = 1
    waiting = record(2, State.WAITING)
    waiting.waiting = 1
    parked = record(3, State.PARKED)
    parked.problem, parked.attempts, parked.due = PARKED, 3, 260.5
    work.updated = [conflicted, waiting, parked]
    pair = {Side.COMMERCE: {"Balance": Decimal("1.5")}, Side.DATAVERSE: {}}
    work.conflicts = {1: (Conflict("balance", pair, pair),)}
    work.waits = {2: (Wait("currency", Side.DATAVERSE, "currencies", "code", "EUR"),)}
    work.changes = [
        Change(
            change, 1, ChangeKind.LOST, Side.DATAVERSE, None, "g1", "98",
            {"msdyn_cardnumber": "C1"}, {"msdyn_cardnumber": "C9"}, "noted", "commerce is master",
        ),
        Change(change + 1, 2, ChangeKind.UPDATE, Side.COMMERCE, 2, "72", "W/2", outcome=None),
    ]  # fmt: skip
    work.map = MapRow(MAP, "f1", "1.0.0.0", 102.0, PARKED, 7)
    store.commit(lease, work)
    store.finish_run(syncing, 203.0, "failed", {}, {"code": "unreachable"})
    assert layout.id == 1
    return lease


def story_0002(store: Store) -> Lease:
    """The same; an alert was raised besides, and a person accepted what waits."""
    lease = story_0001(store)
    layout = store.layout(MAP, COLUMNS)
    accepted = store.by_numbers(layout, [2])[2]
    accepted.accepted = True
    pair = {Side.COMMERCE: {"Balance": Decimal("12.50")}, Side.DATAVERSE: {}}
    decided = Change(store.numbers("change", 1), 2, ChangeKind.DECISION, Side.COMMERCE, agreed=pair)
    work = Work(2, 204.0, updated=[accepted], changes=[decided])
    work.incidents, work.alerted = {"conflict": 2}, {"conflicts": 203.0}
    store.commit(lease, work)
    return lease


def story_0003(store: Store) -> None:
    """The same; the map was changed since, and one record meets anew in a field."""
    lease = story_0002(store)
    layout = store.layout(MAP, COLUMNS)
    anew = store.by_numbers(layout, [2])[2]
    anew.anew, anew.due = {"Balance": Anew.NEW}, 205.0
    work = Work(2, 205.0, updated=[anew])
    work.map = MapRow(MAP, "f2", "1.0.0.1", 102.0, PARKED, 7, '{"map":"loyalty-card"}')
    store.commit(lease, work)


STORIES: dict[str, Callable[[Store], object]] = {
    "0001": story_0001,
    "0002": story_0002,
    "0003": story_0003,
}
"""By schema revision, oldest first."""


def main() -> None:
    """Write the dump of the newest story to stdout."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state.db"
        store = open_store(f"sqlite:///{file}")
        list(STORIES.values())[-1](store)
        store.close()
        connection = sqlite3.connect(file)
        sys.stdout.writelines(f"{line}\n" for line in connection.iterdump())
        connection.close()


if __name__ == "__main__":
    main()
