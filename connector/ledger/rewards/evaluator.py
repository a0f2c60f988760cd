"""What the rewards of a ledger give for a sale.

Owns: which rules are tried on which line, and the arithmetic of a reward.
Never does: SQL, clocks; saying what a rule asks (`conditions.py`).
Tested in: tests/unit/ledger/rewards/test_evaluator.py, tests/unit/ledger/rewards/test_laws.py.

A rule that says something of an order line is tried on each line, and the reward pays once for
every line on which one of its rules holds. Any other rule is tried on the order, and the reward
pays once for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

from connector.ledger.fields import fold
from connector.ledger.members.member import Member
from connector.ledger.programs.earning import POINTS
from connector.ledger.programs.occasion import Earned, Item, Sale
from connector.ledger.programs.rounding import EXACT, PointKind, plain
from connector.ledger.rewards.conditions import Case, Condition, Missing, conditions, currency
from connector.ledger.rewards.document import RewardDocument, RewardRule, Rounding

PROGRAM = "rewards"
"""What entries of the journal call the program of a reward."""
SETTINGS = "*"
"""The settings among the versions of rewards; no reward is called so."""

_HOW = {
    Rounding.NONE: ROUND_FLOOR,
    Rounding.DOWN: ROUND_FLOOR,
    Rounding.UP: ROUND_CEILING,
    Rounding.NEAREST: ROUND_HALF_UP,
}
_HUNDRED = Decimal(100)
_NONE = Decimal(0)


class Several(StrEnum):
    """What counts where several rewards pay the same kind of points for the same."""

    ALL = "all"
    LARGEST = "largest"


class Settings(NamedTuple):
    """What holds for all rewards of a ledger."""

    on_points: bool = True
    """Whether what is paid with points earns points."""
    months: int | None = None
    """How long earned points live, 0 for ever; None as their kind says."""
    several: Several = Several.ALL


AS_DELIVERED = Settings()


@dataclass(frozen=True, slots=True, eq=False)
class Trigger:
    """One rule that is on, with what it asks."""

    rule: RewardRule
    conditions: tuple[Condition, ...]


class Amount(NamedTuple):
    """Money of which `part` out of `of` counts: not what points paid."""

    money: Decimal
    part: Decimal = Decimal(1)
    of: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, eq=False)
class Reward:
    """One version of a reward."""

    document: RewardDocument
    version: int
    kind: PointKind
    triggers: tuple[Trigger, ...]

    @classmethod
    def of(cls, document: RewardDocument, version: int, kind: PointKind) -> Reward:
        """A reward that is ready to be tried."""
        on = [one for one in document.rules if one.active]
        return cls(document, version, kind, tuple(Trigger(one, conditions(one)) for one in on))

    def points(self, amount: Amount) -> tuple[Decimal, str]:
        """What it pays on an amount, and the arithmetic."""
        document = self.document
        if document.points is not None:
            exact, how = document.points, plain(document.points)
        else:
            assert document.percentage is not None, "a percentage has one"
            counted = EXACT.multiply(amount.money, amount.part)
            exact = EXACT.divide(
                EXACT.multiply(counted, document.percentage), EXACT.multiply(amount.of, _HUNDRED)
            )
            how = f"{plain(document.percentage)} % of {plain(amount.money)} {document.currency}"
            if amount.part != amount.of:
                how += f" ({plain(amount.part)} of {plain(amount.of)} paid with money)"
        step = self.kind.smallest
        if document.rounding is not Rounding.NONE:
            step = max(step, Decimal(1).scaleb(-document.decimals))
        paid = exact.quantize(step, _HOW[document.rounding], EXACT)
        return paid, how if plain(paid) == how else f"{how} = {plain(paid)}"


class Rewards:
    """All rewards of a ledger that may pay. `versions` names each, and the settings."""

    def __init__(
        self,
        rewards: Sequence[Reward] = (),
        settings: Settings = AS_DELIVERED,
        versions: Mapping[str, int] | None = None,
    ) -> None:
        self.rewards = tuple(one for one in rewards if one.document.pays)
        self.settings = settings
        self.versions = versions or {}
        self._index = _Index(self.rewards)

    def earned(self, sale: Sale, member: Member) -> list[Earned]:
        """What the sale earns; the day is that of `sale.at` in its own zone."""
        if not self.rewards:
            return []
        counts = self.counting(sale)
        if counts.part <= 0 < counts.of:
            return []
        found = [*self._by_line(sale, member, counts), *self._by_order(sale, member, counts)]
        return found if self.settings.several is Several.ALL else _largest(found)

    def counting(self, sale: Sale) -> Amount:
        """What the order costs in money, and how much of it counts."""
        total = sum((one.amount for one in sale.lines), _NONE)
        paid = sum((paid for means, paid in sale.payments.items() if fold(means) == POINTS), _NONE)
        if self.settings.on_points or paid <= 0 or total <= 0:
            return Amount(total)
        return Amount(total, max(_NONE, total - paid), total)

    def earns(self, line: Item) -> bool:
        """Whether a line may earn at all."""
        return self.settings.on_points or line.points <= 0

    def _by_line(self, sale: Sale, member: Member, counts: Amount) -> Iterator[Earned]:
        for place, line in enumerate(sale.lines):
            if not self.earns(line):
                continue
            case = Case(sale, member, sale.at.date(), counts.money, line)
            paid: set[str] = set()
            for reward, trigger in self._index.for_line(line):
                if reward.document.reward not in paid and holds(reward, trigger, case):
                    paid.add(reward.document.reward)
                    where = f"line {place + 1}, {line.product}"
                    amount = counts._replace(money=line.amount)
                    yield from self._paid(reward, trigger, amount, (place,), where)

    def _by_order(self, sale: Sale, member: Member, counts: Amount) -> Iterator[Earned]:
        if not any(map(self.earns, sale.lines)):
            return
        case = Case(sale, member, sale.at.date(), counts.money)
        for reward, triggers in self._index.for_order:
            trigger = next((one for one in triggers if holds(reward, one, case)), None)
            if trigger is not None:
                yield from self._paid(reward, trigger, counts, (), "the order")

    def _paid(
        self,
        reward: Reward,
        trigger: Trigger,
        amount: Amount,
        lines: tuple[int, ...],
        where: str,
    ) -> Iterator[Earned]:
        points, how = reward.points(amount)
        if points > 0:
            document = reward.document
            yield Earned(
                PROGRAM,
                reward.version,
                document.reward,
                document.kind,
                points,
                lines,
                f"{document.name}, {trigger.rule.rule}: {how}; {where}",
                months=self.settings.months,
            )


def holds(reward: Reward, trigger: Trigger, case: Case) -> bool:
    """Whether the rule holds."""
    return next(missing(reward, trigger, case), None) is None


def missing(reward: Reward, trigger: Trigger, case: Case) -> Iterator[Missing]:
    """Everything that keeps the rule from holding."""
    for condition in trigger.conditions:
        found = condition(case)
        if found is not None:
            yield found
    if reward.document.currency is not None:
        found = currency(reward.document.currency, case)
        if found is not None:
            yield found


class _Entry(NamedTuple):
    place: int
    reward: Reward
    trigger: Trigger


class _Index:
    """Which rules are worth trying: those of a line by its product and groups."""

    def __init__(self, rewards: Sequence[Reward]) -> None:
        self.for_order: list[tuple[Reward, list[Trigger]]] = []
        self._any: list[_Entry] = []
        self._by_product: dict[str, list[_Entry]] = {}
        self._by_group: dict[str, list[_Entry]] = {}
        of_lines: list[_Entry] = []
        for reward in rewards:
            whole = [one for one in reward.triggers if not one.rule.of_lines]
            if whole:
                self.for_order.append((reward, whole))
            parts = [one for one in reward.triggers if one.rule.of_lines]
            of_lines += [_Entry(len(of_lines) + at, reward, one) for at, one in enumerate(parts)]
        for entry in of_lines:
            self._add(entry)

    def for_line(self, line: Item) -> Iterator[tuple[Reward, Trigger]]:
        """The rules to be tried on a line, in the order of the rewards."""
        found = [*self._any, *self._by_product.get(fold(line.product), ())]
        for group in line.categories:
            found += self._by_group.get(fold(group), ())
        by_place = {entry.place: entry for entry in found}
        for place in sorted(by_place):
            yield by_place[place].reward, by_place[place].trigger

    def _add(self, entry: _Entry) -> None:
        rule = entry.trigger.rule
        if not rule.products and not rule.groups:
            self._any.append(entry)
        for product in {fold(one) for one in rule.products}:
            self._by_product.setdefault(product, []).append(entry)
        for group in {fold(one) for one in rule.groups}:
            self._by_group.setdefault(group, []).append(entry)


def _largest(found: Sequence[Earned]) -> list[Earned]:
    """Of what pays the same kind for the same line or for the order, the most; the first of two."""
    best: dict[tuple[str, tuple[int, ...]], Earned] = {}
    for one in found:
        known = best.setdefault((fold(one.kind), one.lines), one)
        if one.points > known.points:
            best[fold(one.kind), one.lines] = one
    return list(best.values())
