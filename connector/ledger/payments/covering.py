"""Which points cover an amount.

Owns: dividing an amount among kinds of points, and what stays where part of it is given back.
Never does: SQL; the order and the rounding of one kind (`programs/paying.py`).
Tested in: tests/unit/ledger/payments/test_covering.py.

Money is rounded down to the smallest amount of its currency, so that the shares add up to the
amount exactly; points are rounded up to the next that the kind allows, so that no cent is paid
with less than it is worth. Points that cover no whole cent stay on the card.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.ledger.programs.paying import RedeemRule


@dataclass(frozen=True, slots=True)
class Means:
    """What a card has of a kind, and what it is worth."""

    rule: RedeemRule
    available: Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """What one kind of points pays."""

    rule: RedeemRule
    points: Decimal
    amount: Decimal


def cover(means: Iterable[Means], amount: Decimal) -> list[Share]:
    """What pays for the amount, or for as much of it as there are points for.

    `means` stand in the order in which they pay; of several rules for a kind the first counts.
    """
    shares: dict[str, Share] = {}
    for one in means:
        rule = one.rule
        if not amount or rule.kind in shares:
            continue
        enough = rule.needs(amount) <= one.available
        part = amount if enough else rule.covers(one.available)
        shares[rule.kind] = Share(rule, rule.needs(part), part)
        amount -= part
    return [one for one in shares.values() if one.amount]


def total(shares: Iterable[Share]) -> Decimal:
    """What they pay together."""
    return sum((one.amount for one in shares), Decimal(0))


def kept(shares: Sequence[Share], amount: Decimal) -> tuple[Share, ...]:
    """The shares when only `amount` of all of them stays: the first ones stay.

    What stays of points follows from what stays of the money alone, so it does not matter in how
    many steps something is given back.
    """
    stays: list[Share] = []
    for one in shares:
        part = min(amount, one.amount)
        stays.append(replace(one, points=one.rule.needs(part), amount=part))
        amount -= part
    return tuple(stays)
