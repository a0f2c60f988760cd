from __future__ import annotations

from datetime import date

import pytest

from connector.ledger.journal.periods import after


@pytest.mark.parametrize(
    ("day", "unit", "value", "later"),
    [
        ("2026-01-31", "Day", 1, "2026-02-01"),
        ("2026-01-31", "Month", 1, "2026-02-28"),
        ("2024-01-31", "Month", 1, "2024-02-29"),
        ("2026-12-15", "Month", 1, "2027-01-15"),
        ("2024-02-29", "Year", 1, "2025-02-28"),
        ("2024-02-29", "Year", 4, "2028-02-29"),
        ("2026-05-05", "Month", 0, "2026-05-05"),
        ("2026-01-01", "Year", 2_000_000_000, "2154-12-31"),
        ("2026-01-01", "Day", 2_000_000_000, "2154-12-31"),
    ],
)
def test_a_day_later(day: str, unit: str, value: int, later: str) -> None:
    assert after(date.fromisoformat(day), unit, value) == date.fromisoformat(later)
