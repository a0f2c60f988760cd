"""Points as exact numbers: decimals outside, whole ten-thousandths inside.

Owns: the scale, and the refusals of numbers that do not fit it.
Never does: floating point.
Tested in: tests/unit/ledger/journal/test_amounts.py.

Four decimals are what Commerce keeps of a reward point amount (commerce-loyalty, section 6).
"""

from __future__ import annotations

from decimal import Decimal

from connector.errors import RecordError, Subject

SCALE = 4
"""Decimals of a point."""
UNIT = 10**SCALE
LARGEST = 10**14 * UNIT
"""Units one entry may have: sums of many stay within 64 bits."""


def units(points: Decimal, *, whole: bool = False) -> int:
    """Points as ten-thousandths; with `whole`, of a kind that knows no parts of a point.

    Raises RecordError: `points-invalid`, `points-fractional`.
    """
    if not points.is_finite() or abs(points) * UNIT > LARGEST:
        raise _refusal("points-invalid", f"{points} is no number of points", "give a number")
    scaled = points.scaleb(SCALE)
    if scaled != scaled.to_integral_value():
        raise _refusal(
            "points-invalid",
            f"{points} has more than {SCALE} decimals",
            f"round it to {SCALE} decimals; nothing is cut off silently",
        )
    if whole and int(scaled) % UNIT:
        raise _refusal(
            "points-fractional",
            f"{points} is not a whole number, and these points are counted by quantity",
            "give whole points, or use a kind of points of type Amount",
        )
    return int(scaled)


def points(units: int) -> Decimal:
    """Ten-thousandths as points, without zeros that say nothing."""
    value = Decimal(units).scaleb(-SCALE)
    return value.quantize(Decimal(1)) if not units % UNIT else value.normalize()


def _refusal(code: str, message: str, remedy: str) -> RecordError:
    return RecordError(code, message, remedy=remedy, subject=Subject(field="points"))
