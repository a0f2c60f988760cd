"""Tiers follow what is posted, who holds a card, and the days, by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from connector.ledger.desk import Desk
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change, Done
from connector.ledger.programs import standing, store
from connector.ledger.programs.document import ProgramDocument
from connector.ledger.programs.reading import parsed
from connector.ledger.programs.standing import Reached
from connector.ledger.programs.yaml_text import read_yaml
from connector.ledger.shown import days
from connector.ledger.shown.days import turn_days
from connector.ledger.shown.entities import CARD_TIERS
from connector.ledger.shown.tables import shown_days
from tests.unit.ledger.conftest import START, Clock

DAY = 86_400
CLUB = """program: club
title: Club
pooled: true
tiers:
  - {tier: silver, level: 1, points: 100, kind: plain, within: 12 months}
earn:
  - {rule: base, by: amount, currency: EUR, points: 1, kind: plain}
"""


@pytest.fixture(autouse=True)
def club(ledger: Ledger, journal: Journal) -> None:
    with ledger.writing("test") as transaction:
        store.keep(transaction, parsed(ProgramDocument, read_yaml(CLUB, "a.yaml")), CLUB)


def earns(ledger: Ledger, card: str, points: int, key: str = "k", days_ago: int = 0) -> None:
    line = Earn(card, "plain", Decimal(points))
    at = ledger.now() - timedelta(days_ago)
    Journal(ledger).post(Posting(key, (line,), at), by="till")


def tiers(ledger: Ledger) -> dict[object, object]:
    store = ledger.store("card-tiers")
    number, tier = store.entity.places(("CardNumber", "Tier"))
    return {one.values[number]: one.values[tier] for one in store.page(None, 100)}


def test_a_posting_shows_the_tier_it_leads_to(ledger: Ledger) -> None:
    earns(ledger, "A", 99)
    assert tiers(ledger) == {"A": None}
    earns(ledger, "A", 1, "l")
    assert tiers(ledger) == {"A": "silver"}


def test_a_card_has_the_tier_of_its_customer_from_the_start(ledger: Ledger) -> None:
    earns(ledger, "SAME", 100)
    cards = ledger.store("cards")
    cards.create({"CardNumber": "NEW", "PartyNumber": "P1"}, by="desk")
    cards.create({"CardNumber": "OTHER"}, by="desk")
    assert tiers(ledger).get("NEW") == "silver"
    assert tiers(ledger).get("OTHER") is None
    other = cards.find("OTHER")
    assert other is not None
    cards.update(other.id, {"PartyNumber": "P1"}, by="desk")
    assert tiers(ledger)["OTHER"] == "silver"
    cards.update(other.id, {"PartyNumber": None}, by="desk")
    assert tiers(ledger).get("OTHER") is None


def test_cards_that_swap_their_numbers_take_their_tiers_along(ledger: Ledger) -> None:
    earns(ledger, "A", 600, days_ago=9)
    earns(ledger, "B", 50, "l")
    cards = ledger.store("cards")
    first, other = cards.find("A"), cards.find("B")
    assert first is not None
    assert other is not None
    changes = [
        Change(first.id, None, {"CardNumber": "X", "PartyNumber": "P1"}),
        Change(other.id, None, {"CardNumber": "A"}),
        Change(first.id, None, {"CardNumber": "B"}),
    ]
    assert all(isinstance(one, Done) for one in cards.apply(changes, by="desk"))
    shown = tiers(ledger)
    assert (shown["A"], shown["B"]) == (None, "silver")


@pytest.mark.parametrize("how", ["replaced", "renamed"])
def test_another_number_is_no_rise(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Who has it already is not given once more what a tier brings."""
    rises: list[str] = []

    def told(_transaction: object, _programs: object, some: Sequence[Reached]) -> set[str]:
        rises.extend(one.number for one in some)
        return set()

    monkeypatch.setattr(standing, "give_for_tiers", told)
    earns(ledger, "A", 100)
    assert rises == ["A"]
    if how == "replaced":
        Desk(ledger).replace("A", "NEW", by="desk")
    else:
        card = ledger.store("cards").find("A")
        assert card is not None
        changes = {"CardNumber": "NEW", "PartyNumber": "P1"}
        ledger.store("cards").update(card.id, changes, by="desk")
    assert tiers(ledger)["NEW"] == "silver"
    assert "NEW" not in rises


def test_a_tier_lapses_when_its_day_is_past(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "PAGE", 1)
    earns(ledger, "A", 100, "k", days_ago=200)
    earns(ledger, "B", 100, "l")
    assert tiers(ledger) == {"A": "silver", "B": "silver"}
    lapsed: dict[int, int] = {}
    for _ in range(400):
        clock.forward(DAY)
        if changed := turn_days(ledger).tiers:
            lapsed[(ledger.today() - START.date()).days] = changed
    assert tiers(ledger) == {"A": None, "B": None}
    assert lapsed == {165: 1, 365: 1}


def test_a_ledger_that_showed_nothing_gets_its_tiers_too(ledger: Ledger, clock: Clock) -> None:
    earns(ledger, "A", 100)
    with ledger.writing("an older program") as transaction:
        for table in (shown_days, CARD_TIERS.table):
            transaction.connection.execute(table.delete())
    assert turn_days(ledger).tiers == 1
    assert tiers(ledger)["A"] == "silver"
