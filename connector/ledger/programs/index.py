"""Finding the few rules an occasion can meet among hundreds.

Owns: which rules are asked at all; each is listed under the most telling thing it asks for.
Never does: deciding what a rule gives: whoever is listed is asked in full (`earning.py`).
Tested in: tests/unit/ledger/programs/test_laws.py: no rule is missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from connector.ledger.members.member import Member
from connector.ledger.programs.document import By
from connector.ledger.programs.earning import Earning, Seen
from connector.ledger.programs.terms import Labels

_MOST_DAYS = 1_024
"""Days whose rules are kept in memory."""


class DayIndex:
    """The rules that hold on one day, by what they ask for."""

    def __init__(self, rules: Iterable[Earning]) -> None:
        self._products: dict[str, list[Earning]] = {}
        self._categories: dict[str, list[Earning]] = {}
        self._offers: dict[str, list[Earning]] = {}
        self._groups: dict[str, list[Earning]] = {}
        self._activities: dict[str, list[Earning]] = {}
        self._sales: list[Earning] = []
        self._other: list[Earning] = []
        for rule in rules:
            self._add(rule)

    def _add(self, rule: Earning) -> None:
        goods, whole = rule.terms.goods, rule.terms.whole
        by: tuple[tuple[dict[str, list[Earning]], Labels], ...] = (
            (self._activities, whole.activities),
            (self._products, goods.products),
            (self._offers, goods.offers),
            (self._categories, goods.categories),
            (self._groups, whole.groups),
        )
        for table, labels in by:
            if labels:
                for label in labels:
                    table.setdefault(label, []).append(rule)
                return
        (self._other if rule.rule.by is By.ACTIVITY else self._sales).append(rule)

    def candidates(self, member: Member, seen: Seen) -> list[Earning]:
        """The rules that may give something, in their order, each once."""
        found = set(self._found(member, seen))
        return sorted(found, key=_order)

    def _found(self, member: Member, seen: Seen) -> Iterator[Earning]:
        activity = seen.place.activity
        for group in member.groups:
            yield from self._groups.get(group, ())
        if activity is not None:
            yield from self._activities.get(activity, ())
            yield from self._other
            return
        yield from self._sales
        for line in seen.lines:
            yield from self._products.get(line.product, ())
            for category in line.categories:
                yield from self._categories.get(category, ())
            if line.offer is not None:
                yield from self._offers.get(line.offer, ())


def _order(rule: Earning) -> int:
    return rule.order


class Index:
    """All rules; a day's own index is made when the day is met."""

    def __init__(self, rules: Iterable[Earning]) -> None:
        self._rules = tuple(rules)
        self._days: dict[date, DayIndex] = {}

    def on(self, day: date) -> DayIndex:
        """The rules of a day."""
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= _MOST_DAYS:
                self._days.clear()
            found = DayIndex(rule for rule in self._rules if rule.terms.on(day))
            self._days[day] = found
        return found
