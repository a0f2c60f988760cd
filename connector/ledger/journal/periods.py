"""Days, months and years after a day: when points vest and when they expire.

Owns: calendar arithmetic with the units of a reward point kind.
Never does: reading a clock.
Tested in: tests/unit/ledger/journal/test_periods.py.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from connector.ledger.fields import LAST_DATE


def after(day: date, unit: str, value: int) -> date:
    """The day so many days, months or years later, no later than the last day there is.

    A month has no 31st, a year no 29 February: the last day of that month then.
    """
    if unit == "Day":
        return day + timedelta(value) if value <= (LAST_DATE - day).days else LAST_DATE
    months = day.year * 12 + day.month - 1 + value * (12 if unit == "Year" else 1)
    year, month = divmod(months, 12)
    if year > LAST_DATE.year:
        return LAST_DATE
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))
