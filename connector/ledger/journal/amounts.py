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
LARGEST = 10**11 * UNIT
"""Units one entry may have: what a decimal column of Dataverse holds; sums of thousands of them
stay within 64 bits."""
_MOST = Decimal(LARGEST // UNIT)
_STEP = Decimal(1).scaleb(-SCALE)


def fits(value: Decimal) -> bool:
    """Whether it is a number, and one that is not too large to be kept.

    To be asked before anything is worked out with it: comparing is exact and never overflows.
    """
    return value.is_finite() and value.copy_abs() <= _MOST


def scaled(value: Decimal) -> int | None:
    """A number that fits as ten-thousandths; None where it has more decimals."""
    cut = value.quantize(_STEP)
    return int(cut.scaleb(SCALE)) if cut == value else None


def units(points: Decimal, *, whole: bool = False) -> int:
    """Points as ten-thousandths; with `whole`, of a kind that knows no parts of a point.

    Raises RecordError: `points-invalid`, `points-fractional`.
    """
    if not fits(points):
        raise _refusal("points-invalid", f"{points} is no number of points", "give a number")
    found = scaled(points)
    if found is None:
        raise _refusal(
            "points-invalid",
            f"{points} has more than {SCALE} decimals",
            f"round it to {SCALE} decimals; nothing is cut off silently",
        )
    if whole and found % UNIT:
        raise _refusal(
            "points-fractional",
            f"{points} is not a whole number, and these points are counted by quantity",
            "give whole points, or use a kind of points of type Amount",
        )
    return found


def points(units: int) -> Decimal:
    """Ten-thousandths as points, without zeros that say nothing."""
    value = Decimal(units).scaleb(-SCALE)
    return value.quantize(Decimal(1)) if not units % UNIT else value.normalize()


def _refusal(code: str, message: str, remedy: str) -> RecordError:
    return RecordError(code, message, remedy=remedy, subject=Subject(field="points"))
