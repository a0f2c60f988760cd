"""The embedded ledger as the config wants it.

Owns: what of the config the ledger is handed when it is opened.
Never does: knowing what the ledger does with it.
Tested in: tests/unit/sides/test_ledger_side.py.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from connector.config.corrections import AllowanceSettings, CorrectionSettings
from connector.config.sides import LedgerSettings
from connector.ledger.corrections.limits import Allowance, Limits


def zone_of(side: LedgerSettings) -> tzinfo:
    """Where the ledger's days begin and end."""
    return UTC if side.time_zone == "UTC" else ZoneInfo(side.time_zone)


def limits_of(settings: CorrectionSettings) -> Limits:
    """The limits of requests to correct points."""
    return Limits(
        general=_allowance(settings.everybody),
        per_card_day=settings.per_card_day,
        reason=settings.reason,
        people={one.name: _allowance(settings.of(one)) for one in settings.people},
    )


def _allowance(settings: AllowanceSettings) -> Allowance:
    return Allowance(settings.per_request, settings.per_day, settings.kinds)
