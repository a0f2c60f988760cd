"""What a product would earn for this customer and cart, and what is missing for more.

Owns: choosing the rule of each reward that is nearest to paying, and what to say of it.
Never does: SQL, clocks; conditions of its own: they are those that pay (`conditions.py`).
Tested in: tests/unit/ledger/rewards/test_preview.py, tests/unit/ledger/rewards/test_laws.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from connector.ledger.fields import fold
from connector.ledger.members.member import Member
from connector.ledger.programs.earning import POINTS
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.rewards.conditions import Case, Missing
from connector.ledger.rewards.evaluator import Reward, Rewards, Several, Trigger, missing


class Prospect(NamedTuple):
    """What one reward has in store. It is earned where nothing is missing.

    `points` is what it pays for the cart as it is; of a percentage it grows with the amount.
    `line` is None where the reward is for the whole order.
    """

    reward: str
    name: str
    """As customers read it, in their language."""
    rule: str
    kind: str
    points: Decimal
    line: int | None
    missing: tuple[Missing, ...]

    @property
    def possible(self) -> bool:
        """Whether this customer can come to it with this product."""
        return all(one.possible for one in self.missing)


def with_product(cart: Sale, item: Item) -> tuple[Sale, int]:
    """The cart with a product put into it, and the place of its line.

    A product that is there already, in the same variant and paid the same way, adds to its line.
    """
    for place, line in enumerate(cart.lines):
        if _same(line, item):
            more = replace(
                line,
                quantity=line.quantity + item.quantity,
                amount=line.amount + item.amount,
                points=line.points + item.points,
                categories=tuple(dict.fromkeys((*item.categories, *line.categories))),
            )
            return replace(cart, lines=(*cart.lines[:place], more, *cart.lines[place + 1 :])), place
    return replace(cart, lines=(*cart.lines, item)), len(cart.lines)


def prospects(
    rewards: Rewards,
    cart: Sale,
    place: int,
    member: Member | None,
    language: str | None = None,
) -> list[Prospect]:
    """What each reward has in store for one line of a cart; those that pay first.

    `member` is None while nobody is logged in. Of a reward's rules the nearest to holding is told.
    """
    found = [
        prospect
        for reward in rewards.rewards
        if (prospect := _nearest(rewards, reward, cart, place, member, language)) is not None
    ]
    if rewards.settings.several is Several.LARGEST:
        found = [_outdone(one, found) for one in found]
    return sorted(found, key=_distance)


def _outdone(one: Prospect, all_: list[Prospect]) -> Prospect:
    """Where only the largest counts, one that would pay less says so."""
    rivals = [
        each
        for each in all_
        if not each.missing and (fold(each.kind), each.line) == (fold(one.kind), one.line)
    ]
    best = max(rivals, key=lambda each: each.points, default=one)
    if one.missing or best is one:
        return one
    larger = Missing("several", f"{best.name} counts instead, it pays more", possible=False)
    return one._replace(missing=(larger,))


def _nearest(
    rewards: Rewards,
    reward: Reward,
    cart: Sale,
    place: int,
    member: Member | None,
    language: str | None,
) -> Prospect | None:
    told = [
        _prospect(rewards, reward, trigger, cart, place, member, language)
        for trigger in reward.triggers
    ]
    return min(told, key=_distance, default=None)


def _prospect(
    rewards: Rewards,
    reward: Reward,
    trigger: Trigger,
    cart: Sale,
    place: int,
    member: Member | None,
    language: str | None,
) -> Prospect:
    counts, line = rewards.counting(cart), cart.lines[place]
    of_line = trigger.rule.of_lines
    case = Case(cart, member, cart.at.date(), counts.money, line if of_line else None)
    lacking = [*_without(rewards, case), *missing(reward, trigger, case)]
    points, _ = reward.points(counts._replace(money=line.amount) if of_line else counts)
    document = reward.document
    if points <= 0 and not lacking:
        lacking.append(Missing("money", "spend more: this is not enough for a point"))
    return Prospect(
        document.reward,
        document.called(language),
        trigger.rule.rule,
        document.kind,
        points,
        place if of_line else None,
        tuple(lacking),
    )


def _without(rewards: Rewards, case: Case) -> Iterator[Missing]:
    """What is missing before any rule is asked."""
    if case.member is None:
        yield Missing("member", "log in")
    counts = rewards.counting(case.sale)
    lines = case.sale.lines if case.line is None else (case.line,)
    if counts.part <= 0 < counts.of or not any(map(rewards.earns, lines)):
        yield Missing("money", f"pay with money, not with {POINTS}")


def _same(line: Item, item: Item) -> bool:
    return (
        fold(line.product) == fold(item.product)
        and fold(line.variant or "") == fold(item.variant or "")
        and (line.points > 0) == (item.points > 0)
    )


def _distance(one: Prospect) -> tuple[int, int]:
    impossible = sum(not each.possible for each in one.missing)
    return impossible, len(one.missing)
