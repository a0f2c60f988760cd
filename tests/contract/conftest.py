"""The worlds the endpoint contract runs in: one entry per endpoint.

A new endpoint adds a function that yields its `World` and a line in `WORLDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import pytest

from connector.endpoints.base import Create, Endpoint
from connector.mapping.values import Value

PAGE_ROWS = 3
"""Small pages, so that a handful of rows makes several."""


@dataclass(frozen=True)
class World:
    """One endpoint on an empty table, and the columns the suite may use."""

    endpoint: Endpoint
    entity: str
    key: str
    """A unique text column that holds at least 30 characters and compares without case."""
    text: str
    """A text column that takes anything, null included."""
    day: str
    """A date column, null allowed."""
    longest_key: int
    """Characters the key column holds."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Key, text, day: the column list of most tests."""
        return (self.key, self.text, self.day)

    def new_id(self) -> str:
        """An id as the engine chooses it."""
        return str(uuid4())

    def create(self, key: str, text: Value = None, id: str | None = None) -> Create:
        """A create of one record; the id is new unless it is given."""
        return Create(id or self.new_id(), {self.key: key, self.text: text})


def _dataverse(request: pytest.FixtureRequest) -> Iterator[World]:
    from connector.endpoints.dataverse import Application, DataverseEndpoint, Tokens
    from connector.endpoints.dataverse.patience import Patience

    where: dict[str, Any] = request.getfixturevalue("sandbox")
    request.getfixturevalue("dataverse")  # empties the organization
    application = Application(
        where["authority"],
        where["client_id"],
        where["client_secret"],
        where["dataverse"],
        where["ca"],
    )
    endpoint = DataverseEndpoint(
        where["dataverse"],
        tokens=Tokens(application),
        ca=where["ca"],
        patience=Patience(),
        clock=lambda: datetime.now(UTC),
        page_size=PAGE_ROWS,
    )
    yield World(
        endpoint,
        "msdyn_loyaltycards",
        key="msdyn_cardnumber",
        text="msdyn_replacementcardnumber",
        day="msdyn_enrollmentdate",
        longest_key=100,
    )
    endpoint.close()


def _ledger(request: pytest.FixtureRequest) -> Iterator[World]:
    from connector.endpoints.ledger.endpoint import LedgerEndpoint
    from connector.ledger.ledger import Ledger

    folder: Path = request.getfixturevalue("tmp_path")
    ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
    endpoint = LedgerEndpoint(ledger, page_rows=PAGE_ROWS)
    yield World(
        endpoint,
        "RetailLoyaltyCards",
        key="CardNumber",
        text="ReplacementCardNumber",
        day="LoyaltyEnrollmentDate",
        longest_key=30,
    )
    endpoint.close()


Build: TypeAlias = Callable[[pytest.FixtureRequest], Iterator[World]]
WORLDS: dict[str, Build] = {"dataverse": _dataverse, "ledger": _ledger}


@pytest.fixture(params=sorted(WORLDS))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Each endpoint in turn, on an empty table."""
    yield from WORLDS[request.param](request)
