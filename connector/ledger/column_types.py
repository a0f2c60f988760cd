"""How values are kept in columns that no database has a type for.

Owns: decimals as whole ten-thousandths, instants as UTC without saying so, numbers that are shown
as texts.
Never does: checking a value (`fields.py`).
Tested in: tests/unit/ledger/shown/test_column_types.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from connector.ledger.journal.amounts import SCALE, points


def utc(at: datetime) -> datetime:
    """An instant as the tables hold it: UTC without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None)


class Scaled(TypeDecorator[Decimal]):
    """A number with four decimals; SQLite has no exact type for it."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        """As ten-thousandths."""
        return None if value is None else int(value.scaleb(SCALE))

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:  # noqa: ARG002
        """As a number."""
        return None if value is None else points(int(value))


class Moment(TypeDecorator[datetime]):
    """An instant; the tables hold UTC without saying so."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Without its zone."""
        return None if value is None else utc(value)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """With its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


class NumberAsText(TypeDecorator[str]):
    """A whole number that is a text to everybody outside, such as an id."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        """As a number; a text that is none is a number no row has."""
        if value is None:
            return None
        number = int(value) if value.isdecimal() and len(value) < 19 else -1
        return number if str(number) == value else -1

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """As a text."""
        return None if value is None else str(value)
