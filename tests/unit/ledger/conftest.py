"""A fresh ledger whose clock and ids a test can foresee."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from connector.ledger.entity_store import EntityStore
from connector.ledger.ledger import Ledger

START = datetime(2026, 1, 2, 10, 0, tzinfo=UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_id() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"00000000-0000-7000-8000-{next(numbers):012x}"


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock, new_id: Callable[[], str]) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db", clock=clock, new_id=new_id) as opened:
        yield opened


@pytest.fixture
def cards(ledger: Ledger) -> EntityStore:
    return ledger.store("cards")


@pytest.fixture
def points(ledger: Ledger) -> EntityStore:
    return ledger.store("reward-points")
