"""What a rule of a reward asks, held against one order: nothing, or what is missing.

Owns: each condition once, for paying and for the preview alike.
Never does: SQL, clocks, points (`evaluator.py`).
Tested in: tests/unit/ledger/rewards/test_conditions.py, tests/unit/ledger/rewards/test_laws.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from connector.ledger.fields import fold
from connector.ledger.members.member import Member
from connector.ledger.programs.occasion import Item, Sale
from connector.ledger.rewards.document import (
    Comparison,
    LineField,
    OrderField,
    OrderTotal,
    Quantity,
    RewardRule,
)

CUSTOMER_NUMBER = "customer-number"
VOUCHER_LIST = "voucher-list"


class Missing(NamedTuple):
    """A condition that does not hold, and what would make it hold.

    `condition` is the key of the rule (or `member`, `currency`, `money`). `wanted` is what it
    asks for, where that is nobody's secret; `more` how much more of it, below zero for less.
    """

    condition: str
    words: str
    wanted: str | None = None
    more: Decimal | None = None
    possible: bool = True
    """Whether this customer can make it hold with this product."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule is held against. `line` is None for a rule of the whole order.

    `total` is what the order costs in money; `member` None while nobody is logged in.
    """

    sale: Sale
    member: Member | None
    on: date
    total: Decimal
    line: Item | None = None


Condition: TypeAlias = Callable[[Case], Missing | None]


def conditions(rule: RewardRule) -> tuple[Condition, ...]:
    """What the rule asks, the most selective first; none for a rule that always holds."""
    found: list[Condition] = []
    if rule.products or rule.groups:
        found.append(partial(_product, _folded(rule.products), _folded(rule.groups)))
    for key, check in _CHECKS.items():
        asked = getattr(rule, key)
        if asked is not None and asked != ():
            found.append(partial(check, asked))
    return tuple(found)


def _folded(names: Collection[str]) -> frozenset[str]:
    return frozenset(map(fold, names))


# ---------------------------------------------------------------------------- when


def _from(first: date, case: Case) -> Missing | None:
    if case.on >= first:
        return None
    return Missing("from", f"wait until {first}", str(first))


def _until(last: date, case: Case) -> Missing | None:
    if case.on <= last:
        return None
    return Missing("until", f"it ended on {last}", str(last), possible=False)


# ---------------------------------------------------------------------------- who


def _user(party: str, case: Case) -> Missing | None:
    known = None if case.member is None else case.member.party
    if _is(known, party):
        return None
    if known is None:
        return Missing("user", "log in as the customer it is for")
    return Missing("user", "it is for another customer", possible=False)


def _user_group(group: str, case: Case) -> Missing | None:
    if case.member is not None and fold(group) in case.member.groups:
        return None
    return Missing("user-group", f"be a member of the group {group}", group)


def _customer_number(number: str, case: Case) -> Missing | None:
    known = case.sale.fields.get(CUSTOMER_NUMBER)
    if _is(known, number):
        return None
    if known is None:
        return Missing(CUSTOMER_NUMBER, "order with the customer number it is for")
    return Missing(CUSTOMER_NUMBER, "it is for another customer number", possible=False)


# ---------------------------------------------------------------------------- the order line


def _line(case: Case) -> Item:
    assert case.line is not None, "a rule of lines is held against lines"
    return case.line


def _product(products: Collection[str], groups: Collection[str], case: Case) -> Missing | None:
    line = _line(case)
    if fold(line.product) in products or any(fold(one) in groups for one in line.categories):
        return None
    return Missing("products", "it is for other products", possible=False)


def _variant(variants: Collection[str], case: Case) -> Missing | None:
    chosen = _line(case).variant
    if chosen is not None and fold(chosen) in _folded(variants):
        return None
    return _choose("variants", "choose the variant", " or ".join(variants))


def _language(language: str, case: Case) -> Missing | None:
    if _is(_line(case).language, language):
        return None
    return _choose("language", "buy it in the language", language)


def _quantity(asked: Quantity, case: Case) -> Missing | None:
    more = _short(asked.condition, _line(case).quantity, asked.value)
    if more is None:
        return None
    words = f"add {more} more" if more > 0 else f"take {-more} off"
    if asked.condition in _SPOKEN:
        words = f"buy {_SPOKEN[asked.condition]} {asked.value}"
    return Missing("quantity", words, f"{asked.condition} {asked.value}", more)


def _line_field(asked: LineField, case: Case) -> Missing | None:
    given = _line(case).fields.get(asked.name)
    if _is(given, asked.value) if asked.value is not None else given:
        return None
    words = "fill in" if asked.value is None else f"give the value {asked.value} for"
    return Missing("order-line-field", f"{words} {asked.name}", asked.value or asked.name)


# ---------------------------------------------------------------------------- the order


def currency(code: str, case: Case) -> Missing | None:
    """What is missing where the order must be in a currency."""
    if fold(case.sale.currency) == fold(code):
        return None
    return _choose("currency", "pay in", code)


def _order_total(asked: OrderTotal, case: Case) -> Missing | None:
    if (wrong := currency(asked.currency, case)) is not None:
        return wrong._replace(condition="order-total")
    more = _short(asked.condition, case.total, asked.value)
    if more is None:
        return None
    words = f"spend {_money(abs(more), asked)} {'more' if more > 0 else 'less'}"
    if asked.condition in _SPOKEN:
        words = f"spend {_SPOKEN[asked.condition]} {_money(asked.value, asked)}"
    return Missing("order-total", words, f"{asked.condition} {asked.value} {asked.currency}", more)


def _field(key: str, words: str, value: str, case: Case) -> Missing | None:
    return None if _is(case.sale.fields.get(key), value) else _choose(key, words, value)


def _payment(means: str, case: Case) -> Missing | None:
    if any(_is(one, means) and amount > 0 for one, amount in case.sale.payments.items()):
        return None
    return _choose("payment", "pay by", means)


def _order_field(asked: OrderField, case: Case) -> Missing | None:
    if _is(case.sale.fields.get(asked.name), asked.value):
        return None
    return Missing("order-field", f"give the value {asked.value} for {asked.name}", asked.value)


def _voucher(name: str, case: Case) -> Missing | None:
    used = case.sale.fields.get(VOUCHER_LIST, "").split(",")
    if any(_is(one.strip(), name) for one in used):
        return None
    return _choose(VOUCHER_LIST, "use a voucher of the list", name)


# ---------------------------------------------------------------------------- small parts

_SPOKEN = {Comparison.MORE: "more than", Comparison.LESS: "less than"}


def _is(given: str | None, wanted: str) -> bool:
    return given is not None and fold(given) == fold(wanted)


def _choose(key: str, words: str, value: str) -> Missing:
    return Missing(key, f"{words} {value}", value)


def _money(amount: Decimal, asked: OrderTotal) -> str:
    """An amount with two decimals, or with all it has."""
    cents = amount.quantize(Decimal("0.01"))
    return f"{cents if cents == amount else amount} {asked.currency}"


def _short(condition: Comparison, given: Decimal, wanted: Decimal) -> Decimal | None:
    """How much more it takes, below zero for less; None where the condition holds."""
    holds = {
        Comparison.LEAST: given >= wanted,
        Comparison.MOST: given <= wanted,
        Comparison.EQUAL: given == wanted,
        Comparison.MORE: given > wanted,
        Comparison.LESS: given < wanted,
    }[condition]
    return None if holds else wanted - given


_CHECKS: Mapping[str, Callable[..., Missing | None]] = MappingProxyType(
    {
        "from_": _from,
        "until": _until,
        "user": _user,
        "user_group": _user_group,
        "customer_number": _customer_number,
        "variants": _variant,
        "language": _language,
        "quantity": _quantity,
        "order_line_field": _line_field,
        "order_total": _order_total,
        "shop": partial(_field, "shop", "buy in the shop"),
        "country": partial(_field, "country", "have it delivered to"),
        "shipping": partial(_field, "shipping", "choose the shipping"),
        "payment": _payment,
        "order_field": _order_field,
        "voucher_list": _voucher,
    }
)
"""The key of a rule, as Python spells it, to what is asked by it; products and groups apart."""
