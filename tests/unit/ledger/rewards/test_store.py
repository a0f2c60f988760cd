"""Rewards in the ledger: versions, what is in force, settings."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connector.errors import UsageError
from connector.ledger.ledger import Ledger
from connector.ledger.rewards import store
from connector.ledger.rewards.document import RewardDocument
from connector.ledger.rewards.evaluator import SETTINGS, Rewards, Settings, Several
from tests.unit.ledger.conftest import START, Clock
from tests.unit.ledger.rewards.making import ANN, document, earned, item, sale

GIFT = document(kind="plain")
LARGER = document(kind="plain", points=20)


def keep(ledger: Ledger, one: RewardDocument) -> store.Kept:
    with ledger.writing("ann") as transaction:
        return store.keep(transaction, one)


def load(ledger: Ledger) -> Rewards:
    with ledger.reading() as connection:
        return store.load(connection)


def test_a_reward_has_a_version_for_every_change_of_its_meaning(shop: Ledger) -> None:
    assert keep(shop, GIFT) == ("gift", 1, "created")
    assert keep(shop, GIFT) == ("gift", 1, "unchanged")
    assert keep(shop, LARGER) == ("gift", 2, "updated")
    assert keep(shop, GIFT) == ("gift", 3, "updated")
    with shop.reading() as connection:
        assert [one.version for one in store.history(connection, "GIFT")] == [3, 2, 1]
        (last,) = store.latest(connection)
        assert (last.document, last.version, last.at, last.by) == (GIFT, 3, START, "ann")
        assert store.stored(connection, "gift", 2).document == LARGER


def test_a_document_comes_back_as_it_was(shop: Ledger) -> None:
    whole = document(
        {"order-total": {"value": Decimal("12.3456"), "currency": "EUR"}, "from": "2026-01-31"},
        {"quantity": {"condition": "<", "value": 3}, "products": ["1", "a"], "active": False},
        type="percentage",
        percentage=Decimal("2.5"),
        currency="EUR",
        rounding="up",
        decimals=2,
        translations={"de": "Geschenk"},
    )
    keep(shop, whole)
    with shop.reading() as connection:
        assert store.stored(connection, "gift").document == whole


def test_an_archived_reward_never_pays_and_is_still_there(shop: Ledger) -> None:
    keep(shop, GIFT)
    assert earned(load(shop), sale()) == [("gift", 10)]
    with shop.writing("ann") as transaction:
        assert store.archive(transaction, "gift") == ("gift", 2, "updated")
        assert store.archive(transaction, "gift") == ("gift", 2, "unchanged")
    assert earned(load(shop), sale()) == []
    assert load(shop).versions == {}
    with shop.reading() as connection:
        assert store.stored(connection, "gift").document.archived
    with shop.writing("ann") as transaction:
        store.archive(transaction, "gift", archived=False)
    assert earned(load(shop), sale()) == [("gift", 10)]


def test_what_was_in_force_can_be_asked_again(shop: Ledger) -> None:
    keep(shop, GIFT)
    with shop.writing("ann") as transaction:
        store.keep_settings(transaction, Settings(months=6))
    before = load(shop)
    assert before.versions == {"gift": 1, SETTINGS: 1}
    keep(shop, LARGER)
    keep(shop, document(reward="new", kind="plain"))
    with shop.writing("ann") as transaction:
        store.keep_settings(transaction, Settings(months=12))
    assert earned(load(shop), sale()) == [("gift", 20), ("new", 10)]
    with shop.reading() as connection:
        again = store.load_versions(connection, before.versions)
        assert earned(again, sale()) == [("gift", 10)]
        assert again.earned(sale(), ANN)[0].months == 6
        assert store.load_versions(connection, {}).rewards == ()


def test_what_did_not_change_is_not_made_again(shop: Ledger) -> None:
    keep(shop, GIFT)
    first = load(shop)
    assert load(shop) is first
    keep(shop, LARGER)
    assert load(shop) is not first
    second = load(shop)
    shop.store("reward-points").create(
        {"RewardPointId": "more", "RewardPointType": "Quantity"}, by="test"
    )
    assert load(shop) is not second


def test_points_are_rounded_as_the_kind_asks(shop: Ledger) -> None:
    tenth = {"type": "percentage", "percentage": Decimal(1), "currency": "EUR", "decimals": 4}
    keep(shop, document(kind="plain", reward="whole", **tenth))
    keep(shop, document(kind="MONEY", reward="part", **tenth))
    keep(shop, document(kind="nobody-made-it", reward="unknown", **tenth))
    paid = dict(earned(load(shop), sale(item(amount="160"))))
    assert paid == {"whole": 2, "part": Decimal("1.60"), "unknown": 2}


def test_settings(shop: Ledger, clock: Clock) -> None:
    with shop.reading() as connection:
        assert store.settings(connection) == Settings(True, None, Several.ALL)
    wanted = Settings(False, 12, Several.LARGEST)
    with shop.writing("ann") as transaction:
        store.keep_settings(transaction, wanted)
        store.keep_settings(transaction, wanted)
    keep(shop, GIFT)
    assert (load(shop).settings, load(shop).versions[SETTINGS]) == (wanted, 1)


@pytest.mark.parametrize(("name", "version"), [("nothing", None), ("gift", 2)])
def test_what_is_not_there_is_said(shop: Ledger, name: str, version: int | None) -> None:
    keep(shop, GIFT)
    with shop.reading() as connection, pytest.raises(UsageError, match="reward-unknown"):
        store.stored(connection, name, version)
