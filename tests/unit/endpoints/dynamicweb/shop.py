"""A shop's database on SQLite, and what happens in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connector.endpoints.base import Outcome, Page, Row
from connector.endpoints.dynamicweb import DynamicwebEndpoint
from connector.endpoints.dynamicweb.database import Database
from connector.endpoints.dynamicweb.schema import Tables, tables

REWARD = "EcomLoyaltyReward"
TRANSACTION = "EcomLoyaltyUserTransaction"
MEMBERS = "LoyaltyMembers"


class Shop:
    """One database file and the endpoint over it; `now` is the clock of sweeps."""

    def __init__(self, folder: Path, names: Mapping[str, str] | None = None) -> None:
        self.url = f"sqlite:///{folder / 'shop.db'}"
        self.folder = folder / "snapshots"
        self.names = names
        self.now = 0.0
        self.engine = sa.create_engine(self.url)
        self.tables: Tables = tables(names)
        self.tables.metadata.create_all(self.engine)

    @contextmanager
    def endpoint(self, page_rows: int = 3) -> Iterator[DynamicwebEndpoint]:
        endpoint = DynamicwebEndpoint(
            Database(self.url),
            folder=self.folder,
            sweep=3600.0,
            clock=lambda: self.now,
            names=self.names,
            page_rows=page_rows,
        )
        yield endpoint
        endpoint.close()

    def execute(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def reward(self, name: str | None, **values: Any) -> str:
        """A reward as the shop makes one; its id."""
        columns = {f"LoyaltyReward{key}": value for key, value in values.items()}
        insert = self.tables.reward.insert().values(LoyaltyRewardName=name, **columns)
        return self._insert(insert)

    def translation(self, reward: str, language: str, name: str | None) -> None:
        self._insert(
            self.tables.translation.insert().values(
                LoyaltyRewardTranslationRewardId=int(reward),
                LoyaltyRewardTranslationLanguageId=language,
                LoyaltyRewardTranslationName=name,
            )
        )

    def transaction(self, user: int | None, points: float, at: datetime | None = None) -> str:
        insert = self.tables.transaction.insert().values(
            LoyaltyUserTransactionUserId=user,
            LoyaltyUserTransactionPoints=points,
            LoyaltyUserTransactionDate=at,
        )
        return self._insert(insert)

    def raw(self, id: str) -> dict[str, Any]:
        """A reward as the database holds it."""
        query = sa.select(self.tables.reward).where(self.tables.reward.c.LoyaltyRewardId == int(id))
        with self.engine.connect() as connection:
            return dict(connection.execute(query).mappings().one())

    def close(self) -> None:
        self.engine.dispose()

    def _insert(self, insert: sa.Insert) -> str:
        with self.engine.begin() as connection:
            result = connection.execute(insert)
        assert result.inserted_primary_key is not None
        return str(result.inserted_primary_key[0])


def noon(year: int, month: int, day: int) -> datetime:
    """A time as the database holds it, without a zone."""
    return datetime(year, month, day, 12)  # noqa: DTZ001


def rows_of(pages: Iterator[Page]) -> dict[str, Row]:
    return {row.id: row for page in pages for row in page.rows}


def the(outcomes: Any) -> Outcome:
    """The only outcome."""
    (outcome,) = outcomes
    assert isinstance(outcome, Outcome)
    return outcome
