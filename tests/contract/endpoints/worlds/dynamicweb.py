"""The rewards of a Dynamicweb shop, in each database we can have here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector.mapping.values import ValueType
from tests.contract.endpoints.world import PAGE_ROWS, World


def world(fixture: str) -> Callable[[pytest.FixtureRequest], Iterator[World]]:
    """A new shop in the database whose URL a fixture gives, or in a file of SQLite."""

    def build(request: pytest.FixtureRequest) -> Iterator[World]:
        from connector.endpoints.dynamicweb import DynamicwebEndpoint
        from connector.endpoints.dynamicweb.database import Database
        from connector.endpoints.dynamicweb.schema import tables

        folder: Path = request.getfixturevalue("tmp_path")
        url = f"sqlite:///{folder / 'shop.db'}"
        if fixture != "sqlite":
            url = request.getfixturevalue(fixture)
        engine = sa.create_engine(url)
        tables().metadata.create_all(engine)
        engine.dispose()
        endpoint = DynamicwebEndpoint(
            Database(url),
            folder=folder / "snapshots",
            sweep=0,
            clock=time.time,
            page_rows=PAGE_ROWS,
        )
        yield World(
            endpoint,
            "EcomLoyaltyReward",
            key="LoyaltyRewardName",
            text="LoyaltyRewardRoundingId",
            day="LoyaltyRewardPoints",
            longest_key=50,
            nobody="2000000000",
            unique=False,
            kind=ValueType.DECIMAL,
            samples=(Decimal("12.5"), Decimal("0.1")),
        )
        endpoint.close()

    return build
