"""Every store the contract is asserted against, and what its tests build records with.

A database joins by one entry in STORES: a function that makes an empty state and yields what
opens it, as often as a test wants workers.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from connector.errors import Problem, Subject
from connector.mapping.values import Image, Side, ValueType
from connector.store.base import Store
from connector.store.opening import open_store
from connector.store.record import Presence, Record, SideState, State
from connector.store.work import Change, ChangeKind, Lease, Work
from tests.postgresql import Server
from tests.simulation.memory.store import MemoryStore
from tests.simulation.memory.tables import Tables

Opener: TypeAlias = Callable[[], Store]

COLUMNS = {
    Side.COMMERCE: (
        ("CardNumber", ValueType.TEXT),
        ("EnrollmentDate", ValueType.DATE),
        ("Balance", ValueType.DECIMAL),
        ("Blocked", ValueType.BOOLEAN),
    ),
    Side.DATAVERSE: (
        ("msdyn_cardnumber", ValueType.TEXT),
        ("msdyn_tendertype", ValueType.CHOICE),
        ("modifiedon", ValueType.INSTANT),
    ),
}
MAP = "loyalty-card"


def sqlite_store(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """A SQLite file, copied from one that was migrated once."""
    file = request.getfixturevalue("tmp_path") / "state.db"
    shutil.copy(request.getfixturevalue("template"), file)
    yield lambda: open_store(f"sqlite:///{file}")


def postgresql_store(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """A PostgreSQL database, migrated once and emptied for each test."""
    server: Server = request.getfixturevalue("postgresql")
    url = server.empty_state()
    yield lambda: open_store(url)


def memory_store(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """The twin without a database that the simulator may use."""
    tables = Tables()
    yield lambda: MemoryStore(tables, time.time)


STORES: dict[str, Callable[[pytest.FixtureRequest], Iterator[Opener]]] = {
    "sqlite": sqlite_store,
    "postgresql": postgresql_store,
    "memory": memory_store,
}


class Kit:
    """One worker with its lease, and short ways to make and commit things."""

    map = MAP

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._opened: list[Store] = []
        self.store = self.another()
        self.layout = self.store.layout(MAP, COLUMNS)
        self.lease: Lease = self.store.acquire(MAP, "first", 60)
        self.run = self.store.start_run("sync", MAP, "f1", 100.0)

    def another(self) -> Store:
        """Another worker's store on the same state."""
        store = self._opener()
        self._opened.append(store)
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()

    def commit(self, at: float = 100.0, **work: Any) -> None:
        self.store.commit(self.lease, Work(self.run, at, **work))

    def get(self, number: int, store: Store | None = None) -> Record:
        return (store or self.store).by_numbers(self.layout, [number])[number]

    @staticmethod
    def commerce(number: int) -> Image:
        return (f"C{number}", date(2024, 2, 29), Decimal("12.50"), False)

    @staticmethod
    def dataverse(number: int) -> Image:
        return (f"C{number}", 806380000, datetime(2024, 2, 29, 12, 30, 5, 7000, tzinfo=UTC))

    def record(self, number: int, **changed: Any) -> Record:
        """A settled record, present on both sides."""
        sides = {}
        for side, image in (
            (Side.COMMERCE, self.commerce(number)),
            (Side.DATAVERSE, self.dataverse(number)),
        ):
            id, key, version = f"{side.value}-{number}", f"C{number}", f"W/{number}"
            sides[side.value] = SideState(
                Presence.PRESENT, id, key, version, 1, image, image, 5, 99.5, "somebody"
            )
        record = Record(number, MAP, f"c{number}", **sides)  # type: ignore[arg-type]
        return replace(record, **changed)

    def tombstone(self, number: int) -> Record:
        """A settled record, gone on both sides."""
        record = self.record(number)
        record.commerce.presence = record.dataverse.presence = Presence.ABSENT
        return record

    def purge(self, at: float = 500.0, limit: int = 100, **before: float) -> Mapping[str, int]:
        """Purge what is older than the times given, and nothing else."""
        times = dict.fromkeys(("audit_before", "runs_before", "tombstones_before"), 0.0)
        return self.store.purge(self.lease, at, **{**times, **before}, limit=limit)

    def fresh(self, number: int) -> Record:
        """A record of commerce whose create in Dataverse is intended under a chosen id."""
        intended = SideState(id=f"dataverse-{number}", agreed=self.dataverse(number), tick=5)
        return self.record(number, dataverse=intended, state=State.PENDING, due=90.0)

    def intent(self, number: int, record: int, batch: int, **changed: Any) -> Change:
        """A create in Dataverse that has left."""
        change = Change(
            number, record, ChangeKind.CREATE, Side.DATAVERSE, batch, f"dataverse-{record}",
            after={"msdyn_cardnumber": f"C{record}"}, outcome=None,
        )  # fmt: skip
        return replace(change, **changed)

    def outcomes(self, record: int) -> list[str | None]:
        return [row.outcome for row in self.store.history(record)]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "state.db"
    open_store(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=sorted(STORES))
def kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    if request.param == "memory" and getattr(request.module, "DATABASES_ONLY", False):
        pytest.skip("a state in memory does not leave its process")
    for opener in STORES[request.param](request):
        kit = Kit(opener)
        yield kit
        kit.close()


@pytest.fixture
def problem() -> Problem:
    return Problem(
        "choice-unknown",
        "no translation of 'AsGift'",
        "add it to the map's values",
        Subject(map=MAP, side="commerce", field="CardTenderType", line=7),
        "warning",
    )
