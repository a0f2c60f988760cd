"""The first reason why a rule gives nothing, in words an agent can pass on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connector.ledger.ledger import Ledger
from connector.ledger.members.member import Member
from connector.ledger.programs import store
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.missing import missed, tried
from connector.ledger.programs.occasion import Occasion
from tests.unit.ledger.programs.making import (
    activity,
    exact,
    item,
    member,
    programs,
    rule,
    sale,
)

TIERS = [{"tier": "gold", "level": 1, "points": 1, "kind": "bonus"}]


def why(
    one: dict[str, Any],
    of: Occasion | None = None,
    who: Member | None = None,
    **keys: Any,
) -> list[str]:
    compiled = programs(one, tiers=TIERS, **keys)
    return [lack.why for lack in missed(compiled, of or sale(), who or member())]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"for_": {"from": "2026-06-01"}}, "it holds from 2026-06-01, not on 2026-03-04"),
        (
            {"for_": {"until": "2026-03-31", "weekdays": ["monday", "friday"]}},
            "it holds until 2026-03-31 on monday, friday, not on 2026-03-04",
        ),
        ({"not_for": {"from": "2026-03-01"}}, "2026-03-04 is left out: from 2026-03-01"),
        ({"for_": {"groups": ["VIP", "gold"]}}, "it asks for the group gold or vip"),
        ({"for_": {"tiers": ["gold"]}}, "it asks for the tier gold"),
        ({"for_": {"channels": ["web"]}}, "it asks for the channel web"),
        ({"not_for": {"groups": ["Staff"]}}, "the group staff is left out"),
        ({"for_": {"products": ["hat"]}}, "no line of the sale counts for it"),
        ({"currency": "USD"}, "it counts USD, the sale is in EUR"),
        (
            {"for_": {"least-amount": 50}},
            "the lines that count come to 10, at least 50 is due",
        ),
        (
            {"for_": {"least-quantity": 2}},
            "the quantity of the lines that count is 1, at least 2 is due",
        ),
        ({"for_": {"payments": ["card"]}}, "nothing was paid in a way that counts for it"),
        ({"by": "sale", "every": 10}, "it is sale 4 of the card, each 10. counts"),
        ({"points": 0.01}, "it comes to less than the smallest part of a point"),
    ],
)
def test_the_reason_is_told(keys: dict[str, Any], reason: str) -> None:
    assert why(rule(**keys), who=member(groups={"staff"}, sales=3)) == [reason]


def test_reasons_of_the_program_come_first() -> None:
    never = rule(for_={"products": ["hat"]})
    assert why(never, members="joined") == ["the card has not joined club"]
    staff = member(groups={"staff"})
    assert why(never, who=staff, excluded=["Staff"]) == ["staff earns nothing in club"]
    paid = sale(payments={"points": "1"})
    assert why(never, of=paid) == ["a part of the sale is paid with points"]


def test_rules_that_give_something_and_rules_for_something_else_have_no_reason() -> None:
    assert why(rule()) == []
    assert why(rule(by="activity")) == []
    assert why(rule(), of=activity()) == []
    visit = rule(by="activity", for_={"activities": ["visit"]})
    assert why(visit, of=activity("survey")) == ["it asks for the activity visit"]


def test_a_sale_is_tried_without_posting_it(ledger: Ledger) -> None:
    data = {"program": "club", "earn": [rule(), rule(rule="hats", for_={"products": ["hat"]})]}
    document = ProgramDocument.model_validate(exact(data))
    with ledger.writing("test") as transaction:
        store.keep(transaction, document, "")
    card = ledger.store("cards").create({"CardNumber": "100001"}, by="test")
    before = ledger.head()
    answer = tried(ledger, sale(item(amount="45.50")), card.id)
    assert [(one.rule, one.points) for one in answer.earned] == [("base", Decimal(46))]
    assert [one[:3] for one in answer.missed] == [("club", 1, "hats")]
    assert ledger.head() == before
