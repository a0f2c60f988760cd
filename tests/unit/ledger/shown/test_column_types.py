"""Values that no database has a type for come back as they went in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from connector.ledger.column_types import Moment, NumberAsText, Scaled, utc
from connector.ledger.ledger import Ledger

TABLE = sa.Table(
    "values_of_all_types",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("scaled", Scaled),
    sa.Column("moment", Moment),
    sa.Column("text", NumberAsText),
)
NOON = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))


def kept(ledger: Ledger, **values: object) -> sa.Row[Any]:
    with ledger.writing("t") as transaction:
        TABLE.create(transaction.connection)
        transaction.connection.execute(sa.insert(TABLE), [values])
        return transaction.connection.execute(sa.select(TABLE)).one()


@pytest.mark.parametrize("number", ["0.0001", "-12.5", "922337203685477.5807"])
def test_decimals_are_exact(ledger: Ledger, number: str) -> None:
    assert kept(ledger, scaled=Decimal(number)).scaled == Decimal(number)


def test_moments_keep_their_instant(ledger: Ledger) -> None:
    row = kept(ledger, moment=NOON)
    assert row.moment == NOON
    assert row.moment.tzinfo is UTC
    assert utc(NOON) == datetime(2026, 3, 1, 10)  # noqa: DTZ001  as the tables hold it


def test_nothing_stays_nothing(ledger: Ledger) -> None:
    assert tuple(kept(ledger, number=1)) == (1, None, None, None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [("17", True), ("017", False), ("-17", False), ("x", False), ("9" * 30, False)],
)
def test_a_number_is_found_by_its_text_alone(ledger: Ledger, asked: str, *, found: bool) -> None:
    assert kept(ledger, text="17").text == "17"
    with ledger.reading() as connection:
        query = sa.select(TABLE.c.text).where(TABLE.c.text == asked)
        assert (connection.scalar(query) is not None) is found
