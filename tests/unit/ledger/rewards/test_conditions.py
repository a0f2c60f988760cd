"""Each trigger of a reward: when it pays, when it does not, and what is said then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from connector.ledger.members.member import Member
from connector.ledger.programs.occasion import Sale
from connector.ledger.rewards.conditions import Case, Missing
from connector.ledger.rewards.document import RewardRule
from connector.ledger.rewards.evaluator import missing
from tests.unit.ledger.rewards.making import ANN, AT, document, earned, item, rewards, sale

FIELDS = {
    "shop": "web",
    "country": "DE",
    "shipping": "express",
    "customer-number": "C-7",
    "voucher-list": "spring, friends",
    "gift-wrap": "yes",
}
ORDER = sale(
    item(
        quantity="3",
        amount="60",
        categories=("cups", "kitchen"),
        variant="blue",
        language="de",
        fields={"engraving": "Ann"},
    ),
    payments={"card": Decimal(60)},
    fields=FIELDS,
)

PAYS: list[dict[str, Any]] = [
    {},
    {"from": "2026-06-15"},
    {"until": "2026-06-15"},
    {"user": "p1"},
    {"user-group": "VIP"},
    {"customer-number": "c-7"},
    {"products": ["MUG", "plate"]},
    {"groups": ["Kitchen"]},
    {"products": ["plate"], "groups": ["cups"]},
    {"variants": ["red", "Blue"]},
    {"language": "DE"},
    {"quantity": {"value": 3}},
    {"quantity": {"condition": "<=", "value": 3}},
    {"quantity": {"condition": "=", "value": 3}},
    {"quantity": {"condition": ">", "value": 2}},
    {"quantity": {"condition": "<", "value": 4}},
    {"order-total": {"value": 60, "currency": "EUR"}},
    {"order-total": {"condition": "<=", "value": 60, "currency": "EUR"}},
    {"order-total": {"condition": ">", "value": 59, "currency": "EUR"}},
    {"order-total": {"condition": "<", "value": 61, "currency": "EUR"}},
    {"order-total": {"condition": "=", "value": 60, "currency": "EUR"}},
    {"shop": "WEB"},
    {"country": "de"},
    {"shipping": "express"},
    {"payment": "Card"},
    {"order-field": {"name": "gift-wrap", "value": "Yes"}},
    {"voucher-list": "friends"},
    {"order-line-field": {"name": "engraving"}},
    {"order-line-field": {"name": "engraving", "value": "ann"}},
    {"products": ["mug"], "quantity": {"value": 2}, "shop": "web", "user-group": "vip"},
]

LACKS: list[tuple[dict[str, Any], Missing]] = [
    ({"from": "2026-06-16"}, Missing("from", "wait until 2026-06-16", "2026-06-16")),
    (
        {"until": "2026-06-14"},
        Missing("until", "it ended on 2026-06-14", "2026-06-14", possible=False),
    ),
    ({"user": "P2"}, Missing("user", "it is for another customer", possible=False)),
    (
        {"user-group": "staff"},
        Missing("user-group", "be a member of the group staff", "staff"),
    ),
    (
        {"customer-number": "C-8"},
        Missing("customer-number", "it is for another customer number", possible=False),
    ),
    ({"products": ["plate"]}, Missing("products", "it is for other products", possible=False)),
    ({"groups": ["garden"]}, Missing("products", "it is for other products", possible=False)),
    (
        {"variants": ["red", "green"]},
        Missing("variants", "choose the variant red or green", "red or green"),
    ),
    ({"language": "en"}, Missing("language", "buy it in the language en", "en")),
    ({"quantity": {"value": 5}}, Missing("quantity", "add 2 more", ">= 5", Decimal(2))),
    (
        {"quantity": {"condition": "<=", "value": 2}},
        Missing("quantity", "take 1 off", "<= 2", Decimal(-1)),
    ),
    (
        {"quantity": {"condition": ">", "value": 3}},
        Missing("quantity", "buy more than 3", "> 3", Decimal(0)),
    ),
    (
        {"order-total": {"value": Decimal("72.50"), "currency": "EUR"}},
        Missing("order-total", "spend 12.50 EUR more", ">= 72.50 EUR", Decimal("12.50")),
    ),
    (
        {"order-total": {"condition": "<", "value": 60, "currency": "EUR"}},
        Missing("order-total", "spend less than 60.00 EUR", "< 60 EUR", Decimal(0)),
    ),
    (
        {"order-total": {"value": 10, "currency": "USD"}},
        Missing("order-total", "pay in USD", "USD"),
    ),
    ({"shop": "b2b"}, Missing("shop", "buy in the shop b2b", "b2b")),
    ({"country": "DK"}, Missing("country", "have it delivered to DK", "DK")),
    ({"shipping": "pickup"}, Missing("shipping", "choose the shipping pickup", "pickup")),
    ({"payment": "invoice"}, Missing("payment", "pay by invoice", "invoice")),
    (
        {"order-field": {"name": "gift-wrap", "value": "no"}},
        Missing("order-field", "give the value no for gift-wrap", "no"),
    ),
    (
        {"voucher-list": "winter"},
        Missing("voucher-list", "use a voucher of the list winter", "winter"),
    ),
    (
        {"order-line-field": {"name": "note"}},
        Missing("order-line-field", "fill in note", "note"),
    ),
    (
        {"order-line-field": {"name": "engraving", "value": "Bob"}},
        Missing("order-line-field", "give the value Bob for engraving", "Bob"),
    ),
]


def lacking(
    rule: dict[str, Any], order: Sale = ORDER, member: Member | None = ANN
) -> list[Missing]:
    (reward,) = rewards(document(rule)).rewards
    (trigger,) = reward.triggers
    line = order.lines[0] if trigger.rule.of_lines else None
    total = sum((one.amount for one in order.lines), Decimal(0))
    return list(missing(reward, trigger, Case(order, member, order.at.date(), total, line)))


@pytest.mark.parametrize("rule", PAYS, ids=str)
def test_a_rule_that_holds_pays(rule: dict[str, Any]) -> None:
    assert lacking(rule) == []
    assert earned(rewards(document(rule)), ORDER) == [("gift", Decimal(10))]


@pytest.mark.parametrize(("rule", "said"), LACKS, ids=str)
def test_a_rule_that_does_not_hold_says_why(rule: dict[str, Any], said: Missing) -> None:
    assert lacking(rule) == [said]
    assert earned(rewards(document(rule)), ORDER) == []


def test_every_key_of_a_rule_is_in_these_tables() -> None:
    known = {field.alias for field in RewardRule.model_fields.values()} - {"rule", "active"}
    assert known == {key for rule in PAYS for key in rule}
    assert known == {key for rule, _ in LACKS for key in rule}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"user": "P1"}, "log in as the customer it is for"),
        ({"user-group": "vip"}, "be a member of the group vip"),
        ({"customer-number": "C-7"}, "order with the customer number it is for"),
    ],
)
def test_who_is_not_logged_in_is_told_so_and_no_secret(rule: dict[str, Any], words: str) -> None:
    nobody = replace(ORDER, fields={})
    (found,) = lacking(rule, nobody, None)
    assert (found.words, found.possible) == (words, True)
    assert "P1" not in str(found)
    assert "C-7" not in str(found)


def test_all_that_is_missing_is_said() -> None:
    rule = {"products": ["mug"], "quantity": {"value": 4}, "shop": "b2b", "from": "2027-01-01"}
    assert [one.condition for one in lacking(rule)] == ["from", "quantity", "shop"]


def test_a_means_of_payment_that_pays_nothing_does_not_count() -> None:
    order = replace(ORDER, payments={"invoice": Decimal(0)})
    assert [one.condition for one in lacking({"payment": "invoice"}, order)] == ["payment"]


def test_the_day_is_that_of_the_zone_the_sale_is_told_in() -> None:
    late = datetime(2026, 6, 14, 23, 0, tzinfo=UTC)
    there = late.astimezone(timezone(timedelta(hours=2)))
    assert there.date() == date(2026, 6, 15)
    these = rewards(document({"from": "2026-06-15"}))
    assert earned(these, replace(ORDER, at=late)) == []
    assert earned(these, replace(ORDER, at=there)) == [("gift", Decimal(10))]
    assert AT.date() == date(2026, 6, 15)
