"""What holds for any rewards and orders: previews keep their word, and what is off never pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connector.ledger.members.member import Member
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.rewards.conditions import Missing
from connector.ledger.rewards.document import RewardDocument, RewardRule
from connector.ledger.rewards.evaluator import Settings
from connector.ledger.rewards.preview import prospects
from tests.unit.ledger.rewards.making import AT, document, rewards

NAMES = st.sampled_from(["a", "b"])
CENT = Decimal("0.01")
STEP = Decimal(1)


def maybe(**keys: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


compared = st.sampled_from([">=", "<=", "=", ">", "<"])
numbers = st.integers(2, 6)
rules = maybe(
    **{
        "from": st.sampled_from(["2026-06-15", "2026-07-01"]),
        "until": st.sampled_from(["2026-06-14", "2026-07-31"]),
        "user": NAMES,
        "user-group": NAMES,
        "customer-number": NAMES,
        "products": st.lists(NAMES, min_size=1, max_size=2),
        "groups": st.lists(NAMES, min_size=1, max_size=2),
        "variants": st.lists(NAMES, min_size=1, max_size=2),
        "language": NAMES,
        "quantity": st.fixed_dictionaries({"condition": compared, "value": numbers}),
        "order-line-field": st.fixed_dictionaries({"name": NAMES}, optional={"value": NAMES}),
        "order-total": st.fixed_dictionaries(
            {
                "condition": compared,
                "value": st.integers(20, 60),
                "currency": st.sampled_from(["EUR", "USD"]),
            }
        ),
        "shop": NAMES,
        "country": NAMES,
        "shipping": NAMES,
        "payment": NAMES,
        "order-field": st.fixed_dictionaries({"name": st.just("wrap"), "value": NAMES}),
        "voucher-list": NAMES,
    }
).filter(lambda one: one.get("until", "9999") >= one.get("from", ""))
documents = st.builds(
    lambda found, active, archived: document(*found, active=active, archived=archived),
    st.lists(rules, min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
)
lines = st.builds(
    Item,
    product=NAMES,
    quantity=st.integers(1, 6).map(Decimal),
    amount=st.integers(1, 60).map(Decimal),
    categories=st.lists(NAMES, max_size=2).map(tuple),
    variant=st.none() | NAMES,
    language=st.none() | NAMES,
    fields=st.dictionaries(NAMES, NAMES, max_size=2),
    points=st.sampled_from([Decimal(0), Decimal(5)]),
)
orders = st.builds(
    lambda found, currency, payments, fields: Sale(
        "1", "A", AT, currency, tuple(found), payments=payments, fields=fields
    ),
    st.lists(lines, min_size=1, max_size=3),
    st.sampled_from(["EUR", "USD"]),
    st.dictionaries(NAMES, st.integers(1, 9).map(Decimal), max_size=1),
    st.dictionaries(
        st.sampled_from(["shop", "country", "shipping", "wrap", "voucher-list", "customer-number"]),
        NAMES,
    ),
)
members = st.builds(
    Member,
    card=st.just("A"),
    party=st.none() | NAMES,
    groups=st.frozensets(NAMES, max_size=2),
)
settings = st.builds(Settings, on_points=st.booleans())


@given(documents, orders, members, settings)
def test_a_reward_that_is_off_or_archived_never_pays(
    one: RewardDocument, order: Sale, member: Member, how: Settings
) -> None:
    paid = rewards(one, settings=how).earned(order, member)
    if not one.active or one.archived:
        assert paid == []


@given(documents, orders, members, settings)
def test_a_preview_says_that_nothing_is_missing_exactly_where_it_pays(
    one: RewardDocument, order: Sale, member: Member, how: Settings
) -> None:
    these = rewards(one, settings=how)
    paid = these.earned(order, member)
    for place in range(len(order.lines)):
        for trigger in range(len(one.rules)):
            alone = one.model_copy(update={"rules": (one.rules[trigger],)})
            found = prospects(rewards(alone, settings=how), order, place, member)
            there = {each.lines for each in rewards(alone, settings=how).earned(order, member)}
            for each in found:
                where = () if each.line is None else (each.line,)
                assert (not each.missing) == (where in there)
    assert len(paid) <= len(order.lines) + 1


@given(documents, orders, members, settings)
def test_what_is_missing_makes_it_pay_when_it_is_met(
    one: RewardDocument, order: Sale, member: Member, how: Settings
) -> None:
    these = rewards(one, settings=how)
    for place in range(len(order.lines)):
        for found in prospects(these, order, place, member):
            if not found.possible:
                continue
            rule = next(each for each in one.rules if each.rule == found.rule)
            met = Met(order, place, member)
            for missing in found.missing:
                met.meet(missing, rule)
            where = () if found.line is None else (found.line,)
            earned = these.earned(met.order, met.member)
            assert where in {each.lines for each in earned}, (found.missing, met.order)


class Met:
    """An order and a member while what is missing is supplied, one condition after the other."""

    def __init__(self, order: Sale, place: int, member: Member) -> None:
        self.order = order
        self.place = place
        self.member = member

    def meet(self, missing: Missing, rule: RewardRule) -> None:
        """Do what is said, with no more knowledge than that, but for secrets."""
        wanted = missing.wanted or ""
        match missing.condition:
            case "from":
                days = date.fromisoformat(wanted) - self.order.at.date()
                self.order = replace(self.order, at=self.order.at + timedelta(days.days))
            case "user":
                self.member = replace(self.member, party=rule.user)
            case "user-group":
                self.member = replace(self.member, groups=self.member.groups | {wanted})
            case "customer-number":
                self._field("customer-number", str(rule.customer_number))
            case "variants" | "language" | "quantity" | "order-line-field":
                self._meet_line(missing, rule)
            case "order-total" | "currency":
                self._meet_amount(missing, rule)
            case "payment":
                self.order = replace(self.order, payments={wanted: STEP})
            case "money":
                paid = tuple(replace(one, points=Decimal(0)) for one in self.order.lines)
                self.order = replace(self.order, lines=paid)
            case condition:
                self._field("wrap" if condition == "order-field" else condition, wanted)

    def _meet_line(self, missing: Missing, rule: RewardRule) -> None:
        line, wanted = self.order.lines[self.place], missing.wanted or ""
        match missing.condition:
            case "variants":
                self._line(variant=wanted.split(" or ")[0])
            case "language":
                self._line(language=wanted)
            case "quantity":
                self._line(quantity=line.quantity + self._step(missing))
            case _:
                assert rule.order_line_field is not None
                self._line(fields={**line.fields, rule.order_line_field.name: wanted})

    def _meet_amount(self, missing: Missing, rule: RewardRule) -> None:
        if missing.more is not None:
            amount = self.order.lines[self.place].amount
            self._line(amount=amount + self._step(missing))
            return
        self.order = replace(self.order, currency=missing.wanted or "")
        self._total(rule)

    @staticmethod
    def _step(missing: Missing) -> Decimal:
        assert missing.more is not None
        sign = {">": 1, "<": -1}.get((missing.wanted or "").split()[0], 0)
        return missing.more + sign * CENT

    def _total(self, rule: RewardRule) -> None:
        """Once the currency is right, the amount may not be: the next preview would say so."""
        assert rule.order_total is not None
        step = {">": CENT, "<": -CENT}.get(rule.order_total.condition.value, Decimal(0))
        others = sum(
            (one.amount for at, one in enumerate(self.order.lines) if at != self.place), Decimal(0)
        )
        self._line(amount=rule.order_total.value + step - others)

    def _field(self, name: str, value: str) -> None:
        self.order = replace(self.order, fields={**self.order.fields, name: value})

    def _line(self, **values: Any) -> None:
        changed = replace(self.order.lines[self.place], **values)
        before, after = self.order.lines[: self.place], self.order.lines[self.place + 1 :]
        self.order = replace(self.order, lines=(*before, changed, *after))


@given(st.lists(documents, max_size=4), orders, members)
def test_the_index_leaves_nothing_out(
    found: list[RewardDocument], order: Sale, member: Member
) -> None:
    named = [one.model_copy(update={"reward": f"r{number}"}) for number, one in enumerate(found)]
    together = rewards(*named).earned(order, member)
    alone = [each for one in named for each in rewards(one).earned(order, member)]
    assert sorted(together) == sorted(alone)
