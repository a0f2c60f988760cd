"""Cards and kinds that get another name, and cards that go."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connector.ledger.entity_store import EntityStore
from connector.ledger.journal.journal import Journal
from connector.ledger.journal.posting import Earn, Posting, Redeem
from connector.ledger.ledger import Ledger
from connector.ledger.operations import Change, Done, Upsert
from connector.ledger.shown import names
from connector.ledger.shown.entities import CARD_SEGMENTS, CARD_TIERS, joined
from tests.unit.ledger.shown.asking import right, shown

ONE = Decimal(1)


def called(store: EntityStore, name: str, now: str) -> None:
    record = store.find(name)
    assert record is not None
    store.update(record.id, {store.entity.key.name: now}, by="test")


def transactions(ledger: Ledger) -> list[tuple[object, ...]]:
    return [one.values[1:3] for one in ledger.store("point-transactions").page(None, 100)]


def mark(ledger: Ledger, card: str) -> None:
    """Give a card a tier and a segment."""
    with ledger.writing("test") as transaction:
        tier = {"CardTierId": joined(card, "gold"), "CardNumber": card, "Program": "gold"}
        segment = {"CardSegmentId": joined(card, "new"), "CardNumber": card, "Segment": "new"}
        for entity, values in ((CARD_TIERS, tier), (CARD_SEGMENTS, segment)):
            (result,) = transaction.apply(entity, [Upsert(values)])
            assert isinstance(result, Done)


def keys(ledger: Ledger, name: str) -> list[tuple[object, ...]]:
    return [one.values[:3] for one in ledger.store(name).listed(100)]


def test_balances_follow_a_card_and_transactions_name_it_as_it_is_called_now(
    ledger: Ledger, journal: Journal, cards: EntityStore
) -> None:
    journal.post(Posting("k", (Earn("A", "plain", ONE), Earn("B", "plain", ONE))), by="t")
    since = ledger.head()
    (old,) = ledger.store("point-balances").read_by("BalanceId", ["A/plain"])["a/plain"]
    called(cards, "A", "Z")
    journal.post(Posting("l", (Earn("Z", "plain", ONE),)), by="t")
    assert shown(ledger) == right(ledger, ledger.today())
    assert shown(ledger).keys() == {"Z/plain", "B/plain"}
    page = ledger.store("point-balances").changes(since, ledger.head(), 100)
    assert ([one.values[0] for one in page.records], page.deleted) == (["Z/plain"], [old.id])
    assert transactions(ledger) == [("Z", "plain"), ("B", "plain"), ("Z", "plain")]


def test_cards_that_swap_their_numbers(
    ledger: Ledger, journal: Journal, cards: EntityStore
) -> None:
    journal.post(Posting("k", (Earn("A", "plain", ONE), Earn("B", "plain", ONE + ONE))), by="t")
    mark(ledger, "A")
    a, b = cards.find("A"), cards.find("B")
    assert a is not None
    assert b is not None
    wanted = [
        Change(a.id, None, {"CardNumber": "X"}),
        Change(b.id, None, {"CardNumber": "A"}),
        Change(a.id, None, {"CardNumber": "B"}),
    ]
    assert all(isinstance(one, Done) for one in cards.apply(wanted, by="test"))
    assert shown(ledger) == right(ledger, ledger.today())
    assert keys(ledger, "card-tiers") == [("B/gold", "B", "gold")]


def test_a_kind_that_is_on_many_cards_is_renamed_page_by_page(
    ledger: Ledger, journal: Journal, points: EntityStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "PAGE", 2)
    lines = tuple(Earn(card, "plain", ONE) for card in ("A", "B", "POOL", "SAME", "EARNS"))
    journal.post(Posting("k", lines), by="t")
    called(points, "plain", "a/b%")
    assert shown(ledger).keys() == {f"{one.card}/a%2Fb%25" for one in lines}
    assert {one["RewardPointId"] for one in shown(ledger).values()} == {"a/b%"}
    journal.post(Posting("l", (Redeem("A", "a/b%", ONE),)), by="t")
    assert {kind for _, kind in transactions(ledger)} == {"a/b%"}


def test_tiers_and_segments_follow_a_card_and_go_with_it(
    ledger: Ledger, journal: Journal, cards: EntityStore
) -> None:
    mark(ledger, "A")
    called(cards, "A", "Z")
    assert keys(ledger, "card-tiers") == [("Z/gold", "Z", "gold")]
    assert keys(ledger, "card-segments") == [("Z/new", "Z", "new")]
    record = cards.find("Z")
    assert record is not None
    cards.delete(record.id, by="test")
    assert keys(ledger, "card-tiers") == keys(ledger, "card-segments") == []


def test_no_two_cards_and_kinds_share_a_key() -> None:
    pairs = [("A/B", "C"), ("A", "B/C"), ("A%2FB", "C"), ("A", "B%2FC"), ("A/", "B"), ("A", "/B")]
    assert len({joined(*pair) for pair in pairs}) == len(pairs)
