"""The embedded ledger, on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.contract.endpoints.world import PAGE_ROWS, World


def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """The cards of a new ledger."""
    from connector.endpoints.ledger.endpoint import LedgerEndpoint
    from connector.ledger.ledger import Ledger

    folder: Path = request.getfixturevalue("tmp_path")
    endpoint = LedgerEndpoint(Ledger.open(f"sqlite:///{folder / 'ledger.db'}"), page_rows=PAGE_ROWS)
    yield World(
        endpoint,
        "RetailLoyaltyCards",
        key="CardNumber",
        text="ReplacementCardNumber",
        day="LoyaltyEnrollmentDate",
        longest_key=30,
        nobody=str(uuid4()),
    )
    endpoint.close()
