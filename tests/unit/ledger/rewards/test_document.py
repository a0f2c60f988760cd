"""Files of rewards and carts: what is read, and what is said about a wrong one, at its place."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator

from connector.ledger.programs.checks import Known
from connector.ledger.programs.reading import findings
from connector.ledger.programs.yaml_text import read_yaml
from connector.ledger.rewards.cart import Cart
from connector.ledger.rewards.checks import examined
from connector.ledger.rewards.document import RewardDocument
from tests.unit.ledger.rewards.making import KINDS, document

KNOWN = Known(KINDS, frozenset({"eur", "usd"}), frozenset())
FULL = """
reward: three-mugs
name: Three mugs
type: percentage
percentage: 2.5
currency: EUR
rounding: down
decimals: 0
kind: Bonus
active: true
translations: {de: Drei Tassen}
rules:
  - rule: spring
    from: 2026-03-01
    until: 2026-05-31
    user: P000001
    user-group: vip
    customer-number: 1001
    products: [mug, 4711]
    groups: [cups]
    variants: [blue]
    language: de
    quantity: {condition: ">=", value: 3}
    order-line-field: {name: engraving}
    order-total: {condition: ">", value: 50.00, currency: EUR}
    shop: web
    country: DE
    shipping: express
    payment: card
    order-field: {name: gift-wrap, value: yes}
    voucher-list: spring
  - rule: always
    active: false
"""


def test_a_whole_document() -> None:
    found, problems = examined(read_yaml(FULL, "r.yaml"), KNOWN)
    assert problems == []
    assert found is not None
    rule = found.rules[0]
    assert (found.percentage, rule.products, rule.customer_number) == (
        Decimal("2.5"),
        ("mug", "4711"),
        "1001",
    )
    assert [one.of_lines for one in found.rules] == [True, False]
    assert (found.called("DE"), found.called("fr"), found.called()) == (
        "Drei Tassen",
        "Three mugs",
        "Three mugs",
    )
    assert RewardDocument.parsed(found.kept()) == found


def test_the_order_of_keys_and_zeros_mean_nothing() -> None:
    other = FULL.replace("2.5\n", "2.50\n").replace("active: true\n", "")
    first, _ = examined(read_yaml(FULL, "r.yaml"), KNOWN)
    second, _ = examined(read_yaml(other, "r.yaml"), KNOWN)
    assert first is not None
    assert second is not None
    assert first.kept() == second.kept()


def test_a_document_as_told_can_be_read_again() -> None:
    found, _ = examined(read_yaml(FULL, "r.yaml"), KNOWN)
    assert found is not None
    again, _ = examined(read_yaml(json.dumps(found.told()), "r.yaml"), KNOWN)
    assert again == found


GOOD = """
reward: gift
name: Gift
type: fixed
points: 10
kind: bonus
rules:
  - rule: mugs
    products: [mug]
    order-total: {value: 20, currency: EUR}
"""

WRONG: list[tuple[str, str, str, int, str]] = [
    ("points: 10\n", "", "document-contradiction", 2, "needs `points`"),
    ("points: 10", "points: 10\npercentage: 1", "document-contradiction", 2, "no `percentage`"),
    ("type: fixed", "type: percentage", "document-contradiction", 2, "needs `percentage`"),
    ("type: fixed", "type: gift", "document-wrong-value", 4, "one of fixed, percentage"),
    ("points: 10", "points: 0", "document-wrong-value", 5, "above 0"),
    ("points: 10", "points: -5", "document-wrong-value", 5, "above 0"),
    ("points: 10", "points: ten", "document-wrong-value", 5, "a number"),
    ("points: 10", "points: 1.00001", "document-wrong-value", 5, "4 decimals"),
    ("points: 10", "points: 1\npoints: 2", "yaml-duplicate-key", 6, "twice"),
    ("reward: gift", "reward: My gift", "document-wrong-value", 2, "a name of small letters"),
    ("name: Gift", f"name: {'x' * 51}", "document-wrong-value", 3, "at most 50 characters"),
    ("name: Gift\n", "", "document-missing-key", 2, "`name` is missing"),
    ("kind: bonus", "kind: bonsu", "point-kind-unknown", 6, "bonsu"),
    ("rules:", "rulez:", "document-missing-key", 2, "`rules` is missing"),
    ("products: [mug]", "product: [mug]", "document-unknown-key", 9, "unknown key `product`"),
    ("products: [mug]", "products: mug", "document-wrong-value", 9, "a list"),
    ("products: [mug]", "from: tomorrow", "document-wrong-value", 9, "a day"),
    (
        "products: [mug]",
        "from: 2026-02-01\n    until: 2026-01-01",
        "document-contradiction",
        8,
        "before",
    ),
    ("{value: 20, currency: EUR}", "{value: 20}", "document-missing-key", 10, "`currency`"),
    ("value: 20", "condition: '=>', value: 20", "document-wrong-value", 10, "one of >=, <="),
    ("currency: EUR", "currency: XXX", "currency-unknown", 10, "XXX"),
    ("currency: EUR", "currency: euro", "document-wrong-value", 10, "the code of a currency"),
    ("  - rule: mugs", "  - rule: mugs\n  - rule: mugs", "document-contradiction", 2, "two rules"),
    ("points: 10", "points: 10\ndecimals: 5", "document-wrong-value", 6, "up to 4"),
    ("points: 10", "points: 10\nactive: maybe", "document-wrong-value", 6, "true or false"),
    ("rules:", "rules: []\nother:", "document-wrong-value", 7, "a list that is not empty"),
]


@pytest.mark.parametrize(("part", "instead", "code", "line", "said"), WRONG)
def test_what_is_wrong_is_said_at_its_place(
    part: str, instead: str, code: str, line: int, said: str
) -> None:
    assert part in GOOD
    text = GOOD.replace(part, instead)
    if code.startswith("yaml-"):
        with pytest.raises(Exception, match=code):
            read_yaml(text, "r.yaml")
        return
    _, problems = examined(read_yaml(text, "r.yaml"), KNOWN)
    found = problems[0]
    assert (found.code, found.subject.file, found.subject.line) == (code, "r.yaml", line)
    assert said in found.message
    assert found.remedy


def test_parts_of_a_point_of_a_whole_kind_are_a_warning() -> None:
    text = GOOD.replace("points: 10", "points: 10\ndecimals: 2")
    found, (problem,) = examined(read_yaml(text, "r.yaml"), KNOWN)
    assert found is not None
    assert (problem.code, problem.severity) == ("reward-rounding", "warning")
    money = text.replace("kind: bonus", "kind: cash")
    assert examined(read_yaml(money, "r.yaml"), KNOWN)[1] == []


@pytest.mark.parametrize("model", [RewardDocument, Cart])
def test_the_schema_is_one(model: type[RewardDocument] | type[Cart]) -> None:
    Draft202012Validator.check_schema(model.model_json_schema())


def test_the_schema_accepts_what_is_read_and_nothing_unknown() -> None:
    schema = Draft202012Validator(RewardDocument.model_json_schema())
    told = document({"products": ["mug"], "quantity": {"value": 3}}).told()
    assert list(schema.iter_errors(told)) == []
    assert list(schema.iter_errors({**told, "prize": 1})) != []


CART = """
order: W-1
card: 100001
currency: EUR
payments: {card: 20.5}
fields: {shop: web}
lines:
  - {product: mug, quantity: 2, amount: 20.50, groups: [cups], fields: {note: 7}}
  - {product: cup, pay-with: bonus}
"""


def test_a_cart_is_read() -> None:
    found = findings(Cart, read_yaml(CART, "c.yaml"))
    assert isinstance(found, Cart)
    assert (found.card, found.lines[0].amount, found.lines[1].pay_with) == (
        "100001",
        Decimal("20.50"),
        "bonus",
    )
    assert found.lines[0].fields == {"note": "7"}


@pytest.mark.parametrize(
    ("part", "instead", "line"),
    [
        ("quantity: 2", "quantity: -2", 8),
        ("quantity: 2", "quantity: 0", 8),
        ("amount: 20.50", "amount: -1", 8),
        ("currency: EUR", "currency: Euro", 4),
        ("card: 20.5", "card: much", 5),
        ("pay-with", "paywith", 9),
    ],
)
def test_what_is_no_cart(part: str, instead: str, line: int) -> None:
    found = findings(Cart, read_yaml(CART.replace(part, instead), "c.yaml"))
    assert isinstance(found, list)
    assert found[0].subject.line == line
